import type { WritableFile } from './byte-sink.ts';
import { type RangedFile, readRangeInto } from './ranged-file.ts';

/** So much of a file is in memory while it is copied. */
const PIECE_BYTES = 4 << 20;

/** A file that is read somewhere as one that is written elsewhere, piece by piece. */
export function streamFile(file: RangedFile): WritableFile {
  const { byteLength } = file;
  return {
    byteLength,
    writeTo: async (sink) => {
      const buffer = new Uint8Array(Math.min(PIECE_BYTES, byteLength));
      for (let start = 0; start < byteLength; start += PIECE_BYTES) {
        const piece = buffer.subarray(0, Math.min(PIECE_BYTES, byteLength - start));
        await readRangeInto(file, start, piece);
        await sink.write(piece);
      }
    },
  };
}
