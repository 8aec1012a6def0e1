/**
 * Elementary functions on four floats at a time: `callMath(module, f, 'exp')` takes the operands from the stack and
 * leaves the result. A module holds only the functions that it uses.
 *
 * Relative errors stay below 5e−7; signed zeros, infinities and NaN are right.
 */
import type { FunctionBuilder, Local, ValueType } from './assembler-function.ts';
import type { ModuleBuilder } from './assembler-module.ts';
import { acosh, asinh, atanh, cosh, erf, exp, expm1, log, log1p, sigmoid, sinh, tanh } from './math-exponential.ts';
import { rareCode } from './rare-code.ts';

type UnaryMath = (f: FunctionBuilder, x: Local) => void;
type BinaryMath = (f: FunctionBuilder, x: Local, y: Local) => void;
type UnaryMathName =
  | 'exp'
  | 'expm1'
  | 'log'
  | 'log1p'
  | 'sigmoid'
  | 'tanh'
  | 'erf'
  | 'sinh'
  | 'cosh'
  | 'asinh'
  | 'acosh'
  | 'atanh'
  | 'sin'
  | 'cos'
  | 'tan'
  | 'asin'
  | 'acos'
  | 'atan';

const UNARY: { readonly [K in UnaryMathName]: UnaryMath } = {
  exp,
  expm1,
  log,
  log1p,
  sigmoid,
  tanh,
  erf,
  sinh,
  cosh,
  asinh,
  acosh,
  atanh,
  sin: (f, x) => rareCode('trigonometry').sin(f, x),
  cos: (f, x) => rareCode('trigonometry').cos(f, x),
  tan: (f, x) => rareCode('trigonometry').tan(f, x),
  asin: (f, x) => rareCode('trigonometry').asin(f, x),
  acos: (f, x) => rareCode('trigonometry').acos(f, x),
  atan: (f, x) => rareCode('trigonometry').atan(f, x),
};

type BinaryMathName = 'power' | 'atan2';

const BINARY: { readonly [K in BinaryMathName]: BinaryMath } = {
  power: (f, x, y) => rareCode('power').power(f, x, y),
  atan2: (f, x, y) => rareCode('trigonometry').atan2(f, x, y),
};

export type MathName = UnaryMathName | BinaryMathName;

/** Index of the module's function for four floats (two operands for `power` and `atan2`), written at its first use. */
function mathFunction(module: ModuleBuilder, name: MathName): number {
  const params: ValueType[] = Object.hasOwn(BINARY, name) ? ['v128', 'v128'] : ['v128'];
  return module.shared(`math.${name}`, params, ['v128'], (f) => writeMath(f, name, f.params));
}

/** Those that activations are made of: each use has its own copy, since a call takes as long as half of what it does. */
const INLINED: ReadonlySet<MathName> = new Set(['exp', 'sigmoid', 'tanh', 'erf']);

/** Applies the function to the operands on the stack. */
export function callMath(module: ModuleBuilder, f: FunctionBuilder, name: MathName): void {
  if (!INLINED.has(name)) {
    f.call(mathFunction(module, name));
    return;
  }
  const x = f.local('v128');
  writeMath(f.set(x), name, [x]);
  f.release(x);
}

function writeMath(f: FunctionBuilder, name: MathName, operands: readonly Local[]): void {
  const [x, y] = operands as [Local, Local];
  if (name === 'power' || name === 'atan2') BINARY[name](f, x, y);
  else UNARY[name](f, x);
}
