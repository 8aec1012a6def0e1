import type { ByteReader } from './byte-reader.ts';

/**
 * Decodes a fill value message: the bytes of one element, or `undefined` for zeros.
 *
 *   versions 1 and 2                    version 3
 *   1  1  time of allocation            1  1  flags; 32: a value is there
 *   2  1  time of writing               2  4  bytes, then the value
 *   3  1  whether it is defined
 *   4  4  bytes, then the value; missing in version 2 if not defined
 */
export function decodeFillValue(reader: ByteReader): Uint8Array | undefined {
  const version = reader.u8();
  if (version < 1 || version > 3) throw reader.fail(`fill value version ${version} is unknown`);
  if (version === 3) {
    const flags = reader.u8();
    return (flags & 0x20) === 0 ? undefined : nonEmpty(reader.take(reader.u32()));
  }
  reader.skip(2);
  const isDefined = reader.u8() !== 0;
  return version === 2 && !isDefined ? undefined : nonEmpty(reader.take(reader.u32()));
}

/** Decodes the fill value message of HDF5 before 1.6: 4 bytes of length, then the value. */
export function decodeOldFillValue(reader: ByteReader): Uint8Array | undefined {
  return nonEmpty(reader.take(reader.u32()));
}

function nonEmpty(value: Uint8Array): Uint8Array | undefined {
  return value.byteLength === 0 ? undefined : value;
}

/** Repeats the bytes of a fill value; without one the elements are zero. */
export function fillCells(target: Uint8Array, fillValue: Uint8Array | undefined): void {
  if (fillValue === undefined || fillValue.every((byte) => byte === 0)) {
    target.fill(0);
    return;
  }
  target.set(fillValue.subarray(0, target.byteLength));
  for (let filled = fillValue.byteLength; filled < target.byteLength; filled *= 2) {
    target.copyWithin(filled, 0, Math.min(filled, target.byteLength - filled));
  }
}
