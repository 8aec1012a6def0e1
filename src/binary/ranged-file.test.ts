import { describe, expect, test } from 'vitest';
import { FormatError } from '../errors.ts';
import { blobFile, bytesFile, type RangedFile, readRangeInto, subFile } from './ranged-file.ts';

const BYTES: Uint8Array<ArrayBuffer> = Uint8Array.from({ length: 100 }, (_, index) => index);

const FILES: [string, () => RangedFile][] = [
  ['bytesFile() of an array', () => bytesFile(BYTES, 'a')],
  ['bytesFile() of a buffer', () => bytesFile(BYTES.slice().buffer, 'a')],
  ['bytesFile() of a Node buffer', () => bytesFile(Buffer.from(BYTES), 'a')],
  ['blobFile()', () => blobFile(new Blob([BYTES]), 'a')],
  ['subFile() of bytes', () => subFile(bytesFile(Uint8Array.from([9, 9, ...BYTES, 9]), 'z'), 2, 102, 'a')],
  ['subFile() of a blob', () => subFile(blobFile(new Blob([Uint8Array.of(9), BYTES])), 1, 101, 'a')],
];

describe.each(FILES)('%s', (_, make) => {
  test('knows its name and length', () => {
    const file = make();
    expect([file.name, file.byteLength]).toEqual(['a', 100]);
  });

  test('gives the bytes of a range', async () => {
    const file = make();
    expect([...(await file.slice(3, 6))]).toEqual([3, 4, 5]);
    expect((await file.slice(100, 100)).byteLength).toBe(0);
    const target = new Uint8Array(2);
    await readRangeInto(file, 98, target);
    expect([...target]).toEqual([98, 99]);
  });

  test.each([
    [-1, 3],
    [5, 4],
    [99, 101],
    [Number.NaN, 2],
    [0, 2.5],
  ])('refuses the range %d to %d', async (start, end) => {
    await expect(make().slice(start, end)).rejects.toThrow(FormatError);
  });

  test('refuses to fill a target beyond its end', async () => {
    await expect(readRangeInto(make(), 99, new Uint8Array(2))).rejects.toThrow(FormatError);
  });
});

test('bytesFile() copies nothing', async () => {
  expect((await bytesFile(BYTES).slice(10, 20)).buffer).toBe(BYTES.buffer);
});

test('subFile() refuses a window beyond its file', () => {
  expect(() => subFile(bytesFile(BYTES), 50, 101)).toThrow('bytes 50 to 101 were asked for, the file has 100');
});
