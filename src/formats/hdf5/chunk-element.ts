import type { ByteReader } from './byte-reader.ts';

/** A chunk by its number, as arrays have it. */
export interface NumberedChunk {
  readonly index: number;
  readonly address: number;
  readonly byteLength: number;
  readonly filterMask: number;
}

/** How an array stores its elements. */
export interface ElementFormat {
  /** 0 for chunks as they are, 1 for chunks with filters. */
  readonly client: number;
  readonly elementBytes: number;
  /** Bytes of a chunk without filters. */
  readonly chunkBytes: number;
}

/**
 * Decodes the elements of a fixed or extensible array: an address, and for chunks with filters the stored size, as wide
 * as the element leaves room for, and 4 bytes of filter mask. Chunks that were never written are left out.
 */
export function decodeChunkElements(
  reader: ByteReader,
  { client, elementBytes, chunkBytes }: ElementFormat,
  first: number,
  count: number,
): NumberedChunk[] {
  const { offsetBytes } = reader.origin;
  const sizeBytes = client === 0 ? 0 : elementBytes - offsetBytes - 4;
  const isSound = client === 0 ? elementBytes === offsetBytes : client === 1 && sizeBytes >= 1 && sizeBytes <= 8;
  if (!isSound) throw reader.fail(`elements of ${elementBytes} bytes for client ${client} are unknown`);
  const chunks: NumberedChunk[] = [];
  for (let index = first; index < first + count; index++) {
    const address = reader.address();
    const byteLength = client === 0 ? chunkBytes : reader.uint(sizeBytes);
    const filterMask = client === 0 ? 0 : reader.u32();
    if (address !== undefined) chunks.push({ index, address, byteLength, filterMask });
  }
  return chunks;
}
