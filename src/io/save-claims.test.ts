import { expect, test } from 'vitest';
import { failingStore, Interruption } from '../../test/support/failing-store.ts';
import {
  copyModel,
  Dense,
  InputLayer,
  listModels,
  loadModel,
  memoryStore,
  removeModel,
  Sequential,
  type Store,
} from '../index.ts';

const KEY = 'models/model.json';

/** A store that puts files in place one by one, as servers and folders do. */
function plainStore(files: Map<string, Uint8Array>): Store {
  const { writeAll: _, ...store } = memoryStore(files);
  return store;
}

function modelOf(value: number): Sequential {
  const layers = [new InputLayer({ batchShape: [null, 3] }), new Dense({ units: 2, kernelInitializer: 'ones' })];
  const model = new Sequential({ layers });
  for (const weight of model.weights) weight.value.data.fill(value);
  return model;
}

async function valueIn(store: Store, key = KEY): Promise<number> {
  const values = new Set(
    (await loadModel({ store, key })).getWeights().flatMap(({ data }) => [...(data as Float32Array)]),
  );
  expect(values.size).toBe(1);
  return [...values][0] as number;
}

/** Makes all notes those of a process that was before this one. */
function killWriters(files: Map<string, Uint8Array>): number {
  const notes = [...files].filter(([key]) => key.endsWith('.saving'));
  for (const [key, bytes] of notes) {
    files.delete(key);
    const before = (Date.now() - 48 * 3_600_000).toString(36);
    files.set(key.replace(/\.[0-9a-z]{8,9}(-[^.]*\.saving)$/, `.${before}$1`), bytes);
  }
  return notes.length;
}

/** The files that model.json names, and itself. */
function filesOf(files: ReadonlyMap<string, Uint8Array>, key = KEY): string[] {
  const { weightsManifest } = JSON.parse(new TextDecoder().decode(files.get(key))) as {
    weightsManifest: { paths: string[] }[];
  };
  return [...weightsManifest.flatMap(({ paths }) => paths.map((path) => `models/${path}`)), key].sort();
}

test.each([false, true])(
  'the next save removes what one has left that was killed at any step (done: %s)',
  async (afterwards) => {
    const before = new Map<string, Uint8Array>();
    await modelOf(1).save({ store: plainStore(before), key: KEY }, { shardSize: 10 });
    await modelOf(9).save({ store: plainStore(before), key: 'models/other.json' }, { shardSize: 10 });
    const others = filesOf(before, 'models/other.json');
    let kept = 0;
    for (let at = 0; ; at++) {
      const files = new Map(before);
      const interruption = new Interruption({ at, forGood: true, afterwards });
      const store = failingStore(plainStore(files), interruption);
      await modelOf(2)
        .save({ store, key: KEY }, { shardSize: 10 })
        .catch(() => {});
      kept += killWriters(files);
      expect([1, 2]).toContain(await valueIn(plainStore(files)));
      expect(Object.keys(await listModels(plainStore(files)))).toEqual([KEY, 'models/other.json']);
      await modelOf(3).save({ store: plainStore(files), key: KEY }, { shardSize: 10 });
      expect([...files.keys()].sort()).toEqual([...filesOf(files), ...others].sort());
      expect([await valueIn(plainStore(files)), await valueIn(plainStore(files), 'models/other.json')]).toEqual([3, 9]);
      if (interruption.steps <= at) break;
    }
    expect(kept).toBeGreaterThan(5);
  },
);

test('the next removal does, too, and a copy leaves nothing either', async () => {
  const files = new Map<string, Uint8Array>();
  const store = plainStore(files);
  await modelOf(1).save({ store, key: KEY }, { shardSize: 10 });
  const interruption = new Interruption({ at: 9, forGood: true, afterwards: false });
  const copy = copyModel({ store, key: KEY }, { store: failingStore(store, interruption), key: 'models/copy.json' });
  await expect(copy).rejects.toThrow('interrupted');
  expect(killWriters(files)).toBe(1);
  expect(files.size).toBeGreaterThan(filesOf(files).length + 1);
  await removeModel({ store, key: KEY });
  expect([...files.keys()]).toEqual([]);
});

test('a writer that is at work keeps what it has written, and one that failed leaves nothing', async () => {
  const files = new Map<string, Uint8Array>();
  const store = plainStore(files);
  let others: Promise<unknown> | undefined;
  const slow: Store = {
    ...store,
    write: async (key, file) => {
      await store.write?.(key, file);
      others ??= modelOf(2).save({ store, key: 'models/other.json' }, { shardSize: 10 });
      await others;
    },
  };
  await modelOf(1).save({ store: slow, key: KEY }, { shardSize: 10 });
  expect([await valueIn(store), await valueIn(store, 'models/other.json')]).toEqual([1, 2]);
  const all = [...filesOf(files), ...filesOf(files, 'models/other.json')].sort();
  expect([...files.keys()].sort()).toEqual(all);
  const failing: Store = {
    ...store,
    write: async (key, file) => {
      if (key === KEY) throw new Error('no');
      await store.write?.(key, file);
    },
  };
  await expect(modelOf(3).save({ store: failing, key: KEY }, { shardSize: 10 })).rejects.toThrow('no');
  expect([...files.keys()].sort()).toEqual(all);
});

test('a note that is none, or leads elsewhere, removes nothing', async () => {
  const files = new Map<string, Uint8Array>([
    ['models/precious.txt', new Uint8Array(1)],
    ['precious.txt', new Uint8Array(1)],
  ]);
  const store = plainStore(files);
  const id = `${(Date.now() - 48 * 3_600_000).toString(36)}-abc`;
  const note = (text: string): void => void files.set(`${KEY}.${id}.saving`, new TextEncoder().encode(text));
  for (const text of ['{"added":["precious', '[]', '{"added":["../precious.txt","/precious.txt",7]}']) {
    note(text);
    await modelOf(1).save({ store, key: KEY });
    expect([...files.keys()].sort()).toEqual([...filesOf(files), 'models/precious.txt', 'precious.txt'].sort());
  }
});

test('a save over shards of Keras, whose first has the name that every table has, leaves the old or the new ones', async () => {
  const key = 'w.weights.json';
  const first = 'w_00000.weights.h5';
  const before = new Map<string, Uint8Array>();
  await modelOf(1).saveWeights({ store: plainStore(before), key }, { shardSize: 24 });
  const shard = [...before.keys()].find((name) => name.endsWith('_00001.weights.h5')) as string;
  const table = new TextDecoder().decode(before.get(key)).replaceAll(shard, first);
  before.set(key, new TextEncoder().encode(table));
  before.set(first, before.get(shard) as Uint8Array);
  before.delete(shard);
  const loadedValue = async (store: Store): Promise<number> => {
    const model = modelOf(0);
    await model.loadWeights({ store, key });
    return model.weights[0]?.value.data[0] as number;
  };
  expect(await loadedValue(plainStore(before))).toBe(1);
  const found: number[] = [];
  for (let at = 0; ; at++) {
    const files = new Map(before);
    const interruption = new Interruption({ at, forGood: true, afterwards: false });
    const store = failingStore(plainStore(files), interruption);
    await modelOf(2)
      .saveWeights({ store, key }, { shardSize: 24 })
      .catch(() => {});
    expect(files.has(first)).toBe(true);
    found.push(await loadedValue(plainStore(files)));
    if (interruption.steps <= at) break;
  }
  expect(found).toEqual(found.toSorted((a, b) => a - b));
  expect([found[0], found.at(-1)]).toEqual([1, 2]);
});
