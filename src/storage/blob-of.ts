import type { WritableFile } from '../binary/byte-sink.ts';

/** Browsers put large blobs on disk, so that small pieces need no second copy in memory. */
const PIECE_BYTES = 16 << 20;

/** A file as a `Blob`, piece by piece. */
export async function blobOf(file: WritableFile, type = 'application/octet-stream'): Promise<Blob> {
  let pieces: Uint8Array<ArrayBuffer>[] = [];
  let pieceBytes = 0;
  const blobs: Blob[] = [];
  const flush = (): void => {
    blobs.push(new Blob(pieces));
    pieces = [];
    pieceBytes = 0;
  };
  await file.writeTo({
    write: (bytes) => {
      pieces.push(bytes.slice());
      pieceBytes += bytes.byteLength;
      if (pieceBytes >= PIECE_BYTES) flush();
    },
  });
  flush();
  return new Blob(blobs, { type });
}
