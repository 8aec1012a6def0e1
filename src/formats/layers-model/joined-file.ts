import { checkRange, type RangedFile, readRangeInto } from '../../binary/ranged-file.ts';

/** Files that one read has under way: each may be held as a whole until its checksum is known. */
const MAX_UNDER_WAY = 4;

/** Several files, read as if they were one after the other in one. */
export function joinedFile(parts: readonly RangedFile[], name: string): RangedFile {
  if (parts.length === 1) return parts[0] as RangedFile;
  const starts: number[] = [];
  let byteLength = 0;
  for (const part of parts) {
    starts.push(byteLength);
    byteLength += part.byteLength;
  }
  const readInto = async (start: number, target: Uint8Array): Promise<void> => {
    const end = start + target.byteLength;
    checkRange(name, byteLength, start, end);
    const pending = parts.entries();
    const readPending = async (): Promise<void> => {
      for (const [index, part] of pending) {
        const partStart = starts[index] as number;
        const from = Math.max(start, partStart);
        const to = Math.min(end, partStart + part.byteLength);
        if (from < to) await readRangeInto(part, from - partStart, target.subarray(from - start, to - start));
      }
    };
    await Promise.all(Array.from({ length: MAX_UNDER_WAY }, readPending));
  };
  return {
    name,
    byteLength,
    readInto,
    slice: async (start, end) => {
      checkRange(name, byteLength, start, end);
      const bytes = new Uint8Array(end - start);
      await readInto(start, bytes);
      return bytes;
    },
  };
}
