import { type RangedFile, readRangeInto } from '../binary/ranged-file.ts';
import type { OpenOptions } from './store.ts';

/** Large reads are cut into pieces of this size, so that progress moves and an abort is heard. */
const PIECE_BYTES = 8 << 20;

/** Adds a signal and a report of the bytes that were read to a file that knows neither. */
export function reportingFile(file: RangedFile, options: OpenOptions): RangedFile {
  const { signal, onBytes } = options;
  if (signal === undefined && onBytes === undefined) return file;
  return {
    name: file.name,
    byteLength: file.byteLength,
    ...(file.blockBytes === undefined ? {} : { blockBytes: file.blockBytes }),
    slice: async (start, end) => {
      signal?.throwIfAborted();
      const bytes = await file.slice(start, end);
      signal?.throwIfAborted();
      onBytes?.(file.name, bytes.byteLength);
      return bytes;
    },
    readInto: async (start, target) => {
      for (let done = 0; done < target.byteLength; done += PIECE_BYTES) {
        signal?.throwIfAborted();
        const piece = target.subarray(done, Math.min(done + PIECE_BYTES, target.byteLength));
        await readRangeInto(file, start + done, piece);
        onBytes?.(file.name, piece.byteLength);
      }
      signal?.throwIfAborted();
    },
  };
}
