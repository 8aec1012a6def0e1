import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { NotFoundError } from '../errors.ts';
import { blobStore } from './blob-store.ts';
import { fileSystemStore, kindOfPath } from './file-system-store.ts';
import { Limiter } from './limiter.ts';
import { memoryStore } from './memory-store.ts';
import { baseNameOf, folderOf, joinKey, type OpenOptions, type Store } from './store.ts';

const CONTENT = Uint8Array.from({ length: 20_000_000 }, (_, index) => index % 251);
const folder = mkdtempSync(join(tmpdir(), 'hornet-'));
writeFileSync(join(folder, 'a.bin'), CONTENT);
afterAll(() => rmSync(folder, { recursive: true }));

const STORES: readonly [string, () => Store][] = [
  ['memoryStore', () => memoryStore(new Map([['a.bin', CONTENT]]))],
  ['fileSystemStore', () => fileSystemStore(folder)],
  ['blobStore', () => blobStore([new File([CONTENT], 'a.bin')])],
];

describe.each(STORES)('%s', (_, makeStore) => {
  test('opens a file whose parts can be read', async () => {
    const file = await makeStore().open('a.bin');
    expect(file.byteLength).toBe(CONTENT.byteLength);
    expect(Buffer.compare(await file.slice(1000, 9_000_000), CONTENT.subarray(1000, 9_000_000))).toBe(0);
    await expect(file.slice(0, CONTENT.byteLength + 1)).rejects.toThrow('were asked for');
  });

  test('lists its files', async () => {
    expect(await makeStore().list?.()).toEqual(['a.bin']);
    expect(await makeStore().list?.('')).toEqual(['a.bin']);
  });

  test('says so when there is nothing', async () => {
    await expect(makeStore().open('b.bin')).rejects.toThrow(NotFoundError);
  });

  test('reports bytes as they arrive, and stops in between', async () => {
    const counts: number[] = [];
    const controller = new AbortController();
    const options: OpenOptions = {
      signal: controller.signal,
      onBytes: (__, byteCount) => {
        counts.push(byteCount);
        if (counts.length === 2) controller.abort(new Error('enough'));
      },
    };
    const file = await makeStore().open('a.bin', options);
    await expect(file.readInto?.(0, new Uint8Array(CONTENT.byteLength))).rejects.toThrow('enough');
    expect(counts).toEqual([8 << 20, 8 << 20]);
  });
});

describe('fileSystemStore', () => {
  test('notices that a file has changed between two reads', async () => {
    const path = join(folder, 'changing.bin');
    writeFileSync(path, 'one');
    const file = await fileSystemStore().open(path);
    writeFileSync(path, 'two');
    utimesSync(path, 1, 1);
    await expect(file.slice(0, 3)).rejects.toThrow('the file changed while it was read');
    rmSync(path);
  });

  test('tells files from folders', async () => {
    expect(await kindOfPath(folder)).toBe('folder');
    expect(await kindOfPath(join(folder, 'a.bin'))).toBe('file');
    await expect(kindOfPath(join(folder, 'none'))).rejects.toThrow('there is no such file');
    await expect(fileSystemStore().open(folder)).rejects.toThrow('it is not a file');
  });
});

test('blobStore() refuses two files of one name', () => {
  expect(() => blobStore([new File([], 'a'), new File([], 'a')])).toThrow('two of them are named "a"');
});

test('keys have folders and base names', () => {
  expect([joinKey('', './a/b'), joinKey('f', 'a'), joinKey('f/', './a')]).toEqual(['a/b', 'f/a', 'f/a']);
  expect([folderOf('a/b/c'), folderOf('c'), baseNameOf('a/b/c'), baseNameOf('c')]).toEqual(['a/b', '', 'c', 'c']);
});

test('Limiter lets so many run at once, in order, and goes on after one fails', async () => {
  const limiter = new Limiter(2);
  let running = 0;
  let most = 0;
  const order: number[] = [];
  const tasks = Array.from({ length: 6 }, (_, index) =>
    limiter.run(async () => {
      most = Math.max(most, ++running);
      order.push(index);
      await Promise.resolve();
      running--;
      if (index === 1) throw new Error('one fails');
    }),
  );
  const outcomes = await Promise.allSettled(tasks);
  expect(outcomes.map(({ status }) => status)).toEqual(
    [0, 1, 2, 3, 4, 5].map((index) => (index === 1 ? 'rejected' : 'fulfilled')),
  );
  expect(most).toBe(2);
  expect(order).toEqual([0, 1, 2, 3, 4, 5]);
  expect(() => new Limiter(0)).toThrow('expected a whole number from 1 on');
});
