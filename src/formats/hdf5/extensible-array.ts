/**
 * Extensible arrays: the chunks of a dataset that grows along one axis.
 *
 * The first elements lie in the index block. The rest lie in data blocks, which belong to super blocks: super block `i`
 * has 2^⌊i/2⌋ data blocks of 2^⌈i/2⌉ times the least number of elements. The index block itself points to the data
 * blocks of the first super blocks, which therefore do not exist as blocks of their own.
 *
 *   header                                       index block
 *   0   4  "EAHD"                                0  4  "EAIB"
 *   4   1  version                               4  1  version
 *   5   1  client, 1: chunks have filters        5  1  client
 *   6   1  bytes of an element                   6  O  address of the header
 *   7   1  bits of the number of elements        …  …  elements
 *   8   1  elements in the index block           …  O  address of each data block, then of each super block
 *   9   1  least elements of a data block        …  4  checksum
 *   10  1  least data blocks of a super block
 *   11  1  bits of a page                        super block: "EASB", the same up to the header's address, its offset
 *   12  6L statistics                            in elements, bits of initialised pages, O each data block, 4 checksum
 *   …   O  address of the index block
 *   …   4  checksum                              data block: "EADB", likewise, offset, elements, 4 checksum; in pages:
 *                                                offset, 4 checksum, pages, each with its checksum
 */

import { isPowerOfTwo } from './bit-widths.ts';
import type { ByteReader } from './byte-reader.ts';
import { decodeChunkElements, type NumberedChunk } from './chunk-element.ts';
import { isBitSet } from './fixed-array.ts';
import type { Hdf5File } from './hdf5-file.ts';
import { readEach, TreeWalk } from './tree-walk.ts';

const WHAT = 'extensible array';

interface ArrayHeader {
  readonly file: Hdf5File;
  readonly address: number;
  readonly client: number;
  readonly elementBytes: number;
  readonly chunkBytes: number;
  readonly offsetBytes: number;
  readonly leastElements: number;
  readonly pageElements: number;
}

/** A data block that is there. */
interface DataBlock {
  readonly address: number;
  /** Number of its first element, those of the index block not counted. */
  readonly first: number;
  readonly elementCount: number;
  readonly isPageWritten: (page: number) => boolean;
}

/** Reads the chunks of the extensible array whose header is at an address. */
export async function readExtensibleArray(
  file: Hdf5File,
  address: number,
  chunkBytes: number,
): Promise<NumberedChunk[]> {
  const head = await file.readChecked(address, 16 + 6 * file.lengthBytes + file.offsetBytes, WHAT);
  head.expectSignature('EAHD');
  head.expectVersion(0);
  const client = head.u8();
  const elementBytes = head.u8();
  const countBits = head.u8();
  const indexElements = head.u8();
  const leastElements = head.u8();
  const leastBlocks = head.u8();
  const pageBits = head.u8();
  head.skip(6 * file.lengthBytes);
  const indexAddress = head.address();
  if (indexAddress === undefined) return [];
  const isSound = isPowerOfTwo(leastElements) && isPowerOfTwo(leastBlocks) && countBits <= 64 && pageBits <= 32;
  if (!isSound || Math.log2(leastElements) > countBits) throw head.fail('the array claims impossible sizes');
  const header: ArrayHeader = {
    file,
    address,
    client,
    elementBytes,
    chunkBytes,
    offsetBytes: Math.ceil(countBits / 8),
    leastElements,
    pageElements: 2 ** pageBits,
  };

  const superCount = 1 + countBits - Math.log2(leastElements);
  const directSuperCount = Math.min(2 * Math.log2(leastBlocks), superCount);
  const directCount = 2 * (leastBlocks - 1);
  const pointers = directCount + superCount - directSuperCount;
  const indexBytes = 6 + file.offsetBytes + indexElements * elementBytes + pointers * file.offsetBytes + 4;
  const walk = new TreeWalk(file, WHAT);
  const index = await readBlock(header, walk, indexAddress, 'EAIB', indexBytes);
  const chunks = decodeChunkElements(index, header, 0, indexElements);

  const blocks: DataBlock[] = [];
  let first = 0;
  for (let number = 0; number < superCount; number++) {
    const blockCount = 2 ** Math.floor(number / 2);
    const elementCount = 2 ** Math.ceil(number / 2) * leastElements;
    if (number < directSuperCount) {
      blocks.push(...readPointers(index, blockCount, elementCount, first, () => true));
    } else {
      const superAddress = index.address();
      if (superAddress !== undefined) {
        blocks.push(...(await readSuperBlock(header, walk, superAddress, blockCount, elementCount, first)));
      }
    }
    first += blockCount * elementCount;
  }
  const lists = await readEach(blocks, async (block) => await readDataBlock(header, walk, block, indexElements));
  return [...chunks, ...lists.flat()];
}

async function readSuperBlock(
  header: ArrayHeader,
  walk: TreeWalk,
  address: number,
  blockCount: number,
  elementCount: number,
  first: number,
): Promise<DataBlock[]> {
  const { file, pageElements, offsetBytes } = header;
  const pages = elementCount > pageElements ? elementCount / pageElements : 0;
  const bitmapBytes = blockCount * Math.ceil(pages / 8);
  const byteLength = 6 + file.offsetBytes + offsetBytes + bitmapBytes + blockCount * file.offsetBytes + 4;
  const reader = await readBlock(header, walk, address, 'EASB', byteLength);
  const offset = reader.uint(offsetBytes);
  if (offset !== first) throw reader.fail(`the block begins with element ${offset}, expected ${first}`);
  const bitmap = reader.take(bitmapBytes);
  return readPointers(reader, blockCount, elementCount, first, (block, page) => isBitSet(bitmap, block * pages + page));
}

function readPointers(
  reader: ByteReader,
  blockCount: number,
  elementCount: number,
  first: number,
  isPageWritten: (block: number, page: number) => boolean,
): DataBlock[] {
  const blocks: DataBlock[] = [];
  for (let block = 0; block < blockCount; block++) {
    const address = reader.address();
    if (address === undefined) continue;
    const written = (page: number): boolean => isPageWritten(block, page);
    blocks.push({ address, first: first + block * elementCount, elementCount, isPageWritten: written });
  }
  return blocks;
}

async function readDataBlock(
  header: ArrayHeader,
  walk: TreeWalk,
  block: DataBlock,
  indexElements: number,
): Promise<NumberedChunk[]> {
  const { file, elementBytes, pageElements, offsetBytes } = header;
  const { elementCount } = block;
  const isPaged = elementCount > pageElements;
  const byteLength = 6 + file.offsetBytes + offsetBytes + (isPaged ? 0 : elementCount * elementBytes) + 4;
  const reader = await readBlock(header, walk, block.address, 'EADB', byteLength);
  // The library counts the offset of the first data blocks in another way than that of the others: not compared.
  reader.skip(offsetBytes);
  const first = indexElements + block.first;
  if (!isPaged) return decodeChunkElements(reader, header, first, elementCount);

  const pageBytes = pageElements * elementBytes + 4;
  const pageCount = elementCount / pageElements;
  file.locate(block.address + byteLength, pageCount * pageBytes, WHAT);
  const pages = Array.from({ length: pageCount }, (_, page) => page).filter(block.isPageWritten);
  const lists = await readEach(pages, async (page) => {
    const pageReader = await file.readChecked(block.address + byteLength + page * pageBytes, pageBytes, WHAT);
    return decodeChunkElements(pageReader, header, first + page * pageElements, pageElements);
  });
  return lists.flat();
}

/** Reads a block of any kind and checks its head, which ends with the address of the header. */
async function readBlock(
  header: ArrayHeader,
  walk: TreeWalk,
  address: number,
  signature: string,
  byteLength: number,
): Promise<ByteReader> {
  walk.enter(address, byteLength);
  const reader = await header.file.readChecked(address, byteLength, WHAT);
  reader.expectSignature(signature);
  reader.expectVersion(0);
  if (reader.u8() !== header.client) throw reader.fail('the block is of another kind than its header');
  if (reader.address() !== header.address) throw reader.fail('the block belongs to another array');
  return reader;
}
