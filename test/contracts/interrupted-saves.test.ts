/** Saves into a table of keys and values that is interrupted at every possible step: the old model or the new one. */
import { type KeyValueTable, keyValueStore, localStorageStore, QuotaError, type Store } from 'hornet';
import { describe, expect, test } from 'vitest';
import { type Failure, InterruptedError, Interruption } from '../support/failing-store.ts';
import { FakeStorage } from '../support/fake-storage.ts';
import { complete, contentOf, expectBytes, patternBytes, pieces } from './store-contract.ts';

type WritableFile = Parameters<NonNullable<Store['write']>>[1];

const PART_BYTES = 1000;

/** A model of several files, whose bytes tell which version it is; a later one has fewer shards. */
function modelFiles(version: number): Map<string, WritableFile> {
  return new Map(
    [...(version === 1 ? ['m/shard2.bin'] : []), 'm/shard1.bin', 'm/model.json'].map((key) => [
      key,
      pieces(patternBytes(2500, version)),
    ]),
  );
}

function interrupted(values: Map<string, unknown>, interruption: Interruption): KeyValueTable {
  const step = async <T>(run: () => T): Promise<T> => await interruption.run(async () => run());
  return {
    get: (key) => step(() => values.get(key)),
    set: (key, value) => step(() => values.set(key, value)),
    delete: (key) => step(() => values.delete(key)),
    keys: () => step(() => [...values.keys()]),
  };
}

const MODES: readonly Omit<Failure, 'at'>[] = [
  { forGood: false, afterwards: false },
  { forGood: false, afterwards: true },
  { forGood: true, afterwards: false },
  { forGood: true, afterwards: true },
];

describe.each(MODES)('a table of keys and values that fails at every possible step: %j', (mode) => {
  const runAll = async (
    act: (store: Store) => Promise<unknown>,
    check: (store: Store, error: unknown, values: Map<string, unknown>) => Promise<void>,
  ): Promise<number> => {
    const before = new Map<string, unknown>();
    const store = keyValueStore(before, { partBytes: PART_BYTES });
    await store.writeAll?.(modelFiles(1));
    await store.write?.('other.bin', pieces(patternBytes(1500, 9)));
    for (let at = 0; ; at++) {
      const values = new Map(before);
      const interruption = new Interruption({ ...mode, at });
      const table = interrupted(values, interruption);
      const error = await act(keyValueStore(table, { partBytes: PART_BYTES })).catch((cause: unknown) => cause);
      const afterwards = keyValueStore(values, { partBytes: PART_BYTES });
      await check(afterwards, error, values);
      expectBytes(await contentOf(afterwards, 'other.bin'), patternBytes(1500, 9));
      if (interruption.steps <= at) return at;
    }
  };

  test('a model of several files is the old one or the new one, and can be saved again', async () => {
    const steps = await runAll(
      async (store) => await store.writeAll?.(modelFiles(2)),
      async (store, error) => {
        expect(error === undefined || error instanceof InterruptedError).toBe(true);
        const version = (await contentOf(store, 'm/model.json'))[0] === patternBytes(1, 2)[0] ? 2 : 1;
        if (error === undefined) expect(version).toBe(2);
        for (const key of ['m/model.json', 'm/shard1.bin', ...(version === 1 ? ['m/shard2.bin'] : [])]) {
          expectBytes(await contentOf(store, key), patternBytes(2500, version));
        }
        await store.writeAll?.(modelFiles(3));
        for (const key of ['m/model.json', 'm/shard1.bin']) {
          expectBytes(await contentOf(store, key), patternBytes(2500, 3));
        }
        expect((await store.list?.())?.sort()).toEqual(['m/model.json', 'm/shard1.bin', 'other.bin']);
      },
    );
    expect(steps).toBeGreaterThan(20);
  });

  test('a file that is replaced is the old one or the new one, its neighbours as they were', async () => {
    const steps = await runAll(
      async (store) => await store.write?.('m/shard1.bin', pieces(patternBytes(1700, 5))),
      async (store) => {
        const found = await contentOf(store, 'm/shard1.bin');
        expectBytes(found, found.byteLength === 1700 ? patternBytes(1700, 5) : patternBytes(2500, 1));
        for (const key of ['m/model.json', 'm/shard2.bin']) {
          expectBytes(await contentOf(store, key), patternBytes(2500, 1));
        }
      },
    );
    expect(steps).toBeGreaterThan(10);
  });

  test('a file that is removed is there, whole, or gone', async () => {
    const steps = await runAll(
      async (store) => await store.remove?.('m/model.json'),
      async (store) => {
        const keys = (await store.list?.()) ?? [];
        if (keys.includes('m/model.json')) {
          expectBytes(await contentOf(store, 'm/model.json'), patternBytes(2500, 1));
        }
        expectBytes(await contentOf(store, 'm/shard1.bin'), patternBytes(2500, 1));
      },
    );
    expect(steps).toBeGreaterThan(3);
  });
});

test('what a writer left behind a day ago is removed by the next save, what it replaced at once', async () => {
  const values = new Map<string, unknown>();
  const store = complete(keyValueStore(values));
  const id = (hoursAgo: number): string => `${(Date.now() - hoursAgo * 3_600_000).toString(36)}-abc`;
  values.set(`hornet/parts/${id(25)}/0/0`, new Uint8Array(10));
  values.set(`hornet/parts/${id(1)}/0/0`, new Uint8Array(10));
  await store.write('a.bin', pieces(patternBytes(100, 1)));
  await store.write('a.bin', pieces(patternBytes(100, 2)));
  expect([...values.keys()].filter((key) => key.includes('parts/')).length).toBe(2);
  expect([...values.keys()].some((key) => key.includes('-abc'))).toBe(true);
  await store.remove('a.bin');
  expect([...values.keys()].filter((key) => !key.includes('-abc'))).toEqual([]);
});

test('localStorage that is full says how much is needed and free, and keeps what it has', async () => {
  const storage = new FakeStorage(1_000_000);
  storage.setItem('settings', 'x'.repeat(100_000));
  const store = complete(localStorageStore({ storage }));
  await store.write('a.bin', pieces(patternBytes(300_000, 1)));
  const error = await store.write('a.bin', pieces(patternBytes(400_000, 2))).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(QuotaError);
  const { neededBytes, freeBytes = 0 } = error as QuotaError;
  expect(neededBytes).toBe(400_000);
  expect(freeBytes).toBeGreaterThan(350_000);
  expect(freeBytes).toBeLessThan(375_000);
  expectBytes(await contentOf(store, 'a.bin'), patternBytes(300_000, 1));
  await store.write('a.bin', pieces(patternBytes(freeBytes - 2000, 3)));
  expectBytes(await contentOf(store, 'a.bin'), patternBytes(freeBytes - 2000, 3));
});
