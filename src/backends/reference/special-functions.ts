/** Functions that JavaScript lacks, in double precision. */

/** Beyond this, 1 − |erf(x)| is less than half a unit in the last place of a double. */
const ERF_SATURATION = 6;

/** Where the series loses too many digits to cancellation, the continued fraction of erfc takes over. */
const ERF_SERIES_LIMIT = 2.5;

/** The error function, 2/√π ∫₀ˣ exp(−t²) dt, to about 1e−15. */
export function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  const magnitude = Math.abs(x);
  if (magnitude > ERF_SATURATION) return Math.sign(x);
  if (magnitude < ERF_SERIES_LIMIT) return erfSeries(x);
  return Math.sign(x) * (1 - erfcFraction(magnitude));
}

/** 2/√π · exp(−x²) · Σ 2ⁿ x²ⁿ⁺¹ / (2n+1)!!, whose terms are all of one sign. */
function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** exp(−x²)/√π · 1/(x + ½/(x + 1/(x + 3⁄2/(x + …)))), evaluated from the inside out. */
function erfcFraction(x: number): number {
  let tail = x;
  for (let n = 60; n >= 1; n--) tail = x + n / 2 / tail;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / tail;
}

/** The nearest integer, halves to the even one. */
export function roundHalfToEven(x: number): number {
  const rounded = Math.round(x);
  // Math.round takes halves up, so only an odd result of a half is wrong.
  if (Math.abs(x % 1) === 0.5 && rounded % 2 !== 0) return rounded - 1;
  return rounded;
}

/** x to the power of y as in C: x⁰ and 1ʸ are 1 even for NaN and infinities, where JavaScript gives NaN. */
export function power(x: number, y: number): number {
  return x === 1 || (x === -1 && Math.abs(y) === Number.POSITIVE_INFINITY) ? 1 : x ** y;
}

/** An int32 power by squaring, which wraps; a negative exponent gives the truncated reciprocal. */
export function integerPower(base: number, exponent: number): number {
  if (exponent < 0) {
    if (base === 1) return 1;
    if (base === -1) return exponent % 2 === 0 ? 1 : -1;
    return 0;
  }
  let result = 1;
  let square = base;
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = Math.imul(result, square);
    square = Math.imul(square, square);
  }
  return result;
}
