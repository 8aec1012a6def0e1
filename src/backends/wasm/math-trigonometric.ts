/**
 * Trigonometric functions on four floats at a time. The reduction to [−π/4, π/4] runs in double precision, so that
 * sine, cosine and tangent are accurate for arguments up to about 10⁸.
 *
 * Operands are locals that stay unchanged; the result is left on the stack.
 */
import type { FunctionBuilder, Local } from './assembler-function.ts';
import { multiplyThenAdd, polynomial, SIGN_BIT, withSignOf } from './math-polynomial.ts';

/** π/2 in two parts; the high one has 33 bits, so that its products with quadrant numbers are exact. */
const HALF_PI_HIGH = 1.5707963267341256;
const HALF_PI_LOW = 6.077100506506192e-11;

/** (sin r − r) / r³ by r²: 4e−9. */
const SIN_TAIL = [-0.16666655, 0.008332158, -0.00019514957];

/** (cos r − 1 + r²/2) / r⁴ by r²: 1e−10. */
const COS_TAIL = [0.041666646, -0.0013887313, 2.4432784e-5];

/** (asin x − x) / x³ by x² for |x| ≤ ½: 5e−9. */
const ASIN_TAIL = [0.16666752, 0.074952886, 0.045471612, 0.024172928, 0.042178273];

/** (atan x − x) / x³ by x² for |x| ≤ tan(π/8): 7e−10. */
const ATAN_TAIL = [-0.33333316, 0.19998465, -0.14243422, 0.10592945, -0.060759123];

/** Sets `quadrant` (i32x4, modulo 4) and `r` so that |x| = quadrant · π/2 + r. */
function reduceAngle(f: FunctionBuilder, x: Local, quadrant: Local, r: Local): void {
  const [wide, turns] = [f.local('v128'), f.local('v128')];
  const reduceTwo = (): void => {
    f.op('f64x2.promote_low_f32x4').tee(wide);
    f.f64(2 / Math.PI)
      .op('f64x2.splat', 'f64x2.mul', 'f64x2.nearest')
      .set(turns);
    f.get(wide).get(turns).f64(HALF_PI_HIGH).op('f64x2.splat', 'f64x2.mul', 'f64x2.sub');
    f.get(turns).f64(HALF_PI_LOW).op('f64x2.splat', 'f64x2.mul', 'f64x2.sub', 'f32x4.demote_f64x2_zero');
    f.get(turns).get(turns).f64(0.25).op('f64x2.splat', 'f64x2.mul', 'f64x2.floor');
    f.f64(4).op('f64x2.splat', 'f64x2.mul', 'f64x2.sub', 'i32x4.trunc_sat_f64x2_s_zero');
  };
  const [lowR, lowQuadrant] = [f.local('v128'), f.local('v128')];
  f.get(x).op('f32x4.abs');
  reduceTwo();
  f.set(lowQuadrant).set(lowR);
  f.get(x).op('f32x4.abs').tee(r).get(r).shuffle32(2, 3, 2, 3);
  reduceTwo();
  f.set(quadrant).set(r);
  f.get(lowQuadrant).get(quadrant).shuffle32(0, 1, 4, 5).set(quadrant);
  // Beyond the range of the reduction r may be anything; the clamp keeps the polynomials bounded.
  f.get(lowR).get(r).shuffle32(0, 1, 4, 5).f32x4(0.7855).op('f32x4.pmin').f32x4(-0.7855).op('f32x4.pmax').set(r);
  f.release(wide, turns, lowR, lowQuadrant);
}

/** Leaves sin r, then cos r, for |r| ≤ π/4. */
function sineAndCosine(f: FunctionBuilder, r: Local): void {
  const square = f.local('v128');
  f.get(r).get(r).op('f32x4.mul').set(square);
  polynomial(f, square, SIN_TAIL);
  f.get(square).op('f32x4.mul').get(r);
  multiplyThenAdd(f, () => f.get(r));
  polynomial(f, square, COS_TAIL);
  f.get(square).op('f32x4.mul').f32x4(-0.5).op('f32x4.add').get(square);
  multiplyThenAdd(f, () => f.f32x4(1));
  f.release(square);
}

/** Leaves sin(quadrant · π/2 + r). */
function sineOf(f: FunctionBuilder, quadrant: Local, r: Local): void {
  const [sine, cosine] = [f.local('v128'), f.local('v128')];
  sineAndCosine(f, r);
  f.set(cosine).set(sine);
  f.get(cosine).get(sine).get(quadrant).i32x4(1).op('v128.and').i32x4(1).op('i32x4.eq', 'v128.bitselect');
  f.get(quadrant).i32x4(2).op('v128.and').i32(30).op('i32x4.shl', 'v128.xor').release(sine, cosine);
}

export function sin(f: FunctionBuilder, x: Local): void {
  const [quadrant, r] = [f.local('v128'), f.local('v128')];
  reduceAngle(f, x, quadrant, r);
  sineOf(f, quadrant, r);
  withSignOf(f, x);
  f.release(quadrant, r);
}

export function cos(f: FunctionBuilder, x: Local): void {
  const [quadrant, r] = [f.local('v128'), f.local('v128')];
  reduceAngle(f, x, quadrant, r);
  f.get(quadrant).i32x4(1).op('i32x4.add').set(quadrant);
  sineOf(f, quadrant, r);
  f.release(quadrant, r);
}

export function tan(f: FunctionBuilder, x: Local): void {
  const [quadrant, r, sine, cosine] = f.localsOf('v128', 4) as [Local, Local, Local, Local];
  reduceAngle(f, x, quadrant, r);
  sineAndCosine(f, r);
  f.set(cosine).set(sine);
  // In odd quadrants −cos / sin.
  f.get(quadrant).i32(31).op('i32x4.shl').i32(31).op('i32x4.shr_s').set(quadrant);
  f.get(cosine).op('f32x4.neg').get(sine).get(quadrant).op('v128.bitselect');
  f.get(sine).get(cosine).get(quadrant).op('v128.bitselect', 'f32x4.div');
  withSignOf(f, x);
  f.release(quadrant, r, sine, cosine);
}

/** With a = |x|: leaves asin a for a ≤ ½, else asin √((1 − a) / 2), of which asin a = π/2 − 2 · that; sets `isFar`. */
function reducedArcsine(f: FunctionBuilder, x: Local, isFar: Local): void {
  const [a, square] = [f.local('v128'), f.local('v128')];
  f.get(x).op('f32x4.abs').tee(a).f32x4(0.5).op('f32x4.gt').set(isFar);
  f.f32x4(0.5).get(a).f32x4(0.5).op('f32x4.mul', 'f32x4.sub').get(a).get(a).op('f32x4.mul');
  f.get(isFar).op('v128.bitselect').tee(square).op('f32x4.sqrt').get(a).get(isFar).op('v128.bitselect').set(a);
  polynomial(f, square, ASIN_TAIL);
  f.get(square).op('f32x4.mul').get(a);
  multiplyThenAdd(f, () => f.get(a));
  f.release(a, square);
}

export function asin(f: FunctionBuilder, x: Local): void {
  const [isFar, value] = [f.local('v128'), f.local('v128')];
  reducedArcsine(f, x, isFar);
  f.set(value)
    .f32x4(Math.PI / 2)
    .get(value)
    .get(value)
    .op('f32x4.add', 'f32x4.sub');
  f.get(value).get(isFar).op('v128.bitselect');
  withSignOf(f, x);
  f.release(isFar, value);
}

export function acos(f: FunctionBuilder, x: Local): void {
  const [isFar, value, twice] = [f.local('v128'), f.local('v128'), f.local('v128')];
  reducedArcsine(f, x, isFar);
  f.tee(value).get(value).op('f32x4.add').set(twice);
  // Far: 2v for x > 0, π − 2v for x < 0. Near: π/2 ∓ v.
  f.f32x4(Math.PI).get(twice).op('f32x4.sub').get(twice).get(x).f32x4(0).op('f32x4.lt', 'v128.bitselect');
  f.f32x4(Math.PI / 2).get(value);
  withSignOf(f, x);
  f.op('f32x4.sub').get(isFar).op('v128.bitselect').release(isFar, value, twice);
}

/** Leaves atan a for a ≥ 0. */
function positiveArctangent(f: FunctionBuilder, a: Local): void {
  const [isFar, isMiddle, t, square] = f.localsOf('v128', 4) as [Local, Local, Local, Local];
  // Above tan(3π/8): π/2 + atan(−1/a); above tan(π/8): π/4 + atan((a − 1) / (a + 1)).
  f.get(a)
    .f32x4(Math.SQRT2 + 1)
    .op('f32x4.gt')
    .set(isFar);
  f.get(a)
    .f32x4(Math.SQRT2 - 1)
    .op('f32x4.gt')
    .set(isMiddle);
  f.f32x4(-1).get(a).f32x4(1).op('f32x4.sub').get(a).get(isMiddle).op('v128.bitselect');
  f.get(isFar).op('v128.bitselect');
  f.get(a).get(a).f32x4(1).op('f32x4.add').f32x4(1).get(isMiddle).op('v128.bitselect');
  f.get(isFar).op('v128.bitselect', 'f32x4.div').tee(t).get(t).op('f32x4.mul').set(square);
  polynomial(f, square, ATAN_TAIL);
  f.get(square).op('f32x4.mul').get(t);
  multiplyThenAdd(f, () => f.get(t));
  f.f32x4(Math.PI / 2)
    .f32x4(Math.PI / 4)
    .get(isFar)
    .op('v128.bitselect')
    .get(isMiddle)
    .op('v128.and', 'f32x4.add');
  f.release(isFar, isMiddle, t, square);
}

export function atan(f: FunctionBuilder, x: Local): void {
  const a = f.local('v128');
  f.get(x).op('f32x4.abs').set(a);
  positiveArctangent(f, a);
  withSignOf(f, x);
  f.release(a);
}

export function atan2(f: FunctionBuilder, y: Local, x: Local): void {
  const [rise, run, low, high] = f.localsOf('v128', 4) as [Local, Local, Local, Local];
  f.get(y).op('f32x4.abs').set(rise).get(x).op('f32x4.abs').set(run);
  f.get(rise).get(run).op('f32x4.min').set(low).get(rise).get(run).op('f32x4.max').set(high);
  // Equal ones, which may both be 0 or ∞, have no quotient: 0 / 0 counts as 0, ∞ / ∞ as 1.
  f.f32x4(1).get(high).f32x4(0).op('f32x4.ne', 'v128.and').get(low).get(high).op('f32x4.div');
  f.get(low).get(high).op('f32x4.eq', 'v128.bitselect').set(low);
  positiveArctangent(f, low);
  f.set(low);
  f.f32x4(Math.PI / 2)
    .get(low)
    .op('f32x4.sub')
    .get(low)
    .get(rise)
    .get(run)
    .op('f32x4.gt', 'v128.bitselect')
    .set(low);
  // The sign bit decides, so that −0 counts as negative.
  f.f32x4(Math.PI).get(low).op('f32x4.sub').get(low).get(x).i32(31).op('i32x4.shr_s', 'v128.bitselect');
  f.get(y).i32x4(SIGN_BIT).op('v128.and', 'v128.xor').release(rise, run, low, high);
}
