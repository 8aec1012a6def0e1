import { checkRange, type RangedFile, readRangeInto } from '../../binary/ranged-file.ts';

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
    await Promise.all(
      parts.map(async (part, index) => {
        const partStart = starts[index] as number;
        const from = Math.max(start, partStart);
        const to = Math.min(end, partStart + part.byteLength);
        if (from < to) await readRangeInto(part, from - partStart, target.subarray(from - start, to - start));
      }),
    );
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
