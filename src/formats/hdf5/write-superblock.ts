import type { Address, ByteWriter } from './byte-writer.ts';
import { GROUP_INTERNAL_K, GROUP_LEAF_K } from './write-symbol-table.ts';

/** The root group, as the superblock refers to it. */
export interface RootAddresses {
  readonly header: Address;
  readonly tree: Address;
  readonly heap: Address;
}

const CACHE_TYPE_GROUP = 1;

/** Writes a superblock of version 0; see `superblock.ts` for its layout. */
export function writeSuperblock(writer: ByteWriter, { header, tree, heap }: RootAddresses, endOfFile: Address): void {
  writer.bytes([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]);
  // Versions of superblock, free space, root group and shared messages; widths of offsets and lengths.
  writer.bytes([0, 0, 0, 0, 0, 8, 8, 0]);
  writer.u16(GROUP_LEAF_K);
  writer.u16(GROUP_INTERNAL_K);
  writer.u32(0);
  writer.u64(0);
  writer.undefinedAddress();
  writer.address(endOfFile);
  writer.undefinedAddress();
  writer.u64(0);
  writer.address(header);
  writer.u32(CACHE_TYPE_GROUP);
  writer.u32(0);
  writer.address(tree);
  writer.address(heap);
}
