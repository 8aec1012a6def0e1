/**
 * The files within a zip archive. A stored member is a range of the archive and is read as such; a deflated one is
 * inflated when it is opened, up to the size that the directory promises.
 *
 * Nothing is ever written to a path that an archive names.
 */

import { cachedFile } from '../../binary/cached-file.ts';
import { bytesFile, type RangedFile, subFile } from '../../binary/ranged-file.ts';
import { FormatError, UnsupportedError } from '../../errors.ts';
import { crc32 } from './crc32.ts';
import { readZipDirectory, type ZipEntry, zipError } from './zip-directory.ts';

/** The files of an archive or folder, by path. */
export interface MemberFiles {
  readonly paths: readonly string[];
  /**
   * Opens the file at a path, `undefined` when there is none.
   *
   * @throws {FormatError} when it has more than `maxBytes`, which are told before any is read.
   */
  open(path: string, maxBytes?: number): Promise<RangedFile | undefined>;
}

/** Deflate gains a factor of 1032 at most; a member that claims more is a lie. */
const MAX_EXPANSION = 1032;

/**
 * Inflated members are held in memory. Up to this size an expansion of 1032 does no harm; beyond, real weights shrink by
 * a few percent, so that an expansion of more than 100 is a bomb. Keras draws the same line.
 */
const SMALL_MEMBER_BYTES = 256 << 20;
const MAX_LARGE_EXPANSION = 100;

/** Characters of a name that a message shows: a damaged one may have thousands. */
const MAX_SHOWN_PATH = 200;

/** Bytes of a local header before the name. */
const LOCAL_HEADER_BYTES = 30;
const LOCAL_SIGNATURE = 0x04034b50;

/** Opens a zip archive: reads its directory, nothing else. */
export async function openZip(archive: RangedFile): Promise<MemberFiles> {
  const file = cachedFile(archive);
  const members = indexMembers(archive, await readZipDirectory(file));
  return {
    paths: [...members.keys()],
    open: async (path, maxBytes = Number.POSITIVE_INFINITY) => {
      const entry = members.get(path);
      if (entry === undefined) return undefined;
      if (entry.uncompressedSize > maxBytes) {
        const problem = `the member "${path}" has ${entry.uncompressedSize} bytes, expected ${maxBytes} at most`;
        throw zipError(archive, problem, entry.offset);
      }
      return await openMember(archive, file, entry);
    },
  };
}

/** The files of the directory by path, after checking that none leads astray and that no two share bytes. */
function indexMembers(archive: RangedFile, entries: readonly ZipEntry[]): Map<string, ZipEntry> {
  const members = new Map<string, ZipEntry>();
  for (const entry of entries) {
    if (entry.isFolder) continue;
    const { path } = entry;
    const segments = path.split('/');
    if (/[\\\0]|^[A-Za-z]:/.test(path) || segments.includes('..') || segments.includes('')) {
      throw zipError(
        archive,
        `the member ${JSON.stringify(path.slice(0, MAX_SHOWN_PATH))} leads out of the archive`,
        entry.offset,
      );
    }
    if (members.has(path)) throw zipError(archive, `two members are named "${path}"`, entry.offset);
    members.set(path, entry);
  }
  let end = 0;
  let previous = '';
  for (const entry of [...members.values()].sort((a, b) => a.offset - b.offset)) {
    if (entry.offset < end) {
      throw zipError(archive, `the members "${previous}" and "${entry.path}" overlap`, entry.offset);
    }
    end = entry.offset + LOCAL_HEADER_BYTES + entry.compressedSize;
    previous = entry.path;
    if (end > archive.byteLength) throw zipError(archive, `the member "${previous}" is cut off`, entry.offset);
  }
  return members;
}

async function openMember(archive: RangedFile, cached: RangedFile, entry: ZipEntry): Promise<RangedFile> {
  const { path, compressedSize, uncompressedSize, method } = entry;
  const name = `${archive.name}/${path}`;
  if (entry.isEncrypted) {
    throw new UnsupportedError(`Cannot read "${name}": it is encrypted`, 'an encrypted zip member');
  }
  if (method !== 0 && method !== 8) {
    const feature = `zip compression method ${method}`;
    throw new UnsupportedError(`Cannot read "${name}": ${feature} is not supported; store or deflate it`, feature);
  }
  const start = await findData(archive, cached, entry);
  if (method === 0) {
    if (compressedSize === uncompressedSize) return subFile(archive, start, start + compressedSize, name);
    throw zipError(archive, `the stored member "${path}" has two sizes`, entry.offset);
  }
  const limit = compressedSize * (uncompressedSize > SMALL_MEMBER_BYTES ? MAX_LARGE_EXPANSION : MAX_EXPANSION);
  if (uncompressedSize > limit) {
    const problem = `the member "${path}" claims to grow from ${compressedSize} to ${uncompressedSize} bytes`;
    throw zipError(archive, problem, entry.offset);
  }
  const bytes = await inflate(archive, subFile(archive, start, start + compressedSize), uncompressedSize, path);
  if (crc32(bytes) !== entry.checksum) {
    throw zipError(archive, `the checksum of the member "${path}" does not match, the file is damaged`, entry.offset);
  }
  return bytesFile(bytes, name);
}

/** Where a member's data begin: behind its local header, whose two last fields vary in length. */
async function findData(archive: RangedFile, cached: RangedFile, entry: ZipEntry): Promise<number> {
  const { path } = entry;
  const bytes = await cached.slice(entry.offset, entry.offset + LOCAL_HEADER_BYTES);
  const header = new DataView(bytes.buffer, bytes.byteOffset, LOCAL_HEADER_BYTES);
  if (header.getUint32(0, true) !== LOCAL_SIGNATURE) {
    throw zipError(archive, `the member "${path}" is not where the directory says`, entry.offset);
  }
  const start = entry.offset + LOCAL_HEADER_BYTES + header.getUint16(26, true) + header.getUint16(28, true);
  if (start + entry.compressedSize > archive.byteLength) {
    throw zipError(archive, `the member "${path}" is cut off`, entry.offset);
  }
  return start;
}

async function inflate(
  archive: RangedFile,
  deflated: RangedFile,
  byteLength: number,
  path: string,
): Promise<Uint8Array> {
  const fail = (problem: string, cause?: unknown): FormatError =>
    zipError(archive, `the member "${path}" ${problem}`, undefined, cause);
  let position = 0;
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: async (controller) => {
      const end = Math.min(position + INFLATE_PIECE_BYTES, deflated.byteLength);
      if (position < end) controller.enqueue((await deflated.slice(position, end)).slice());
      position = end;
      if (end === deflated.byteLength) controller.close();
    },
  });
  const bytes = new Uint8Array(byteLength);
  let length = 0;
  const inflated = source.pipeThrough(new DecompressionStream('deflate-raw')).getReader();
  for (;;) {
    const { done, value } = await inflated.read().catch((cause: unknown) => {
      throw cause instanceof FormatError ? cause : fail('is damaged', cause);
    });
    if (done) break;
    if (length + value.byteLength > byteLength) {
      await inflated.cancel().catch(() => {});
      throw fail(`is larger than the ${byteLength} bytes that the directory says`);
    }
    bytes.set(value, length);
    length += value.byteLength;
  }
  if (length !== byteLength) throw fail(`has ${length} bytes, the directory says ${byteLength}`);
  return bytes;
}

const INFLATE_PIECE_BYTES = 1 << 20;
