/** Writes zip archives as Python writes a `.keras`: stored members, sizes in front of the data, no time of day. */

import type { ByteSink, WritableFile } from '../../binary/byte-sink.ts';
import { crc32 } from './crc32.ts';

export interface ZipMember {
  readonly path: string;
  readonly file: WritableFile;
}

/** The first moment that a zip archive can name, in the local time of whoever asks. */
const FIRST_DATE: readonly [number, number, number] = [1980, 0, 1];

/** Head, directory entry and ZIP64 fields of a member, without its name. */
const MEMBER_BYTES = 30 + 46 + 2 * 32;

/** The records that end an archive, those of ZIP64 among them. */
const END_BYTES = 22 + 56 + 20;

/**
 * An archive of files. Each is written twice: once for its checksum, which stands in front of the data, once into the
 * archive. `byteLength` is an upper bound, since it depends on which members need ZIP64.
 */
export function writeZip(members: readonly ZipMember[]): WritableFile {
  const byteLength = members.reduce(
    (sum, { path, file }) => sum + file.byteLength + 2 * 3 * path.length + MEMBER_BYTES,
    END_BYTES,
  );
  return { byteLength, writeTo: async (sink) => await writeMembers(members, sink) };
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
