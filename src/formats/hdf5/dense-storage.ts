/**
 * Dense storage: when a group has many links, or an object many attributes, their messages move from the object header
 * to a fractal heap, with a B-tree over the hashes of their names. All are wanted here, so the hashes are not looked at.
 *
 *   link info                                  attribute info
 *   0  1  version                              0  1  version
 *   1  1  flags                                1  1  flags
 *   …  8  largest creation index, if flag 1    …  2  largest creation index, if flag 1
 *   …  O  heap, O B-tree over names            …  O  heap, O B-tree over names
 */

import { readBTree2 } from './b-tree-v2.ts';
import type { ByteReader } from './byte-reader.ts';
import { FractalHeap } from './fractal-heap.ts';
import type { Hdf5File } from './hdf5-file.ts';
import type { Message } from './object-header.ts';
import { resolveMessage } from './shared-message.ts';
import { readEach } from './tree-walk.ts';

/** B-tree record types. */
const LINK_NAMES = 5;
const ATTRIBUTE_NAMES = 8;

const FLAG_CREATION_ORDER = 1;

/** An attribute that lies in a table shared by the whole file. */
const FLAG_SHARED = 2;

/** The link messages of a group that a link info message points to. Records: 4 bytes hash, heap ID. */
export async function readDenseLinks(file: Hdf5File, message: Message): Promise<ByteReader[]> {
  return await readDense(file, message, LINK_NAMES, 8, (record) => {
    record.skip(4);
    return record;
  });
}

/** The attribute messages of an object that an attribute info message points to. Records: heap ID, 1 byte flags, … */
export async function readDenseAttributes(file: Hdf5File, message: Message): Promise<ByteReader[]> {
  return await readDense(file, message, ATTRIBUTE_NAMES, 2, (record, idBytes) => {
    record.skip(idBytes);
    if ((record.u8() & FLAG_SHARED) !== 0)
      throw file.unsupported('a table of shared messages', '/', 're-save it with h5py');
    record.position = 0;
    return record;
  });
}

async function readDense(
  file: Hdf5File,
  message: Message,
  recordType: number,
  creationIndexBytes: number,
  seekId: (record: ByteReader, idBytes: number) => ByteReader,
): Promise<ByteReader[]> {
  const reader = await resolveMessage(file, message);
  reader.expectVersion(0);
  const flags = reader.u8();
  if ((flags & FLAG_CREATION_ORDER) !== 0) reader.skip(creationIndexBytes);
  const heapAddress = reader.address();
  const treeAddress = reader.address();
  if (heapAddress === undefined || treeAddress === undefined) return [];
  const heap = await FractalHeap.open(file, heapAddress);
  const { records } = await readBTree2(file, treeAddress, [recordType]);
  return await readEach(records, async (record) => await heap.read(seekId(record, heap.idBytes).part(heap.idBytes)));
}
