/** Writes `.npz`, which `numpy.load` reads; see `read-npz.ts` for the other direction. */

import { bytesPerElement } from '../../array/dtype.ts';
import { sizeOf } from '../../array/shape.ts';
import type { WritableFile } from '../../binary/byte-sink.ts';
import { FormatError } from '../../errors.ts';
import type { WeightEntry } from '../artifacts.ts';
import { elementBytes } from '../element-bytes.ts';
import { writeZip } from '../keras/write-zip.ts';
import { encodeNpyHeader } from './npy.ts';

/**
 * An archive of arrays, in order and without compression. The same arrays give the same bytes.
 *
 * @throws {FormatError} when two arrays have one name.
 * @throws {UnsupportedError} for arrays that are not float32, int32 or bool.
 */
export function writeNpz(entries: readonly WeightEntry[]): WritableFile {
  const names = new Set<string>();
  const members = entries.map((entry) => {
    if (names.has(entry.name)) throw new FormatError(`Cannot write npz: found two arrays named "${entry.name}"`);
    names.add(entry.name);
    return { path: `${entry.name}.npy`, file: npyFile(entry) };
  });
  return writeZip(members);
}

function npyFile({ name, dtype, shape, read }: WeightEntry): WritableFile {
  const header = encodeNpyHeader(dtype, shape, `weight "${name}"`);
  return {
    byteLength: header.byteLength + sizeOf(shape) * bytesPerElement(dtype),
    writeTo: async (sink) => {
      await sink.write(header);
      const bytes = elementBytes(await read());
      if (bytes.byteLength > 0) await sink.write(bytes);
    },
  };
}
