/** Several writers of one model at once, in stores of every kind: the last complete one is there, and nothing else. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  Dense,
  fileSystemStore,
  InputLayer,
  keyValueStore,
  loadModel,
  memoryStore,
  Sequential,
  type Store,
} from '../index.ts';
import { filesOfModel } from './model-files.ts';

const KEY = 'models/model.json';

const ROUNDS = 12;

function modelOf(value: number): Sequential {
  const layers = [new InputLayer({ batchShape: [null, 3] }), new Dense({ units: 2, kernelInitializer: 'ones' })];
  const model = new Sequential({ layers });
  for (const weight of model.weights) weight.value.data.fill(value);
  return model;
}

/** Numbers from 0 to 1 that follow from a seed. */
function numbersFrom(seed: number): () => number {
  let state = seed + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** A store whose steps take their time, each another one, so that writers overtake one another. */
function unevenStore(store: Store, next: () => number): Store {
  const wait = async <T>(run: () => Promise<T>): Promise<T> => {
    await new Promise((resolve) => setTimeout(resolve, next() * 3));
    const result = await run();
    await new Promise((resolve) => setTimeout(resolve, next() * 3));
    return result;
  };
  const { write, writeAll, list, remove } = store;
  return {
    ...store,
    open: async (key, options) => await wait(async () => await store.open(key, options)),
    ...(write && { write: async (key, file, options) => await wait(async () => await write(key, file, options)) }),
    ...(writeAll && { writeAll: async (files, options) => await wait(async () => await writeAll(files, options)) }),
    ...(list && { list: async (folder) => await wait(async () => await list(folder)) }),
    ...(remove && { remove: async (key) => await wait(async () => await remove(key)) }),
  };
}

function oneByOne({ writeAll: _, ...store }: Store): Store {
  return store;
}

const STORES: Readonly<Record<string, (folder: string) => Store>> = {
  memory: () => memoryStore(),
  'one that puts files in place one by one': () => oneByOne(memoryStore()),
  'a table of keys and values': () => {
    const values = new Map<string, unknown>();
    const pause = async (): Promise<void> => await new Promise((resolve) => setTimeout(resolve, Math.random()));
    return keyValueStore({
      get: async (key) => values.get(key),
      set: async (key, value) => {
        await pause();
        values.set(key, value);
      },
      delete: async (key) => void values.delete(key),
      keys: async () => [...values.keys()],
    });
  },
  'a folder': (folder) => fileSystemStore(folder),
};

test.each(Object.entries(STORES))('writers of one model leave in %s what the last one named', async (_, make) => {
  const folder = await mkdtemp(join(tmpdir(), 'writers-'));
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const next = numbersFrom(round);
      const inner = make(join(folder, String(round)));
      const store = unevenStore(inner, next);
      await modelOf(9).save({ store: inner, key: KEY }, { shardSize: 8 });
      await Promise.all(
        [1, 2, 3].map(async (value) => {
          await new Promise((resolve) => setTimeout(resolve, next() * 10));
          await modelOf(value).save({ store, key: KEY }, { shardSize: 8 * value });
        }),
      );
      const values = (await loadModel({ store: inner, key: KEY })).getWeights().flatMap(({ data }) => [...data]);
      expect(new Set(values).size).toBe(1);
      const { beside } = await filesOfModel({ store: inner, key: KEY });
      const expected = [KEY, ...beside.map((name) => `models/${name}`)];
      expect((await inner.list?.())?.sort(), `round ${round}`).toEqual(expected.sort());
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
