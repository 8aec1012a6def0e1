/**
 * Exponential, logarithm and what is made of them, on four floats at a time.
 *
 * The polynomials were fitted for least relative error on the reduced range; each comment gives the fit's own error,
 * to which a few roundings add. Operands are locals that stay unchanged; the result is left on the stack.
 */
import type { FunctionBuilder, Local } from './assembler-function.ts';
import { multiplyThenAdd, polynomial, withSignOf } from './math-polynomial.ts';

/** ln 2 in two parts; the high one has few enough bits that its products with exponents are exact. */
const LN2_HIGH = 0.693359375;
const LN2_LOW = -2.1219444e-4;

/** A float beside which numbers below 2²² lose their fraction. */
const NO_FRACTION = 1.5 * 2 ** 23;

/** (eʳ − 1 − r) / r² for |r| ≤ ½ ln 2: 3e−9 of eʳ. */
const EXP_TAIL = [0.49999994, 0.1666652, 0.041668393, 0.008368756, 0.0013814517];

/** The same, fitted for 1.3e−8 of eʳ − 1. */
const EXPM1_TAIL = [0.49999997, 0.16666543, 0.0416672, 0.008366558, 0.0013882514];

/** (log(1 + t) − t + t²/2) / t³ for √½ ≤ 1 + t ≤ √2: 7e−10. */
const LOG_TAIL = [
  0.33333313, -0.2500001, 0.20002119, -0.16667996, 0.14219552, -0.12405588, 0.11888165, -0.11675661, 0.06746646,
];

/** (sinh x − x) / x³ by x² for |x| ≤ 1: 5e−11. */
const SINH_TAIL = [0.16666667, 0.00833335, 0.0001983616, 2.8169513e-6];

/**
 * erf(x) / x by x² for |x| ≤ 4, as a quotient: 2.5e−8 of it, but towards 4 up to 2.6e−7 above, so that rounding leaves none
 * below 1 from there on.
 */
const ERF_NUMERATOR = [1.12837914, 0.192577594, 0.0530027956, 0.00384863683, 0.00028505177, 2.01233448e-6];
const ERF_DENOMINATOR = [1, 0.504000058, 0.114976262, 0.0151381656, 0.00117939899, 3.77057688e-5];

/**
 * x = n ln 2 + r: sets `r`, and `n` to integers whose lowest nine bits are those of n; the others shifts into the exponent
 * push out. The result of e^x is p(r) · 2ⁿ.
 */
function reduceExponent(f: FunctionBuilder, x: Local, n: Local, r: Local): void {
  const whole = f.local('v128');
  // What is added leaves no bits for a fraction: rounding to the nearest in two sums, which the engine can join.
  f.get(x).f32x4(Math.LOG2E).op('f32x4.mul').f32x4(NO_FRACTION).op('f32x4.add').tee(n);
  f.f32x4(NO_FRACTION).op('f32x4.sub').tee(whole).f32x4(-LN2_HIGH);
  multiplyThenAdd(f, () => f.get(x));
  f.set(r).get(whole).f32x4(-LN2_LOW);
  multiplyThenAdd(f, () => f.get(r));
  f.set(r).release(whole);
}

/** Leaves (eʳ − 1): r + r² · tail(r). */
function exponentialMinusOne(f: FunctionBuilder, r: Local, tail: readonly number[]): void {
  polynomial(f, r, tail);
  f.get(r).get(r).op('f32x4.mul');
  multiplyThenAdd(f, () => f.get(r));
}

/** Multiplies the value on the stack by 2ⁿ; twice by the root, so that n may reach from −298 to 254. */
function scaleByPowerOfTwo(f: FunctionBuilder, n: Local): void {
  const half = f.local('v128');
  f.get(n).i32(1).op('i32x4.shr_s').tee(half);
  f.i32x4(127).op('i32x4.add').i32(23).op('i32x4.shl', 'f32x4.mul');
  f.get(n).get(half).op('i32x4.sub').i32x4(127).op('i32x4.add').i32(23).op('i32x4.shl', 'f32x4.mul');
  f.release(half);
}

/** pmin and pmax keep a NaN that is their first operand. */
function clampInto(f: FunctionBuilder, target: Local, low: number, high: number): void {
  f.f32x4(high).op('f32x4.pmin').f32x4(low).op('f32x4.pmax').set(target);
}

export function exp(f: FunctionBuilder, x: Local): void {
  // Beyond these the result is 0 or ∞ after rounding.
  exponential(f, x, [-105, 89], scaleByPowerOfTwo);
}

/** The same, but 0 in place of numbers below 2⁻¹²⁶ and ∞ in place of those above 2¹²⁷·√2: for what is added to 1. */
function coarseExp(f: FunctionBuilder, x: Local): void {
  exponential(f, x, [-88, 89], (_, n) => {
    f.get(n).i32x4(127).op('i32x4.add').i32(23).op('i32x4.shl', 'f32x4.mul');
  });
}

function exponential(
  f: FunctionBuilder,
  x: Local,
  [low, high]: readonly [number, number],
  scale: typeof scaleByPowerOfTwo,
): void {
  const [clamped, n, r] = [f.local('v128'), f.local('v128'), f.local('v128')];
  clampInto(f.get(x), clamped, low, high);
  reduceExponent(f, clamped, n, r);
  exponentialMinusOne(f, r, EXP_TAIL);
  f.f32x4(1).op('f32x4.add');
  scale(f, n);
  f.release(clamped, n, r);
}

export function expm1(f: FunctionBuilder, x: Local): void {
  const [clamped, n, r, scale] = [f.local('v128'), f.local('v128'), f.local('v128'), f.local('v128')];
  clampInto(f.get(x), clamped, -30, 89);
  reduceExponent(f, clamped, n, r);
  // scale = 2ⁿ⁻¹, since 2ⁿ itself may be beyond the greatest float: 2 · (p · scale + (scale − ½)).
  f.get(n).i32x4(126).op('i32x4.add').i32(23).op('i32x4.shl').set(scale);
  exponentialMinusOne(f, r, EXPM1_TAIL);
  f.get(scale);
  multiplyThenAdd(f, () => f.get(scale).f32x4(0.5).op('f32x4.sub'));
  f.tee(r).get(r).op('f32x4.add').set(r);
  keepTiny(f, r, x);
  f.release(clamped, n, r, scale);
}

/** Leaves x where |x| is so small that the function is x (which keeps −0), else the value. */
function keepTiny(f: FunctionBuilder, value: Local, x: Local): void {
  f.get(x).get(value).get(x).op('f32x4.abs').f32x4(2e-8).op('f32x4.lt', 'v128.bitselect');
}

export function log(f: FunctionBuilder, x: Local): void {
  const [scaled, exponent, t, square] = f.localsOf('v128', 4) as [Local, Local, Local, Local];
  const least = 2 ** -126;
  // Subnormal numbers are scaled into the normal range first.
  f.get(x)
    .f32x4(2 ** 23)
    .op('f32x4.mul')
    .get(x)
    .get(x)
    .f32x4(least)
    .op('f32x4.lt', 'v128.bitselect')
    .set(scaled);
  // x = 2ᵏ (1 + t) with √½ ≤ 1 + t < √2: the bits of √½ are subtracted, so that the exponent's bits hold k.
  f.get(scaled).i32x4(SQRT_HALF_BITS).op('i32x4.sub').tee(exponent).i32(23).op('i32x4.shr_s').set(exponent);
  f.get(scaled).get(exponent).i32(23).op('i32x4.shl', 'i32x4.sub').f32x4(1).op('f32x4.sub').set(t);
  f.get(exponent).op('f32x4.convert_i32x4_s');
  f.f32x4(23).get(x).f32x4(least).op('f32x4.lt', 'v128.and', 'f32x4.sub').set(exponent);
  f.get(t).get(t).op('f32x4.mul').set(square);
  polynomial(f, t, LOG_TAIL);
  f.get(t).op('f32x4.mul').f32x4(-0.5).op('f32x4.add').get(square);
  multiplyThenAdd(f, () => f.get(exponent).f32x4(LN2_LOW).op('f32x4.mul'));
  f.get(t).op('f32x4.add').set(t).get(exponent).f32x4(LN2_HIGH);
  multiplyThenAdd(f, () => f.get(t));
  f.set(t);
  // ∞ and NaN pass through; 0 gives −∞; below 0 there is no logarithm.
  f.get(t).get(x).get(x).f32x4(Number.POSITIVE_INFINITY).op('f32x4.lt', 'v128.bitselect').set(t);
  f.f32x4(Number.NaN).get(t).get(x).f32x4(0).op('f32x4.lt', 'v128.bitselect').set(t);
  f.f32x4(Number.NEGATIVE_INFINITY).get(t).get(x).f32x4(0).op('f32x4.eq', 'v128.bitselect');
  f.release(scaled, exponent, t, square);
}

const SQRT_HALF_BITS = 0x3f3504f3;

export function log1p(f: FunctionBuilder, x: Local): void {
  const [u, correction] = [f.local('v128'), f.local('v128')];
  f.get(x).f32x4(1).op('f32x4.add').set(u);
  // What the sum 1 + x lost, relative to it; nothing beyond 2²⁴, and nothing where u is 0.
  f.get(x).get(u).f32x4(1).op('f32x4.sub', 'f32x4.sub').get(u).op('f32x4.div');
  f.get(u)
    .f32x4(2 ** 24)
    .op('f32x4.lt')
    .get(u)
    .f32x4(0)
    .op('f32x4.gt', 'v128.and', 'v128.and')
    .set(correction);
  log(f, u);
  f.get(correction).op('f32x4.add').set(u);
  keepTiny(f, u, x);
  f.release(u, correction);
}

export function sigmoid(f: FunctionBuilder, x: Local): void {
  const negative = f.local('v128');
  f.get(x).op('f32x4.neg').set(negative).f32x4(1);
  coarseExp(f, negative);
  f.f32x4(1).op('f32x4.add', 'f32x4.div').release(negative);
}

/** t / (t + 2) with t = e²ˣ − 1. */
export function tanh(f: FunctionBuilder, x: Local): void {
  const t = f.local('v128');
  f.get(x).op('f32x4.abs').f32x4(10).op('f32x4.pmin').tee(t).get(t).op('f32x4.add').set(t);
  expm1(f, t);
  f.tee(t).get(t).f32x4(2).op('f32x4.add', 'f32x4.div');
  withSignOf(f, x);
  f.release(t);
}

export function erf(f: FunctionBuilder, x: Local): void {
  const [a, square] = f.localsOf('v128', 2) as [Local, Local];
  f.get(x).op('f32x4.abs').f32x4(4).op('f32x4.pmin').tee(a).get(a).op('f32x4.mul').set(square);
  polynomial(f, square, ERF_NUMERATOR);
  f.get(a).op('f32x4.mul');
  polynomial(f, square, ERF_DENOMINATOR);
  f.op('f32x4.div').f32x4(1).op('f32x4.pmin');
  withSignOf(f, x);
  f.release(a, square);
}

/** Sets `half` = ½e^|x| and `inverse` = ½e^−|x|; by the root of the exponential, which does not overflow too early. */
function halves(f: FunctionBuilder, x: Local, half: Local, inverse: Local): void {
  f.get(x).op('f32x4.abs').f32x4(0.5).op('f32x4.mul').set(half);
  exp(f, half);
  f.set(half).f32x4(0.5).get(half).get(half).op('f32x4.mul', 'f32x4.div').set(inverse);
  f.get(half).f32x4(0.5).op('f32x4.mul').get(half).op('f32x4.mul').set(half);
}

export function cosh(f: FunctionBuilder, x: Local): void {
  const [half, inverse] = [f.local('v128'), f.local('v128')];
  halves(f, x, half, inverse);
  f.get(half).get(inverse).op('f32x4.add').release(half, inverse);
}

export function sinh(f: FunctionBuilder, x: Local): void {
  const [half, inverse, square] = [f.local('v128'), f.local('v128'), f.local('v128')];
  halves(f, x, half, inverse);
  f.get(x).get(x).op('f32x4.mul').set(square);
  polynomial(f, square, SINH_TAIL);
  f.get(square).op('f32x4.mul').get(x).op('f32x4.mul').get(x).op('f32x4.add');
  f.get(half).get(inverse).op('f32x4.sub');
  withSignOf(f, x);
  f.get(square).f32x4(1).op('f32x4.lt', 'v128.bitselect').release(half, inverse, square);
}

/** From here on squares lose nothing that counts: log(2x) instead, which cannot overflow. */
const LARGE = 1e4;

/** log1p(a + a² / (1 + √(1 + a²))); for a large one log(a) + ln 2. */
export function asinh(f: FunctionBuilder, x: Local): void {
  const [a, square, isLarge] = [f.local('v128'), f.local('v128'), f.local('v128')];
  f.get(x).op('f32x4.abs').tee(a).f32x4(LARGE).op('f32x4.gt').set(isLarge);
  f.get(a).get(a).op('f32x4.mul').set(square).get(a).f32x4(1).op('f32x4.sub');
  f.get(a).get(square).get(square).f32x4(1).op('f32x4.add', 'f32x4.sqrt').f32x4(1).op('f32x4.add', 'f32x4.div');
  f.op('f32x4.add').get(isLarge).op('v128.bitselect').set(a);
  log1p(f, a);
  f.f32x4(Math.LN2).get(isLarge).op('v128.and', 'f32x4.add');
  withSignOf(f, x);
  f.release(a, square, isLarge);
}

/** log1p(t + √(2t + t²)) with t = x − 1. */
export function acosh(f: FunctionBuilder, x: Local): void {
  const [t, isLarge] = [f.local('v128'), f.local('v128')];
  f.get(x).f32x4(LARGE).op('f32x4.gt').set(isLarge);
  f.get(x).f32x4(1).op('f32x4.sub').set(t).get(t);
  f.get(t).get(t).f32x4(2).op('f32x4.add').get(t).op('f32x4.mul', 'f32x4.sqrt', 'f32x4.add');
  f.get(isLarge).op('v128.bitselect').set(t);
  log1p(f, t);
  f.f32x4(Math.LN2).get(isLarge).op('v128.and', 'f32x4.add').set(t);
  f.f32x4(Number.NaN).get(t).get(x).f32x4(1).op('f32x4.lt', 'v128.bitselect').release(t, isLarge);
}

/** ½ log1p(2a / (1 − a)). */
export function atanh(f: FunctionBuilder, x: Local): void {
  const a = f.local('v128');
  f.get(x).op('f32x4.abs').tee(a).get(a).op('f32x4.add').f32x4(1).get(a).op('f32x4.sub', 'f32x4.div').set(a);
  log1p(f, a);
  f.f32x4(0.5).op('f32x4.mul');
  withSignOf(f, x);
  f.release(a);
}
