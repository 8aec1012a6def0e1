/** Where and how the elements of a dataset are stored: the layout message. */

import type { ByteReader } from './byte-reader.ts';
import { MAX_RANK } from './limits.ts';

export type ChunkIndexKind = 'btree1' | 'single' | 'implicit' | 'fixedArray' | 'extensibleArray' | 'btree2';

export interface ChunkedLayout {
  readonly kind: 'chunked';
  /** Extents of a chunk, in elements. */
  readonly chunkShape: readonly number[];
  readonly elementBytes: number;
  readonly index: ChunkIndexKind;
  /** Of the index, or of the chunk itself where there is only one; `undefined` until something is written. */
  readonly address: number | undefined;
  /** Size and filter mask of a single chunk that is filtered. */
  readonly filteredSingle: { readonly byteLength: number; readonly filterMask: number } | undefined;
  /** Chunks that reach over the edge of the dataset are stored without filters. */
  readonly partialChunksUnfiltered: boolean;
}

export type Layout =
  | { readonly kind: 'compact'; readonly data: Uint8Array }
  /** Without an address until something is written. */
  | { readonly kind: 'contiguous'; readonly address: number | undefined; readonly byteLength: number | undefined }
  | ChunkedLayout
  | { readonly kind: 'virtual' };

const CLASS_COMPACT = 0;
const CLASS_CONTIGUOUS = 1;
const CLASS_CHUNKED = 2;
const CLASS_VIRTUAL = 3;

/** Decodes a layout message of any version. */
export function decodeLayout(reader: ByteReader): Layout {
  const version = reader.u8();
  if (version < 1 || version > 5) throw reader.fail(`layout version ${version} is unknown`);
  return version < 3 ? decodeOldLayout(reader) : decodeNewLayout(reader, version);
}

/**
 * Versions 1 and 2.
 *
 *   1  1  rank, one more than the dataset's if chunked
 *   2  1  class
 *   3  5  reserved
 *   8  O  address, unless compact
 *   …  4  each extent, the last one the bytes of an element if chunked
 *   …  4  bytes of the data, then the data, if compact
 */
function decodeOldLayout(reader: ByteReader): Layout {
  const rank = reader.u8();
  const layoutClass = reader.u8();
  reader.skip(5);
  switch (layoutClass) {
    case CLASS_COMPACT:
      reader.skip(4 * rank);
      return { kind: 'compact', data: reader.take(reader.u32()) };
    case CLASS_CONTIGUOUS:
      return { kind: 'contiguous', address: reader.address(), byteLength: undefined };
    case CLASS_CHUNKED: {
      const address = reader.address();
      return { ...decodeChunk(reader, rank, 4), index: 'btree1', address };
    }
    default:
      throw reader.fail(`layout class ${layoutClass} is unknown`);
  }
}

/**
 * Versions 3 and later.
 *
 *   1  1  class
 *
 *   compact      2  2  bytes, then the data
 *   contiguous   2  O  address, then the bytes (L)
 *   chunked, 3   2  1  rank + 1, then the address of the B-tree (O), then extents of 4 bytes, the last one the element
 *   chunked, 4   see below
 */
function decodeNewLayout(reader: ByteReader, version: number): Layout {
  const layoutClass = reader.u8();
  switch (layoutClass) {
    case CLASS_COMPACT:
      return { kind: 'compact', data: reader.take(reader.u16()) };
    case CLASS_CONTIGUOUS:
      return { kind: 'contiguous', address: reader.address(), byteLength: reader.length() };
    case CLASS_CHUNKED: {
      if (version > 3) return decodeIndexedChunks(reader);
      const rank = reader.u8();
      const address = reader.address();
      return { ...decodeChunk(reader, rank, 4), index: 'btree1', address };
    }
    case CLASS_VIRTUAL:
      return { kind: 'virtual' };
    default:
      throw reader.fail(`layout class ${layoutClass} is unknown`);
  }
}

const FLAG_PARTIAL_UNFILTERED = 1;
const FLAG_SINGLE_FILTERED = 2;

/** Parameters of each index, which its own header repeats; types count from 1. */
const INDEXES: readonly { readonly kind: ChunkIndexKind; readonly parameterBytes: number }[] = [
  { kind: 'single', parameterBytes: 0 },
  { kind: 'implicit', parameterBytes: 0 },
  { kind: 'fixedArray', parameterBytes: 1 },
  { kind: 'extensibleArray', parameterBytes: 5 },
  { kind: 'btree2', parameterBytes: 6 },
];

/**
 * Chunks since version 4.
 *
 *   2  1  flags
 *   3  1  rank + 1
 *   4  1  width of an extent
 *   5  …  extents, the last one the bytes of an element
 *   …  1  type of the index
 *   …  …  its parameters; of a single filtered chunk its bytes (L) and filter mask (4)
 *   …  O  address
 */
function decodeIndexedChunks(reader: ByteReader): Layout {
  const flags = reader.u8();
  const rank = reader.u8();
  const width = reader.u8();
  if (width < 1 || width > 8) throw reader.fail(`chunk extents of ${width} bytes are unknown`);
  const chunk = decodeChunk(reader, rank, width);
  const type = reader.u8();
  const index = INDEXES[type - 1];
  if (index === undefined) throw reader.fail(`chunk index ${type} is unknown`);
  reader.skip(index.parameterBytes);
  const isFilteredSingle = index.kind === 'single' && (flags & FLAG_SINGLE_FILTERED) !== 0;
  const filteredSingle = isFilteredSingle ? { byteLength: reader.length(), filterMask: reader.u32() } : undefined;
  return {
    ...chunk,
    index: index.kind,
    filteredSingle,
    partialChunksUnfiltered: (flags & FLAG_PARTIAL_UNFILTERED) !== 0,
    address: reader.address(),
  };
}

function decodeChunk(reader: ByteReader, rank: number, width: number): Omit<ChunkedLayout, 'index' | 'address'> {
  if (rank < 1 || rank > MAX_RANK + 1) throw reader.fail(`a chunk has rank ${rank - 1}`);
  const chunkShape = Array.from({ length: rank - 1 }, () => reader.uint(width));
  const elementBytes = reader.uint(width);
  const byteLength = chunkShape.reduce((product, extent) => product * extent, elementBytes);
  if (byteLength === 0 || !Number.isSafeInteger(byteLength)) {
    throw reader.fail(`a chunk of shape [${chunkShape.join(', ')}] takes ${byteLength} bytes`);
  }
  return {
    kind: 'chunked',
    chunkShape,
    elementBytes,
    filteredSingle: undefined,
    partialChunksUnfiltered: false,
  };
}
