/**
 * Safetensors: a JSON header followed by one block of tensor bytes.
 *
 *   0      u64  n, length of the header in bytes (little endian)
 *   8      n    header: name → { dtype, shape, data_offsets: [begin, end) }, and `__metadata__`: name → text;
 *               spaces may follow, so that the data begin at a multiple of 8
 *   8 + n       data, little endian, row-major; offsets count from here. Every byte belongs to exactly one tensor
 *
 * https://github.com/huggingface/safetensors#format
 */
import type { StorageDtype } from '../../array/dtype.ts';

/** What stands in front of the header. */
export const LENGTH_BYTES = 8;

/** As the reference implementation has it: a header of this size describes about a million tensors. */
export const MAX_HEADER_BYTES: number = 100_000_000;

export const METADATA_KEY = '__metadata__';

/** Element types of files, and what they are here. */
export const DTYPES: Readonly<Record<string, Exclude<StorageDtype, 'string' | 'complex64'>>> = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  I64: 'int64',
  I32: 'int32',
  I16: 'int16',
  I8: 'int8',
  U64: 'uint64',
  U32: 'uint32',
  U16: 'uint16',
  U8: 'uint8',
  BOOL: 'bool',
};
