/** Where the chunks of a dataset are: the indexes that are trees, and those that need none. Arrays have their own files. */

import { readBTree1 } from './b-tree-v1.ts';
import { readBTree2 } from './b-tree-v2.ts';
import type { NumberedChunk } from './chunk-element.ts';
import { readExtensibleArray } from './extensible-array.ts';
import { readFixedArray } from './fixed-array.ts';
import type { Hdf5File } from './hdf5-file.ts';
import type { ChunkedLayout } from './layout.ts';
import { MAX_CHUNKS } from './limits.ts';

/** A chunk as it is stored. */
export interface StoredChunk {
  /** Position in the grid of chunks. */
  readonly cell: readonly number[];
  readonly address: number;
  readonly byteLength: number;
  /** Bit `i` is set where filter `i` was left out. */
  readonly filterMask: number;
}

/** The dataset to which an index belongs. */
export interface ChunkGrid {
  readonly file: Hdf5File;
  readonly layout: ChunkedLayout;
  readonly shape: readonly number[];
  /** Chunks along each axis of the dataset as large as it may grow; `undefined` where that is unlimited. */
  readonly maxCells: readonly (number | undefined)[];
  /** Chunks along each axis of the dataset as it is. */
  readonly cells: readonly number[];
  /** Bytes of a chunk without filters. */
  readonly chunkBytes: number;
  readonly isFiltered: boolean;
}

/** Reads the whole index; chunks that were never written are missing, and the order is that of the index. */
export async function readChunkIndex(grid: ChunkGrid): Promise<StoredChunk[]> {
  const { file, layout } = grid;
  const { address } = layout;
  if (address === undefined) return [];
  switch (layout.index) {
    case 'btree1':
      return await readTree1(grid, address);
    case 'single': {
      const { byteLength, filterMask } = layout.filteredSingle ?? { byteLength: grid.chunkBytes, filterMask: 0 };
      return [{ cell: layout.chunkShape.map(() => 0), address, byteLength, filterMask }];
    }
    case 'implicit':
      return implicitChunks(grid, address);
    case 'fixedArray':
      return placeChunks(grid, await readFixedArray(file, address, grid.chunkBytes), undefined);
    case 'extensibleArray': {
      // The axis that grows counts slowest, wherever it is.
      const growing = grid.maxCells.indexOf(undefined);
      return placeChunks(grid, await readExtensibleArray(file, address, grid.chunkBytes), growing);
    }
    case 'btree2':
      return await readTree2(grid, address);
    default:
      return layout.index satisfies never;
  }
}

/** Keys: 4 bytes size, 4 filter mask, 8 per axis offset in elements, and 8 more, which are 0, for the element itself. */
async function readTree1(grid: ChunkGrid, address: number): Promise<StoredChunk[]> {
  const { file, layout } = grid;
  const rank = layout.chunkShape.length;
  const tree = { type: 1, keyBytes: 8 + 8 * (rank + 1), what: 'chunk B-tree' } as const;
  const chunks: StoredChunk[] = [];
  for (const { key, address: chunkAddress } of await readBTree1(file, address, tree)) {
    const byteLength = key.u32();
    const filterMask = key.u32();
    const cell = layout.chunkShape.map((extent) => {
      const offset = key.u64();
      if (offset % extent !== 0) throw key.fail(`a chunk begins at ${offset}, chunks have extent ${extent}`);
      return offset / extent;
    });
    chunks.push({ cell, address: chunkAddress, byteLength, filterMask });
  }
  return chunks;
}

/** Record types: 10 without filters, 11 with. */
const CHUNKS = 10;
const FILTERED_CHUNKS = 11;

/** Records: address (O), with filters the size (the width varies) and 4 bytes mask, 8 per axis position in the grid. */
async function readTree2(grid: ChunkGrid, address: number): Promise<StoredChunk[]> {
  const { file, layout } = grid;
  const rank = layout.chunkShape.length;
  const type = grid.isFiltered ? FILTERED_CHUNKS : CHUNKS;
  const { records, recordBytes } = await readBTree2(file, address, [type]);
  const sizeBytes = recordBytes - file.offsetBytes - 4 - 8 * rank;
  return records.map((record) => {
    const chunkAddress = record.definedAddress('chunk');
    if (grid.isFiltered && (sizeBytes < 1 || sizeBytes > 8)) throw record.fail(`a record takes ${recordBytes} bytes`);
    const byteLength = grid.isFiltered ? record.uint(sizeBytes) : grid.chunkBytes;
    const filterMask = grid.isFiltered ? record.u32() : 0;
    return { cell: layout.chunkShape.map(() => record.u64()), address: chunkAddress, byteLength, filterMask };
  });
}

/** All chunks one after the other, without an index. */
function implicitChunks(grid: ChunkGrid, address: number): StoredChunk[] {
  const { file, chunkBytes } = grid;
  const maxCells = grid.maxCells.map((count) => {
    if (count === undefined) throw file.fail('chunks without an index belong to a dataset that grows');
    return count;
  });
  const count = maxCells.reduce((product, extent) => product * extent, 1);
  if (count > MAX_CHUNKS) throw file.fail(`a dataset claims ${count} chunks`, file.baseOffset + address);
  file.locate(address, count * chunkBytes, 'chunks');
  return Array.from({ length: count }, (_, index) => ({
    cell: unravel(index, maxCells),
    address: address + index * chunkBytes,
    byteLength: chunkBytes,
    filterMask: 0,
  }));
}

/** Finds the place in the grid of chunks that are numbered in row-major order, `slowest` being the first axis. */
function placeChunks(grid: ChunkGrid, chunks: readonly NumberedChunk[], slowest: number | undefined): StoredChunk[] {
  const { maxCells, file } = grid;
  const order = maxCells.map((_, axis) => axis);
  if (slowest !== undefined && slowest >= 0) order.unshift(...order.splice(slowest, 1));
  const extents = order.map((axis, position) => {
    const extent = maxCells[axis];
    // The number of the slowest axis goes as far as it likes.
    if (extent === undefined && position > 0) throw file.fail('an array of chunks grows along two axes');
    return extent ?? Number.POSITIVE_INFINITY;
  });
  return chunks.map(({ index, ...chunk }) => {
    const cell = new Array<number>(order.length).fill(0);
    for (const [position, value] of unravel(index, extents).entries()) cell[order[position] as number] = value;
    return { cell, ...chunk };
  });
}

/** The position with a row-major number; the first extent may be infinite. */
function unravel(index: number, extents: readonly number[]): number[] {
  const position = new Array<number>(extents.length).fill(0);
  let rest = index;
  for (let axis = extents.length - 1; axis >= 0; axis--) {
    const extent = extents[axis] as number;
    position[axis] = extent === Number.POSITIVE_INFINITY ? rest : rest % extent;
    rest = extent === Number.POSITIVE_INFINITY ? 0 : Math.floor(rest / extent);
  }
  return position;
}
