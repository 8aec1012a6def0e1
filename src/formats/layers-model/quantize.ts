/**
 * Weights in fewer bits, as the converter of TensorFlow.js makes them: 8 or 16 bits on a line between the smallest and the
 * largest value of a weight, or half floats.
 */
import { decodeFloat16, encodeFloat16 } from '../../array/float16.ts';
import { UnsupportedError } from '../../errors.ts';
import type { Quantization } from './weight-specs.ts';

export type QuantizedDtype = Quantization['dtype'];

/** How one weight is quantized, and what that does to it. */
export interface QuantizationPlan {
  readonly quantization: Quantization;
  /** The largest distance of an element from what is read back. */
  readonly largestError: number;
}

/**
 * Finds scale and smallest value of a weight. Zero stays zero where it lies in between, and a weight whose elements are
 * all the same is exact.
 *
 * @throws {UnsupportedError} for elements that are not finite, or too large for half floats.
 */
export function planQuantization(values: Float32Array, dtype: QuantizedDtype, weight: string): QuantizationPlan {
  if (dtype === 'float16') return planHalves(values, weight);
  let smallest = Number.POSITIVE_INFINITY;
  let largest = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (!Number.isFinite(value)) throw unquantizable(weight, String(value), dtype);
    if (value < smallest) smallest = value;
    if (value > largest) largest = value;
  }
  if (!(smallest < largest)) {
    const min = values.length === 0 ? 0 : smallest;
    return { quantization: { dtype, scale: 1, min }, largestError: 0 };
  }
  const scale = (largest - smallest) / greatestOf(dtype);
  const hasZero = smallest <= 0 && largest >= 0;
  const quantization: Quantization = {
    dtype,
    scale,
    min: hasZero ? -roundHalfEven(-smallest / scale) * scale : smallest,
  };
  return { quantization, largestError: largestErrorOf(values, quantization) };
}

/** Writes elements from `start` on as they are stored, as many as the target takes. */
export function quantizeInto(
  target: Uint8Array | Uint16Array,
  values: Float32Array,
  start: number,
  quantization: Quantization,
): void {
  const { dtype, scale, min } = quantization;
  if (dtype === 'float16') {
    encodeFloat16(values.subarray(start, start + target.length), target as Uint16Array);
    return;
  }
  const greatest = greatestOf(dtype);
  for (let index = 0; index < target.length; index++) {
    target[index] = quantized(values[start + index] as number, scale, min, greatest);
  }
}

function quantized(value: number, scale: number, min: number, greatest: number): number {
  return Math.min(greatest, Math.max(0, roundHalfEven((value - min) / scale)));
}

function largestErrorOf(values: Float32Array, { dtype, scale, min }: Quantization): number {
  const greatest = greatestOf(dtype);
  let largest = 0;
  for (const value of values) {
    const error = Math.abs(Math.fround(quantized(value, scale, min, greatest) * scale + min) - value);
    if (error > largest) largest = error;
  }
  return largest;
}

/** A float32 above this is infinite as a half. */
const LARGEST_HALF = 65519.99609375;

const CHUNK_ELEMENTS = 1 << 16;

function planHalves(values: Float32Array, weight: string): QuantizationPlan {
  const halves = new Uint16Array(Math.min(values.length, CHUNK_ELEMENTS));
  const decoded = new Float32Array(halves.length);
  let largestError = 0;
  for (let start = 0; start < values.length; start += CHUNK_ELEMENTS) {
    const chunk = values.subarray(start, start + CHUNK_ELEMENTS);
    encodeFloat16(chunk, halves);
    decodeFloat16(halves, decoded);
    for (const [index, value] of chunk.entries()) {
      if (Number.isFinite(value) && Math.abs(value) > LARGEST_HALF) throw unquantizable(weight, `${value}`, 'float16');
      // What is not finite stays what it is.
      const error = Math.abs((decoded[index] as number) - value);
      if (error > largestError) largestError = error;
    }
  }
  return { quantization: { dtype: 'float16', scale: 1, min: 0 }, largestError };
}

function greatestOf(dtype: QuantizedDtype): number {
  return dtype === 'uint8' ? 255 : 65535;
}

/** NumPy's rounding, which the converter uses. */
function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

function unquantizable(weight: string, found: string, dtype: QuantizedDtype): UnsupportedError {
  return new UnsupportedError(
    `Cannot quantize weight "${weight}" as ${dtype}: found an element ${found}; leave this weight out by a pattern`,
    `${dtype} of ${found}`,
  );
}
