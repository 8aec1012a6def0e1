import { describe, expect, test } from 'vitest';
import { tensor } from '../array/tensor.ts';
import { bytesFile } from '../binary/ranged-file.ts';
import { openHdf5 } from '../formats/hdf5/open-hdf5.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import { LeakyReLU } from '../layers/activations/rectifiers.ts';
import { Dense } from '../layers/core/dense.ts';
import { input } from '../layers/input-layer.ts';
import type { Layer } from '../layers/layer.ts';
import { Add } from '../layers/merging/merge.ts';
import { BatchNormalization } from '../layers/normalization/batch-normalization.ts';
import { TextVectorization } from '../layers/preprocessing/text-vectorization.ts';
import { Bidirectional } from '../layers/rnn/bidirectional.ts';
import { LSTM } from '../layers/rnn/lstm.ts';
import type { KerasModel } from '../model/keras-model.ts';
import { Model } from '../model/model.ts';
import { Sequential } from '../model/sequential.ts';
import * as ops from '../ops/public.ts';
import { modelFromJSON } from '../serialization/build-model.ts';
import { encodeModel } from '../serialization/encode-model.ts';
import { memoryStore } from '../storage/memory-store.ts';
import { Adam } from '../training/optimizers/adam.ts';
import { loadModel } from './load.ts';

function chain(name: string, shape: number[], ...layers: Layer[]): Model {
  const x = input({ shape, name: `${name}_x` });
  return new Model({ inputs: x, outputs: layers.reduce((value, layer) => layer.apply(value), x), name });
}

const valuesOf = (model: KerasModel): unknown[] => model.getWeights().map(({ data, shape }) => [shape, data]);

async function attributeOf(bytes: Uint8Array, path: string, name: string): Promise<unknown> {
  const root = await openHdf5(bytesFile(bytes));
  return await (path === '' ? root : await root.group(path)).attribute(name);
}

async function expectRoundTrip(model: KerasModel): Promise<KerasModel> {
  const bytes = await model.toBytes({ format: 'h5' });
  const loaded = await loadModel(bytes);
  expect(loaded.loadReport).toMatchObject({
    format: 'hdf5',
    missing: [],
    unexpected: [],
    renamed: [],
    unknownKeys: [],
  });
  expect(valuesOf(loaded)).toEqual(valuesOf(model));
  expect((await encodeModel(loaded, { inlineAssets: true })).topology).toEqual(
    (await encodeModel(model, { inlineAssets: true })).topology,
  );
  expect(Buffer.compare(await loaded.toBytes({ format: 'h5' }), bytes)).toBe(0);
  return loaded;
}

async function reportOf(model: KerasModel): Promise<{ omitted: readonly string[]; keras3Only?: readonly string[] }> {
  return await model.save({ store: memoryStore(), key: 'model.h5' });
}

/** The configuration of a layer in the file. */
async function configOf(model: KerasModel, name: string): Promise<Record<string, unknown>> {
  const text = (await attributeOf(await model.toBytes({ format: 'h5' }), '', 'model_config')) as string;
  const { config } = JSON.parse(text) as { config: { layers: { config: Record<string, unknown> }[] } };
  return config.layers.find((layer) => layer.config.name === name) as never;
}

describe('a whole model', () => {
  test('nested models called several times, some of their layers frozen', async () => {
    const normalization = new BatchNormalization({ name: 'bn' });
    const graph = chain('graph', [3], normalization, new Dense({ units: 3, name: 'd' }));
    normalization.trainable = false;
    const row = new Sequential({ layers: [chain('inner', [3], new Dense({ units: 3, name: 'd' }))], name: 'row' });
    const x = input({ shape: [3], name: 'x' });
    const [once, twice] = [graph.apply(x), row.apply(graph.apply(row.apply(x)))];
    const sum = new Add({ name: 'sum' }).apply([once, twice]);
    const model = new Model({ inputs: x, outputs: { sum, other: row.apply(sum), again: graph.apply(sum) }, name: 'm' });
    const loaded = await expectRoundTrip(model);
    const inputs = tensor([[1, -2, 3]]);
    expect(await loaded.predict(inputs)).toEqual(await model.predict(inputs));
    // A reader of the order of the arrays alone gets them right when it freezes what the configuration freezes.
    expect(await attributeOf(await model.toBytes({ format: 'h5' }), 'model_weights/graph', 'weight_names')).toEqual([
      'graph/d/kernel',
      'graph/d/bias',
      ...['gamma', 'beta', 'moving_mean', 'moving_variance'].map((name) => `graph/bn/${name}`),
    ]);
  });

  test('calls of nested models are listed twice, so that both ways of counting meet', async () => {
    const inner = chain('inner', [3], new Dense({ units: 3, name: 'd' }));
    const x = input({ shape: [3], name: 'x' });
    const outputs = new Dense({ units: 1, name: 'head' }).apply(inner.apply(inner.apply(x)));
    const model = new Model({ inputs: x, outputs });
    expect(await configOf(model, 'inner')).toMatchObject({
      inbound_nodes: [[['x', 0, 0, {}]], [['x', 0, 0, {}]], [['inner', 1, 0, {}]], [['inner', 1, 0, {}]]],
    });
    expect(await configOf(model, 'head')).toMatchObject({ inbound_nodes: [[['inner', 3, 0, {}]]] });
    await expectRoundTrip(model);
  });

  test('in the words of Keras 2 where they differ', async () => {
    const inner = new LSTM({ units: 2, activation: 'silu', returnSequences: true });
    const model = chain(
      'm',
      [4, 3],
      new Bidirectional({ layer: inner, name: 'b' }),
      new LeakyReLU({ name: 'l', negativeSlope: 0.1 }),
    );
    expect(await reportOf(model)).toMatchObject({ omitted: [], keras3Only: [] });
    expect(await configOf(model, 'l')).toMatchObject({ config: { alpha: 0.1 } });
    expect(await configOf(model, 'b')).toMatchObject({ config: { layer: { config: { activation: 'swish' } } } });
    expect(await configOf(model, 'm_x')).toMatchObject({ config: { batch_input_shape: [null, 4, 3] } });
    await expectRoundTrip(model);
  });

  test('in the words of Keras 3 where Keras 2 has none, which the report tells', async () => {
    const x = input({ shape: [4, 3], name: 'x' });
    const start = new Dense({ units: 2, name: 'd', activation: 'hard_sigmoid' }).apply(
      input({ shape: [3], name: 'y' }),
    );
    const outputs = new LSTM({ units: 2, name: 'lstm' }).apply([x, start, start]);
    const model = new Model({ inputs: [x, start.call.inputs[0] as never], outputs });
    expect(await reportOf(model)).toMatchObject({
      keras3Only: ['layer "d": the activation hard_sigmoid', 'layer "lstm": its call with several arguments'],
    });
    await expectRoundTrip(model);
  });

  test('a vocabulary is in the configuration', async () => {
    const layer = new TextVectorization({ name: 't', outputMode: 'tf_idf' });
    layer.lookup.setVocabulary(['a', 'é\nb'], [0.5, 2]);
    const x = input({ shape: [1], dtype: 'string', name: 'x' });
    const model = new Model({ inputs: x, outputs: layer.apply(x) });
    expect(await reportOf(model)).toMatchObject({ omitted: [], keras3Only: [] });
    const loaded = await loadModel(await model.toBytes({ format: 'h5' }));
    const text = tensor(['a a zz'], [1, 1], 'string');
    expect(await loaded.predict(text)).toEqual(await model.predict(text));
  });

  test('more names than an attribute holds are split', async () => {
    const names = Array.from({ length: 700 }, (_, index) => `${'long'.repeat(30)}_${index}`);
    const layers = names.map((name) => new Dense({ units: 1, name, useBias: false }));
    const model = new Sequential({ layers: [input({ shape: [1], name: 'x' }).call.layer, ...layers] });
    const bytes = await model.toBytes({ format: 'h5' });
    const parts = await Promise.all([0, 1, 2].map((part) => attributeOf(bytes, 'model_weights', `layer_names${part}`)));
    expect(parts[2]).toBeUndefined();
    expect(parts.slice(0, 2).flat()).toEqual(names);
    await expectRoundTrip(model);
  });
});

describe('for the other Keras', () => {
  const ofKeras2 = async (): Promise<KerasModel> =>
    await modelFromJSON({
      class_name: 'Sequential',
      keras_version: '2.15.0',
      config: [{ class_name: 'Dense', config: { units: 2, activation: 'hard_sigmoid', batch_input_shape: [null, 3] } }],
    });

  test('a function that has another name there has it in the file', async () => {
    const model = await ofKeras2();
    const store = memoryStore();
    expect(await model.save({ store, key: 'a.h5' })).toMatchObject({ needs: ['hard_sigmoid_keras2'] });
    expect(await model.save({ store, key: 'b.h5' }, { kerasVersion: 2 })).toMatchObject({ needs: [] });
    for (const key of ['a.h5', 'b.h5']) {
      const x = tensor([[1, -2, 3]]);
      expect(await (await loadModel({ store, key })).predict(x)).toEqual(await model.predict(x));
    }
  });

  test('a function of the author goes by its name', async () => {
    const customObjects = { mine: ([x]: readonly SymbolicTensor[]) => ops.square(x as SymbolicTensor) };
    const model = await modelFromJSON(
      {
        class_name: 'Sequential',
        config: { layers: [{ class_name: 'Dense', config: { units: 2, activation: 'mine', batch_shape: [null, 3] } }] },
      },
      { customObjects },
    );
    const store = memoryStore();
    expect(await model.save({ store, key: 'a.h5' })).toMatchObject({ needs: ['mine'], keras3Only: [] });
    const x = tensor([[1, -2, 3]]);
    const loaded = await loadModel({ store, key: 'a.h5' }, { customObjects });
    expect(await loaded.predict(x)).toEqual(await model.predict(x));
  });

  test('what Keras 2 does not have is an error', async () => {
    const model = chain('m', [3], new Dense({ units: 2, name: 'd', activation: 'hard_sigmoid' }));
    const saved = model.save({ store: memoryStore(), key: 'a.h5' }, { kerasVersion: 2 });
    await expect(saved).rejects.toThrow('for Keras 2: found layer "d": the activation hard_sigmoid');
  });

  test('a training goes on from the state of the optimizer as tf_keras has it', async () => {
    const model = chain('m', [3], new Dense({ units: 1, name: 'd' }));
    model.compile({ optimizer: new Adam({ learningRate: 0.1 }), loss: 'mse', metrics: ['mae'] });
    const [x, y] = [tensor([[1, -2, 3]]), tensor([[1]])];
    await model.trainOnBatch(x, y);
    const bytes = await model.toBytes({ format: 'h5', kerasVersion: 2 });
    expect(await attributeOf(bytes, 'optimizer_weights', 'weight_names')).toEqual([
      'iteration:0',
      ...['kernel', 'bias'].flatMap((name) => ['m', 'v'].map((slot) => `Adam/${slot}/d/${name}:0`)),
    ]);
    expect(await attributeOf(bytes, '', 'training_config')).toContain('"class_name":"Custom>Adam"');
    const loaded = await loadModel(bytes);
    for (const each of [model, loaded]) await each.trainOnBatch(x, y);
    expect(valuesOf(loaded)).toEqual(valuesOf(model));
    const without = await model.toBytes({ format: 'h5', includeOptimizer: false });
    expect(await attributeOf(without, '', 'training_config')).toBeUndefined();
  });

  test('for Keras 3 the optimizer is in the file without its state, which is told', async () => {
    const model = chain('m', [3], new Dense({ units: 1, name: 'd' }));
    model.compile({ optimizer: 'adam', loss: 'mse' });
    const { omitted } = await reportOf(model);
    expect(omitted).toEqual([
      expect.stringContaining('the state of the optimizer, with which Keras 3 could not train'),
    ]);
    const bytes = await model.toBytes({ format: 'h5' });
    expect(await attributeOf(bytes, '', 'training_config')).toContain('"class_name":"Adam"');
    await expect(attributeOf(bytes, 'optimizer_weights', 'weight_names')).rejects.toThrow('optimizer_weights');
  });
});

test('weights alone, in order', async () => {
  const make = (name: string): KerasModel =>
    chain(name, [3], new Dense({ units: 2, name: `${name}_d` }), new BatchNormalization({ name: `${name}_n` }));
  const [from, to] = [make('a'), make('b')];
  const store = memoryStore();
  expect(await from.saveWeights({ store, key: 'w.h5' })).toEqual({ format: 'h5-weights', needs: [], omitted: [] });
  await to.loadWeights({ store, key: 'w.h5' });
  expect(valuesOf(to)).toEqual(valuesOf(from));
});
