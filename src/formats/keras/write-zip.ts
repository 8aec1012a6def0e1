/** Writes zip archives as Python writes a `.keras`: stored members, sizes in front of the data, no time of day. */

import type { ByteSink, WritableFile } from '../../binary/byte-sink.ts';
import { crc32 } from './crc32.ts';

export interface ZipMember {
  readonly path: string;
  readonly file: WritableFile;
}

/** The first moment that a zip archive can name, in the local time of whoever asks. */
const FIRST_DATE: readonly [number, number, number] = [1980, 0, 1];

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
  // The bundled form has nothing in common with what the reader imports, so that a page which only loads gets no writer.
  const { ZipWriter } = await import('@zip.js/zip.js/dist/zip-core-external.min.js');
  const target = new WritableStream<Uint8Array>({ write: async (bytes) => await sink.write(bytes) });
  const zip = new ZipWriter(target, {
    // What is passed through is not compressed: method 0 says so.
    passThrough: true,
    compressionMethod: 0,
    useWebWorkers: false,
    extendedTimestamp: false,
    lastModDate: new Date(...FIRST_DATE),
  });
  for (const { path, file } of members) {
    let signature = 0;
    await file.writeTo({
      write: (bytes) => {
        signature = crc32(bytes, signature);
      },
    });
    const source = { readable: streamOf(file), size: file.byteLength };
    await zip.add(path, source, { uncompressedSize: file.byteLength, signature });
  }
  await zip.close();
}

/** A file as a stream that is written as fast as it is read. */
function streamOf(file: WritableFile): ReadableStream<Uint8Array> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  file
    .writeTo({ write: async (bytes) => await writer.write(bytes) })
    .then(() => writer.close())
    .catch(async (error: unknown) => await writer.abort(error).catch(() => {}));
  return readable;
}
