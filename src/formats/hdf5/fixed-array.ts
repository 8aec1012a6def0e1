/**
 * Fixed arrays: the chunks of a dataset whose extents are all limited, in row-major order.
 *
 *   header                                  data block
 *   0  4  "FAHD"                            0  4  "FADB"
 *   4  1  version                           4  1  version
 *   5  1  client, 1: chunks have filters    5  1  client
 *   6  1  bytes of an element               6  O  address of the header
 *   7  1  bits of a page                    …  …  in pages: which ones are initialised, a bit each
 *   8  L  number of elements                …  …  elements, unless in pages
 *   …  O  address of the data block         …  4  checksum
 *   …  4  checksum                          …  …  pages, each with its checksum
 */

import { decodeChunkElements, type NumberedChunk } from './chunk-element.ts';
import type { Hdf5File } from './hdf5-file.ts';
import { MAX_CHUNKS } from './limits.ts';
import { readEach } from './tree-walk.ts';

const WHAT = 'fixed array';

/** Reads the chunks of the fixed array whose header is at an address. */
export async function readFixedArray(file: Hdf5File, address: number, chunkBytes: number): Promise<NumberedChunk[]> {
  const head = await file.readChecked(address, 12 + file.lengthBytes + file.offsetBytes, WHAT);
  head.expectSignature('FAHD');
  head.expectVersion(0);
  const client = head.u8();
  const elementBytes = head.u8();
  const pageBits = head.u8();
  const elementCount = head.length();
  const blockAddress = head.address();
  if (blockAddress === undefined) return [];
  if (elementCount > MAX_CHUNKS || pageBits > 32) throw head.fail(`the array claims ${elementCount} elements`);

  const pageCount = 2 ** pageBits;
  const isPaged = elementCount > pageCount;
  const pages = isPaged ? Math.ceil(elementCount / pageCount) : 0;
  const prefixBytes = 6 + file.offsetBytes + Math.ceil(pages / 8);
  const blockBytes = prefixBytes + (isPaged ? 0 : elementCount * elementBytes) + 4;
  const block = await file.readChecked(blockAddress, blockBytes, WHAT);
  block.expectSignature('FADB');
  block.expectVersion(0);
  if (block.u8() !== client) throw block.fail('the data block is of another kind than its header');
  if (block.address() !== address) throw block.fail('the data block belongs to another array');
  const format = { client, elementBytes, chunkBytes };
  if (!isPaged) return decodeChunkElements(block, format, 0, elementCount);

  const bitmap = block.take(Math.ceil(pages / 8));
  const pageBytes = pageCount * elementBytes + 4;
  file.locate(blockAddress + blockBytes, elementCount * elementBytes, WHAT);
  const written = Array.from({ length: pages }, (_, page) => page).filter((page) => isBitSet(bitmap, page));
  const lists = await readEach(written, async (page) => {
    const first = page * pageCount;
    const count = Math.min(pageCount, elementCount - first);
    const pageAddress = blockAddress + blockBytes + page * pageBytes;
    const reader = await file.readChecked(pageAddress, count * elementBytes + 4, WHAT);
    return decodeChunkElements(reader, format, first, count);
  });
  return lists.flat();
}

/** Bitmaps of HDF5 begin with the highest bit of each byte. */
export function isBitSet(bitmap: Uint8Array, index: number): boolean {
  return ((bitmap[index >> 3] ?? 0) & (0x80 >> (index & 7))) !== 0;
}
