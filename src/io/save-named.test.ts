/** Weights by name and in shards: what is saved is loaded, to the bit. */
import { describe, expect, test } from 'vitest';
import { tensor } from '../array/tensor.ts';
import { UnsupportedError } from '../errors.ts';
import { Dense } from '../layers/core/dense.ts';
import { input } from '../layers/input-layer.ts';
import { BatchNormalization } from '../layers/normalization/batch-normalization.ts';
import { StringLookup } from '../layers/preprocessing/string-lookup.ts';
import { Bidirectional } from '../layers/rnn/bidirectional.ts';
import { GRU } from '../layers/rnn/gru.ts';
import type { KerasModel } from '../model/keras-model.ts';
import { Model } from '../model/model.ts';
import { Sequential } from '../model/sequential.ts';
import { memoryStore } from '../storage/memory-store.ts';
import { readArtifacts } from './read-artifacts.ts';
import type { SaveFormat } from './save-formats.ts';

/** Two nested models that are alike, so that names alone tell their weights. */
function make(): KerasModel {
  const inner = (name: string): Model => {
    const x = input({ shape: [4], name: `${name}_x` });
    const normalized = new BatchNormalization({ name: 'bn' }).apply(new Dense({ units: 4, name: 'd' }).apply(x));
    return new Model({ inputs: x, outputs: normalized, name });
  };
  const x = input({ shape: [3, 4], name: 'x' });
  const sequence = new Bidirectional({ layer: new GRU({ units: 2, name: 'gru' }), name: 'both' }).apply(x);
  return new Model({ inputs: x, outputs: inner('second').apply(inner('first').apply(sequence)), name: 'm' });
}

const valuesOf = (model: KerasModel): unknown[] => model.getWeights().map(({ data, shape }) => [shape, data]);

describe.each<[SaveFormat, string]>([
  ['safetensors', 'w.safetensors'],
  ['npz', 'w.npz'],
  ['weights.json', 'w.weights.json'],
  ['h5-weights', 'w.h5'],
  ['weights.h5', 'w.weights.h5'],
])('%s', (format, key) => {
  test('weights are loaded into a model that is there', async () => {
    const [from, to] = [make(), make()];
    const store = memoryStore();
    expect(await from.saveWeights({ store, key })).toEqual({ format, needs: [], omitted: [] });
    expect((await to.loadWeights({ store, key })).renamed).toEqual([]);
    expect(valuesOf(to)).toEqual(valuesOf(from));
  });

  test('the same weights give the same file', async () => {
    const model = make();
    const stores = [new Map<string, Uint8Array>(), new Map<string, Uint8Array>()];
    for (const files of stores) await model.saveWeights({ store: memoryStore(files), key });
    const names = stores.map((files) =>
      [...files.keys()].filter((name) => name !== 'w.weights.json' && !/_[0-9a-f]{16}_/.test(name)),
    );
    expect(names[0]).toEqual(names[1]);
    for (const name of names[0] ?? []) {
      expect(Buffer.compare(stores[0]?.get(name) ?? Buffer.of(), stores[1]?.get(name) ?? Buffer.of(1))).toBe(0);
    }
  });

  test('what it has no room for is told', async () => {
    const lookup = new StringLookup({ name: 'lookup' });
    lookup.setVocabulary(['a']);
    const x = input({ shape: [1], dtype: 'string', name: 'x' });
    const model = new Model({ inputs: x, outputs: lookup.apply(x) });
    const { omitted } = await model.saveWeights({ store: memoryStore(), key });
    expect(omitted).toEqual([expect.stringContaining('vocabulary.txt of layer "lookup", which a .')]);
  });
});

test('safetensors: what there is to say about a model', async () => {
  const store = memoryStore();
  const metadata = { labels: ['a', 'ö'], depth: { of: 1 } };
  await make().save({ store, key: 'w.safetensors' }, { metadata, date: new Date(0) });
  const artifacts = await readArtifacts({ store, key: 'w.safetensors' });
  expect(artifacts).toMatchObject({ format: 'safetensors', kerasVersion: '3.15.1', userDefinedMetadata: metadata });
  expect(artifacts.metadata).toMatchObject({ model_name: 'm', date_saved: '1970-01-01T00:00:00.000Z' });
});

test.each(['w.safetensors', 'w.npz'])(
  '%s: trainable weights alone, under the names that they have with the others',
  async (key) => {
    const store = memoryStore();
    const [from, to] = [make(), make()];
    from.layers[1]?.children.forEach((layer) => {
      layer.trainable = false;
    });
    await from.saveWeights({ store, key }, { trainableOnly: true });
    const { missing } = await to.loadWeights({ store, key }, { strict: false });
    expect(missing).toEqual(from.nonTrainableWeights.map(({ path }) => path));
    expect(missing).toContain('second/bn/moving_mean');
  },
);

describe('shards', () => {
  const dense = (): KerasModel =>
    new Sequential({
      layers: [
        input({ shape: [8], name: 'x' }).call.layer,
        ...[1, 2, 3].map((n) => new Dense({ units: 8, name: `d${n}` })),
      ],
    });

  test('hold no more than they may, and one group may be in several', async () => {
    const files = new Map<string, Uint8Array>();
    const store = memoryStore(files);
    const [from, to] = [dense(), dense()];
    await from.save({ store, key: 'a/w.weights.json' }, { shardSize: 300 });
    const table = JSON.parse(new TextDecoder().decode(files.get('a/w.weights.json'))) as { weight_map: object };
    expect(Object.values(table.weight_map).map((names: string[]) => names.length)).toEqual([1, 1, 1]);
    expect(files.size).toBe(1 + 1 + 3);
    await to.loadWeights({ store, key: 'a/w.weights.json' });
    expect(valuesOf(to)).toEqual(valuesOf(from));
    // A kernel fills a shard, so that its bias is in another.
    await from.save({ store, key: 'a/w.weights.json' }, { shardSize: 256 });
    expect([...files.keys()].filter((name) => name.endsWith('.weights.h5'))).toHaveLength(1 + 6);
    to.setWeights(
      to.getWeights().map(({ shape }) => tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape)),
    );
    await to.loadWeights({ store, key: 'a/w.weights.json' });
    expect(valuesOf(to)).toEqual(valuesOf(from));
  });

  test('hold the state of the optimizer', async () => {
    const store = memoryStore();
    const [from, to] = [dense(), dense()];
    const [x, y] = [tensor([[1, 2, 3, 4, 5, 6, 7, 8]]), tensor([[1, 1, 1, 1, 1, 1, 1, 1]])];
    for (const model of [from, to]) {
      model.compile({ optimizer: 'adam', loss: 'mse' });
      await model.trainOnBatch(x, y);
    }
    await from.save({ store, key: 'w.weights.json' }, { shardSize: 256 });
    await to.loadWeights({ store, key: 'w.weights.json' });
    for (const model of [from, to]) await model.trainOnBatch(x, y);
    expect(valuesOf(to)).toEqual(valuesOf(from));
  });

  test('an array that is larger than a shard is refused by name', async () => {
    const saved = dense().save({ store: memoryStore(), key: 'w.weights.json' }, { shardSize: 100 });
    await expect(saved).rejects.toThrow('"d1/kernel" in shards: it has 256 bytes, expected at most 100');
  });

  test('a save that fails leaves what was there', async () => {
    const files = new Map<string, Uint8Array>();
    const store = memoryStore(files);
    const [from, to] = [dense(), dense()];
    await from.save({ store, key: 'w.weights.json' }, { shardSize: 300 });
    const names = [...files.keys()].sort();
    const { writeAll: _, ...plain } = { writeAll: undefined, ...store };
    let writes = 0;
    const failing = {
      ...plain,
      write: async (key: string, file: Parameters<NonNullable<typeof store.write>>[1]) => {
        if (++writes === 3) throw new RangeError('full');
        await store.write?.(key, file);
      },
    };
    await expect(dense().save({ store: failing, key: 'w.weights.json' }, { shardSize: 300 })).rejects.toThrow('full');
    expect([...files.keys()].sort()).toEqual(names);
    await to.loadWeights({ store, key: 'w.weights.json' });
    expect(valuesOf(to)).toEqual(valuesOf(from));
  });

  test('are of one format alone', async () => {
    await expect(dense().save({ store: memoryStore(), key: 'w.npz' }, { shardSize: 1 })).rejects.toThrow(
      UnsupportedError,
    );
  });
});
