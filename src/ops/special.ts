/** Functions of probability and physics, composed to about the precision of float32. */
import { apply } from '../graph/apply.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import { equal, less, where } from './compare.ts';
import { abs, add, divide, exp, log1p, multiply, negative, sqrt, square, subtract } from './elementwise.ts';
import { type Operand, toFloat } from './operand.ts';

/** A polynomial by Horner's rule; coefficients from the highest power down. */
function polynomial(x: SymbolicTensor, coefficients: readonly number[]): SymbolicTensor {
  const [first = 0, second = 0, ...rest] = coefficients;
  const start = add(multiply(x, first), second);
  return rest.reduce<SymbolicTensor>((sum, coefficient) => add(multiply(sum, x), coefficient), start);
}

/** The error function. */
export function erf(x: Operand): SymbolicTensor {
  return apply('erf', [toFloat(x)], {});
}

/** 1 − erf(x), exact where erf is nearly 1. The expansion has a relative error below 1.2e−7 everywhere. */
export function erfc(x: Operand): SymbolicTensor {
  const value = toFloat(x);
  const magnitude = abs(value);
  const t = divide(1, add(multiply(magnitude, 0.5), 1));
  const exponent = polynomial(t, ERFC_COEFFICIENTS);
  const tail = multiply(t, exp(subtract(exponent, square(magnitude))));
  return where(less(value, 0), subtract(2, tail), tail);
}

/** Chebyshev coefficients of log(erfc(z) eᶻ² / t) in t = 1 / (1 + z/2): Press et al., Numerical Recipes, erfc. */
const ERFC_COEFFICIENTS: readonly number[] = [
  0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368,
  -1.26551223,
];

/** The inverse of the error function, by Giles' two polynomials in log(1 − x²), for single precision. */
export function erfinv(x: Operand): SymbolicTensor {
  const value = toFloat(x);
  const w = negative(log1p(negative(square(value))));
  const central = polynomial(subtract(w, 2.5), ERFINV_CENTRAL);
  const tail = polynomial(subtract(sqrt(w), 3), ERFINV_TAIL);
  const inverse = multiply(where(less(w, 5), central, tail), value);
  return where(equal(abs(value), 1), multiply(value, Number.POSITIVE_INFINITY), inverse);
}

/** M. Giles, Approximating the erfinv function, GPU Computing Gems 2 (2010), table for single precision. */
const ERFINV_CENTRAL: readonly number[] = [
  2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503, -0.00417768164,
  0.246640727, 1.50140941,
];
const ERFINV_TAIL: readonly number[] = [
  -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
  1.00167406, 2.83297682,
];

/** The modified Bessel function of the first kind, of order 0: Abramowitz and Stegun 9.8.1 and 9.8.2. */
export function i0(x: Operand): SymbolicTensor {
  const magnitude = abs(toFloat(x));
  const isSmall = less(magnitude, 3.75);
  const near = polynomial(square(divide(magnitude, 3.75)), I0_NEAR);
  const safe = where(isSmall, 3.75, magnitude);
  const far = divide(multiply(exp(safe), polynomial(divide(3.75, safe), I0_FAR)), sqrt(safe));
  return where(isSmall, near, far);
}

const I0_NEAR: readonly number[] = [0.0045813, 0.0360768, 0.2659732, 1.2067492, 3.0899424, 3.5156229, 1];
const I0_FAR: readonly number[] = [
  0.00392377, -0.01647633, 0.02635537, -0.02057706, 0.00916281, -0.00157565, 0.00225319, 0.01328592, 0.39894228,
];
