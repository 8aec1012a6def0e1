/**
 * Version 2 B-trees: records of one size, in order, in internal nodes too.
 *
 *   header                          node
 *   0   4  "BTHD"                   0  4  "BTIN" or, for a leaf, "BTLF"
 *   4   1  version                  4  1  version
 *   5   1  type of the records      5  1  type of the records
 *   6   4  bytes of a node          6  …  records
 *   10  2  bytes of a record        …  …  pointers, one more than records: address (O), number of records, number of
 *   12  2  depth                           records in the whole subtree unless the child is a leaf
 *   14  2  split and merge percent  …  4  checksum
 *   16  O  address of the root
 *   …   2  records in the root
 *   …   L  records in the tree
 *   …   4  checksum
 */

import { byteWidth } from './bit-widths.ts';
import type { ByteReader } from './byte-reader.ts';
import type { Hdf5File } from './hdf5-file.ts';
import { CONCURRENT_READS, MAX_TREE_DEPTH } from './limits.ts';
import { TreeWalk } from './tree-walk.ts';

export interface BTree2Records {
  readonly recordBytes: number;
  /** In the order of the tree. */
  readonly records: readonly ByteReader[];
}

/** Signature, version, type and checksum. */
const NODE_OVERHEAD_BYTES = 10;

const WHAT = 'version 2 B-tree';

/** Reads all records of the tree whose header is at an address; they must be of the type given. */
export async function readBTree2(file: Hdf5File, address: number, types: readonly number[]): Promise<BTree2Records> {
  const headBytes = 22 + file.offsetBytes + file.lengthBytes;
  const head = await file.readChecked(address, headBytes, WHAT);
  head.expectSignature('BTHD');
  head.expectVersion(0);
  const type = head.u8();
  if (!types.includes(type)) throw head.fail(`the records have type ${type}, expected ${types.join(' or ')}`);
  const nodeBytes = head.u32();
  const recordBytes = head.u16();
  const depth = head.u16();
  head.skip(2);
  const rootAddress = head.address();
  const rootCount = head.u16();
  const totalCount = head.length();
  if (recordBytes === 0) throw head.fail('a record takes no bytes');
  if (depth > MAX_TREE_DEPTH) throw head.fail(`the tree has ${depth} levels`);
  if (rootAddress === undefined || totalCount === 0) return { recordBytes, records: [] };

  const tree: Tree = { file, type, recordBytes, nodeBytes, widths: countWidths(file, nodeBytes, recordBytes, depth) };
  const walk = new TreeWalk(file, WHAT);
  const records: ByteReader[] = [];
  await readNode(tree, walk, { address: rootAddress, count: rootCount }, depth, records);
  if (records.length !== totalCount) throw head.fail(`the tree has ${records.length} records of ${totalCount}`);
  return { recordBytes, records };
}

interface Tree {
  readonly file: Hdf5File;
  readonly type: number;
  readonly recordBytes: number;
  readonly nodeBytes: number;
  readonly widths: CountWidths;
}

interface CountWidths {
  /** Bytes that hold the number of records of any node. */
  readonly node: number;
  /** Bytes that hold the number of records below a node of each level; 0 for a leaf, whose number says it all. */
  readonly subtree: readonly number[];
}

/** Derives the widths of the counts from how many records the nodes of each level can hold. */
function countWidths(file: Hdf5File, nodeBytes: number, recordBytes: number, depth: number): CountWidths {
  const leafCount = Math.floor((nodeBytes - NODE_OVERHEAD_BYTES) / recordBytes);
  const node = byteWidth(leafCount);
  const subtree = [0];
  let total = leafCount;
  for (let level = 1; level <= depth; level++) {
    const pointerBytes = file.offsetBytes + node + (subtree[level - 1] as number);
    const count = Math.floor((nodeBytes - NODE_OVERHEAD_BYTES - pointerBytes) / (recordBytes + pointerBytes));
    if (count < 1) throw file.fail(`a ${WHAT} has nodes of ${nodeBytes} bytes for records of ${recordBytes}`);
    total = (count + 1) * total + count;
    subtree.push(byteWidth(total));
  }
  return { node, subtree };
}

interface NodePointer {
  readonly address: number;
  readonly count: number;
}

async function readNode(
  tree: Tree,
  walk: TreeWalk,
  { address, count }: NodePointer,
  level: number,
  records: ByteReader[],
): Promise<void> {
  const { file, recordBytes, widths } = tree;
  const isLeaf = level === 0;
  const pointerBytes = isLeaf ? 0 : file.offsetBytes + widths.node + (widths.subtree[level - 1] as number);
  const usedBytes = NODE_OVERHEAD_BYTES + count * recordBytes + (isLeaf ? 0 : count + 1) * pointerBytes;
  walk.enter(address, usedBytes);
  if (usedBytes > tree.nodeBytes) throw file.fail(`a node of a ${WHAT} claims ${count} records`, address);
  const reader = await file.readChecked(address, usedBytes, WHAT);
  reader.expectSignature(isLeaf ? 'BTLF' : 'BTIN');
  reader.expectVersion(0);
  if (reader.u8() !== tree.type) throw reader.fail('a node has records of another type');
  const own = Array.from({ length: count }, () => reader.part(recordBytes, WHAT));
  if (isLeaf) {
    for (const record of own) records.push(record);
    return;
  }
  const children = Array.from({ length: count + 1 }, (): NodePointer => {
    const child = { address: reader.definedAddress('child'), count: reader.uint(widths.node) };
    reader.skip(widths.subtree[level - 1] as number);
    return child;
  });
  for (let start = 0; start < children.length; start += CONCURRENT_READS) {
    const group = children.slice(start, start + CONCURRENT_READS);
    const lists = await Promise.all(
      group.map(async (child) => {
        const below: ByteReader[] = [];
        await readNode(tree, walk, child, level - 1, below);
        return below;
      }),
    );
    for (const [index, below] of lists.entries()) {
      for (const record of below) records.push(record);
      const separator = own[start + index];
      if (separator !== undefined) records.push(separator);
    }
  }
}
