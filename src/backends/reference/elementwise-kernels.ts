import type {
  BinaryName,
  CompareName,
  LogicalName,
  OtherAttributes,
  PrimitiveName,
  UnaryName,
} from '../../graph/primitives.ts';
import { fill, inputOf, type Kernel, numbersOf, outputOf } from './kernel.ts';
import { erf, integerPower, power, roundHalfToEven } from './special-functions.ts';

const LEAST_INT32 = -(2 ** 31);
const GREATEST_INT32 = 2 ** 31 - 1;

function unary<K extends UnaryName>(compute: (x: number) => number): Kernel<K> {
  return (call) => {
    const x = numbersOf(inputOf(call, 0));
    return [fill(outputOf(call), (index) => compute(x[index] as number))];
  };
}

/** Computes in double precision; where an int32 needs something else, `integer` says what. */
function binary<K extends PrimitiveName>(
  compute: (x: number, y: number) => number,
  integer: (x: number, y: number) => number = compute,
): Kernel<K> {
  return (call) => {
    const [left, right] = [inputOf(call, 0), inputOf(call, 1)];
    const [x, y] = [numbersOf(left), numbersOf(right)];
    const rule = left.dtype === 'int32' ? integer : compute;
    return [fill(outputOf(call), (index) => rule(x[index] as number, y[index] as number))];
  };
}

/** The remainder that has the sign of the divisor. */
function remainder(x: number, y: number): number {
  const truncated = x % y;
  return truncated !== 0 && truncated < 0 !== y < 0 ? truncated + y : truncated;
}

function toInt32(x: number): number {
  if (Number.isNaN(x)) return 0;
  return Math.trunc(Math.min(Math.max(x, LEAST_INT32), GREATEST_INT32));
}

export const unaryKernels: { readonly [K in UnaryName]: Kernel<K> } = {
  negate: unary((x) => -x),
  absolute: unary(Math.abs),
  sign: unary(Math.sign),
  exp: unary(Math.exp),
  expm1: unary(Math.expm1),
  log: unary(Math.log),
  log1p: unary(Math.log1p),
  sqrt: unary(Math.sqrt),
  rsqrt: unary((x) => 1 / Math.sqrt(x)),
  sin: unary(Math.sin),
  cos: unary(Math.cos),
  tan: unary(Math.tan),
  asin: unary(Math.asin),
  acos: unary(Math.acos),
  atan: unary(Math.atan),
  sinh: unary(Math.sinh),
  cosh: unary(Math.cosh),
  tanh: unary(Math.tanh),
  asinh: unary(Math.asinh),
  acosh: unary(Math.acosh),
  atanh: unary(Math.atanh),
  erf: unary(erf),
  sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
  floor: unary(Math.floor),
  ceil: unary(Math.ceil),
  round: unary(roundHalfToEven),
  relu: unary((x) => Math.max(x, 0)),
  stopGradient: (call) => [inputOf(call, 0)],
};

export const binaryKernels: { readonly [K in BinaryName]: Kernel<K> } = {
  add: binary((x, y) => x + y),
  subtract: binary((x, y) => x - y),
  multiply: binary((x, y) => x * y, Math.imul),
  divide: binary((x, y) => x / y),
  floorDivide: binary(
    (x, y) => Math.floor(Math.fround(x / y)),
    (x, y) => (y === 0 ? 0 : Math.floor(x / y)),
  ),
  remainder: binary(remainder, (x, y) => (y === 0 ? 0 : remainder(x, y))),
  power: binary(power, integerPower),
  maximum: binary(Math.max),
  minimum: binary(Math.min),
  atan2: binary(Math.atan2),
};

export const compareKernels: { readonly [K in CompareName]: Kernel<K> } = {
  equal: binary((x, y) => Number(x === y)),
  notEqual: binary((x, y) => Number(x !== y)),
  less: binary((x, y) => Number(x < y)),
  lessEqual: binary((x, y) => Number(x <= y)),
  greater: binary((x, y) => Number(x > y)),
  greaterEqual: binary((x, y) => Number(x >= y)),
};

export const logicalKernels: { readonly [K in LogicalName]: Kernel<K> } = {
  logicalAnd: binary((x, y) => x & y),
  logicalOr: binary((x, y) => x | y),
  logicalXor: binary((x, y) => x ^ y),
  logicalNot: (call) => {
    const x = numbersOf(inputOf(call, 0));
    return [fill(outputOf(call), (index) => 1 - (x[index] as number))];
  },
};

export const choiceKernels: { readonly [K in keyof Pick<OtherAttributes, 'select' | 'cast'>]: Kernel<K> } = {
  select: (call) => {
    const [condition, then, otherwise] = call.inputs.map(numbersOf) as [Uint8Array, Float32Array, Float32Array];
    return [fill(outputOf(call), (index) => (condition[index] === 1 ? then : otherwise)[index] as number)];
  },
  cast: (call) => {
    const x = numbersOf(inputOf(call, 0));
    const convert = {
      float32: (value: number) => value,
      int32: toInt32,
      bool: (value: number) => Number(value !== 0),
    }[call.attributes.dtype];
    return [fill(outputOf(call), (index) => convert(x[index] as number))];
  },
};
