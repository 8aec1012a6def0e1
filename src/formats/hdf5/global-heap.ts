import type { Hdf5File } from './hdf5-file.ts';

/** Objects of a collection by their index. */
export type GlobalHeapCollection = ReadonlyMap<number, Uint8Array>;

/** Of the collection and of each object: 8 bytes and a size, padded to a multiple of 8 where sizes are narrower. */
const HEAD_BYTES = 16;

/**
 * Reads a collection of the global heap, where strings of variable length live.
 *
 *   0   4  "GCOL"                 each object:
 *   4   1  version                0   2  index; 0 is the free space, and the end
 *   5   3  reserved               2   2  reference count
 *   8   L  bytes of collection    4   4  reserved
 *   16  …  objects                8   L  bytes of data
 *                                 16  …  data, padded to a multiple of 8
 */
export async function readGlobalHeap(file: Hdf5File, address: number): Promise<GlobalHeapCollection> {
  return await file.memoize('global heap', address, async () => {
    const what = 'global heap';
    const head = await file.read(address, HEAD_BYTES, what);
    head.expectSignature('GCOL');
    head.expectVersion(1);
    head.skip(3);
    const byteLength = head.length();
    if (byteLength < HEAD_BYTES) throw head.fail(`a collection takes ${byteLength} bytes`);
    file.claim(address, byteLength, what);
    const reader = await file.read(address, byteLength, what);
    reader.skip(HEAD_BYTES);
    const objects = new Map<number, Uint8Array>();
    while (reader.remaining >= HEAD_BYTES) {
      const index = reader.u16();
      if (index === 0) break;
      reader.skip(6);
      const size = reader.length();
      reader.skip(HEAD_BYTES - 8 - file.lengthBytes);
      objects.set(index, reader.take(size));
      reader.skip(Math.min((8 - (size % 8)) % 8, reader.remaining));
    }
    return objects;
  });
}
