/** Chunked datasets: finds the stored chunks, undoes their filters, and puts them in their places. */

import { type ChunkGrid, readChunkIndex, type StoredChunk } from './chunk-index.ts';
import type { DatasetRecord } from './dataset-record.ts';
import { fillCells } from './fill-value.ts';
import { checkFilters, undoFilters } from './filters.ts';
import type { ByteRange } from './hdf5-file.ts';
import type { ChunkedLayout } from './layout.ts';
import { MAX_CHUNKS, MAX_EXPANSION, MAX_UNBACKED_BYTES } from './limits.ts';
import { readEach } from './tree-walk.ts';

/** Chunks whose gap is smaller are read with one request: a request costs more than these bytes. */
const MAX_GAP_BYTES = 512;

/** Of one request: keeps the memory beside the dataset itself small. */
const MAX_RUN_BYTES = 4_194_304;

/** Where the chunks lie in the file, ordered by position. */
export async function storedChunkRanges(record: DatasetRecord, layout: ChunkedLayout): Promise<ByteRange[]> {
  const chunks = await readStoredChunks(record, gridOf(record, layout));
  return chunks.map((chunk) => record.file.locate(chunk.address, chunk.byteLength, `chunk of "${record.path}"`));
}

/** Reads all chunks into `target`, which has the size of the dataset; the fill value goes where no chunk is stored. */
export async function readChunks(record: DatasetRecord, layout: ChunkedLayout, target: Uint8Array): Promise<void> {
  const { file, filters, path } = record;
  const grid = gridOf(record, layout);
  const chunks = await readStoredChunks(record, grid);
  if (chunks.length < product(grid.cells)) fillCells(target, record.fillValue);
  for (const run of runsOf(chunks)) {
    const first = run[0] as StoredChunk;
    const last = run.at(-1) as StoredChunk;
    const { start, end } = file.locate(
      first.address,
      last.address + last.byteLength - first.address,
      `chunk of "${path}"`,
    );
    const bytes = await file.cached.slice(start, end);
    await readEach(run, async (chunk) => {
      const from = chunk.address - first.address;
      const stored = bytes.subarray(from, from + chunk.byteLength);
      const isPlain = layout.partialChunksUnfiltered && isPartial(chunk, grid);
      const place = { path, offset: start + from };
      const decoded = await undoFilters(file, isPlain ? [] : filters, stored, chunk.filterMask, grid.chunkBytes, place);
      copyChunk(grid, chunk.cell, decoded, target);
    });
  }
}

/**
 * Checks a chunked dataset before memory is taken for it: its filters, its index, and its size against what is stored.
 *
 * @throws {UnsupportedError} when it has a filter that is not known here.
 */
export async function checkChunks(record: DatasetRecord, layout: ChunkedLayout): Promise<void> {
  const { file, path } = record;
  checkFilters(file, record.filters, path);
  const grid = gridOf(record, layout);
  const storedBytes = (await readStoredChunks(record, grid)).reduce((sum, chunk) => sum + chunk.byteLength, 0);
  const claimedBytes = product(grid.cells) * grid.chunkBytes;
  if (claimedBytes > Math.max(MAX_UNBACKED_BYTES, MAX_EXPANSION * Math.min(storedBytes, file.byteLength))) {
    throw file.fail(`the dataset "${path}" claims ${claimedBytes} bytes, ${storedBytes} are stored`);
  }
}

function gridOf({ file, spaceShape, maxShape, filters }: DatasetRecord, layout: ChunkedLayout): ChunkGrid {
  const cellsOf = (extent: number, axis: number): number => Math.ceil(extent / (layout.chunkShape[axis] as number));
  return {
    file,
    layout,
    shape: spaceShape,
    cells: spaceShape.map(cellsOf),
    maxCells: maxShape.map((extent, axis) => (extent === undefined ? undefined : cellsOf(extent, axis))),
    chunkBytes: product(layout.chunkShape) * layout.elementBytes,
    isFiltered: filters.length > 0,
  };
}

/** The chunks within the dataset's present extents, each once, ordered by position in the file. */
async function readStoredChunks({ file, path, address }: DatasetRecord, grid: ChunkGrid): Promise<StoredChunk[]> {
  return await file.memoize('chunks', address, async () => {
    const count = product(grid.cells);
    if (count > MAX_CHUNKS) throw file.fail(`the dataset "${path}" claims ${count} chunks`, file.baseOffset + address);
    const inside = (await readChunkIndex(grid)).filter(({ cell }) =>
      cell.every((position, axis) => position < (grid.cells[axis] as number)),
    );
    const seen = new Set<number>();
    let totalBytes = 0;
    for (const { cell, byteLength, address: chunkAddress } of inside) {
      const number = cell.reduce((sum, position, axis) => sum * (grid.cells[axis] as number) + position, 0);
      if (seen.has(number)) throw file.fail(`the dataset "${path}" has its chunk [${cell.join(', ')}] twice`);
      seen.add(number);
      file.locate(chunkAddress, byteLength, `chunk of "${path}"`);
      totalBytes += byteLength;
      if (totalBytes > file.byteLength)
        throw file.fail(`the chunks of "${path}" overlap`, file.baseOffset + chunkAddress);
    }
    return inside.sort((a, b) => a.address - b.address);
  });
}

/** Groups chunks that lie next to each other. */
function* runsOf(chunks: readonly StoredChunk[]): Generator<StoredChunk[]> {
  let run: StoredChunk[] = [];
  let start = 0;
  let end = 0;
  for (const chunk of chunks) {
    const chunkEnd = chunk.address + chunk.byteLength;
    if (run.length > 0 && (chunk.address - end > MAX_GAP_BYTES || chunkEnd - start > MAX_RUN_BYTES)) {
      yield run;
      run = [];
    }
    if (run.length === 0) start = chunk.address;
    run.push(chunk);
    end = Math.max(chunkEnd, run.length === 1 ? 0 : end);
  }
  if (run.length > 0) yield run;
}

/** Whether a chunk reaches over the edge of the dataset. */
function isPartial({ cell }: StoredChunk, { shape, layout }: ChunkGrid): boolean {
  return cell.some((position, axis) => (position + 1) * (layout.chunkShape[axis] as number) > (shape[axis] as number));
}

/** Copies the part of a chunk that lies within the dataset, one stretch along the last axis after the other. */
function copyChunk(grid: ChunkGrid, cell: readonly number[], chunk: Uint8Array, target: Uint8Array): void {
  const { shape } = grid;
  const { chunkShape, elementBytes } = grid.layout;
  const rank = shape.length;
  const origin = cell.map((position, axis) => position * (chunkShape[axis] as number));
  const extents = origin.map((start, axis) => Math.min(chunkShape[axis] as number, (shape[axis] as number) - start));

  // Trailing axes that the chunk covers completely are copied together with the axis before them.
  let axis = rank - 1;
  while (axis > 0 && extents[axis] === shape[axis] && extents[axis] === chunkShape[axis]) axis--;
  const outerRank = Math.max(axis, 0);
  const chunkStrides = byteStrides(chunkShape, elementBytes);
  const targetStrides = byteStrides(shape, elementBytes);
  const stretchBytes = rank === 0 ? elementBytes : (extents[outerRank] as number) * (chunkStrides[outerRank] as number);

  const position = new Array<number>(outerRank).fill(0);
  let to = origin.reduce((sum, start, index) => sum + start * (targetStrides[index] as number), 0);
  let from = 0;
  for (;;) {
    target.set(chunk.subarray(from, from + stretchBytes), to);
    let step = outerRank - 1;
    for (; step >= 0; step--) {
      from += chunkStrides[step] as number;
      to += targetStrides[step] as number;
      position[step] = (position[step] as number) + 1;
      if ((position[step] as number) < (extents[step] as number)) break;
      from -= (extents[step] as number) * (chunkStrides[step] as number);
      to -= (extents[step] as number) * (targetStrides[step] as number);
      position[step] = 0;
    }
    if (step < 0) return;
  }
}

function byteStrides(shape: readonly number[], elementBytes: number): number[] {
  const strides = new Array<number>(shape.length);
  let stride = elementBytes;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis] as number;
  }
  return strides;
}

function product(extents: readonly number[]): number {
  return extents.reduce((total, extent) => total * extent, 1);
}
