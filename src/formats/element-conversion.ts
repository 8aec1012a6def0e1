/** Stored elements to the dtypes in which programs compute. */

import { computeDtype, type DataOf, type Dtype, type StorageDtype } from '../array/dtype.ts';
import { decodeBfloat16, decodeFloat16 } from '../array/float16.ts';
import type { Shape } from '../array/shape.ts';
import { Tensor } from '../array/tensor.ts';
import { FormatError } from '../errors.ts';

/** The arrays in which stored elements come; halves as their bits. */
export type StoredElements =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** The range of int32. */
const MIN_INT32 = -(2 ** 31);
const MAX_INT32 = 2 ** 31 - 1;

/**
 * Converts stored elements: floats of any width to float32, integers to int32, booleans to 0 or 1. What needs no
 * conversion is not copied.
 *
 * @param weight Name of the weight, for messages.
 * @throws {FormatError} when an integer is beyond int32.
 */
export function convertElements(
  stored: StoredElements,
  dtype: Exclude<StorageDtype, 'string' | 'complex64'>,
  shape: Shape,
  weight: string,
  file: string,
): Tensor {
  const target = computeDtype(dtype);
  switch (target) {
    case 'float32':
      return new Tensor(shape, 'float32', toFloat32(stored, dtype));
    case 'int32':
      return new Tensor(shape, 'int32', toInt32(stored, weight, file));
    default:
      return new Tensor<Dtype>(
        shape,
        'bool',
        Uint8Array.from(stored as Uint8Array, (value) => Number(value !== 0)),
      );
  }
}

function toFloat32(stored: StoredElements, dtype: StorageDtype): DataOf<'float32'> {
  if (stored instanceof Float32Array) return stored;
  const data = new Float32Array(stored.length);
  if (dtype === 'float16') decodeFloat16(stored as Uint16Array, data);
  else if (dtype === 'bfloat16') decodeBfloat16(stored as Uint16Array, data);
  else data.set(stored as Float64Array);
  return data;
}

function toInt32(stored: StoredElements, weight: string, file: string): DataOf<'int32'> {
  if (stored instanceof Int32Array) return stored;
  const data = new Int32Array(stored.length);
  for (let index = 0; index < stored.length; index++) {
    const value = stored[index] as number | bigint;
    if (value < MIN_INT32 || value > MAX_INT32) {
      throw new FormatError(
        `Cannot read weight "${weight}" of "${file}": element ${index} is ${value}, expected an integer of 32 bits`,
        { file },
      );
    }
    data[index] = Number(value);
  }
  return data;
}

/** The elements of a dtype that is not text, as a view of their little-endian bytes, which are copied if misaligned. */
export function viewStored(bytes: Uint8Array, dtype: Exclude<StorageDtype, 'string' | 'complex64'>): StoredElements {
  const { array, byteCount } = VIEWS[dtype];
  const isAligned = bytes.byteOffset % byteCount === 0;
  const source = isAligned ? bytes : bytes.slice();
  return array(source.buffer, source.byteOffset, source.byteLength / byteCount);
}

type View = (buffer: ArrayBufferLike, byteOffset: number, length: number) => StoredElements;

const VIEWS: {
  readonly [D in Exclude<StorageDtype, 'string' | 'complex64'>]: { readonly array: View; readonly byteCount: number };
} = {
  float32: { array: (...range) => new Float32Array(...range), byteCount: 4 },
  float64: { array: (...range) => new Float64Array(...range), byteCount: 8 },
  float16: { array: (...range) => new Uint16Array(...range), byteCount: 2 },
  bfloat16: { array: (...range) => new Uint16Array(...range), byteCount: 2 },
  int8: { array: (...range) => new Int8Array(...range), byteCount: 1 },
  uint8: { array: (...range) => new Uint8Array(...range), byteCount: 1 },
  bool: { array: (...range) => new Uint8Array(...range), byteCount: 1 },
  int16: { array: (...range) => new Int16Array(...range), byteCount: 2 },
  uint16: { array: (...range) => new Uint16Array(...range), byteCount: 2 },
  int32: { array: (...range) => new Int32Array(...range), byteCount: 4 },
  uint32: { array: (...range) => new Uint32Array(...range), byteCount: 4 },
  int64: { array: (...range) => new BigInt64Array(...range), byteCount: 8 },
  uint64: { array: (...range) => new BigUint64Array(...range), byteCount: 8 },
};
