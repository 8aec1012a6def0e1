/**
 * A cache of blocks before a slow file, for formats whose metadata is many small records near one another.
 *
 * A small read is widened to whole blocks, which are kept; missing blocks that touch are fetched with one request,
 * and two readers of one block share its request. A large read is bulk data: it passes through and is not kept.
 */

import { checkRange, checkReceived, type RangedFile, readRangeInto } from './ranged-file.ts';

export interface CachedFileOptions {
  /** Bytes of one block, which are the file's own or 4096 unless given: the unit to which small reads are widened. */
  readonly blockBytes?: number;
  /** Bytes of blocks that are kept, unless given 4 MiB or 256 of them; the block that was used longest ago goes first. */
  readonly maxBytes?: number;
}

/** HDF5 gathers its metadata in pieces of 2 KiB, so that larger blocks would mostly fetch weights nobody asked for. */
const DEFAULT_BLOCK_BYTES = 4096;

/** Holds all the metadata of a model with a thousand layers. */
const DEFAULT_MAX_BYTES = 4 << 20;

/** So many are kept of large blocks: groups of a file are read at the same time, each in its own. */
const LEAST_BLOCKS = 256;

/** Reads of this many blocks or more are bulk data. */
const BULK_BLOCKS = 4;

/**
 * Wraps `file` in a cache; large reads go to the file itself, into their place where it can do that. A file that has its
 * bytes at hand is given back as it is.
 */
export function cachedFile(file: RangedFile, options: CachedFileOptions = {}): RangedFile {
  if (file.peek !== undefined) return file;
  const blockBytes = options.blockBytes ?? file.blockBytes ?? DEFAULT_BLOCK_BYTES;
  const maxBytes = options.maxBytes ?? Math.max(DEFAULT_MAX_BYTES, LEAST_BLOCKS * blockBytes);
  const maxBlocks = Math.max(BULK_BLOCKS, Math.floor(maxBytes / blockBytes));
  // A Map keeps the order of insertion, so that its first key is the block used longest ago.
  const blocks = new Map<number, Promise<Uint8Array>>();
  const arrived = new WeakMap<Promise<Uint8Array>, Uint8Array>();

  const isBulk = (start: number, end: number): boolean => end - start >= BULK_BLOCKS * blockBytes;

  /** Requests the blocks from `first` up to `end`, none of which is cached, at once. */
  function fetchRun(first: number, end: number): void {
    const start = first * blockBytes;
    const stop = Math.min(end * blockBytes, file.byteLength);
    const run = file.slice(start, stop).then((bytes) => {
      checkReceived(file.name, start, stop, bytes.byteLength);
      return bytes;
    });
    for (let index = first; index < end; index++) {
      const from = (index - first) * blockBytes;
      // A block of its own buffer does not keep the others of its run in memory.
      const block = run.then((bytes) => (end - first === 1 ? bytes : bytes.slice(from, from + blockBytes)));
      blocks.set(index, block);
      block.then(
        (bytes) => arrived.set(block, bytes),
        () => {
          // A failed request is not remembered: the next reader tries again.
          if (blocks.get(index) === block) blocks.delete(index);
        },
      );
    }
  }

  /** Bytes that lie in one block which is there, and notes that it was used. */
  function peek(start: number, end: number): Uint8Array | undefined {
    const index = Math.floor(start / blockBytes);
    const base = index * blockBytes;
    const block = start < end && end <= base + blockBytes ? blocks.get(index) : undefined;
    const bytes = block && arrived.get(block);
    if (bytes === undefined || block === undefined || end - base > bytes.byteLength) return undefined;
    blocks.delete(index);
    blocks.set(index, block);
    return bytes.subarray(start - base, end - base);
  }

  async function sliceBlocks(start: number, end: number): Promise<Uint8Array> {
    const first = Math.floor(start / blockBytes);
    const last = Math.floor((end - 1) / blockBytes);
    for (let index = first; index <= last; index++) {
      if (blocks.has(index)) continue;
      let stop = index + 1;
      while (stop <= last && !blocks.has(stop)) stop++;
      fetchRun(index, stop);
      index = stop - 1;
    }
    const pieces: Promise<Uint8Array>[] = [];
    for (let index = first; index <= last; index++) {
      const block = blocks.get(index) as Promise<Uint8Array>;
      blocks.delete(index);
      blocks.set(index, block);
      pieces.push(block);
    }
    while (blocks.size > maxBlocks) blocks.delete(blocks.keys().next().value as number);

    const base = first * blockBytes;
    if (pieces.length === 1) return (await (pieces[0] as Promise<Uint8Array>)).subarray(start - base, end - base);
    const joined = new Uint8Array(end - start);
    for (const [index, block] of (await Promise.all(pieces)).entries()) {
      const blockStart = base + index * blockBytes;
      const from = Math.max(start - blockStart, 0);
      const to = Math.min(end - blockStart, block.byteLength);
      joined.set(block.subarray(from, to), blockStart + from - start);
    }
    return joined;
  }

  return {
    name: file.name,
    byteLength: file.byteLength,
    blockBytes,
    peek,
    slice: async (start, end) => {
      checkRange(file.name, file.byteLength, start, end);
      if (start === end) return new Uint8Array(0);
      return peek(start, end) ?? (await (isBulk(start, end) ? file.slice(start, end) : sliceBlocks(start, end)));
    },
    readInto: async (start, target) => {
      const end = start + target.byteLength;
      checkRange(file.name, file.byteLength, start, end);
      if (start === end) return;
      if (isBulk(start, end)) await readRangeInto(file, start, target);
      else target.set(peek(start, end) ?? (await sliceBlocks(start, end)));
    },
  };
}
