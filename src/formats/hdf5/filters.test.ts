import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { bytesFile } from '../../binary/ranged-file.ts';
import { UnsupportedError } from '../../errors.ts';
import { fletcher32 } from './checksum.ts';
import type { Filter } from './filter-pipeline.ts';
import { checkFilters, undoFilters, unshuffle } from './filters.ts';
import { Hdf5File } from './hdf5-file.ts';

const file: Hdf5File = new Hdf5File(bytesFile(new Uint8Array(8), 'a.h5'), 0, { offsetBytes: 8, lengthBytes: 8 });
const DEFLATE: Filter = { id: 1, name: '', parameters: [6] };
const SHUFFLE: Filter = { id: 2, name: '', parameters: [4] };
const FLETCHER32: Filter = { id: 3, name: '', parameters: [] };

async function undo(filters: Filter[], stored: Uint8Array, chunkBytes: number, mask = 0): Promise<Uint8Array> {
  return await undoFilters(file, filters, stored, mask, chunkBytes, { path: '/data', offset: 64 });
}

function withChecksum(bytes: Uint8Array): Uint8Array {
  const longer = new Uint8Array(bytes.byteLength + 4);
  longer.set(bytes);
  new DataView(longer.buffer).setUint32(bytes.byteLength, fletcher32(bytes), true);
  return longer;
}

describe('undoFilters()', () => {
  const data = Uint8Array.from({ length: 1000 }, (_, index) => index % 7);

  test('undoes deflate', async () => {
    expect(await undo([DEFLATE], deflateSync(data), 1000)).toEqual(data);
  });

  test('undoes filters in reverse order, and leaves out those that the mask names', async () => {
    const stored = withChecksum(deflateSync(data));
    expect(await undo([SHUFFLE, DEFLATE, FLETCHER32], stored, 1000, 1)).toEqual(data);
    expect(await undo([SHUFFLE, DEFLATE, FLETCHER32], stored, 1000)).toEqual(unshuffle(data, 4));
    expect(await undo([FLETCHER32, DEFLATE], deflateSync(withChecksum(data)), 1000)).toEqual(data);
  });

  test('stops a bomb at the size of the chunk', async () => {
    const bomb = deflateSync(new Uint8Array(50_000_000));
    await expect(undo([DEFLATE], bomb, 1000)).rejects.toThrow('the compressed data hold more than 1000 bytes');
  });

  test.each([
    ['cut off', deflateSync(data).subarray(0, -6)],
    ['empty', new Uint8Array(0)],
    ['no zlib stream', Uint8Array.of(1, 2, 3, 4)],
  ])('refuses compressed data that are %s', async (_, stored) => {
    await expect(undo([DEFLATE], stored, 1000)).rejects.toThrow(
      'Cannot read "a.h5": the compressed data are damaged, in a chunk of "/data" at byte 64',
    );
  });

  test('refuses data that are too short, and a wrong checksum', async () => {
    await expect(undo([DEFLATE], deflateSync(data), 1001)).rejects.toThrow('1000 bytes came out, expected 1001');
    const stored = withChecksum(data);
    stored[5] = 99;
    await expect(undo([FLETCHER32], stored, 1000)).rejects.toThrow('the checksum does not match');
    await expect(undo([FLETCHER32], Uint8Array.of(1, 2), 1000)).rejects.toThrow('no room for a checksum');
  });
});

test('unshuffle() leaves the bytes after the last whole element in place', () => {
  expect([...unshuffle(Uint8Array.of(1, 3, 5, 2, 4, 6, 7), 2)]).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

test('checkFilters() names the filter that is missing', () => {
  const zstd = { id: 32015, name: 'Zstandard compression', parameters: [] };
  expect(() => checkFilters(file, [SHUFFLE, zstd], '/data')).toThrow(UnsupportedError);
  expect(() => checkFilters(file, [SHUFFLE, zstd], '/data')).toThrow(
    'Cannot read "/data" in "a.h5": filter 32015 (zstd) is not supported; re-save it with gzip or without compression',
  );
  expect(() => checkFilters(file, [{ id: 400, name: 'mine', parameters: [] }], '/data')).toThrow('filter 400 (mine)');
});
