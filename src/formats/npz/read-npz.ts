/** Reads `.npz`, a zip archive of arrays of NumPy; see `npy.ts` for one, and `write-npz.ts` for the other direction. */
import { readRangeInto } from '../../binary/ranged-file.ts';
import { FormatError } from '../../errors.ts';
import type { WeightEntry } from '../artifacts.ts';
import type { MemberFiles } from '../keras/zip-archive.ts';
import { decodeNpyData, decodeNpyHeader, NPY_PREFIX_BYTES, npyDataStart } from './npy.ts';

const ENDING = '.npy';

/**
 * The arrays of an archive by name. Their elements are read when they are asked for.
 *
 * @throws {FormatError} when an array is damaged.
 * @throws {UnsupportedError} for arrays that are not numbers; what is pickled is never executed.
 */
export async function readNpz(members: MemberFiles, file: string): Promise<readonly WeightEntry[]> {
  const entries: WeightEntry[] = [];
  for (const path of members.paths) entries.push(await readMember(members, path, file));
  return entries;
}

async function readMember(members: MemberFiles, path: string, file: string): Promise<WeightEntry> {
  const open = async () => {
    const member = await members.open(path);
    if (member !== undefined) return member;
    throw new FormatError(`Cannot read "${file}": the member "${path}" is not there`, { file });
  };
  const member = await open();
  const prefix = await member.slice(0, Math.min(NPY_PREFIX_BYTES, member.byteLength));
  const dataStart = npyDataStart(prefix, member.name);
  const head = await member.slice(0, Math.min(dataStart, member.byteLength));
  const header = decodeNpyHeader(head, member.name);
  const name = path.slice(0, -ENDING.length);
  return {
    name,
    dtype: header.dtype,
    shape: header.shape,
    file,
    storedBytes: member.byteLength - dataStart,
    read: async () => {
      // Opened anew: an inflated member would else stay in memory with the list of all.
      const again = await open();
      const data = new Uint8Array(again.byteLength - dataStart);
      await readRangeInto(again, dataStart, data);
      return decodeNpyData(data, header, name, again.name);
    },
  };
}
