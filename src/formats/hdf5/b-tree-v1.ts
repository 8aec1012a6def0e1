/**
 * Version 1 B-trees: over the names of a group, and over the chunks of a dataset.
 *
 *   0  4  "TREE"
 *   4  1  type         0 group, 1 chunks
 *   5  1  level        0 at the leaves
 *   6  2  number of children
 *   8  O  left sibling, O right sibling
 *   …  …  key, child (O), key, child, …, key
 */

import type { ByteReader } from './byte-reader.ts';
import type { Hdf5File } from './hdf5-file.ts';
import { readEach, TreeWalk } from './tree-walk.ts';

export interface BTree1 {
  readonly type: 0 | 1;
  readonly keyBytes: number;
  /** For messages. */
  readonly what: string;
}

/** A child of a leaf, with the key before it. */
export interface BTree1Entry {
  readonly key: ByteReader;
  readonly address: number;
}

/** Holds a node with two children. Room for 32 is reserved in each, and in nearly all groups of a model unused. */
const FIRST_READ_BYTES = 64;

/** Reads the children of all leaves, in order. */
export async function readBTree1(file: Hdf5File, address: number, tree: BTree1): Promise<BTree1Entry[]> {
  return await readNode(file, tree, new TreeWalk(file, tree.what), address, undefined);
}

async function readNode(
  file: Hdf5File,
  tree: BTree1,
  walk: TreeWalk,
  address: number,
  expectedLevel: number | undefined,
): Promise<BTree1Entry[]> {
  const head = await file.readUpTo(address, FIRST_READ_BYTES, tree.what);
  head.expectSignature('TREE');
  const type = head.u8();
  if (type !== tree.type) throw head.fail(`the node has type ${type}, expected ${tree.type}`);
  const level = head.u8();
  walk.checkLevel(head, level, expectedLevel);
  const childCount = head.u16();
  const headBytes = 8 + 2 * file.offsetBytes;
  const byteLength = headBytes + childCount * (tree.keyBytes + file.offsetBytes);
  walk.enter(address, byteLength);
  const reader = byteLength <= head.bytes.byteLength ? head : await file.read(address, byteLength, tree.what);
  reader.position = headBytes;
  const entries = Array.from({ length: childCount }, (): BTree1Entry => {
    const key = reader.part(tree.keyBytes);
    return { key, address: reader.definedAddress('child') };
  });
  if (level === 0) return entries;
  const below = await readEach(entries, async (entry) => await readNode(file, tree, walk, entry.address, level - 1));
  return below.flat();
}
