/**
 * Fractal heaps: where groups with many links, and objects with many attributes, keep their messages.
 *
 * The heap is one address space, cut into blocks that double in size row by row ("doubling table"): rows 0 and 1 have
 * blocks of the starting size, each further row twice that of the row before. An indirect block lists the blocks of its
 * rows; rows beyond the largest direct block hold indirect blocks in turn.
 *
 *   header                                            direct block
 *   0   4  "FRHP"                                     0  4  "FHDB"
 *   4   1  version                                    4  1  version
 *   5   2  bytes of a heap ID                         5  O  address of the header
 *   7   2  bytes of filter information                …  …  offset in the heap
 *   9   1  flags, 2: direct blocks have checksums     …  4  checksum, if the header says so
 *   10  4  largest managed object                     …  …  objects
 *   14  L  next huge ID
 *   …   O  B-tree of huge objects                     indirect block
 *   …   L  free space                                 0  4  "FHIB"
 *   …   O  free space manager                         4  1  version
 *   …   8L statistics                                 5  O  address of the header
 *   …   2  width of the doubling table                …  …  offset in the heap
 *   …   L  starting size, L largest direct block      …  O  address of each block, row by row
 *   …   2  bits of a heap offset                      …  4  checksum
 *   …   2  rows at first
 *   …   O  root block, 2 rows in it (0: it is direct)
 *   …   4  checksum
 */

import { readBTree2 } from './b-tree-v2.ts';
import { byteWidth, isPowerOfTwo } from './bit-widths.ts';
import type { ByteReader } from './byte-reader.ts';
import { lookup3 } from './checksum.ts';
import type { Hdf5File } from './hdf5-file.ts';

const WHAT = 'fractal heap';
const DIRECT = 'direct block of a fractal heap';
const INDIRECT = 'indirect block of a fractal heap';

const FLAG_CHECKSUM_DIRECT = 2;

/** Managed objects lie in blocks, huge ones on their own, tiny ones in the heap ID itself. */
const ID_MANAGED = 0;
const ID_HUGE = 1;
const ID_TINY = 2;

/** A tiny object longer than this has its length in 12 bits. */
const MAX_SHORT_TINY_BYTES = 16;

interface HeapHeader {
  readonly idBytes: number;
  readonly hasChecksums: boolean;
  readonly maxManagedBytes: number;
  readonly hugeTreeAddress: number | undefined;
  readonly width: number;
  readonly startBytes: number;
  readonly maxDirectBytes: number;
  readonly offsetBits: number;
  readonly rootAddress: number | undefined;
  readonly rootRows: number;
}

/** A block by its place in the heap. */
interface Block {
  readonly address: number;
  readonly heapOffset: number;
  readonly byteLength: number;
}

export class FractalHeap {
  readonly #file: Hdf5File;
  readonly #address: number;
  readonly #header: HeapHeader;
  readonly #directBlocks = new Map<number, Promise<Uint8Array>>();
  readonly #indirectBlocks = new Map<number, Promise<(number | undefined)[]>>();
  #hugeObjects: Promise<Map<number, { address: number; byteLength: number }>> | undefined;

  private constructor(file: Hdf5File, address: number, header: HeapHeader) {
    this.#file = file;
    this.#address = address;
    this.#header = header;
  }

  static async open(file: Hdf5File, address: number): Promise<FractalHeap> {
    return new FractalHeap(file, address, await readHeader(file, address));
  }

  get idBytes(): number {
    return this.#header.idBytes;
  }

  /** Reads the object that a heap ID stands for. */
  async read(id: ByteReader): Promise<ByteReader> {
    const first = id.u8();
    if (first >> 6 !== 0) throw id.fail(`heap ID version ${first >> 6} is unknown`);
    switch ((first >> 4) & 3) {
      case ID_MANAGED:
        return await this.#readManaged(id);
      case ID_HUGE:
        return await this.#readHuge(id);
      case ID_TINY: {
        const isLong = this.#header.idBytes - 1 > MAX_SHORT_TINY_BYTES + 1;
        const length = (isLong ? ((first & 0x0f) << 8) | id.u8() : first & 0x0f) + 1;
        return id.part(length);
      }
      default:
        throw id.fail('the heap ID has an unknown type');
    }
  }

  /** The ID goes on with the offset in the heap and the length, each as wide as its largest value needs. */
  async #readManaged(id: ByteReader): Promise<ByteReader> {
    const { offsetBits, maxDirectBytes, maxManagedBytes, rootAddress, rootRows, startBytes } = this.#header;
    const offset = id.uint(Math.ceil(offsetBits / 8));
    const lengthBytes = Math.min(Math.ceil(Math.log2(maxDirectBytes) / 8), byteWidth(maxManagedBytes));
    const length = id.uint(lengthBytes);
    if (rootAddress === undefined) throw id.fail('the heap is empty');
    const block =
      rootRows === 0
        ? { address: rootAddress, heapOffset: 0, byteLength: startBytes }
        : await this.#findBlock(id, rootAddress, rootRows, offset);
    const from = offset - block.heapOffset;
    if (from < this.#directHeadBytes() || length > block.byteLength - from) {
      throw id.fail(`an object of ${length} bytes at ${offset} is outside its block`);
    }
    const bytes = await this.#readDirectBlock(block);
    return this.#file.readerOf(bytes.subarray(from, from + length), block.address + from, WHAT);
  }

  /** Descends through indirect blocks to the direct block around an offset in the heap. */
  async #findBlock(id: ByteReader, rootAddress: number, rootRows: number, offset: number): Promise<Block> {
    const { width, startBytes, maxDirectBytes } = this.#header;
    const rowBytes = width * startBytes;
    let address = rootAddress;
    let rows = rootRows;
    let heapOffset = 0;
    for (;;) {
      const from = offset - heapOffset;
      const row = from < rowBytes ? 0 : Math.floor(Math.log2(from / rowBytes)) + 1;
      if (row >= rows) throw id.fail(`the heap has no offset ${offset}`);
      const byteLength = startBytes * 2 ** Math.max(row - 1, 0);
      const rowStart = row === 0 ? 0 : rowBytes * 2 ** (row - 1);
      const column = Math.floor((from - rowStart) / byteLength);
      const blocks = await this.#readIndirectBlock(address, rows, heapOffset);
      const child = blocks[row * width + column];
      if (child === undefined) throw id.fail(`the heap has no block at ${offset}`);
      heapOffset += rowStart + column * byteLength;
      if (byteLength <= maxDirectBytes) return { address: child, heapOffset, byteLength };
      address = child;
      // Each level has fewer rows than the one above, so this ends.
      rows = Math.log2(byteLength / rowBytes) + 1;
    }
  }

  #directHeadBytes(): number {
    const { offsetBits, hasChecksums } = this.#header;
    return 5 + this.#file.offsetBytes + Math.ceil(offsetBits / 8) + (hasChecksums ? 4 : 0);
  }

  #readDirectBlock(block: Block): Promise<Uint8Array> {
    return once(this.#directBlocks, block.address, async () => {
      const reader = await this.#file.read(block.address, block.byteLength, DIRECT);
      this.#checkBlockHead(reader, 'FHDB', block.heapOffset);
      if (this.#header.hasChecksums) {
        const at = reader.position;
        const stored = reader.u32();
        // The checksum covers the whole block, its own field being 0.
        const covered = new Uint8Array(reader.bytes);
        covered.fill(0, at, at + 4);
        if (stored !== lookup3(covered)) throw reader.fail('the checksum does not match, the file is damaged');
      }
      return reader.bytes;
    });
  }

  #readIndirectBlock(address: number, rows: number, heapOffset: number): Promise<(number | undefined)[]> {
    return once(this.#indirectBlocks, address, async () => {
      const { width, offsetBits } = this.#header;
      const headBytes = 5 + this.#file.offsetBytes + Math.ceil(offsetBits / 8);
      const byteLength = headBytes + rows * width * this.#file.offsetBytes + 4;
      const reader = await this.#file.readChecked(address, byteLength, INDIRECT);
      this.#checkBlockHead(reader, 'FHIB', heapOffset);
      return Array.from({ length: rows * width }, () => reader.address());
    });
  }

  #checkBlockHead(reader: ByteReader, signature: string, heapOffset: number): void {
    reader.expectSignature(signature);
    reader.expectVersion(0);
    if (reader.address() !== this.#address) throw reader.fail('the block belongs to another heap');
    if (reader.uint(Math.ceil(this.#header.offsetBits / 8)) !== heapOffset) {
      throw reader.fail('the block belongs to another place in its heap');
    }
  }

  /** The ID goes on with address and length where it has room for them, else with a key of the B-tree that has them. */
  async #readHuge(id: ByteReader): Promise<ByteReader> {
    const { offsetBytes, lengthBytes } = this.#file;
    const room = this.#header.idBytes - 1;
    if (offsetBytes + lengthBytes <= room) {
      const address = id.definedAddress('huge object');
      return await this.#file.read(address, id.length(), WHAT);
    }
    const key = id.uint(Math.min(lengthBytes, room));
    this.#hugeObjects ??= this.#readHugeObjects();
    const object = (await this.#hugeObjects).get(key);
    if (object === undefined) throw id.fail(`the heap has no huge object ${key}`);
    return await this.#file.read(object.address, object.byteLength, WHAT);
  }

  /** Records: address (O), bytes (L), key (L). */
  async #readHugeObjects(): Promise<Map<number, { address: number; byteLength: number }>> {
    const { hugeTreeAddress } = this.#header;
    const objects = new Map<number, { address: number; byteLength: number }>();
    if (hugeTreeAddress === undefined) return objects;
    for (const record of (await readBTree2(this.#file, hugeTreeAddress, [1])).records) {
      const address = record.definedAddress('huge object');
      const byteLength = record.length();
      objects.set(record.length(), { address, byteLength });
    }
    return objects;
  }
}

async function readHeader(file: Hdf5File, address: number): Promise<HeapHeader> {
  const byteLength = 26 + 12 * file.lengthBytes + 3 * file.offsetBytes;
  const head = await file.read(address, byteLength, WHAT);
  head.expectSignature('FRHP');
  head.expectVersion(0);
  const idBytes = head.u16();
  if (head.u16() !== 0) throw file.unsupported('a fractal heap with filters', '/', 're-save it with h5py');
  file.verifyChecksum(head);
  const flags = head.u8();
  const maxManagedBytes = head.u32();
  head.skip(file.lengthBytes);
  const hugeTreeAddress = head.address();
  head.skip(file.lengthBytes + file.offsetBytes + 8 * file.lengthBytes);
  const width = head.u16();
  const startBytes = head.length();
  const maxDirectBytes = head.length();
  const offsetBits = head.u16();
  head.skip(2);
  const rootAddress = head.address();
  const rootRows = head.u16();
  const areSizesSound = [width, startBytes, maxDirectBytes].every(isPowerOfTwo) && startBytes <= maxDirectBytes;
  if (!areSizesSound) throw head.fail('the block sizes are no powers of two');
  if (idBytes < 2 || offsetBits > 64 || rootRows > offsetBits) throw head.fail('the heap claims an impossible size');
  return {
    idBytes,
    hasChecksums: (flags & FLAG_CHECKSUM_DIRECT) !== 0,
    maxManagedBytes,
    hugeTreeAddress,
    width,
    startBytes,
    maxDirectBytes,
    offsetBits,
    rootAddress,
    rootRows,
  };
}

function once<T>(cache: Map<number, Promise<T>>, address: number, read: () => Promise<T>): Promise<T> {
  let result = cache.get(address);
  if (result === undefined) {
    result = read();
    cache.set(address, result);
    result.catch(() => cache.delete(address));
  }
  return result;
}
