/**
 * Powers. log₂ and exp₂ run in double precision, since an error in the logarithm is multiplied by the exponent.
 *
 * Special values are those of C: x⁰ and 1ʸ are 1 even for NaN; a negative base needs an integral exponent.
 */
import type { FunctionBuilder, Local } from './assembler-function.ts';
import { polynomial64 } from './math-polynomial.ts';

/** log₂((1 + s) / (1 − s)) / s by s²: the series of the inverse hyperbolic tangent, for |s| ≤ 0.1716: 1e−12. */
const LOG2_SERIES = [1, 3, 5, 7, 9, 11, 13].map((odd) => (2 * Math.LOG2E) / odd);

/** 2ʳ for |r| ≤ ½, by the series of e^(r ln 2): 1e−11. */
const EXP2_SERIES = Array.from({ length: 10 }, (_, n) => {
  let term = 1;
  for (let factor = 1; factor <= n; factor++) term *= Math.LN2 / factor;
  return term;
});

const SQRT_HALF_BITS = 0x3f3504f3;

/** Stack: f64x2. Leaves it clamped to exponents beyond which the result is 0 or ∞. */
function clampExponent(f: FunctionBuilder): void {
  f.f64(130).op('f64x2.splat', 'f64x2.pmin').f64(-155).op('f64x2.splat', 'f64x2.pmax');
}

/** x to the power of y; both stay unchanged, the result is left on the stack. */
export function power(f: FunctionBuilder, x: Local, y: Local): void {
  const [a, scaled, exponent, fraction] = f.localsOf('v128', 4) as [Local, Local, Local, Local];
  const isSubnormal = f.local('v128');
  f.get(x)
    .op('f32x4.abs')
    .tee(a)
    .f32x4(2 ** -126)
    .op('f32x4.lt')
    .set(isSubnormal);
  f.get(a)
    .f32x4(2 ** 23)
    .op('f32x4.mul')
    .get(a)
    .get(isSubnormal)
    .op('v128.bitselect')
    .set(scaled);
  f.get(scaled).i32x4(SQRT_HALF_BITS).op('i32x4.sub').i32(23).op('i32x4.shr_s').set(exponent);
  // The part of |x| in [√½, √2) is exact as a float.
  f.get(scaled).get(exponent).i32(23).op('i32x4.shl', 'i32x4.sub').set(fraction);
  f.get(exponent).i32x4(23).get(isSubnormal).op('v128.and', 'i32x4.sub').set(exponent);
  f.release(isSubnormal, scaled);
  const [power2, mantissa] = [f.local('v128'), f.local('v128')];
  const [otherPower, otherMantissa] = [f.local('v128'), f.local('v128')];
  powerOfTwo(f, a, y, exponent, fraction, false, power2, mantissa);
  powerOfTwo(f, a, y, exponent, fraction, true, otherPower, otherMantissa);
  f.get(mantissa).get(otherMantissa).shuffle32(0, 1, 4, 5);
  // 2ⁿ in two factors, each of which is a float.
  f.get(power2).get(otherPower).shuffle32(0, 1, 4, 5).tee(power2).i32(1).op('i32x4.shr_s').tee(otherPower);
  f.i32x4(127).op('i32x4.add').i32(23).op('i32x4.shl', 'f32x4.mul');
  f.get(power2).get(otherPower).op('i32x4.sub').i32x4(127).op('i32x4.add').i32(23).op('i32x4.shl', 'f32x4.mul');
  f.set(mantissa);
  applySign(f, x, y, mantissa);
  f.set(mantissa);
  f.f32x4(1).get(mantissa).get(x).f32x4(1).op('f32x4.eq').get(y).f32x4(0).op('f32x4.eq', 'v128.or', 'v128.bitselect');
  f.release(a, exponent, fraction, power2, mantissa, otherPower, otherMantissa);
}

/** Sets `integral` and `mantissa` (two lanes each) so that |x|ʸ = mantissa · 2^integral, for the low or high lanes. */
function powerOfTwo(
  f: FunctionBuilder,
  a: Local,
  y: Local,
  exponent: Local,
  fraction: Local,
  highLanes: boolean,
  integral: Local,
  mantissa: Local,
): void {
  const [m, s, square, wideY, wideA] = f.localsOf('v128', 5) as [Local, Local, Local, Local, Local];
  const pushLanes = (vector: Local): void => {
    f.get(vector);
    if (highLanes) f.get(vector).shuffle32(2, 3, 2, 3);
  };
  const widen = (vector: Local): unknown => {
    pushLanes(vector);
    return f.op('f64x2.promote_low_f32x4');
  };
  widen(fraction);
  f.set(m);
  widen(y);
  f.set(wideY);
  widen(a);
  f.set(wideA);
  f.get(m).f64(1).op('f64x2.splat', 'f64x2.sub').get(m).f64(1).op('f64x2.splat', 'f64x2.add', 'f64x2.div').tee(s);
  f.get(s).op('f64x2.mul').set(square);
  polynomial64(f, square, LOG2_SERIES);
  f.get(s).op('f64x2.mul');
  pushLanes(exponent);
  f.op('f64x2.convert_low_i32x4_s', 'f64x2.add').set(s);
  f.f64(Number.NEGATIVE_INFINITY).op('f64x2.splat').get(s);
  f.get(wideA).f64(0).op('f64x2.splat', 'f64x2.eq', 'v128.bitselect').set(s);
  // ∞ and NaN are their own logarithms.
  f.get(s).get(wideA).get(wideA).f64(Number.POSITIVE_INFINITY).op('f64x2.splat', 'f64x2.lt', 'v128.bitselect').set(s);
  // 0 · ∞ counts as 0 here: 1^∞ is 1.
  f.get(wideY).get(s).op('f64x2.mul');
  f.get(s).f64(0).op('f64x2.splat', 'f64x2.ne').get(wideY).f64(0).op('f64x2.splat', 'f64x2.ne', 'v128.and');
  f.op('v128.and');
  clampExponent(f);
  f.tee(s).op('f64x2.nearest').tee(square).op('i32x4.trunc_sat_f64x2_s_zero').set(integral);
  f.get(s).get(square).op('f64x2.sub').set(s);
  polynomial64(f, s, EXP2_SERIES);
  f.op('f32x4.demote_f64x2_zero').set(mantissa);
  f.release(m, s, square, wideY, wideA);
}

/** Leaves the value with a minus where x is negative and y odd, and NaN where x is negative and y not integral. */
function applySign(f: FunctionBuilder, x: Local, y: Local, value: Local): void {
  const half = f.local('v128');
  // Odd: y is integral and y / 2 is not.
  f.get(y).f32x4(0.5).op('f32x4.mul').tee(half).op('f32x4.trunc').get(half).op('f32x4.ne');
  f.get(y).op('f32x4.trunc').get(y).op('f32x4.eq', 'v128.and');
  f.get(x)
    .op('v128.and')
    .i32x4(-(2 ** 31))
    .op('v128.and')
    .get(value)
    .op('v128.or')
    .set(half);
  f.f32x4(Number.NaN).get(half);
  f.get(y).op('f32x4.trunc').get(y).op('f32x4.ne').get(x).f32x4(0).op('f32x4.lt', 'v128.and');
  f.get(x).f32x4(Number.NEGATIVE_INFINITY).op('f32x4.ne', 'v128.and', 'v128.bitselect').release(half);
}
