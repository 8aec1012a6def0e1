/**
 * Writes zip archives as Python writes a `.keras`: stored members, sizes in front of the data, no time of day.
 *
 * Every field stands where PKWARE's APPNOTE has it (4.3.7 heads, 4.3.12 the directory, 4.3.14 to 4.3.16 its end, 4.5.3 the
 * ZIP64 field). The bytes of members go through as they come: nothing is compressed, copied or kept.
 */

import type { ByteSink, WritableFile } from '../../binary/byte-sink.ts';
import { FormatError } from '../../errors.ts';
import { crc32 } from './crc32.ts';

export interface ZipMember {
  readonly path: string;
  readonly file: WritableFile;
}

/** The first day that a zip archive can name: the first of January 1980. */
const FIRST_DATE = 0x21;

/** A number that takes this much or more is written in a ZIP64 field, of an entry or of the end of the archive. */
const ZIP64_FROM = 0xffffffff;
const ZIP64_MEMBERS_FROM = 0xffff;

/**
 * An archive of files. Each is written twice: once for its checksum, which stands in front of the data, once into the
 * archive.
 */
export function writeZip(members: readonly ZipMember[]): WritableFile {
  return { byteLength: archiveLength(members), writeTo: async (sink) => await writeMembers(members, sink) };
}

/** Members with their heads, the directory, the end; servers want to know the size of a file before they get it. */
function archiveLength(members: readonly ZipMember[]): number {
  let offset = 0;
  let directory = 0;
  for (const { path, file } of members) {
    const nameBytes = new TextEncoder().encode(path).byteLength;
    const isLarge = file.byteLength >= ZIP64_FROM;
    const isFar = offset >= ZIP64_FROM;
    // Directory entry: name, and the ZIP64 field with two sizes, or the offset, or all three.
    directory += 46 + nameBytes + (isLarge || isFar ? 4 : 0) + (isLarge ? 16 : 0) + (isFar ? 8 : 0);
    // Head: name, and the ZIP64 field with two sizes.
    offset += 30 + nameBytes + (isLarge ? 20 : 0) + file.byteLength;
  }
  const isZip64 = offset >= ZIP64_FROM || directory >= ZIP64_FROM || members.length >= ZIP64_MEMBERS_FROM;
  return offset + directory + 22 + (isZip64 ? 56 + 20 : 0);
}

async function writeMembers(members: readonly ZipMember[], sink: ByteSink): Promise<void> {
  let offset = 0;
  const directory: Uint8Array[] = [];
  const write = async (bytes: Uint8Array): Promise<void> => {
    offset += bytes.byteLength;
    await sink.write(bytes);
  };
  for (const { path, file } of members) {
    let checksum = 0;
    await file.writeTo({
      write: (bytes) => {
        checksum = crc32(bytes, checksum);
      },
    });
    const entry: ZipEntry = { name: new TextEncoder().encode(path), checksum, byteLength: file.byteLength, offset };
    directory.push(directoryEntry(entry));
    await write(memberHead(entry));
    const end = offset + file.byteLength;
    await file.writeTo({ write });
    if (offset !== end) {
      const found = `${file.byteLength + offset - end} bytes`;
      throw new FormatError(`Cannot write "${path}": found ${found}, expected ${file.byteLength}`, { file: path });
    }
  }
  const start = offset;
  for (const entry of directory) await write(entry);
  await write(archiveEnd(members.length, start, offset - start));
}

interface ZipEntry {
  readonly name: Uint8Array;
  readonly checksum: number;
  readonly byteLength: number;
  /** Of its head. */
  readonly offset: number;
}

const isAscii = (name: Uint8Array): boolean => name.every((byte) => byte < 0x80);

/** What head and directory have in common: from the version that is needed to the length of the name. */
function commonFields(fields: Fields, { name, checksum, byteLength }: ZipEntry, isZip64: boolean): Fields {
  const size = Math.min(byteLength, ZIP64_FROM);
  // 45 is the first version with ZIP64; bit 11 says that the name is UTF-8; method 0 is stored; midnight.
  return fields
    .u16(isZip64 ? 45 : 10)
    .u16(isAscii(name) ? 0 : 1 << 11)
    .u16(0)
    .u16(0)
    .u16(FIRST_DATE)
    .u32(checksum)
    .u32(size)
    .u32(size)
    .u16(name.byteLength);
}

function memberHead(entry: ZipEntry): Uint8Array {
  const isLarge = entry.byteLength >= ZIP64_FROM;
  const fields = commonFields(new Fields().u32(0x04034b50), entry, isLarge)
    .u16(isLarge ? 20 : 0)
    .bytes(entry.name);
  if (isLarge) fields.u16(1).u16(16).u64(entry.byteLength).u64(entry.byteLength);
  return fields.finish();
}

function directoryEntry(entry: ZipEntry): Uint8Array {
  const isLarge = entry.byteLength >= ZIP64_FROM;
  const isFar = entry.offset >= ZIP64_FROM;
  const extraBytes = (isLarge ? 16 : 0) + (isFar ? 8 : 0);
  // Made under Unix, as a regular file that all may read; no comment, first disk, no internal attributes.
  const fields = commonFields(new Fields().u32(0x02014b50).u16(3 << 8), entry, isLarge || isFar)
    .u16(extraBytes === 0 ? 0 : 4 + extraBytes)
    .u16(0)
    .u16(0)
    .u16(0)
    .u32(0x81a40000)
    .u32(Math.min(entry.offset, ZIP64_FROM))
    .bytes(entry.name);
  if (extraBytes > 0) fields.u16(1).u16(extraBytes);
  if (isLarge) fields.u64(entry.byteLength).u64(entry.byteLength);
  if (isFar) fields.u64(entry.offset);
  return fields.finish();
}

function archiveEnd(count: number, start: number, byteLength: number): Uint8Array {
  const fields = new Fields();
  if (start >= ZIP64_FROM || byteLength >= ZIP64_FROM || count >= ZIP64_MEMBERS_FROM) {
    // 44 bytes follow; made under Unix; one disk.
    fields
      .u32(0x06064b50)
      .u64(44)
      .u16((3 << 8) | 45)
      .u16(45)
      .u32(0)
      .u32(0);
    fields.u64(count).u64(count).u64(byteLength).u64(start);
    fields
      .u32(0x07064b50)
      .u32(0)
      .u64(start + byteLength)
      .u32(1);
  }
  const shownCount = Math.min(count, ZIP64_MEMBERS_FROM);
  fields.u32(0x06054b50).u16(0).u16(0).u16(shownCount).u16(shownCount);
  return fields.u32(Math.min(byteLength, ZIP64_FROM)).u32(Math.min(start, ZIP64_FROM)).u16(0).finish();
}

/** Numbers one after the other, little endian. */
class Fields {
  readonly #bytes: number[] = [];

  u16(value: number): this {
    this.#bytes.push(value & 0xff, (value >>> 8) & 0xff);
    return this;
  }

  u32(value: number): this {
    return this.u16(value & 0xffff).u16(value >>> 16);
  }

  u64(value: number): this {
    return this.u32(value % 2 ** 32).u32(Math.floor(value / 2 ** 32));
  }

  bytes(bytes: Uint8Array): this {
    this.#bytes.push(...bytes);
    return this;
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}
