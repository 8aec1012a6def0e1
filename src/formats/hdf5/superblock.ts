/**
 * The superblock: where an HDF5 file begins, and how wide its addresses are.
 *
 *   0   8  signature
 *   8   1  version
 *
 *   versions 0 and 1                              versions 2 and 3
 *   9   4  versions of other parts, reserved      9   1  size of offsets
 *   13  1  size of offsets                        10  1  size of lengths
 *   14  1  size of lengths                        11  1  flags
 *   15  9  reserved, B-tree parameters, flags     12  O  base address
 *   (1: 4  more B-tree parameters)                …   O  superblock extension
 *   24  O  base address                           …   O  end of file
 *   …   O  free space, O end of file, O driver    …   O  object header of the root group
 *   …      symbol table entry of the root group   …   4  checksum
 *
 * It stands at byte 0, or behind a user block at byte 512, 1024, 2048, …; addresses count from it.
 */

import { cachedFile } from '../../binary/cached-file.ts';
import type { RangedFile } from '../../binary/ranged-file.ts';
import { FormatError, type UnsupportedError } from '../../errors.ts';
import { ByteReader } from './byte-reader.ts';
import { lookup3 } from './checksum.ts';
import { Hdf5File } from './hdf5-file.ts';

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a] as const;

/** Larger user blocks exist in no model file; looking on to the end would cost a remote file many requests. */
const MAX_USER_BLOCK_BYTES = 1 << 20;

/** Longer than any superblock with 8-byte fields. */
const MAX_SUPERBLOCK_BYTES = 128;

const MESSAGE_DRIVER_INFO = 'a file of several parts (driver information)';

export interface Superblock {
  readonly file: Hdf5File;
  /** Address of the object header of the root group. */
  readonly rootAddress: number;
}

/**
 * Finds and decodes the superblock.
 *
 * @throws {FormatError} when there is none, or when the file is shorter than it says.
 */
export async function readSuperblock(raw: RangedFile): Promise<Superblock> {
  const cached = cachedFile(raw);
  const start = await findSignature(cached);
  const bytes = await cached.slice(start, Math.min(start + MAX_SUPERBLOCK_BYTES, raw.byteLength));
  const origin = { file: raw.name, what: 'superblock', offset: start, offsetBytes: 8, lengthBytes: 8 };
  const head = new ByteReader(bytes, origin);
  head.skip(SIGNATURE.length);
  const version = head.u8();
  if (version > 3) throw head.fail(`superblock version ${version} is unknown`);
  if (version < 2) head.skip(4);
  const offsetBytes = fieldSize(head);
  const lengthBytes = fieldSize(head);

  const reader = new ByteReader(bytes, { ...origin, offsetBytes, lengthBytes });
  reader.position = head.position;
  const file = new Hdf5File(cached, start, { offsetBytes, lengthBytes });
  return { file, rootAddress: version < 2 ? decodeOld(reader, version, file) : decodeNew(reader, file) };
}

/** @returns the address of the root group's object header. */
function decodeOld(reader: ByteReader, version: number, file: Hdf5File): number {
  reader.skip(version === 0 ? 9 : 13);
  const base = reader.definedAddress('file');
  reader.address();
  checkEnd(reader, base, file);
  if (reader.address() !== undefined) throw unsupportedDriver(file);
  reader.skip(file.offsetBytes);
  return reader.definedAddress('root group');
}

function decodeNew(reader: ByteReader, file: Hdf5File): number {
  reader.skip(1);
  const base = reader.definedAddress('file');
  // The extension holds B-tree parameters, free space and the like, which a reader has no use for.
  reader.address();
  const end = reader.position;
  reader.skip(2 * file.offsetBytes);
  const checked = reader.bytes.subarray(0, reader.position);
  if (reader.u32() !== lookup3(checked)) throw reader.fail('the checksum does not match, the file is damaged');
  reader.position = end;
  checkEnd(reader, base, file);
  return reader.definedAddress('root group');
}

/** Reads the end-of-file address; a shorter file was cut off, most often by a broken download. */
function checkEnd(reader: ByteReader, base: number, file: Hdf5File): void {
  const end = reader.definedAddress('end of the file') - base;
  if (end > file.byteLength) {
    throw reader.fail(`the file is cut off: it has ${file.byteLength} bytes of ${end}`);
  }
}

function fieldSize(reader: ByteReader): number {
  const size = reader.u8();
  if (size !== 2 && size !== 4 && size !== 8) throw reader.fail(`fields of ${size} bytes are unknown`);
  return size;
}

function unsupportedDriver(file: Hdf5File): UnsupportedError {
  return file.unsupported(MESSAGE_DRIVER_INFO, '/', 're-save it as one file');
}

async function findSignature(file: RangedFile): Promise<number> {
  const limit = Math.min(file.byteLength - SIGNATURE.length, MAX_USER_BLOCK_BYTES);
  for (let start = 0; start <= limit; start = start === 0 ? 512 : start * 2) {
    const bytes = await file.slice(start, start + SIGNATURE.length);
    if (SIGNATURE.every((byte, index) => byte === bytes[index])) return start;
  }
  const problem = file.byteLength === 0 ? 'the file is empty' : 'it is no HDF5 file, the signature is missing';
  throw new FormatError(`Cannot read "${file.name}": ${problem}`, { file: file.name, offset: 0 });
}
