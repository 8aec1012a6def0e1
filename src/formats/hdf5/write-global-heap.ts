import { Address, type ByteWriter } from './byte-writer.ts';

/** The HDF5 library takes no collection smaller than this. */
const MIN_COLLECTION_BYTES = 4096;

/** A collection takes no more objects once it has so many bytes; a longer text has one of its own. */
const FULL_COLLECTION_BYTES = 1 << 16;

const HEAD_BYTES = 16;

/** Where a text lies in the global heap. */
export interface HeapReference {
  readonly collection: Address;
  readonly index: number;
}

interface Collection {
  readonly address: Address;
  readonly objects: Uint8Array[];
  byteLength: number;
}

/** Collects text of variable length; see `global-heap.ts` for its layout in the file. */
export class GlobalHeapWriter {
  readonly #collections: Collection[] = [];

  add(bytes: Uint8Array): HeapReference {
    const needed = HEAD_BYTES + paddedLength(bytes.byteLength);
    let collection = this.#collections.at(-1);
    if (collection === undefined || collection.byteLength + needed > FULL_COLLECTION_BYTES) {
      collection = { address: new Address(), objects: [], byteLength: HEAD_BYTES };
      this.#collections.push(collection);
    }
    collection.byteLength += needed;
    return { collection: collection.address, index: collection.objects.push(bytes) };
  }

  /** Writes all collections, which gives every reference its address. */
  write(writer: ByteWriter): void {
    for (const { address, objects, byteLength } of this.#collections) {
      const total = Math.max(byteLength, MIN_COLLECTION_BYTES);
      writer.place(address);
      const end = writer.length + total;
      writer.bytes(new TextEncoder().encode('GCOL'));
      writer.bytes([1, 0, 0, 0]);
      writer.u64(total);
      for (const [index, bytes] of objects.entries()) {
        writer.u16(index + 1);
        writer.u16(1);
        writer.zeros(4);
        writer.u64(bytes.byteLength);
        writer.bytes(bytes);
        writer.zeros(paddedLength(bytes.byteLength) - bytes.byteLength);
      }
      // What is left is object 0, the free space, if its head fits.
      const free = end - writer.length;
      if (free >= HEAD_BYTES) {
        writer.zeros(8);
        writer.u64(free);
      }
      writer.zeros(end - writer.length);
    }
  }
}

const paddedLength = (byteLength: number): number => Math.ceil(byteLength / 8) * 8;
