/**
 * The directory of a zip archive, which stands at its end: records of members, in ZIP64 where numbers ask for it.
 *
 * Fields as in PKWARE's APPNOTE: 4.3.12 the records, 4.3.14 to 4.3.16 the end, 4.5.3 the ZIP64 field. Archives may have
 * other bytes in front, which move all offsets, and a comment behind. Archives of several disks are not read.
 */

import type { RangedFile } from '../../binary/ranged-file.ts';
import { FormatError } from '../../errors.ts';

/** What the directory says of a member. */
export interface ZipEntry {
  readonly path: string;
  readonly isFolder: boolean;
  readonly isEncrypted: boolean;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  readonly checksum: number;
  readonly compressedSize: number;
  readonly uncompressedSize: number;
  /** Of its local header. */
  readonly offset: number;
}

/** A `.keras` has three members and one for each asset. */
const MAX_MEMBERS = 100_000;

/** Such a directory has names of 600 characters on average. */
const MAX_DIRECTORY_BYTES = 64 << 20;

/** The record at the end, without its comment. */
const END_BYTES = 22;
const END_SIGNATURE = 0x06054b50;
const MAX_COMMENT_BYTES = 0xffff;

const LOCATOR_BYTES = 20;
const LOCATOR_SIGNATURE = 0x07064b50;
const END64_BYTES = 56;
const END64_SIGNATURE = 0x06064b50;

/** A record before name, extra fields and comment. */
const RECORD_BYTES = 46;
const RECORD_SIGNATURE = 0x02014b50;
const ZIP64_FIELD = 1;

/** The characters from 128 on of the code page of the first PCs, in which names are that do not say to be UTF-8. */
const CODE_PAGE_437 =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ';

/** @throws {FormatError} when the directory is damaged or cut off. */
export async function readZipDirectory(archive: RangedFile): Promise<readonly ZipEntry[]> {
  const end = await findEnd(archive);
  const { count, byteLength, start, before } = end;
  if (count > MAX_MEMBERS) throw zipError(archive, `the zip archive has ${count} members`);
  if (byteLength > MAX_DIRECTORY_BYTES) throw damaged(archive, `it has ${byteLength} bytes`, start);
  const view = viewOf(await archive.slice(start, start + byteLength));
  const entries: ZipEntry[] = [];
  let position = 0;
  while (entries.length < count) {
    if (position + RECORD_BYTES > byteLength || view.getUint32(position, true) !== RECORD_SIGNATURE) {
      throw damaged(archive, `${entries.length} of ${count} members were found`, start + position);
    }
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((at) => view.getUint16(position + at, true));
    const next = position + RECORD_BYTES + (nameBytes ?? 0) + (extraBytes ?? 0) + (commentBytes ?? 0);
    if (next > byteLength)
      throw damaged(archive, `the record of member ${entries.length} is cut off`, start + position);
    entries.push(decodeRecord(archive, view, position, before));
    position = next;
  }
  return entries;
}

interface DirectoryEnd {
  readonly count: number;
  /** Where the records are. */
  readonly start: number;
  readonly byteLength: number;
  /** Bytes in front of the archive, from which its offsets count. */
  readonly before: number;
}

async function findEnd(archive: RangedFile): Promise<DirectoryEnd> {
  const place = await findEndRecord(archive);
  const record = viewOf(await archive.slice(place, place + END_BYTES));
  const [disk, firstDisk] = [record.getUint16(4, true), record.getUint16(6, true)];
  const large = await readZip64End(archive, place);
  if (large === undefined && (disk !== 0 || firstDisk !== 0)) throw damaged(archive, 'it is one of several disks');
  const { count, byteLength, offset, endPlace } = large ?? {
    count: record.getUint16(10, true),
    byteLength: record.getUint32(12, true),
    offset: record.getUint32(16, true),
    endPlace: place,
  };
  const start = endPlace - byteLength;
  if (start < 0 || offset > start) throw damaged(archive, `it would begin at byte ${offset}`, endPlace);
  return { count, byteLength, start, before: start - offset };
}

/** The last place where an end record and its comment reach exactly to the end of the file. */
async function findEndRecord(archive: RangedFile): Promise<number> {
  const { byteLength } = archive;
  // Without a comment the last bytes are all that is looked at, which matters far away.
  for (const tailBytes of [END_BYTES, END_BYTES + MAX_COMMENT_BYTES]) {
    const start = Math.max(0, byteLength - tailBytes);
    const view = viewOf(await archive.slice(start, byteLength));
    for (let place = view.byteLength - END_BYTES; place >= 0; place--) {
      if (view.getUint32(place, true) !== END_SIGNATURE) continue;
      if (place + END_BYTES + view.getUint16(place + 20, true) === view.byteLength) return start + place;
    }
  }
  throw damaged(archive, 'its end was not found');
}

/** What the records say that an archive has which is larger than the first zip archives could be. */
async function readZip64End(
  archive: RangedFile,
  endPlace: number,
): Promise<{ count: number; byteLength: number; offset: number; endPlace: number } | undefined> {
  const locatorPlace = endPlace - LOCATOR_BYTES;
  if (locatorPlace < END64_BYTES) return undefined;
  const locator = viewOf(await archive.slice(locatorPlace, endPlace));
  if (locator.getUint32(0, true) !== LOCATOR_SIGNATURE) return undefined;
  // The record follows the directory and may have more fields than are known; bytes in front of the archive move it.
  for (const place of [numberAt(locator, 8), locatorPlace - END64_BYTES]) {
    if (place > locatorPlace - END64_BYTES) continue;
    const record = viewOf(await archive.slice(place, place + END64_BYTES));
    if (record.getUint32(0, true) !== END64_SIGNATURE) continue;
    const [count, byteLength, offset] = [numberAt(record, 32), numberAt(record, 40), numberAt(record, 48)];
    return { count, byteLength, offset, endPlace: place };
  }
  throw damaged(archive, 'its ZIP64 end was not found', locatorPlace);
}

function decodeRecord(archive: RangedFile, view: DataView, position: number, before: number): ZipEntry {
  const u16 = (at: number): number => view.getUint16(position + at, true);
  const u32 = (at: number): number => view.getUint32(position + at, true);
  const flags = u16(8);
  const namePlace = position + RECORD_BYTES;
  const path = decodeName(new Uint8Array(view.buffer, view.byteOffset + namePlace, u16(28)), (flags & 0x800) !== 0);
  let [uncompressedSize, compressedSize, offset] = [u32(24), u32(20), u32(42)];
  if (Math.max(uncompressedSize, compressedSize, offset) === 0xffffffff) {
    const field = findZip64Field(view, namePlace + u16(28), u16(30));
    let next = 0;
    const large = (small: number): number => {
      if (small !== 0xffffffff || field === undefined) return small;
      if (next + 8 > field.byteLength) throw damaged(archive, `the record of "${path}" lacks its ZIP64 numbers`);
      next += 8;
      return numberAt(field, next - 8);
    };
    // In this order, each only where the record itself has no room.
    [uncompressedSize, compressedSize, offset] = [large(uncompressedSize), large(compressedSize), large(offset)];
  }
  return {
    path,
    isFolder: path.endsWith('/'),
    isEncrypted: (flags & 1) !== 0,
    method: u16(10),
    checksum: u32(16),
    compressedSize,
    uncompressedSize,
    offset: before + offset,
  };
}

function findZip64Field(view: DataView, place: number, byteLength: number): DataView | undefined {
  for (let at = 0; at + 4 <= byteLength; ) {
    const length = view.getUint16(place + at + 2, true);
    if (at + 4 + length > byteLength) return undefined;
    if (view.getUint16(place + at, true) === ZIP64_FIELD) {
      return new DataView(view.buffer, view.byteOffset + place + at + 4, length);
    }
    at += 4 + length;
  }
  return undefined;
}

function decodeName(bytes: Uint8Array, isUtf8: boolean): string {
  if (isUtf8) return new TextDecoder().decode(bytes);
  let name = '';
  for (const byte of bytes) name += byte < 128 ? String.fromCharCode(byte) : CODE_PAGE_437[byte - 128];
  return name;
}

/** A number of 64 bits; one that is not exact is larger than any file. */
function numberAt(view: DataView, place: number): number {
  return view.getUint32(place, true) + view.getUint32(place + 4, true) * 2 ** 32;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function damaged(archive: RangedFile, problem: string, offset?: number): FormatError {
  return zipError(archive, `the directory of the zip archive is damaged or cut off (${problem})`, offset);
}

/** The error for an archive with a problem, at a byte of it where that is known. */
export function zipError(archive: RangedFile, problem: string, offset?: number, cause?: unknown): FormatError {
  const details = { file: archive.name, cause, ...(offset === undefined ? {} : { offset }) };
  return new FormatError(`Cannot read "${archive.name}": ${problem}`, details);
}
