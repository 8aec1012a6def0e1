import type { FunctionBuilder, Local } from './assembler-function.ts';

/** Leaves Σ coefficients[i] · xⁱ on the stack, by Horner's scheme. */
export function polynomial(f: FunctionBuilder, x: Local, coefficients: readonly number[]): void {
  f.f32x4(coefficients.at(-1) as number);
  for (const coefficient of coefficients.slice(0, -1).reverse()) {
    f.get(x);
    if (f.relaxedSimd) f.f32x4(coefficient).op('f32x4.relaxed_madd');
    else f.op('f32x4.mul').f32x4(coefficient).op('f32x4.add');
  }
}

/** The same in double precision, two lanes at a time. */
export function polynomial64(f: FunctionBuilder, x: Local, coefficients: readonly number[]): void {
  f.f64(coefficients.at(-1) as number).op('f64x2.splat');
  for (const coefficient of coefficients.slice(0, -1).reverse()) {
    f.get(x).op('f64x2.mul').f64(coefficient).op('f64x2.splat', 'f64x2.add');
  }
}

/** Takes a and b from the stack and leaves a · b + c, where `addend` pushes c; fused where the engine can. */
export function multiplyThenAdd(f: FunctionBuilder, addend: () => unknown): void {
  if (f.relaxedSimd) {
    addend();
    f.op('f32x4.relaxed_madd');
  } else {
    f.op('f32x4.mul');
    addend();
    f.op('f32x4.add');
  }
}

/** Flips the sign of the value on the stack in the lanes where `sign` is negative. */
export function withSignOf(f: FunctionBuilder, sign: Local): void {
  f.get(sign).i32x4(SIGN_BIT).op('v128.and', 'v128.xor');
}

export const SIGN_BIT: number = -(2 ** 31);
