/**
 * Files of which parts are read by position: on disk, behind a URL, in memory, or inside an archive.
 *
 * Formats read through this one interface, so that a remote model costs the bytes that are needed and no others.
 */

import { FormatError } from '../errors.ts';
import { breathe } from '../pause.ts';

/** Bytes whose length is known and whose parts can be read in any order. */
export interface RangedFile {
  /** Path, URL or other name, for messages. */
  readonly name: string;
  readonly byteLength: number;
  /** The unit to which a cache widens small reads: small where every byte travels, large where a read costs more. */
  readonly blockBytes?: number;

  /**
   * Reads the bytes from `start` up to but not including `end`. They may be a view of a longer buffer that others
   * share, at any alignment: a caller never writes into them.
   *
   * @throws {FormatError} when the file does not hold all of them.
   */
  slice(start: number, end: number): Promise<Uint8Array>;

  /** The bytes where they are at hand, else `undefined`: for readers of many small records, whom a promise for each delays. */
  peek?(start: number, end: number): Uint8Array | undefined;

  /** Fills `target` with the bytes from `start` on, without a buffer between, where the source can do that. */
  readInto?(start: number, target: Uint8Array): Promise<void>;
}

/** Reads bytes in memory; `slice` gives views and copies nothing. */
export function bytesFile(bytes: Uint8Array | ArrayBufferLike, name = 'bytes'): RangedFile {
  const whole =
    bytes instanceof Uint8Array
      ? // Without this, parts of a Node Buffer would be Buffers, whose `slice` copies nothing.
        new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      : new Uint8Array(bytes);
  const part = (start: number, end: number): Uint8Array => {
    checkRange(name, whole.byteLength, start, end);
    return whole.subarray(start, end);
  };
  return {
    name,
    byteLength: whole.byteLength,
    slice: async (start, end) => part(start, end),
    peek: part,
    readInto: async (start, target) => {
      const bytes = part(start, start + target.byteLength);
      // All that is wanted of a file in memory is there at once. Who waits has to look at the clock again.
      for (let turn = breathe(); turn !== undefined; turn = breathe()) await turn;
      target.set(bytes);
    },
  };
}

/** Reads a `Blob`, for example a file that a user picked in a page. */
export function blobFile(blob: Blob, name: string = nameOf(blob)): RangedFile {
  return {
    name,
    byteLength: blob.size,
    slice: async (start, end) => {
      checkRange(name, blob.size, start, end);
      let bytes: Uint8Array;
      try {
        bytes = new Uint8Array(await blob.slice(start, end).arrayBuffer());
      } catch (cause) {
        // A picked file that has changed on disk since then can no longer be read.
        throw new FormatError(`Cannot read "${name}": the browser gave no bytes`, { file: name, offset: start, cause });
      }
      checkReceived(name, start, end, bytes.byteLength);
      return bytes;
    },
  };
}

function nameOf(blob: Blob): string {
  return 'name' in blob && typeof blob.name === 'string' ? blob.name : 'blob';
}

/** The bytes from `start` up to `end` of another file as a file of their own: a stored member of an archive. */
export function subFile(file: RangedFile, start: number, end: number, name: string = file.name): RangedFile {
  checkRange(file.name, file.byteLength, start, end);
  const byteLength = end - start;
  const window: RangedFile = {
    name,
    byteLength,
    ...(file.blockBytes === undefined ? {} : { blockBytes: file.blockBytes }),
    slice: async (from, to) => {
      checkRange(name, byteLength, from, to);
      return await file.slice(start + from, start + to);
    },
  };
  return {
    ...window,
    ...(file.peek && {
      peek: (from: number, to: number) => {
        checkRange(name, byteLength, from, to);
        return file.peek?.(start + from, start + to);
      },
    }),
    ...(file.readInto && {
      readInto: async (from: number, target: Uint8Array) => {
        checkRange(name, byteLength, from, from + target.byteLength);
        await file.readInto?.(start + from, target);
      },
    }),
  };
}

/** Fills `target` with the bytes from `start` on: in place where the file can do that, else with one copy. */
export async function readRangeInto(file: RangedFile, start: number, target: Uint8Array): Promise<void> {
  if (target.byteLength === 0) return;
  if (file.readInto === undefined) target.set(await file.slice(start, start + target.byteLength));
  else await file.readInto(start, target);
}

/** @throws {FormatError} unless `start` to `end` is a range within `byteLength` bytes. */
export function checkRange(name: string, byteLength: number, start: number, end: number): void {
  if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && 0 <= start && start <= end && end <= byteLength) {
    return;
  }
  const problem = `bytes ${start} to ${end} were asked for, the file has ${byteLength}`;
  throw new FormatError(`Cannot read "${name}": ${problem}`, { file: name, offset: start });
}

/** @throws {FormatError} when a source gave another number of bytes than was asked for. */
export function checkReceived(name: string, start: number, end: number, received: number): void {
  if (received === end - start) return;
  const problem = `asked for ${end - start} bytes at ${start}, got ${received}`;
  throw new FormatError(`Cannot read "${name}": ${problem}`, { file: name, offset: start });
}
