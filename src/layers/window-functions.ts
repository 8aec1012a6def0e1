/** Windows for the Fourier transform of short frames, named as in SciPy, whose names Keras stores. */
import { UnsupportedError } from '../errors.ts';

/** Coefficients of Σ (−1)ᵏ aₖ cos(2πkn / N), the general cosine window. */
const COSINE_SUMS: Readonly<Record<string, readonly number[]>> = {
  boxcar: [1],
  hann: [0.5, 0.5],
  hamming: [0.54, 0.46],
  blackman: [0.42, 0.5, 0.08],
  nuttall: [0.3635819, 0.4891775, 0.1365995, 0.0106411],
  blackmanharris: [0.35875, 0.48829, 0.14128, 0.01168],
  flattop: [0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368],
};

/** Windows of another form, as functions of the position `n` and the distance `last` between both ends. */
const OTHERS: Readonly<Record<string, (n: number, last: number) => number>> = {
  bartlett: (n, last) => 1 - Math.abs((2 * n) / last - 1),
  cosine: (n, last) => Math.sin((Math.PI * (n + 0.5)) / (last + 1)),
};

/**
 * The values of a window. A periodic one is the symmetric window of one more point without its last.
 *
 * @throws {UnsupportedError} when there is no window of that name.
 */
export function windowFunction(name: string, length: number, periodic: boolean): Float64Array {
  const sums = Object.hasOwn(COSINE_SUMS, name) ? COSINE_SUMS[name] : undefined;
  const other = Object.hasOwn(OTHERS, name) ? OTHERS[name] : undefined;
  if (sums === undefined && other === undefined) {
    const known = [...Object.keys(COSINE_SUMS), ...Object.keys(OTHERS)].join(', ');
    throw new UnsupportedError(`Cannot make a window "${name}": expected one of ${known}`, `window "${name}"`);
  }
  if (length === 1) return new Float64Array([1]);
  const last = periodic ? length : length - 1;
  return Float64Array.from({ length }, (_, n) => {
    if (other !== undefined) return other(n, last);
    const angle = (2 * Math.PI * n) / last;
    return (sums ?? []).reduce((sum, factor, k) => sum + (k % 2 === 0 ? factor : -factor) * Math.cos(k * angle), 0);
  });
}
