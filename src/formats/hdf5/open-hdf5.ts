/**
 * HDF5 files: a tree of groups and datasets, each with attributes.
 *
 * Specification: https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t4.html (File Format, version 4). Read here:
 * superblocks 0 to 3, object headers 1 and 2, both kinds of groups, and compact, contiguous and chunked data with every
 * chunk index. Left out, and refused by name: links other than hard ones, external storage and virtual datasets (they
 * would read other files), shared message tables, compound and reference datatypes, filters other than deflate, shuffle
 * and fletcher32.
 */

import type { RangedFile } from '../../binary/ranged-file.ts';
import { Hdf5Group, openObject } from './hdf5-group.ts';
import { readSuperblock } from './superblock.ts';

/**
 * Opens an HDF5 file and gives its root group. Reads the superblock and the root's header; everything else when asked for.
 *
 * @throws {FormatError} when the file is none, is damaged, or is cut off.
 */
export async function openHdf5(raw: RangedFile): Promise<Hdf5Group> {
  const { file, rootAddress } = await readSuperblock(raw);
  const root = await openObject(file, '/', rootAddress);
  if (root instanceof Hdf5Group) return root;
  throw file.fail('the root is not a group', file.baseOffset + rootAddress);
}
