/** Stored elements to JavaScript values: typed arrays for datasets, plain values for attributes. */

import { decodeBfloat16, decodeFloat16 } from '../../array/float16.ts';
import type { Attribute } from './attribute.ts';
import { type ByteReader, decodeUtf8 } from './byte-reader.ts';
import type { Datatype, NumericDtype, StringPadding } from './datatype.ts';
import { readGlobalHeap } from './global-heap.ts';
import type { Hdf5File } from './hdf5-file.ts';

/** The typed arrays that hold the elements of datasets; float16 and bfloat16 as their bits, bool as 0 or 1. */
export interface NumericArrays {
  float16: Uint16Array;
  bfloat16: Uint16Array;
  float32: Float32Array;
  float64: Float64Array;
  int8: Int8Array;
  uint8: Uint8Array;
  int16: Int16Array;
  uint16: Uint16Array;
  int32: Int32Array;
  uint32: Uint32Array;
  int64: BigInt64Array;
  uint64: BigUint64Array;
  bool: Uint8Array;
}

const VIEWS: { readonly [D in NumericDtype]: (buffer: ArrayBuffer) => NumericArrays[D] } = {
  float16: (buffer) => new Uint16Array(buffer),
  bfloat16: (buffer) => new Uint16Array(buffer),
  float32: (buffer) => new Float32Array(buffer),
  float64: (buffer) => new Float64Array(buffer),
  int8: (buffer) => new Int8Array(buffer),
  uint8: (buffer) => new Uint8Array(buffer),
  int16: (buffer) => new Int16Array(buffer),
  uint16: (buffer) => new Uint16Array(buffer),
  int32: (buffer) => new Int32Array(buffer),
  uint32: (buffer) => new Uint32Array(buffer),
  int64: (buffer) => new BigInt64Array(buffer),
  uint64: (buffer) => new BigUint64Array(buffer),
  bool: (buffer) => new Uint8Array(buffer),
};

/** Views little-endian elements, in a buffer of their own, as the typed array of their dtype. */
export function viewElements(dtype: NumericDtype, buffer: ArrayBuffer): NumericArrays[NumericDtype] {
  return VIEWS[dtype](buffer);
}

/** Reverses the bytes of each element in place: big endian to little endian. */
export function swapBytes(bytes: Uint8Array, elementBytes: number): void {
  const half = elementBytes >> 1;
  for (let start = 0; start + elementBytes <= bytes.byteLength; start += elementBytes) {
    for (let index = 0; index < half; index++) {
      const other = start + elementBytes - 1 - index;
      const byte = bytes[start + index] as number;
      bytes[start + index] = bytes[other] as number;
      bytes[other] = byte;
    }
  }
}

/**
 * The value of an attribute.
 *
 * - A scalar is a plain value; anything with axes is an array in row-major order, flat, empty where an extent is 0.
 * - Integers and floats are `number`. Integers of 64 bits of which one is beyond ±(2⁵³ − 1) are `bigint`, all of them.
 * - Booleans, which h5py writes as an enumeration, are `boolean`.
 * - Text of fixed or variable length is `string`, without its padding.
 * - Opaque data are the bytes, those of an array one after the other.
 * - An attribute without a value (a null dataspace, `h5py.Empty`) is `null`.
 */
export type AttributeValue =
  | string
  | number
  | bigint
  | boolean
  | string[]
  | number[]
  | bigint[]
  | boolean[]
  | Uint8Array
  | null;

/** @throws {UnsupportedError} when the attribute is of a datatype that no model file has. */
export async function readAttributeValue(file: Hdf5File, attribute: Attribute, owner: string): Promise<AttributeValue> {
  const { dataspace, data } = attribute;
  if (dataspace.kind === 'null') return null;
  let datatype = attribute.datatype;
  let elementCount = dataspace.elementCount;
  let isScalar = dataspace.kind === 'scalar';
  while (datatype.kind === 'array') {
    elementCount *= datatype.shape.reduce((product, extent) => product * extent, 1);
    isScalar = false;
    datatype = datatype.of;
  }
  if (elementCount * datatype.byteLength > data.remaining) {
    throw data.fail(`${elementCount} elements of ${datatype.byteLength} bytes do not fit`);
  }
  const bytes = data.bytes.subarray(data.position, data.position + elementCount * datatype.byteLength);
  switch (datatype.kind) {
    case 'string':
    case 'variableString': {
      const strings = await readStrings(file, datatype, data.part(bytes.byteLength), elementCount);
      data.position -= bytes.byteLength;
      return isScalar ? (strings[0] as string) : strings;
    }
    case 'opaque':
      return new Uint8Array(bytes);
    case 'numeric': {
      const values = decodeNumbers(datatype, bytes);
      return isScalar ? (values[0] as number | bigint | boolean) : values;
    }
    case 'unsupported':
      throw file.unsupported(`${datatype.feature} of the attribute "${attribute.name}"`, owner);
    default:
      return datatype satisfies never;
  }
}

function decodeNumbers(datatype: Datatype & { kind: 'numeric' }, stored: Uint8Array): number[] | bigint[] | boolean[] {
  const { dtype, byteLength, bigEndian } = datatype;
  // A copy by constructor, as `slice` of a Node Buffer is a view.
  const bytes = new Uint8Array(stored);
  if (bigEndian) swapBytes(bytes, byteLength);
  const elements = viewElements(dtype, bytes.buffer);
  if (dtype === 'bool') return Array.from(elements as Uint8Array, (value) => value !== 0);
  if (dtype === 'float16' || dtype === 'bfloat16') {
    const floats = new Float32Array(elements.length);
    (dtype === 'float16' ? decodeFloat16 : decodeBfloat16)(elements as Uint16Array, floats);
    return Array.from(floats);
  }
  if (!(elements instanceof BigInt64Array || elements instanceof BigUint64Array)) {
    return Array.from(elements as Float64Array);
  }
  const integers = Array.from(elements as BigInt64Array);
  const numbers = integers.map(Number);
  return numbers.every(Number.isSafeInteger) ? numbers : integers;
}

/** Reads strings of fixed length in place, those of variable length from the global heap. */
export async function readStrings(
  file: Hdf5File,
  datatype: Datatype & { kind: 'string' | 'variableString' },
  reader: ByteReader,
  elementCount: number,
): Promise<string[]> {
  const strings: string[] = [];
  if (datatype.kind === 'string') {
    for (let index = 0; index < elementCount; index++) {
      strings.push(decodeUtf8(trim(reader.take(datatype.byteLength), datatype.padding)));
    }
    return strings;
  }
  let totalBytes = 0;
  for (let index = 0; index < elementCount; index++) {
    const length = reader.u32();
    const address = reader.address();
    const heapIndex = reader.u32();
    // The library writes an empty string as address 0 or "nowhere".
    if (length === 0 || address === undefined || address === 0) {
      if (length !== 0) throw reader.fail(`a string of ${length} bytes is nowhere`);
      strings.push('');
      continue;
    }
    const object = (await readGlobalHeap(file, address)).get(heapIndex);
    if (object === undefined) throw reader.fail(`the global heap at ${address} has no object ${heapIndex}`);
    if (object.byteLength < length) throw reader.fail(`a string of ${length} bytes has ${object.byteLength}`);
    // Every string has its own place in the file, unless many are made to share one in order to multiply it.
    totalBytes += length;
    if (totalBytes > file.byteLength) throw reader.fail('the strings are longer than the file');
    strings.push(decodeUtf8(trim(object.subarray(0, length), 'nullTerminated')));
  }
  return strings;
}

/** Cuts a string where its padding begins. */
function trim(bytes: Uint8Array, padding: StringPadding): Uint8Array {
  if (padding === 'nullTerminated') {
    const end = bytes.indexOf(0);
    return end < 0 ? bytes : bytes.subarray(0, end);
  }
  const fill = padding === 'nullPadded' ? 0 : 0x20;
  let end = bytes.byteLength;
  while (end > 0 && bytes[end - 1] === fill) end--;
  return bytes.subarray(0, end);
}
