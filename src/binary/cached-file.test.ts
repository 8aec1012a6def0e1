import { expect, test } from 'vitest';
import { FormatError } from '../errors.ts';
import { cachedFile } from './cached-file.ts';
import { bytesFile, type RangedFile } from './ranged-file.ts';

/** A file of 1000 bytes that counts up, and the ranges that were asked of it. */
function recorded(): { file: RangedFile; requests: [number, number][] } {
  const inner = bytesFile(
    Uint8Array.from({ length: 1000 }, (_, index) => index),
    'a',
  );
  const requests: [number, number][] = [];
  const slice = async (start: number, end: number): Promise<Uint8Array> => {
    requests.push([start, end]);
    return await inner.slice(start, end);
  };
  return { file: { name: 'a', byteLength: 1000, slice }, requests };
}

test('cachedFile() widens a small read to a block and keeps it', async () => {
  const { file, requests } = recorded();
  const cached = cachedFile(file, { blockBytes: 64 });
  expect([...(await cached.slice(70, 73))]).toEqual([70, 71, 72]);
  expect([...(await cached.slice(64, 66))]).toEqual([64, 65]);
  expect([...(await cached.slice(127, 128))]).toEqual([127]);
  expect(requests).toEqual([[64, 128]]);
});

test('cachedFile() fetches missing blocks that touch with one request', async () => {
  const { file, requests } = recorded();
  const cached = cachedFile(file, { blockBytes: 64 });
  await cached.slice(130, 131);
  expect([...(await cached.slice(60, 200))]).toEqual([
    ...(await bytesFile((await file.slice(60, 200)).slice()).slice(0, 140)),
  ]);
  expect(requests.slice(0, 3)).toEqual([
    [128, 192],
    [0, 128],
    [192, 256],
  ]);
});

test('cachedFile() shares the request of a block between readers', async () => {
  const { file, requests } = recorded();
  const cached = cachedFile(file, { blockBytes: 64 });
  await Promise.all([cached.slice(0, 1), cached.slice(5, 9), cached.slice(62, 64)]);
  expect(requests).toEqual([[0, 64]]);
});

test('cachedFile() passes large reads through', async () => {
  const { file, requests } = recorded();
  const cached = cachedFile(file, { blockBytes: 64 });
  expect((await cached.slice(10, 300)).byteLength).toBe(290);
  const target = new Uint8Array(256);
  await cached.readInto?.(500, target);
  expect(target[0]).toBe(500 % 256);
  expect(requests).toEqual([
    [10, 300],
    [500, 756],
  ]);
});

test('cachedFile() forgets the block that was used longest ago', async () => {
  const { file, requests } = recorded();
  const cached = cachedFile(file, { blockBytes: 64, maxBytes: 256 });
  for (const block of [0, 1, 2, 3, 0, 4, 0, 1]) await cached.slice(block * 64, block * 64 + 1);
  expect(requests.map(([start]) => start / 64)).toEqual([0, 1, 2, 3, 4, 1]);
});

test('cachedFile() ends its last block with the file', async () => {
  const { file, requests } = recorded();
  const cached = cachedFile(file, { blockBytes: 64 });
  expect([...(await cached.slice(999, 1000))]).toEqual([999 % 256]);
  expect(requests).toEqual([[960, 1000]]);
  await expect(cached.slice(999, 1001)).rejects.toThrow(FormatError);
});

test('cachedFile() asks again after a failed request', async () => {
  const { file } = recorded();
  let failures = 1;
  const slice = async (start: number, end: number): Promise<Uint8Array> => {
    if (failures-- > 0) throw new Error('the connection was lost');
    return await file.slice(start, end);
  };
  const cached = cachedFile({ ...file, slice });
  await expect(cached.slice(0, 1)).rejects.toThrow('the connection was lost');
  expect([...(await cached.slice(1, 2))]).toEqual([1]);
});

test('cachedFile() refuses a source that gives too few bytes', async () => {
  const { file } = recorded();
  const cached = cachedFile({ ...file, slice: async (start, end) => await file.slice(start, end - 1) });
  await expect(cached.slice(0, 1)).rejects.toThrow('asked for 1000 bytes at 0, got 999');
});
