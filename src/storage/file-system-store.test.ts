import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { writableBytes } from '../binary/byte-sink.ts';
import { fileSystemStore } from './file-system-store.ts';
import { newWriterId } from './live-writers.ts';

const folder = mkdtempSync(join(tmpdir(), 'hornet-files-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (text: string): ReturnType<typeof writableBytes> => writableBytes(new TextEncoder().encode(text));

/** The id of a writer of this machine whose process has ended. */
function deadWriterId(): string {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  const [time, random, , machine] = newWriterId().split('-');
  return [time, random, pid.toString(36), machine].join('-');
}

test('a save removes what killed writers left beside it, and nothing else', async () => {
  const root = join(folder, 'abandoned');
  mkdirSync(root);
  const dead = deadWriterId();
  const alive = newWriterId();
  const kept = [`a.bin.${alive}.part`, 'movie.mkv.part', 'archive.backup01.part', 'archive.1a2b3c4d-x.part', 'b.bin'];
  for (const name of [...kept, `a.bin.${dead}.part`, `other.bin.${dead}.part`]) writeFileSync(join(root, name), name);
  const store = fileSystemStore(root);
  expect((await store.list?.())?.sort()).toEqual(kept.slice(1).sort());
  await store.write?.('a.bin', file('new'));
  expect(readdirSync(root).sort()).toEqual([...kept, 'a.bin'].sort());
});

test.each([
  ['before its main file was swapped in', true, ['old-1.bin', 'model.json']],
  ['after that', false, ['new-1.bin', 'model.json']],
])('a save of several files that was killed %s leaves one model', async (_, isBefore, left) => {
  const root = mkdtempSync(join(folder, 'several-'));
  const dead = deadWriterId();
  for (const name of ['model.json', 'old-1.bin', 'new-1.bin']) writeFileSync(join(root, name), name);
  const list = { added: ['new-1.bin', '../../new-1.bin', '/etc/new-1.bin'], replaced: ['old-1.bin'] };
  writeFileSync(join(root, `model.json.new.${dead}.part`), JSON.stringify(list));
  if (isBefore) writeFileSync(join(root, `model.json.${dead}.part`), 'new');
  await fileSystemStore(root).write?.('other.bin', file('other'));
  expect(readdirSync(root).sort()).toEqual([...left, 'other.bin'].sort());
});

test('a file that a later save has written again is not removed for an earlier one', async () => {
  const root = mkdtempSync(join(folder, 'again-'));
  const dead = deadWriterId();
  writeFileSync(join(root, `model.json.new.${dead}.part`), JSON.stringify({ added: ['shared.bin'], replaced: [] }));
  writeFileSync(join(root, `model.json.${dead}.part`), 'new');
  await new Promise((resolve) => setTimeout(resolve, 20));
  writeFileSync(join(root, 'shared.bin'), 'of a later save');
  await fileSystemStore(root).write?.('other.bin', file('other'));
  expect(readdirSync(root).sort()).toEqual(['other.bin', 'shared.bin']);
});

test('a disk without room is asked before anything is written', async () => {
  const path = join(folder, 'not/there/yet/large.bin');
  let isAsked = false;
  const writeTo = async (): Promise<void> => {
    isAsked = true;
  };
  const writing = fileSystemStore().write?.(path, { byteLength: 2 ** 52, writeTo });
  await expect(writing).rejects.toMatchObject({ name: 'QuotaError', neededBytes: 2 ** 52 });
  await expect(writing).rejects.toThrow(/4503599627370496 bytes are needed, \d+ are free/);
  expect([isAsked, existsSync(join(folder, 'not'))]).toEqual([false, false]);
});

test('files that belong together are there together, or none of them is', async () => {
  const root = mkdtempSync(join(folder, 'together-'));
  const store = fileSystemStore(root);
  const files = (text: string, id: string): Map<string, ReturnType<typeof file>> =>
    new Map([
      [`shard-${id}.bin`, file(text)],
      ['model.json', file(`${text} ${id}`)],
    ]);
  await store.writeAll?.(files('one', '1'));
  const failing = store.writeAll?.(files('two', '2'), {
    replaced: ['shard-1.bin'],
    beforeSwap: async (written) => {
      expect(new TextDecoder().decode(await written.slice(0, 5))).toBe('two 2');
      expect(readdirSync(root)).toContain('shard-2.bin');
      throw new Error('not what was expected');
    },
  });
  await expect(failing).rejects.toThrow('not what was expected');
  expect(readdirSync(root).sort()).toEqual(['model.json', 'shard-1.bin']);
  await store.writeAll?.(files('two', '2'), { replaced: ['shard-1.bin'] });
  expect(readdirSync(root).sort()).toEqual(['model.json', 'shard-2.bin']);
});

test('folders below the root go with their last file, and the root stays', async () => {
  const root = mkdtempSync(join(folder, 'folders-'));
  const store = fileSystemStore(root);
  for (const key of ['a/b/1.bin', 'a/b/2.bin']) await store.write?.(key, file(key));
  await store.remove?.('a/b/1.bin');
  expect(readdirSync(join(root, 'a/b'))).toEqual(['2.bin']);
  await store.remove?.('a/b/2.bin');
  expect(readdirSync(root)).toEqual([]);
  // Without a root, folders are the user's own.
  await fileSystemStore().write?.(join(root, 'c/3.bin'), file('3'));
  await fileSystemStore().remove?.(join(root, 'c/3.bin'));
  expect(readdirSync(root)).toEqual(['c']);
});

test('a folder that somebody killed left empty goes with the next one beside it that is removed', async () => {
  const root = join(folder, 'left-empty');
  mkdirSync(join(root, 'versions/1'), { recursive: true });
  const store = fileSystemStore(root);
  await store.write?.('versions/2/a.bin', file('a'));
  await store.write?.('versions/3/a.bin', file('a'));
  await store.remove?.('versions/2/a.bin');
  expect(readdirSync(join(root, 'versions'))).toEqual(['3']);
});
