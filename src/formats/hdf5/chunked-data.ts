import type { DatasetRecord } from './hdf5-dataset.ts';
import type { ByteRange } from './hdf5-file.ts';
import type { ChunkedLayout } from './layout.ts';

export async function storedChunkRanges(record: DatasetRecord, _layout: ChunkedLayout): Promise<ByteRange[]> {
  throw record.file.unsupported('a chunked layout', record.path);
}

export async function readChunks(record: DatasetRecord, _layout: ChunkedLayout, _target: Uint8Array): Promise<void> {
  throw record.file.unsupported('a chunked layout', record.path);
}
