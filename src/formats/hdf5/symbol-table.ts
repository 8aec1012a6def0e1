/**
 * Groups of the old kind: a B-tree of symbol table nodes, and a local heap with the names.
 *
 *   node                            entry
 *   0  4  "SNOD"                    0  O  offset of the name in the heap
 *   4  1  version                   …  O  address of the object header
 *   5  1  reserved                  …  4  cache type, 1 for a group, 2 for a soft link
 *   6  2  number of entries         …  4  reserved
 *   8  …  entries                   …  16 cached values
 */

import type { FormatError } from '../../errors.ts';
import { readBTree1 } from './b-tree-v1.ts';
import { decodeUtf8 } from './byte-reader.ts';
import type { Hdf5File } from './hdf5-file.ts';
import type { Link } from './link.ts';
import { readEach, TreeWalk } from './tree-walk.ts';

const CACHE_TYPE_GROUP = 1;
const CACHE_TYPE_SOFT_LINK = 2;

const ENTRY_TRAILER_BYTES = 16;

const NODE = 'symbol table node';

/** A node of the library's default size: 2 × 4 entries. */
const USUAL_NODE_BYTES = 328;

/** Holds the three entries that the only node of a small group has at most as a rule. */
const SMALL_NODE_BYTES = 128;

/** Reads the links of the group whose symbol table message names these two addresses. */
export async function readSymbolTable(file: Hdf5File, treeAddress: number, heapAddress: number): Promise<Link[]> {
  const names = await readLocalHeap(file, heapAddress);
  const tree = { type: 0, keyBytes: file.lengthBytes, what: 'group B-tree' } as const;
  const nodes = await readBTree1(file, treeAddress, tree);
  const walk = new TreeWalk(file, NODE);
  const firstBytes = nodes.length === 1 ? SMALL_NODE_BYTES : USUAL_NODE_BYTES;
  const lists = await readEach(nodes, async ({ address }) => {
    return await readSymbolNode(file, walk, names, address, firstBytes);
  });
  return lists.flat();
}

async function readSymbolNode(
  file: Hdf5File,
  walk: TreeWalk,
  names: Uint8Array,
  address: number,
  firstBytes: number,
): Promise<Link[]> {
  const head = await file.readUpTo(address, firstBytes, NODE);
  head.expectSignature('SNOD');
  head.expectVersion(1);
  head.skip(1);
  const entryCount = head.u16();
  const entryBytes = 2 * file.offsetBytes + 8 + ENTRY_TRAILER_BYTES;
  const byteLength = 8 + entryCount * entryBytes;
  walk.enter(address, byteLength);
  const reader = byteLength <= head.bytes.byteLength ? head : await file.read(address, byteLength, NODE);
  reader.position = 8;
  const links: Link[] = [];
  for (let index = 0; index < entryCount; index++) {
    const nameOffset = reader.uint(file.offsetBytes);
    const header = reader.address();
    const cacheType = reader.u32();
    reader.skip(4 + ENTRY_TRAILER_BYTES);
    const name = nameAt(file, names, nameOffset);
    if (cacheType === CACHE_TYPE_SOFT_LINK) links.push({ name, kind: 'soft' });
    else if (header === undefined) throw reader.fail(`the link "${name}" has no address`);
    else links.push({ name, kind: 'hard', address: header, isGroup: cacheType === CACHE_TYPE_GROUP });
  }
  return links;
}

/**
 * Reads the names of a group.
 *
 *   0  4  "HEAP"
 *   4  1  version
 *   5  3  reserved
 *   8  L  bytes of data, L head of the free list, O address of the data
 */
async function readLocalHeap(file: Hdf5File, address: number): Promise<Uint8Array> {
  const what = 'local heap';
  const reader = await file.read(address, 8 + 2 * file.lengthBytes + file.offsetBytes, what);
  reader.expectSignature('HEAP');
  reader.expectVersion(0);
  reader.skip(3);
  const byteLength = reader.length();
  reader.skip(file.lengthBytes);
  const dataAddress = reader.definedAddress('local heap data');
  return (await file.read(dataAddress, byteLength, what)).bytes;
}

function nameAt(file: Hdf5File, names: Uint8Array, offset: number): string {
  const end = names.indexOf(0, offset);
  if (offset >= names.byteLength || end < 0) throw damagedName(file, offset);
  return decodeUtf8(names.subarray(offset, end));
}

function damagedName(file: Hdf5File, offset: number): FormatError {
  return file.fail(`a group has a name at ${offset} of its heap, which ends before`);
}
