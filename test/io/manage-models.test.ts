/** Listing, describing, copying, moving and removing models; and that nothing is lost when that is interrupted. */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  copyModel,
  Dense,
  fileSystemStore,
  type KerasModel,
  keyValueStore,
  listModels,
  loadModel,
  memoryStore,
  modelInfo,
  moveModel,
  NotFoundError,
  removeModel,
  Sequential,
  type Store,
  UnsupportedError,
} from 'hornet';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { type Failure, failingStore, Interruption } from '../support/failing-store.ts';

const root = mkdtempSync(join(tmpdir(), 'manage-'));
afterAll(() => rmSync(root, { recursive: true }));
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(root, 'test-'));
});

/** A model whose weights are all the same number, so that a mixture shows. */
function modelOf(value: number): KerasModel {
  const model = new Sequential({ layers: [new Dense({ units: 3, name: 'a' }), new Dense({ units: 2, name: 'b' })] });
  model.build([[null, 4]]);
  for (const weight of model.weights) weight.value.data.fill(value);
  return model;
}

/** The number, once every weight has been found to be it. */
async function valueAt(store: Store, key: string): Promise<number> {
  const model = await loadModel({ store, key });
  const values = new Set(model.getWeights().flatMap(({ data }) => [...(data as Float32Array)]));
  expect(values.size).toBe(1);
  return [...values][0] as number;
}

async function valueOrNone(store: Store, key: string): Promise<number | undefined> {
  try {
    return await valueAt(store, key);
  } catch (error) {
    if (error instanceof NotFoundError && error.key === key) return undefined;
    throw error;
  }
}

/** A layers-model of two shards, as others write it: their names are the same for every model. */
async function saveShards(store: Store, key: string, value: number): Promise<void> {
  const parts = memoryStore();
  await modelOf(value).save({ store: parts, key: 'model.json' }, { format: 'layers-model' });
  const json = JSON.parse(new TextDecoder().decode(await bytesAt(parts, 'model.json'))) as {
    weightsManifest: { paths: string[]; sha256?: unknown }[];
  };
  const [group] = json.weightsManifest;
  const [shard] = group?.paths ?? [];
  const weights = await bytesAt(parts, String(shard));
  const paths = ['group1-shard1of2.bin', 'group1-shard2of2.bin'];
  const files: [string, Uint8Array][] = [
    [paths[0] as string, weights.slice(0, 30)],
    [paths[1] as string, weights.slice(30)],
    [
      key.slice(key.lastIndexOf('/') + 1),
      new TextEncoder().encode(JSON.stringify({ ...json, weightsManifest: [{ ...group, sha256: undefined, paths }] })),
    ],
  ];
  const below = key.slice(0, key.lastIndexOf('/') + 1);
  for (const [name, bytes] of files) {
    await store.write?.(below + name, {
      byteLength: bytes.byteLength,
      writeTo: async (sink) => await sink.write(bytes),
    });
  }
}

async function bytesAt(store: Store, key: string): Promise<Uint8Array> {
  const file = await store.open(key);
  return await file.slice(0, file.byteLength);
}

describe('listModels() and modelInfo()', () => {
  test('tell format, size, date and weights of every model in a folder, and of nothing else', async () => {
    const store = fileSystemStore(folder);
    await modelOf(1).save(join(folder, 'a.keras'));
    await modelOf(2).save(join(folder, 'deep/b.h5'));
    await modelOf(3).saveWeights(join(folder, 'c.weights.h5'));
    await saveShards(store, 'd/model.json', 4);
    writeFileSync(join(folder, 'labels.json'), '["x"]');
    writeFileSync(join(folder, 'settings.json'), '{"a":1}');
    writeFileSync(join(folder, 'notes.txt'), 'text');
    writeFileSync(join(folder, 'broken.keras'), 'PK\x03\x04 and nothing more');
    const models = await listModels(folder);
    expect(Object.keys(models).sort()).toEqual(
      ['a.keras', 'broken.keras', 'c.weights.h5', 'd/model.json', 'deep/b.h5'].map((name) => join(folder, name)),
    );
    const found = models[join(folder, 'a.keras')];
    expect(found).toMatchObject({ format: 'keras', weightCount: 4, parameterCount: 23 });
    expect(Math.abs(Date.now() - (found?.modifiedAt?.getTime() ?? 0))).toBeLessThan(60_000);
    expect(models[join(folder, 'deep/b.h5')]).toMatchObject({ format: 'hdf5', parameterCount: 23 });
    expect(models[join(folder, 'c.weights.h5')]).toMatchObject({ format: 'weights.h5', weightCount: 4 });
    const shards = models[join(folder, 'd/model.json')];
    expect(shards).toMatchObject({ format: 'layers-model', weightCount: 4 });
    expect(shards?.byteLength).toBe((await bytesAt(store, 'd/model.json')).byteLength + 23 * 4);
    expect(models[join(folder, 'broken.keras')]).toMatchObject({ format: undefined, byteLength: 21 });
    expect(models[join(folder, 'broken.keras')]?.problem).toContain('broken.keras');
    // Keys of a store, addresses of a folder: each is what loadModel takes.
    expect(Object.keys(await listModels(store)).sort()).toContain('deep/b.h5');
    expect(Object.keys(await listModels({ store, key: 'deep' }))).toEqual(['deep/b.h5']);
    expect((await loadModel(join(folder, 'deep/b.h5'))).countParams()).toBe(23);
    expect(await modelInfo(join(folder, 'a.keras'))).toEqual(found);
  });

  test('fail where there is nothing, or nothing can be listed', async () => {
    await expect(listModels(join(folder, 'none'))).rejects.toBeInstanceOf(NotFoundError);
    await expect(modelInfo(join(folder, 'none.keras'))).rejects.toBeInstanceOf(NotFoundError);
    await expect(listModels({ name: 'blind', open: memoryStore().open })).rejects.toBeInstanceOf(UnsupportedError);
    expect(await listModels()).toEqual({});
  });
});

describe('copyModel(), moveModel() and removeModel()', () => {
  test('copy between stores, and convert nothing', async () => {
    const store = memoryStore();
    await modelOf(1).save(join(folder, 'a.keras'));
    const info = await copyModel(join(folder, 'a.keras'), { store, key: 'copies/' });
    expect(info).toMatchObject({ format: 'keras', parameterCount: 23 });
    expect(await valueAt(store, 'copies/a.keras')).toBe(1);
    await expect(copyModel(join(folder, 'a.keras'), { store, key: 'a.h5' })).rejects.toThrow(
      'load the model and save it to convert it',
    );
    await expect(copyModel(join(folder, 'none.keras'), { store, key: 'b.keras' })).rejects.toBeInstanceOf(
      NotFoundError,
    );
    expect(await store.list?.()).toEqual(['copies/a.keras']);
  });

  test('no file of another model is replaced, though its shards have the same names', async () => {
    const store = fileSystemStore(folder);
    await saveShards(store, 'one/model.json', 1);
    await saveShards(store, 'two/model.json', 2);
    for (const name of ['one', 'two'])
      await copyModel(join(folder, name, 'model.json'), join(folder, `all/${name}.json`));
    await copyModel(join(folder, 'one/model.json'), join(folder, 'two/model-1.json'));
    expect(
      await Promise.all(
        ['all/one.json', 'all/two.json', 'two/model.json', 'two/model-1.json'].map((key) => valueAt(store, key)),
      ),
    ).toEqual([1, 2, 2, 1]);
    // A copy over a model takes its shards with it, and nobody else's.
    await copyModel(join(folder, 'one/model.json'), join(folder, 'all/two.json'));
    expect([await valueAt(store, 'all/one.json'), await valueAt(store, 'all/two.json')]).toEqual([1, 1]);
    expect(readdirSync(join(folder, 'all')).length).toBe(6);
    await removeModel(join(folder, 'all/one.json'));
    expect(readdirSync(join(folder, 'all')).length).toBe(3);
    expect(await valueAt(store, 'all/two.json')).toBe(1);
  });

  test('a shard that two models name is not removed with one of them', async () => {
    const store = memoryStore();
    await saveShards(store, 'm/model.json', 1);
    await saveShards(store, 'm/other.json', 1);
    await removeModel({ store, key: 'm/model.json' });
    expect(await valueAt(store, 'm/other.json')).toBe(1);
    await removeModel({ store, key: 'm/other.json' });
    expect(await store.list?.()).toEqual([]);
    await expect(removeModel({ store, key: 'm/other.json' })).rejects.toBeInstanceOf(NotFoundError);
  });

  test('weights in shards go with the one that Keras opens first, under the name that it looks for', async () => {
    const files = new Map<string, Uint8Array>();
    const store = memoryStore(files);
    await modelOf(1).saveWeights({ store, key: 'a/w.weights.json' }, { shardSize: 100 });
    const count = files.size;
    expect(Object.keys(await listModels(store))).toEqual(['a/w.weights.json']);
    await copyModel({ store, key: 'a/w.weights.json' }, { store, key: 'b/copy.weights.json' });
    expect(Object.keys(await listModels(store))).toEqual(['a/w.weights.json', 'b/copy.weights.json']);
    expect([files.size, files.has('b/copy_00000.weights.h5')]).toEqual([2 * count, true]);
    await moveModel({ store, key: 'b/copy.weights.json' }, { store, key: 'c/copy.weights.json' });
    await removeModel({ store, key: 'a/w.weights.json' });
    expect([...files.keys()].filter((key) => !key.startsWith('c/'))).toEqual([]);
    const model = modelOf(2);
    await model.loadWeights({ store, key: 'c/copy.weights.json' });
    expect(new Set(model.getWeights().flatMap(({ data }) => [...(data as Float32Array)]))).toEqual(new Set([1]));
    await removeModel({ store, key: 'c/copy.weights.json' });
    expect(files.size).toBe(0);
  });

  test('move, also onto itself, by whatever path', async () => {
    const [a, b] = [join(folder, 'a.keras'), join(folder, 'b.keras')];
    await modelOf(1).save(a);
    await moveModel(a, b);
    expect([existsSync(a), existsSync(b)]).toEqual([false, true]);
    await moveModel(b, join(folder, 'sub/../b.keras').replace('sub/../', './'));
    await moveModel(b, new URL(`file://${b}`));
    await moveModel(b, { store: fileSystemStore(folder), key: 'b.keras' });
    expect(await valueAt(fileSystemStore(), b)).toBe(1);
    const store = memoryStore();
    await saveShards(store, 'm/model.json', 2);
    await moveModel({ store, key: 'm/model.json' }, { store, key: 'n/model.json' });
    expect(await valueAt(store, 'n/model.json')).toBe(2);
    expect(await store.list?.('m')).toEqual([]);
  });

  test('a move onto itself loses nothing, though the store was made twice', async () => {
    const [bytes, values] = [new Map<string, Uint8Array>(), new Map<string, unknown>()];
    for (const make of [() => memoryStore(bytes), () => keyValueStore(values)]) {
      await saveShards(make(), 'm/model.json', 3);
      await moveModel({ store: make(), key: 'm/model.json' }, { store: make(), key: 'm/model.json' });
      expect(await valueAt(make(), 'm/model.json')).toBe(3);
    }
  });

  test('the original stays when the copy cannot be read', async () => {
    const store = memoryStore();
    await modelOf(1).save({ store, key: 'a.keras' });
    const sink: Store = { ...memoryStore(), write: async () => {} };
    await expect(moveModel({ store, key: 'a.keras' }, { store: sink, key: 'a.keras' })).rejects.toThrow(
      'the original is where it was',
    );
    expect(await valueAt(store, 'a.keras')).toBe(1);
  });

  test('names that lead elsewhere are not followed', async () => {
    const table = {
      modelTopology: {},
      weightsManifest: [{ paths: ['../outside.bin', '/etc/passwd', 'C:x'], weights: [] }],
    };
    const store = fileSystemStore(join(folder, 'inside'));
    const bytes = new TextEncoder().encode(JSON.stringify(table));
    await store.write?.('model.json', {
      byteLength: bytes.byteLength,
      writeTo: async (sink) => await sink.write(bytes),
    });
    writeFileSync(join(folder, 'outside.bin'), 'precious');
    await removeModel({ store, key: 'model.json' });
    expect(existsSync(join(folder, 'outside.bin'))).toBe(true);
  });

  test('progress comes to its end, and a signal ends a copy', async () => {
    const store = memoryStore();
    await saveShards(store, 'm/model.json', 1);
    const fractions: number[] = [];
    const target = { store, key: 'n/model.json' };
    await copyModel({ store, key: 'm/model.json' }, target, { onProgress: (fraction) => fractions.push(fraction) });
    expect(fractions.at(-1)).toBe(1);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    await saveShards(store, 'm/model.json', 2);
    const signal = AbortSignal.abort(new Error('not wanted'));
    await expect(copyModel({ store, key: 'm/model.json' }, target, { signal })).rejects.toThrow('not wanted');
    expect(await valueAt(store, 'n/model.json')).toBe(1);
  });
});

/** Stores that put files in place one by one, several as one, and in many parts; over a map, so that each is soon made. */
const STORES: Readonly<Record<string, (values: Map<string, unknown>) => Store>> = {
  'a store of files': (values) => {
    const { writeAll: _, ...store } = memoryStore(values as Map<string, Uint8Array>);
    return store;
  },
  'a store that writes several as one': (values) => memoryStore(values as Map<string, Uint8Array>),
  'a key-value store': (values) => keyValueStore(values, { partBytes: 1000 }),
};

const MODES: readonly Omit<Failure, 'at'>[] = [
  { forGood: false, afterwards: false },
  { forGood: false, afterwards: true },
  { forGood: true, afterwards: false },
  { forGood: true, afterwards: true },
];

describe.each(Object.entries(STORES))('over %s that fails at every possible step', (_, makeStore) => {
  describe.each(['m/model.json', 'm/a.keras'])('a model %s', (key) => {
    test.each(MODES)('is never lost, nor what is at the destination: %j', async (mode) => {
      const saved = async (value: number): Promise<Map<string, unknown>> => {
        const values = new Map<string, unknown>();
        const store = makeStore(values);
        if (key.endsWith('.json')) await saveShards(store, key, value);
        else await modelOf(value).save({ store, key });
        return values;
      };
      const [one, two] = [await saved(1), await saved(2)];
      let interrupted = 0;
      for (const run of [copyModel, moveModel]) {
        for (let at = 0; ; at++) {
          const [source, target] = [makeStore(new Map(one)), makeStore(new Map(two))];
          const interruption = new Interruption({ ...mode, at });
          const from = { store: failingStore(source, interruption), key };
          const to = { store: failingStore(target, interruption), key };
          const error = await run(from, to).catch((cause: unknown) => cause);
          const [left, right] = [await valueOrNone(source, key), await valueOrNone(target, key)];
          if (run === copyModel) expect(left).toBe(1);
          expect([1, 2]).toContain(right);
          // It is where it was, or where it should be.
          expect(left === 1 || right === 1).toBe(true);
          if (interruption.steps <= at) {
            expect(error).toMatchObject({ parameterCount: 23 });
            expect([left, right]).toEqual([run === copyModel ? 1 : undefined, 1]);
            break;
          }
          interrupted++;
        }
      }
      expect(interrupted).toBeGreaterThan(15);
    });
  });
});
