/** Mathematical functions of one and two operands, element by element. */
import { apply } from '../graph/apply.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import type { BinaryName, UnaryName } from '../graph/primitives.ts';
import { equal, greater, isfinite, isnan, less, where } from './compare.ts';
import { align, cast, commonDtype, type NumericDtype, type Operand, toFloat, toNumeric, toSymbol } from './operand.ts';

const GREATEST_FLOAT32 = 3.4028234663852886e38;

function float(primitive: UnaryName, x: Operand): SymbolicTensor {
  return apply(primitive, [toFloat(x)], {});
}

function binary(primitive: BinaryName, x: Operand, y: Operand, dtype?: NumericDtype): SymbolicTensor {
  const common = dtype ?? commonDtype(x, y);
  return apply(primitive, align([x, y], common === 'bool' ? 'int32' : common), {});
}

/** x + y; of bools: or. */
export function add(x: Operand, y: Operand): SymbolicTensor {
  return commonDtype(x, y) === 'bool' ? apply('logicalOr', align([x, y]), {}) : binary('add', x, y);
}

/** x − y. */
export function subtract(x: Operand, y: Operand): SymbolicTensor {
  return binary('subtract', x, y);
}

/** x · y; of bools: and. */
export function multiply(x: Operand, y: Operand): SymbolicTensor {
  return commonDtype(x, y) === 'bool' ? apply('logicalAnd', align([x, y]), {}) : binary('multiply', x, y);
}

/** x / y, as float32. */
export function divide(x: Operand, y: Operand): SymbolicTensor {
  return binary('divide', x, y, 'float32');
}

/** x / y, and 0 where y is 0. */
export function divideNoNan(x: Operand, y: Operand): SymbolicTensor {
  const isZero = equal(y, 0);
  return where(isZero, 0, divide(x, where(isZero, 1, toFloat(y))));
}

/** ⌊x / y⌋. */
export function floorDivide(x: Operand, y: Operand): SymbolicTensor {
  return binary('floorDivide', x, y);
}

/** The remainder of x / y that has the sign of y. */
export function mod(x: Operand, y: Operand): SymbolicTensor {
  return binary('remainder', x, y);
}

/** The remainder of x / y that has the sign of x. */
export function fmod(x: Operand, y: Operand): SymbolicTensor {
  const rest = mod(abs(x), abs(y));
  return where(less(x, 0), negative(rest), rest);
}

/** x to the power of y. */
export function power(x: Operand, y: Operand): SymbolicTensor {
  return binary('power', x, y);
}

/** The greater of both; NaN when either is. */
export function maximum(x: Operand, y: Operand): SymbolicTensor {
  return commonDtype(x, y) === 'bool' ? apply('logicalOr', align([x, y]), {}) : binary('maximum', x, y);
}

/** The lesser of both; NaN when either is. */
export function minimum(x: Operand, y: Operand): SymbolicTensor {
  return commonDtype(x, y) === 'bool' ? apply('logicalAnd', align([x, y]), {}) : binary('minimum', x, y);
}

/** The greater of both, or the one that is not NaN. */
export function fmax(x: Operand, y: Operand): SymbolicTensor {
  return where(isnan(x), y, where(isnan(y), x, maximum(x, y)));
}

/** The lesser of both, or the one that is not NaN. */
export function fmin(x: Operand, y: Operand): SymbolicTensor {
  return where(isnan(x), y, where(isnan(y), x, minimum(x, y)));
}

/** The angle of the point (y, x), in radians from −π to π. */
export function arctan2(y: Operand, x: Operand): SymbolicTensor {
  return binary('atan2', y, x, 'float32');
}

/** √(x² + y²), without overflow in between. */
export function hypot(x: Operand, y: Operand): SymbolicTensor {
  const [a, b] = [abs(toFloat(x)), abs(toFloat(y))];
  const [larger, smaller] = [maximum(a, b), minimum(a, b)];
  const isTrivial = logicalTrivial(larger);
  const ratio = divide(smaller, where(isTrivial, 1, larger));
  return where(isTrivial, larger, multiply(larger, sqrt(add(square(ratio), 1))));
}

/** 0 and ∞, by which nothing can be divided usefully. */
function logicalTrivial(x: SymbolicTensor): SymbolicTensor {
  return apply('logicalOr', [equal(x, 0), equal(x, Number.POSITIVE_INFINITY)], {});
}

/** log(eˣ + eʸ), without overflow in between. */
export function logaddexp(x: Operand, y: Operand): SymbolicTensor {
  const difference = abs(subtract(toFloat(x), toFloat(y)));
  // The difference of equal infinities is NaN; log 2 more than an infinity is that infinity.
  const isEqual = equal(toFloat(x), toFloat(y));
  return add(maximum(toFloat(x), toFloat(y)), where(isEqual, Math.LN2, log1p(exp(negative(difference)))));
}

/** log₂(2ˣ + 2ʸ), without overflow in between. */
export function logaddexp2(x: Operand, y: Operand): SymbolicTensor {
  return divide(logaddexp(multiply(toFloat(x), Math.LN2), multiply(toFloat(y), Math.LN2)), Math.LN2);
}

/** x · 2ⁿ. */
export function ldexp(x: Operand, n: Operand): SymbolicTensor {
  return multiply(toFloat(x), exp2(n));
}

/** 0 where x < 0, `y` where it is 0, 1 where it is greater. */
export function heaviside(x: Operand, y: Operand): SymbolicTensor {
  return where(equal(x, 0), toFloat(y), where(isnan(x), Number.NaN, toFloat(greater(x, 0))));
}

/** The greatest common divisor of integers, by Euclid's algorithm. */
export function gcd(x: Operand, y: Operand): SymbolicTensor {
  let [a, b] = align([abs(x), abs(y)], 'int32') as [SymbolicTensor, SymbolicTensor];
  // Consecutive Fibonacci numbers take longest: 45 steps for those below 2³¹.
  for (let step = 0; step < 46; step++) [a, b] = [where(equal(b, 0), a, b), where(equal(b, 0), 0, mod(a, b))];
  return a;
}

/** The least common multiple of integers. */
export function lcm(x: Operand, y: Operand): SymbolicTensor {
  return abs(multiply(floorDivide(x, gcd(x, y)), y));
}

/** −x. */
export function negative(x: Operand): SymbolicTensor {
  return apply('negate', [toNumeric(x)], {});
}

/** |x|. */
export function abs(x: Operand): SymbolicTensor {
  const symbol = toSymbol(x);
  return symbol.dtype === 'bool' ? symbol : apply('absolute', [symbol], {});
}

/** |x|. */
export function absolute(x: Operand): SymbolicTensor {
  return abs(x);
}

/** |x|, as float32. */
export function fabs(x: Operand): SymbolicTensor {
  return float('absolute', x);
}

/** −1, 0 or 1. */
export function sign(x: Operand): SymbolicTensor {
  return apply('sign', [toNumeric(x)], {});
}

/** Whether x is negative; −0 counts as negative, NaN does not. */
export function signbit(x: Operand): SymbolicTensor {
  const symbol = toNumeric(x);
  if (symbol.dtype === 'int32') return less(symbol, 0);
  // Only the reciprocal tells −0 from 0.
  return where(equal(symbol, 0), less(divide(1, symbol), 0), less(symbol, 0));
}

/** x². */
export function square(x: Operand): SymbolicTensor {
  const symbol = toNumeric(x);
  return apply('multiply', [symbol, symbol], {});
}

/** √x. */
export function sqrt(x: Operand): SymbolicTensor {
  return float('sqrt', x);
}

/** 1 / √x. */
export function rsqrt(x: Operand): SymbolicTensor {
  return float('rsqrt', x);
}

/** The cube root, of negative numbers too. */
export function cbrt(x: Operand): SymbolicTensor {
  const value = toFloat(x);
  return multiply(sign(value), power(abs(value), 1 / 3));
}

/** 1 / x. */
export function reciprocal(x: Operand): SymbolicTensor {
  return divide(1, x);
}

/** eˣ. */
export function exp(x: Operand): SymbolicTensor {
  return float('exp', x);
}

/** 2ˣ. */
export function exp2(x: Operand): SymbolicTensor {
  return power(2, toFloat(x));
}

/** eˣ − 1, exact for small x. */
export function expm1(x: Operand): SymbolicTensor {
  return float('expm1', x);
}

/** The natural logarithm. */
export function log(x: Operand): SymbolicTensor {
  return float('log', x);
}

/** log(1 + x), exact for small x. */
export function log1p(x: Operand): SymbolicTensor {
  return float('log1p', x);
}

/** The logarithm to base 2. */
export function log2(x: Operand): SymbolicTensor {
  return multiply(log(x), Math.LOG2E);
}

/** The logarithm to base 10. */
export function log10(x: Operand): SymbolicTensor {
  return multiply(log(x), Math.LOG10E);
}

/** The sine of an angle in radians. */
export function sin(x: Operand): SymbolicTensor {
  return float('sin', x);
}

/** The cosine of an angle in radians. */
export function cos(x: Operand): SymbolicTensor {
  return float('cos', x);
}

/** The tangent of an angle in radians. */
export function tan(x: Operand): SymbolicTensor {
  return float('tan', x);
}

/** The inverse sine. */
export function arcsin(x: Operand): SymbolicTensor {
  return float('asin', x);
}

/** The inverse cosine. */
export function arccos(x: Operand): SymbolicTensor {
  return float('acos', x);
}

/** The inverse tangent. */
export function arctan(x: Operand): SymbolicTensor {
  return float('atan', x);
}

/** The hyperbolic sine. */
export function sinh(x: Operand): SymbolicTensor {
  return float('sinh', x);
}

/** The hyperbolic cosine. */
export function cosh(x: Operand): SymbolicTensor {
  return float('cosh', x);
}

/** The hyperbolic tangent. */
export function tanh(x: Operand): SymbolicTensor {
  return float('tanh', x);
}

/** The inverse hyperbolic sine. */
export function arcsinh(x: Operand): SymbolicTensor {
  return float('asinh', x);
}

/** The inverse hyperbolic cosine. */
export function arccosh(x: Operand): SymbolicTensor {
  return float('acosh', x);
}

/** The inverse hyperbolic tangent. */
export function arctanh(x: Operand): SymbolicTensor {
  return float('atanh', x);
}

/** sin(πx) / (πx), and 1 at 0. */
export function sinc(x: Operand): SymbolicTensor {
  const isZero = equal(x, 0);
  const angle = multiply(where(isZero, 1, toFloat(x)), Math.PI);
  return where(isZero, 1, divide(sin(angle), angle));
}

/** ⌊x⌋, as float32. */
export function floor(x: Operand): SymbolicTensor {
  return float('floor', x);
}

/** ⌈x⌉, as float32. */
export function ceil(x: Operand): SymbolicTensor {
  return float('ceil', x);
}

/** Towards 0. */
export function trunc(x: Operand): SymbolicTensor {
  const symbol = toSymbol(x);
  if (symbol.dtype !== 'float32') return symbol;
  return where(less(symbol, 0), ceil(symbol), floor(symbol));
}

/** To that many decimals, halves to the even neighbour; an int32 stays as it is. */
export function round(x: Operand, decimals = 0): SymbolicTensor {
  const symbol = toSymbol(x);
  if (symbol.dtype !== 'float32') {
    if (decimals >= 0) return symbol;
    return cast(round(toFloat(symbol), decimals), 'int32');
  }
  if (decimals === 0) return apply('round', [symbol], {});
  const scale = 10 ** decimals;
  return divide(apply('round', [multiply(symbol, scale)], {}), scale);
}

/** Limits the elements to `low` … `high`; `null` is no limit. */
export function clip(x: Operand, low: Operand | null, high: Operand | null): SymbolicTensor {
  const raised = low === null ? toSymbol(x) : maximum(x, low);
  return high === null ? raised : minimum(raised, high);
}

/** Degrees to radians. */
export function deg2rad(x: Operand): SymbolicTensor {
  return multiply(toFloat(x), Math.PI / 180);
}

/** Radians to degrees. */
export function rad2deg(x: Operand): SymbolicTensor {
  return multiply(toFloat(x), 180 / Math.PI);
}

/** Replaces NaN, ∞ and −∞; by default by 0 and the greatest and least float32. */
export function nanToNum(
  x: Operand,
  nan = 0,
  posinf: number = GREATEST_FLOAT32,
  neginf: number = -GREATEST_FLOAT32,
): SymbolicTensor {
  const symbol = toSymbol(x);
  if (symbol.dtype !== 'float32') return symbol;
  const infinite = where(greater(symbol, 0), posinf, neginf);
  return where(isfinite(symbol), symbol, where(isnan(symbol), nan, infinite));
}

/** x itself, through which no gradient flows. */
export function stopGradient(x: Operand): SymbolicTensor {
  const symbol = toSymbol(x);
  return symbol.dtype === 'float32' ? apply('stopGradient', [symbol], {}) : symbol;
}

/** The real part: x itself, as there are no complex tensors. */
export function real(x: Operand): SymbolicTensor {
  return toSymbol(x);
}

/** The complex conjugate: x itself, as there are no complex tensors. */
export function conjugate(x: Operand): SymbolicTensor {
  return toSymbol(x);
}

/** The imaginary part: 0, as there are no complex tensors. */
export function imag(x: Operand): SymbolicTensor {
  const symbol = toNumeric(x);
  return where(true, 0, symbol);
}

/** The angle in the complex plane: 0 for positive numbers, π for negative ones. */
export function angle(x: Operand): SymbolicTensor {
  return where(isnan(x), Number.NaN, where(less(x, 0), Math.PI, 0));
}
