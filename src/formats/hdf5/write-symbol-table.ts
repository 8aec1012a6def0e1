/** Groups of the old kind; see `symbol-table.ts` and `b-tree-v1.ts` for the layouts. */

import { Address, type ByteWriter } from './byte-writer.ts';

/** Half the number of entries that a symbol table node has room for; the library's default, and the superblock's. */
export const GROUP_LEAF_K = 4;

/** Half the number of children that a B-tree node has room for. */
export const GROUP_INTERNAL_K = 16;

const ENTRY_BYTES = 40;
const TREE_HEAD_BYTES = 24;
const TREE_BYTES: number = TREE_HEAD_BYTES + 2 * GROUP_INTERNAL_K * 16 + 8;

/** Says that the heap has no free space. */
const NO_FREE_SPACE = 1;

/** A member of a group, by its name in UTF-8. */
export interface Member {
  readonly name: Uint8Array;
  readonly header: Address;
}

/** A node of the tree, with the offset of the greatest name below it. */
interface Child {
  readonly address: Address;
  readonly lastName: number;
}

/** Writes the B-tree, the names and the nodes of a group. `members` are sorted by the bytes of their names. */
export function writeSymbolTable(
  writer: ByteWriter,
  members: readonly Member[],
  treeAddress: Address,
  heapAddress: Address,
): void {
  const offsets = writeLocalHeap(writer, members, heapAddress);
  let children = writeSymbolNodes(writer, members, offsets);
  for (let level = 0; ; level++) {
    const isRoot = children.length <= 2 * GROUP_INTERNAL_K;
    const nodes = inPieces(children, 2 * GROUP_INTERNAL_K);
    if (isRoot) {
      writer.place(treeAddress);
      writeTreeNode(writer, level, children, 0, undefined, undefined);
      return;
    }
    const addresses = nodes.map(() => new Address());
    children = nodes.map((node, index) => {
      const address = addresses[index] as Address;
      writer.place(address);
      const before = nodes[index - 1]?.at(-1)?.lastName ?? 0;
      writeTreeNode(writer, level, node, before, addresses[index - 1], addresses[index + 1]);
      return { address, lastName: (node.at(-1) as Child).lastName };
    });
  }
}

/** Writes the names, each at a multiple of 8 behind the empty one, and gives their offsets. */
function writeLocalHeap(writer: ByteWriter, members: readonly Member[], address: Address): readonly number[] {
  const data = new Address();
  writer.place(address);
  writer.bytes(new TextEncoder().encode('HEAP'));
  writer.zeros(4);
  const sizePosition = writer.length;
  writer.u64(0);
  writer.u64(NO_FREE_SPACE);
  writer.address(data);
  writer.place(data);
  const start = writer.length;
  writer.zeros(8);
  const offsets = members.map(({ name }) => {
    const offset = writer.length - start;
    writer.bytes(name);
    writer.u8(0);
    writer.pad(start);
    return offset;
  });
  writer.setU64(sizePosition, writer.length - start);
  return offsets;
}

function writeSymbolNodes(writer: ByteWriter, members: readonly Member[], offsets: readonly number[]): Child[] {
  const capacity = 2 * GROUP_LEAF_K;
  let done = 0;
  return inPieces(members, capacity).map((entries) => {
    const address = new Address();
    writer.place(address);
    writer.bytes(new TextEncoder().encode('SNOD'));
    writer.bytes([1, 0]);
    writer.u16(entries.length);
    for (const { header } of entries) {
      writer.u64(offsets[done++] as number);
      writer.address(header);
      writer.zeros(24);
    }
    writer.zeros((capacity - entries.length) * ENTRY_BYTES);
    return { address, lastName: offsets[done - 1] as number };
  });
}

function writeTreeNode(
  writer: ByteWriter,
  level: number,
  children: readonly Child[],
  nameBefore: number,
  left: Address | undefined,
  right: Address | undefined,
): void {
  const start = writer.length;
  writer.bytes(new TextEncoder().encode('TREE'));
  writer.bytes([0, level]);
  writer.u16(children.length);
  for (const sibling of [left, right]) {
    if (sibling === undefined) writer.undefinedAddress();
    else writer.address(sibling);
  }
  writer.u64(nameBefore);
  for (const { address, lastName } of children) {
    writer.address(address);
    writer.u64(lastName);
  }
  writer.zeros(start + TREE_BYTES - writer.length);
}

function inPieces<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
