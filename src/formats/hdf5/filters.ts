/** Undoes the filters of a chunk: deflate, shuffle and fletcher32, those that HDF5 itself always has. */

import { fletcher32 } from './checksum.ts';
import type { Filter } from './filter-pipeline.ts';
import type { Hdf5File } from './hdf5-file.ts';
import { MAX_EXPANSION } from './limits.ts';

const DEFLATE = 1;
const SHUFFLE = 2;
const FLETCHER32 = 3;

/** Registered filters by number, so that a message can name what the file needs. */
const NAMES: { readonly [id: number]: string } = {
  4: 'szip',
  5: 'nbit',
  6: 'scale-offset',
  305: 'LZO',
  307: 'bzip2',
  32000: 'lzf',
  32001: 'blosc',
  32004: 'lz4',
  32008: 'bitshuffle',
  32013: 'zfp',
  32015: 'zstd',
  32017: 'sz',
  32019: 'fcidecomp',
  32022: 'jpeg',
  32026: 'blosc2',
};

/** @throws {UnsupportedError} naming the first filter that is not among the three. */
export function checkFilters(file: Hdf5File, filters: readonly Filter[], path: string): void {
  for (const { id, name } of filters) {
    if (id === DEFLATE || id === SHUFFLE || id === FLETCHER32) continue;
    const label = NAMES[id] ?? name;
    const feature = `filter ${id}${label === '' ? '' : ` (${label})`}`;
    throw file.unsupported(feature, path, 're-save it with gzip or without compression');
  }
}

/** What is needed to find a chunk that fails. */
export interface ChunkPlace {
  readonly path: string;
  readonly offset: number;
}

/**
 * Undoes the filters in the reverse of the order in which they were applied.
 *
 * @param filterMask Bit `i` tells that filter `i` was left out for this chunk.
 * @param chunkBytes Bytes of the chunk when decoded: more are never produced.
 */
export async function undoFilters(
  file: Hdf5File,
  filters: readonly Filter[],
  stored: Uint8Array,
  filterMask: number,
  chunkBytes: number,
  place: ChunkPlace,
): Promise<Uint8Array> {
  const fail = (problem: string, cause?: unknown): Error =>
    file.fail(`${problem}, in a chunk of "${place.path}" at byte ${place.offset}`, place.offset, cause);
  let bytes = stored;
  for (let index = filters.length - 1; index >= 0; index--) {
    if ((filterMask & (1 << index)) !== 0) continue;
    const filter = filters[index] as Filter;
    switch (filter.id) {
      case DEFLATE: {
        // Each checksum filter below this one has added 4 bytes.
        const limit = chunkBytes + 4 * index;
        const inflated = await inflate(bytes, limit).catch((cause: unknown) => {
          throw fail('the compressed data are damaged', cause);
        });
        if (inflated === undefined) throw fail(`the compressed data hold more than ${limit} bytes`);
        bytes = inflated;
        break;
      }
      case SHUFFLE:
        bytes = unshuffle(bytes, filter.parameters[0] ?? 1);
        break;
      case FLETCHER32: {
        const end = bytes.byteLength - 4;
        if (end < 0) throw fail('there is no room for a checksum');
        const data = bytes.subarray(0, end);
        const checksum = new DataView(bytes.buffer, bytes.byteOffset + end, 4).getUint32(0, true);
        if (checksum !== fletcher32(data)) throw fail('the checksum does not match');
        bytes = data;
        break;
      }
      default:
    }
  }
  if (bytes.byteLength !== chunkBytes) throw fail(`${bytes.byteLength} bytes came out, expected ${chunkBytes}`);
  return bytes;
}

/** Decompresses a zlib stream; gives `undefined` when more than `limit` bytes come out of it. */
async function inflate(bytes: Uint8Array, limit: number): Promise<Uint8Array | undefined> {
  const stream = new DecompressionStream('deflate');
  const writer = stream.writable.getWriter();
  // What goes wrong while writing shows while reading as well.
  writer.write(bytes as Uint8Array<ArrayBuffer>).catch(() => {});
  writer.close().catch(() => {});
  const reader = stream.readable.getReader();
  const output = new Uint8Array(Math.min(limit, MAX_EXPANSION * (bytes.byteLength + 1)));
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return output.subarray(0, length);
    if (value.byteLength > output.byteLength - length) {
      reader.cancel().catch(() => {});
      return undefined;
    }
    output.set(value, length);
    length += value.byteLength;
  }
}

/** Shuffled data hold the first byte of every element, then the second of every element, and so on. */
export function unshuffle(bytes: Uint8Array, elementBytes: number): Uint8Array {
  const elementCount = Math.floor(bytes.byteLength / elementBytes);
  if (elementBytes <= 1 || elementCount <= 1) return bytes;
  const output = new Uint8Array(bytes.byteLength);
  let from = 0;
  for (let byte = 0; byte < elementBytes; byte++) {
    for (let to = byte, end = elementCount * elementBytes; to < end; to += elementBytes) {
      output[to] = bytes[from++] as number;
    }
  }
  // Bytes after the last whole element stay where they are.
  output.set(bytes.subarray(from), from);
  return output;
}
