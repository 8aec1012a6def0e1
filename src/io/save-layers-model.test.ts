import { describe, expect, test } from 'vitest';
import { tensor } from '../array/tensor.ts';
import { bytesOfFile } from '../binary/byte-sink.ts';
import { UnsupportedError } from '../errors.ts';
import { Dense } from '../layers/core/dense.ts';
import { input } from '../layers/input-layer.ts';
import type { Layer } from '../layers/layer.ts';
import { BatchNormalization } from '../layers/normalization/batch-normalization.ts';
import { Bidirectional } from '../layers/rnn/bidirectional.ts';
import { LSTM, LSTMCell } from '../layers/rnn/lstm.ts';
import { RNN } from '../layers/rnn/rnn.ts';
import type { KerasModel } from '../model/keras-model.ts';
import { Model } from '../model/model.ts';
import { modelFromJSON } from '../serialization/build-model.ts';
import { memoryStore } from '../storage/memory-store.ts';
import type { Store } from '../storage/store.ts';
import { loadModel } from './load.ts';

function small(...layers: Layer[]): KerasModel {
  const x = input({ shape: [4], name: 'x' });
  const outputs = layers.reduce((value, layer) => layer.apply(value), x);
  return new Model({ inputs: x, outputs, name: 'small' });
}

const dense = (name = 'dense', units = 3): Layer => new Dense({ units, name, kernelInitializer: 'glorot_uniform' });

const bitsOf = (model: KerasModel): string[] =>
  model.getWeights().map(({ data }) => Buffer.from((data as Float32Array).buffer).toString('hex'));

const jsonOf = (files: ReadonlyMap<string, Uint8Array>, key = 'model.json') =>
  JSON.parse(new TextDecoder().decode(files.get(key))) as {
    readonly weightsManifest: readonly { paths: string[]; weights: { name: string }[] }[];
    readonly [key: string]: unknown;
  };

const namesOf = (files: ReadonlyMap<string, Uint8Array>): string[] =>
  jsonOf(files).weightsManifest.flatMap(({ weights }) => weights.map(({ name }) => name));

/** A store that cannot put several files in place at once. */
function oneByOne({ writeAll: _, ...store }: Store): Store {
  return store;
}

describe('saving as model.json', () => {
  test('the names are those that TensorFlow.js gives', async () => {
    const files = new Map<string, Uint8Array>();
    const x = input({ shape: [5, 4], name: 'x' });
    const inner = small(dense('inside', 4));
    const cells = [new LSTMCell({ units: 2, name: 'one' }), new LSTMCell({ units: 4, name: 'two' })];
    const last = new RNN({ cell: cells as never, name: 'stack' }).apply(
      new Bidirectional({ layer: new LSTM({ units: 2, name: 'lstm', returnSequences: true }), name: 'both' }).apply(x),
    );
    const model = new Model({ inputs: x, outputs: inner.apply(last), name: 'm' });
    const report = await model.save({ store: memoryStore(files), key: 'model.json' });
    expect(namesOf(files)).toEqual([
      'both/forward_lstm/kernel',
      'both/forward_lstm/recurrent_kernel',
      'both/forward_lstm/bias',
      'both/backward_lstm/kernel',
      'both/backward_lstm/recurrent_kernel',
      'both/backward_lstm/bias',
      'stack/RNNCell_0/kernel',
      'stack/RNNCell_0/recurrent_kernel',
      'stack/RNNCell_0/bias',
      'stack/RNNCell_1/kernel',
      'stack/RNNCell_1/recurrent_kernel',
      'stack/RNNCell_1/bias',
      'inside/kernel',
      'inside/bias',
    ]);
    expect(report).toMatchObject({ format: 'layers-model', needs: [], omitted: [], notInTensorflowJs: [] });
    const again = await loadModel({ store: memoryStore(files), key: 'model.json' });
    expect(bitsOf(again)).toEqual(bitsOf(model));
  });

  test('two layers of one name in nested models have their paths, and it is said', async () => {
    const files = new Map<string, Uint8Array>();
    const x = input({ shape: [4], name: 'x' });
    const nested = (name: string): Model => {
      const y = input({ shape: [4], name: `${name}_in` });
      return new Model({ inputs: y, outputs: dense('same', 4).apply(y), name });
    };
    const model = new Model({ inputs: x, outputs: nested('b').apply(nested('a').apply(x)), name: 'm' });
    const { notInTensorflowJs } = await model.save({ store: memoryStore(files), key: 'model.json' });
    expect(namesOf(files)).toEqual(['a/same/kernel', 'a/same/bias', 'b/same/kernel', 'b/same/bias']);
    expect(notInTensorflowJs).toEqual([
      'two weights that it names "same/kernel"',
      'two weights that it names "same/bias"',
    ]);
    expect(bitsOf(await loadModel({ store: memoryStore(files), key: 'model.json' }))).toEqual(bitsOf(model));
  });

  test('inputs and outputs by name come back by name', async () => {
    const store = memoryStore();
    const [a, b] = [input({ shape: [2], name: 'a' }), input({ shape: [2], name: 'b' })];
    const outputs = { sum: dense('one').apply(a), other: dense('two').apply(b) };
    await new Model({ inputs: { a, b }, outputs, name: 'm' }).save({ store, key: 'model.json' });
    const again = await loadModel({ store, key: 'model.json' });
    const found = await again.predict<Record<string, unknown> & never>({ a: tensor([[1, 2]]), b: tensor([[3, 4]]) });
    expect(Object.keys(found)).toEqual(['sum', 'other']);
  });

  test('a folder gets a model.json', async () => {
    const files = new Map<string, Uint8Array>();
    await small(dense()).save({ store: memoryStore(files), key: 'folder/' });
    expect(files.has('folder/model.json')).toBe(true);
    expect(files.size).toBe(2);
  });

  test('what was there before is replaced as a whole, and its files are removed', async () => {
    const files = new Map<string, Uint8Array>();
    const store = memoryStore(files);
    const key = 'model.json';
    await small(dense()).save({ store, key }, { shardSize: 16 });
    const before = [...files.keys()];
    files.set('other.txt', new Uint8Array(1));
    const model = small(dense());
    await model.save({ store, key }, { shardSize: 1000 });
    expect([...files.keys()].filter((name) => before.includes(name))).toEqual([key]);
    expect(files.size).toBe(3);
    expect(bitsOf(await loadModel({ store, key }))).toEqual(bitsOf(model));
  });

  test('a save that fails anywhere leaves the old model, and nothing of the new one', async () => {
    const files = new Map<string, Uint8Array>();
    const inner = memoryStore(files);
    const key = 'model.json';
    const old = small(dense());
    await old.save({ store: inner, key }, { shardSize: 16 });
    const before = [...files.keys()].sort();
    // The first write is a note of what is on the way, without which a save is as good.
    for (let allowed = 1; allowed < 6; allowed++) {
      let writes = 0;
      const store: Store = {
        ...oneByOne(inner),
        write: async (name, file) => {
          if (writes++ === allowed) throw new Error('the disk is full');
          await inner.write?.(name, file);
        },
      };
      await expect(small(dense()).save({ store, key }, { shardSize: 16 })).rejects.toThrow('the disk is full');
      expect([...files.keys()].sort()).toEqual(before);
      expect(bitsOf(await loadModel({ store: inner, key }))).toEqual(bitsOf(old));
    }
  });

  test('of two writers at once the one that completes last wins', async () => {
    const files = new Map<string, Uint8Array>();
    const inner = memoryStore(files);
    const models = [small(dense()), small(dense()), small(dense())] as const;
    const key = 'model.json';
    const slow: Store = {
      ...oneByOne(inner),
      write: async (name, file) => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        const bytes = await bytesOfFile(file);
        await new Promise((resolve) => setTimeout(resolve, 1));
        files.set(name, bytes);
      },
    };
    await Promise.all(models.map((model, index) => model.save({ store: slow, key }, { shardSize: 8 + 4 * index })));
    const found = bitsOf(await loadModel({ store: inner, key }));
    expect(models.map(bitsOf)).toContainEqual(found);
  });

  test('weights that training does not change are left out when asked', async () => {
    const files = new Map<string, Uint8Array>();
    const model = small(dense(), new BatchNormalization({ name: 'norm' }));
    await model.save({ store: memoryStore(files), key: 'model.json' }, { trainableOnly: true });
    expect(namesOf(files)).toEqual(['dense/kernel', 'dense/bias', 'norm/gamma', 'norm/beta']);
  });

  test('weights are quantized by pattern, the first that fits', async () => {
    const store = memoryStore();
    const model = small(dense('one'), dense('two'));
    const quantize = { '*/bias': 'float32', 'one/*': 'float16', '*': 'uint8' } as const;
    const { quantized } = await model.save({ store, key: 'model.json' }, { quantize });
    expect(quantized?.map(({ weight, dtype }) => [weight, dtype])).toEqual([
      ['one/kernel', 'float16'],
      ['two/kernel', 'uint8'],
    ]);
    const again = await loadModel({ store, key: 'model.json' });
    const [before, after] = [model.getWeights(), again.getWeights()].map((values) => values[2]?.data as Float32Array);
    const errors = Array.from(before ?? [], (value, index) => Math.abs(value - (after?.[index] ?? 0)));
    expect(Math.max(...errors)).toBe(quantized?.[1]?.largestError);
    await expect(model.save({ store, key: 'model.json' }, { quantize: { 'three/*': 'uint8' } })).rejects.toThrow(
      /no weight fits "three\/\*"/,
    );
  });
});

describe('options of save', () => {
  test.each(['a.keras', 'model.json'])('metadata go with %s, through loads and saves', async (key) => {
    const store = memoryStore();
    const metadata = { labels: ['a', 'b'], nested: { n: 1.5, none: null } };
    await small(dense()).save({ store, key }, { metadata });
    const again = await loadModel({ store, key });
    expect(again.userDefinedMetadata).toEqual(metadata);
    await again.save({ store, key });
    expect((await loadModel({ store, key })).userDefinedMetadata).toEqual(metadata);
  });

  test('metadata that are no JSON are refused', async () => {
    const save = (metadata: object): Promise<unknown> =>
      small(dense()).save({ store: memoryStore(), key: 'a.keras' }, { metadata: metadata as never });
    await expect(save({ f: () => 1 })).rejects.toThrow(UnsupportedError);
    await expect(save({ list: [Number.NaN] })).rejects.toThrow(/found NaN/);
  });

  test('a format without room says so', async () => {
    const model = small(dense());
    const destination = { store: memoryStore(), key: 'a.npz' };
    await expect(model.save(destination, { metadata: {} })).rejects.toThrow(/with the option metadata: only/);
    await expect(model.save({ ...destination, key: 'a.keras' }, { quantize: 'uint8' })).rejects.toThrow(
      UnsupportedError,
    );
    model.userDefinedMetadata = { a: 1 };
    expect((await model.save(destination)).omitted).toContainEqual(expect.stringMatching(/^the metadata of the model/));
  });

  test('nothing tells the time unless asked', async () => {
    const model = small(dense());
    const date = new Date(0);
    expect(Buffer.compare(await model.toBytes(), await model.toBytes())).toBe(0);
    const again = await loadModel(await model.toBytes({ date }));
    expect(again.name).toBe('small');
    const files = new Map<string, Uint8Array>();
    await model.save({ store: memoryStore(files), key: 'model.json' }, { date });
    expect(jsonOf(files).dateSaved).toBe('1970-01-01T00:00:00.000Z');
  });

  test.each(['a.keras', 'model.json', 'a.weights.h5'])('progress of %s grows from 0 to 1', async (key) => {
    const fractions: number[] = [];
    await small(dense('one', 300), dense('two', 200)).save(
      { store: memoryStore(), key },
      { onProgress: (fraction) => fractions.push(fraction) },
    );
    expect(fractions.length).toBeGreaterThan(2);
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
    expect(fractions.filter((fraction) => fraction === 1)).toHaveLength(1);
    expect(fractions[0]).toBeLessThan(1);
  });

  test('a save that is aborted leaves what was there before', async () => {
    for (const key of ['a.keras', 'model.json']) {
      const files = new Map<string, Uint8Array>();
      const store = memoryStore(files);
      await small(dense()).save({ store, key });
      const before = new Map(files);
      const controller = new AbortController();
      const reason = new Error('enough');
      const onProgress = (fraction: number): void => {
        if (fraction > 0.3) controller.abort(reason);
      };
      const save = small(dense()).save({ store, key }, { onProgress, signal: controller.signal });
      await expect(save).rejects.toBe(reason);
      expect(files).toEqual(before);
      await expect(small(dense()).save({ store, key }, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    }
  });
});

describe('a model in memory', () => {
  test('its artifacts are loaded as they are', async () => {
    const model = small(dense(), new BatchNormalization({ name: 'norm' }));
    model.userDefinedMetadata = { a: 1 };
    for (const options of [{}, { stream: true }]) {
      const artifacts = await model.toArtifacts(options);
      const again = await loadModel({ load: async () => artifacts });
      expect(bitsOf(again)).toEqual(bitsOf(model));
      expect(again.userDefinedMetadata).toEqual({ a: 1 });
    }
  });

  test('a save handler of TensorFlow.js takes it', async () => {
    const model = small(dense());
    let given: unknown;
    const save = async (artifacts: unknown): Promise<unknown> => {
      given = artifacts;
      return { modelArtifactsInfo: { modelTopologyType: 'JSON' } };
    };
    const report = await model.save({ save }, { quantize: 'uint8' });
    expect(report).toMatchObject({
      format: 'layers-model',
      handlerResult: { modelArtifactsInfo: { modelTopologyType: 'JSON' } },
      quantized: [{ weight: 'dense/kernel' }, { weight: 'dense/bias' }],
    });
    expect(given).toMatchObject({ format: 'layers-model', weightSpecs: [{ name: 'dense/kernel' }, {}] });
    await expect(model.save({ save }, { format: 'keras' })).rejects.toThrow(UnsupportedError);
  });

  test('its JSON makes the same model with fresh weights', async () => {
    const model = small(dense());
    const again = await modelFromJSON(await model.toJSON());
    expect(await again.toJSON()).toBe(await model.toJSON());
    expect(() => JSON.stringify({ model })).toThrow(/use "await model.toJSON\(\)"/);
  });
});
