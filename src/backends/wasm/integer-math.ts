/** Scalar functions of the module for what has no vector form: integer division, exact remainders. */
import type { Local } from './assembler-function.ts';
import type { ModuleBuilder } from './assembler-module.ts';

/** (i32, i32) → i32: the quotient rounded towards −∞; 0 when the divisor is 0. Wraps for the least int32 by −1. */
export function floorDivideInt32(module: ModuleBuilder): number {
  return module.shared('floorDivide', ['i32', 'i32'], ['i32'], (f) => {
    const [x, y] = [f.param(0), f.param(1)];
    const quotient = f.local('i32');
    f.get(y)
      .op('i32.eqz')
      .if(() => f.i32(0).op('return'));
    // The hardware traps on the one quotient that does not fit.
    f.get(y)
      .i32(-1)
      .op('i32.eq')
      .if(() => f.i32(0).get(x).op('i32.sub', 'return'));
    f.get(x).get(y).op('i32.div_s').set(quotient);
    // One less where the signs differ and something is left over.
    f.get(quotient);
    f.get(x).get(y).op('i32.xor').i32(0).op('i32.lt_s');
    f.get(quotient).get(y).op('i32.mul').get(x).op('i32.ne', 'i32.and', 'i32.sub');
  });
}

/** (i32, i32) → i32: the remainder with the sign of the divisor; 0 when the divisor is 0. */
export function remainderInt32(module: ModuleBuilder): number {
  return module.shared('remainderInt32', ['i32', 'i32'], ['i32'], (f) => {
    const [x, y] = [f.param(0), f.param(1)];
    const rest = f.local('i32');
    f.get(y)
      .op('i32.eqz')
      .if(() => f.i32(0).op('return'));
    f.get(x).get(y).op('i32.rem_s').set(rest);
    f.get(rest).get(y).op('i32.add').get(rest);
    f.get(rest).i32(0).op('i32.ne');
    f.get(rest).get(y).op('i32.xor').i32(0).op('i32.lt_s', 'i32.and', 'select');
  });
}

/** (i32, i32) → i32: a power that wraps; a negative exponent gives the truncated reciprocal. */
export function powerInt32(module: ModuleBuilder): number {
  return module.shared('powerInt32', ['i32', 'i32'], ['i32'], (f) => {
    const [base, exponent] = [f.param(0), f.param(1)];
    const result = f.local('i32');
    f.get(exponent).i32(0).op('i32.lt_s');
    f.if(() => {
      f.get(base)
        .i32(1)
        .op('i32.eq')
        .if(() => f.i32(1).op('return'));
      f.get(base)
        .i32(-1)
        .op('i32.ne')
        .if(() => f.i32(0).op('return'));
      // −1: 1 for an even exponent, −1 for an odd one.
      f.i32(1).get(exponent).i32(1).op('i32.and').i32(1).op('i32.shl', 'i32.sub', 'return');
    });
    f.i32(1).set(result);
    f.block((exit) => {
      f.loop((again) => {
        f.get(exponent).op('i32.eqz').brIf(exit);
        f.get(result).get(base).op('i32.mul').get(result).get(exponent).i32(1).op('i32.and', 'select').set(result);
        f.get(base).get(base).op('i32.mul').set(base);
        f.get(exponent).i32(1).op('i32.shr_u').set(exponent).br(again);
      });
    });
    f.get(result);
  });
}

/** Quotients below this keep the product of quotient and divisor, 24 bits, exact in a double. */
const EXACT_QUOTIENT = 2 ** 28;

/** Clears the lower 29 bits of a double's fraction: 24 bits stay. */
const UPPER_FRACTION = 0xffffffffe0000000n;

/** (f32, f32) → f32: the remainder with the sign of the divisor, exact before the last rounding. */
export function remainderFloat32(module: ModuleBuilder): number {
  return module.shared('remainderFloat32', ['f32', 'f32'], ['f32'], (f) => {
    const [x, y] = [f.param(0), f.param(1)];
    const [rest, divisor, quotient] = f.localsOf('f64', 3) as [Local, Local, Local];
    f.get(x).op('f64.promote_f32', 'f64.abs').set(rest);
    f.get(y).op('f64.promote_f32', 'f64.abs').set(divisor);
    // NaN operands, an infinite x and a y of 0 have no remainder.
    f.get(rest).f64(Number.POSITIVE_INFINITY).op('f64.lt').get(divisor).f64(0).op('f64.gt', 'i32.and', 'i32.eqz');
    f.if(() => f.f32(Number.NaN).op('return'));
    f.block((exit) => {
      f.loop((again) => {
        f.get(rest).get(divisor).op('f64.lt').brIf(exit);
        f.get(rest).get(divisor).op('f64.div', 'f64.trunc').set(quotient);
        f.get(quotient).f64(EXACT_QUOTIENT).op('f64.ge');
        f.if(() => {
          f.get(quotient).op('i64.reinterpret_f64').i64(UPPER_FRACTION).op('i64.and', 'f64.reinterpret_i64');
          f.set(quotient);
        });
        f.get(rest).get(quotient).get(divisor).op('f64.mul', 'f64.sub').set(rest);
        // The quotient may have been rounded up to the next integer.
        f.get(rest)
          .f64(0)
          .op('f64.lt')
          .if(() => f.get(rest).get(divisor).op('f64.add').set(rest));
        f.br(again);
      });
    });
    f.get(x)
      .f32(0)
      .op('f32.lt')
      .if(() => f.get(rest).op('f64.neg').set(rest));
    f.get(rest).f64(0).op('f64.ne');
    f.get(rest).f64(0).op('f64.lt').get(y).f32(0).op('f32.lt', 'i32.ne', 'i32.and');
    f.if(() => f.get(rest).get(y).op('f64.promote_f32', 'f64.add').set(rest));
    f.get(rest).op('f32.demote_f64');
  });
}
