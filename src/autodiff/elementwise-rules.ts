/**
 * Gradients of element-wise primitives. Where a derivative jumps, the value is that of Keras on JAX: |x| has 0 at 0,
 * equal maxima share their gradient evenly.
 */
import { apply } from '../graph/apply.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import type {
  BinaryName,
  CompareName,
  LogicalName,
  OtherAttributes,
  PrimitiveName,
  UnaryName,
} from '../graph/primitives.ts';
import { equal, greater, less, where } from '../ops/compare.ts';
import { zerosLike } from '../ops/creation.ts';
import {
  add,
  cos,
  cosh,
  divide,
  exp,
  floorDivide,
  log,
  multiply,
  negative,
  power,
  sign,
  sin,
  sinh,
  square,
  subtract,
} from '../ops/elementwise.ts';
import type { GradientRule, GradientRules } from './gradient-rule.ts';

type Symbols = readonly SymbolicTensor[];

/** A rule from the derivative, given x and y = f(x). */
function unary<K extends UnaryName>(
  derivative: (x: SymbolicTensor, y: SymbolicTensor) => SymbolicTensor,
): GradientRule<K> {
  const rule = (dy: SymbolicTensor, call: { readonly inputs: Symbols; readonly outputs: Symbols }) => {
    const [[x], [y]] = [call.inputs, call.outputs] as unknown as [[SymbolicTensor], [SymbolicTensor]];
    return [multiply(dy, derivative(x, y))];
  };
  return rule as unknown as GradientRule<K>;
}

/** A rule that is given dy, both operands, and the result. */
function binary<K extends BinaryName>(
  gradient: (dy: SymbolicTensor, x: SymbolicTensor, y: SymbolicTensor, result: SymbolicTensor) => Symbols,
): GradientRule<K> {
  const rule = (dy: SymbolicTensor, call: { readonly inputs: Symbols; readonly outputs: Symbols }) => {
    const [[x, y], [result]] = [call.inputs, call.outputs] as unknown as [
      [SymbolicTensor, SymbolicTensor],
      [SymbolicTensor],
    ];
    return gradient(dy, x, y, result);
  };
  return rule as unknown as GradientRule<K>;
}

const rsqrt = (x: SymbolicTensor): SymbolicTensor => apply('rsqrt', [x], {});
const reciprocal = (x: SymbolicTensor): SymbolicTensor => divide(1, x);
const oneMinus = (x: SymbolicTensor): SymbolicTensor => subtract(1, x);

const TWO_OVER_ROOT_PI = 2 / Math.sqrt(Math.PI);

export const unaryRules: GradientRules<UnaryName> = {
  negate: (dy) => [negative(dy)],
  absolute: unary((x) => sign(x)),
  sign: 'zero',
  exp: unary((_, y) => y),
  expm1: unary((_, y) => add(y, 1)),
  log: (dy, { inputs: [x] }) => [divide(dy, x as SymbolicTensor)],
  log1p: (dy, { inputs: [x] }) => [divide(dy, add(x as SymbolicTensor, 1))],
  sqrt: (dy, { outputs: [y] }) => [divide(multiply(dy, 0.5), y as SymbolicTensor)],
  rsqrt: unary((x, y) => multiply(divide(y, x), -0.5)),
  sin: unary((x) => cos(x)),
  cos: unary((x) => negative(sin(x))),
  tan: unary((_, y) => add(square(y), 1)),
  asin: unary((x) => rsqrt(oneMinus(square(x)))),
  acos: unary((x) => negative(rsqrt(oneMinus(square(x))))),
  atan: unary((x) => reciprocal(add(square(x), 1))),
  sinh: unary((x) => cosh(x)),
  cosh: unary((x) => sinh(x)),
  tanh: unary((_, y) => oneMinus(square(y))),
  asinh: unary((x) => rsqrt(add(square(x), 1))),
  acosh: unary((x) => multiply(rsqrt(subtract(x, 1)), rsqrt(add(x, 1)))),
  // As a product: 1 − x² would lose the digits near ±1.
  atanh: unary((x) => reciprocal(multiply(oneMinus(x), add(x, 1)))),
  erf: unary((x) => multiply(exp(negative(square(x))), TWO_OVER_ROOT_PI)),
  sigmoid: unary((_, y) => multiply(y, oneMinus(y))),
  floor: 'zero',
  ceil: 'zero',
  round: 'zero',
  relu: (dy, { outputs: [y] }) => [where(greater(y as SymbolicTensor, 0), dy, zerosLike(dy))],
  stopGradient: 'zero',
};

/** The value of a literal, which was broadcast to the shape of the other operand. */
function literalOf(symbol: SymbolicTensor): number | undefined {
  let { node } = symbol;
  while (node.primitive === 'broadcast' || node.primitive === 'reshape') node = (node.inputs[0] as SymbolicTensor).node;
  if (node.primitive !== 'constant' || node.attributes.value.data.length !== 1) return undefined;
  return node.attributes.value.data[0] as number;
}

/** The greater (or lesser) takes the gradient; equal operands share it. */
function extremum<K extends 'maximum' | 'minimum'>(): GradientRule<K> {
  return binary((dy, x, y, result) => {
    const none = zerosLike(dy);
    // This is how relu6 is written, which is flat at both ends.
    if (x.node.primitive === 'relu' && literalOf(y) === 6) return [where(less(x, 6), dy, none), none];
    const half = multiply(dy, 0.5);
    const isTie = equal(x, y);
    const share = (operand: SymbolicTensor): SymbolicTensor =>
      where(isTie, half, where(equal(result, operand), dy, none));
    return [share(x), share(y)];
  });
}

export const binaryRules: GradientRules<BinaryName> = {
  add: (dy) => [dy, dy],
  subtract: (dy) => [dy, negative(dy)],
  multiply: binary((dy, x, y) => [multiply(dy, y), multiply(dy, x)]),
  divide: binary((dy, _, y, quotient) => {
    const dx = divide(dy, y);
    return [dx, negative(multiply(dx, quotient))];
  }),
  floorDivide: 'zero',
  remainder: binary((dy, x, y) => [dy, negative(multiply(dy, floorDivide(x, y)))]),
  power: binary((dy, x, y, result) => {
    const slope = multiply(y, power(x, subtract(y, 1)));
    // 0⁻¹ is ∞, but x⁰ is flat; and 0ʸ has no logarithm, but does not change with y.
    const base = literalOf(y) === undefined ? where(equal(y, 0), zerosLike(y), slope) : slope;
    const logarithm = log(where(equal(x, 0), 1, x));
    return [literalOf(y) === 0 ? zerosLike(dy) : multiply(dy, base), multiply(dy, multiply(result, logarithm))];
  }),
  maximum: extremum(),
  minimum: extremum(),
  atan2: binary((dy, y, x) => {
    const scaled = divide(dy, add(square(x), square(y)));
    return [multiply(scaled, x), negative(multiply(scaled, y))];
  }),
};

export const compareRules: GradientRules<CompareName> = {
  equal: 'not differentiable',
  notEqual: 'not differentiable',
  less: 'not differentiable',
  lessEqual: 'not differentiable',
  greater: 'not differentiable',
  greaterEqual: 'not differentiable',
};

export const logicalRules: GradientRules<LogicalName> = {
  logicalAnd: 'not differentiable',
  logicalOr: 'not differentiable',
  logicalXor: 'not differentiable',
  logicalNot: 'not differentiable',
};

export const choiceRules: GradientRules<Extract<PrimitiveName, keyof Pick<OtherAttributes, 'select' | 'cast'>>> = {
  select: (dy, { inputs: [condition] }) => {
    const none = zerosLike(dy);
    const chosen = condition as SymbolicTensor;
    return [null, where(chosen, dy, none), where(chosen, none, dy)];
  },
  // Only float32 has gradients, so this is a cast from float32 to itself.
  cast: (dy) => [dy],
};
