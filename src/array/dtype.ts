/**
 * Element types. A `Dtype` is what a tensor holds while a program runs; a `StorageDtype` is what a file may hold,
 * and is converted while it is read.
 */

/** Element types of tensors. `string` exists on the host only: lookups turn it into numbers before a program runs. */
export type Dtype = 'float32' | 'int32' | 'bool' | 'string';

/** Element types of weights in files. */
export type StorageDtype =
  | Dtype
  | 'float16'
  | 'bfloat16'
  | 'float64'
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'complex64';

/** The array that holds the elements of each dtype; a bool is one byte, 0 or 1. */
export interface DataTypes {
  float32: Float32Array;
  int32: Int32Array;
  bool: Uint8Array;
  string: readonly string[];
}

export type DataOf<D extends Dtype> = DataTypes[D];
export type TensorData = DataTypes[Dtype];

const BYTES: { readonly [D in StorageDtype]: number } = {
  float32: 4,
  int32: 4,
  bool: 1,
  string: 0,
  float16: 2,
  bfloat16: 2,
  float64: 8,
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  uint32: 4,
  int64: 8,
  uint64: 8,
  complex64: 8,
};

/** Bytes of one element; 0 for `string`, whose elements differ in length. */
export function bytesPerElement(dtype: StorageDtype): number {
  return BYTES[dtype];
}

export function isStorageDtype(name: string): name is StorageDtype {
  return Object.hasOwn(BYTES, name);
}

/** The dtype with which elements of a stored dtype are computed: floats as float32, integers as int32. */
export function computeDtype(dtype: StorageDtype): Dtype {
  if (dtype === 'bool' || dtype === 'string') return dtype;
  return dtype.startsWith('int') || dtype.startsWith('uint') ? 'int32' : 'float32';
}

/** Zeros of a numeric dtype, empty strings of `string`. */
export function zeroData<D extends Dtype>(dtype: D, elementCount: number): DataOf<D> {
  return ALLOCATE[dtype](elementCount) as DataOf<D>;
}

const ALLOCATE: { readonly [D in Dtype]: (elementCount: number) => DataOf<D> } = {
  float32: (elementCount) => new Float32Array(elementCount),
  int32: (elementCount) => new Int32Array(elementCount),
  bool: (elementCount) => new Uint8Array(elementCount),
  string: (elementCount) => new Array<string>(elementCount).fill(''),
};
