import { describe, expect, test } from 'vitest';
import {
  Checkpoints,
  callbacks,
  Dense,
  InputLayer,
  loadModel,
  memoryStore,
  modelInfo,
  readArtifacts,
  Sequential,
  tensor,
} from '../index.ts';
import { decodeMetrics, encodeMetrics } from './saved-metrics.ts';
import { GENERATED_BY } from './version.ts';

const X = [[0], [1], [2], [3]];
const Y = [[1], [3], [5], [7]];

function make(): Sequential {
  const layers = [new InputLayer({ batchShape: [null, 1] }), new Dense({ units: 1, kernelInitializer: 'ones' })];
  const model = new Sequential({ layers, name: 'measured' });
  model.compile({ optimizer: 'sgd', loss: 'mse', metrics: ['mae'] });
  return model;
}

async function trained(): Promise<Sequential> {
  const model = make();
  await model.fit(X, Y, { epochs: 2, validationData: [X, Y] });
  return model;
}

const NAMES = ['loss', 'mae', 'val_loss', 'val_mae'];

describe('what a training measured last', () => {
  test.each(['m.keras', 'm.h5', 'model.json'])('is saved in %s, and loaded, and saved again', async (key) => {
    const model = await trained();
    expect(Object.keys(model.trainingLogs ?? {})).toEqual(NAMES);
    const store = memoryStore();
    await model.save({ store, key });
    const { metrics, generatedBy } = await modelInfo({ store, key });
    expect([metrics, generatedBy]).toEqual([model.trainingLogs, GENERATED_BY]);
    const loaded = await loadModel({ store, key });
    expect(loaded.trainingLogs).toEqual(model.trainingLogs);
    await loaded.save({ store, key: `again/${key}` });
    expect((await loadModel({ store, key: `again/${key}` })).trainingLogs).toEqual(model.trainingLogs);
  });

  test.each(['w.weights.h5', 'w.h5', 'w.weights.json', 'w.safetensors'])('is saved with weights in %s', async (key) => {
    const model = await trained();
    const store = memoryStore();
    await model.saveWeights({ store, key }, { metadata: { of: 'weights' }, date: new Date(0) });
    const artifacts = await readArtifacts({ store, key });
    expect(artifacts.userDefinedMetadata).toEqual({ of: 'weights' });
    expect(artifacts.metadata).toMatchObject({
      generated_by: GENERATED_BY,
      date_saved: '1970-01-01T00:00:00.000Z',
      metrics: model.trainingLogs,
    });
    const other = make();
    await other.loadWeights({ store, key });
    expect(other.trainingLogs).toEqual(model.trainingLogs);
  });

  test('is told to be lost where a format has no room', async () => {
    const model = await trained();
    const { omitted } = await model.saveWeights({ store: memoryStore(), key: 'w.npz' });
    expect(omitted).toEqual(['what its training measured, which the format has no room for']);
    const save = model.saveWeights({ store: memoryStore(), key: 'w.npz' }, { metrics: { loss: 1 } });
    await expect(save).rejects.toThrow(/with the option metrics: only/);
  });

  test('changes no byte from one save to the next, and may be left out or replaced', async () => {
    const model = await trained();
    expect(await model.toBytes()).toEqual(await model.toBytes());
    const store = memoryStore();
    await model.save({ store, key: 'none.keras' }, { metrics: {} });
    await model.save({ store, key: 'own.keras' }, { metrics: { f1: 0.5 } });
    expect((await readArtifacts({ store, key: 'none.keras' })).metadata).toEqual({
      keras_version: '3.15.1',
      generated_by: GENERATED_BY,
      date_saved: null,
    });
    expect((await modelInfo({ store, key: 'own.keras' })).metrics).toEqual({ f1: 0.5 });
  });

  test('is that of the epoch, for callbacks that save at its end', async () => {
    const store = memoryStore();
    const { history } = await make().fit(X, Y, {
      epochs: 3,
      callbacks: [new callbacks.ModelCheckpoint({ store, key: '{epoch}.keras' })],
    });
    const losses = ['1.keras', '2.keras', '3.keras'].map(
      async (key) => (await modelInfo({ store, key })).metrics?.loss,
    );
    expect(await Promise.all(losses)).toEqual(history.loss);
  });

  test('is that of the weights which a callback has brought back', async () => {
    const model = make();
    const stop = new callbacks.EarlyStopping({ monitor: 'loss', mode: 'max', patience: 1, restoreBestWeights: true });
    const { history } = await model.fit(X, Y, { epochs: 5, callbacks: [stop] });
    expect(history.loss?.length).toBe(2);
    expect(model.trainingLogs?.loss).toBe(history.loss?.[0]);
  });

  test('goes into the index of checkpoints, unless they are told otherwise', async () => {
    const model = await trained();
    const versions = new Checkpoints(memoryStore());
    expect((await versions.save(model, { step: 1 })).metrics).toEqual(model.trainingLogs);
    expect((await versions.save(model, { step: 2, metrics: { loss: 9 }, format: 'npz' })).metrics).toEqual({ loss: 9 });
    expect(await versions.find('best')).toMatchObject({ step: 1 });
  });

  test('is that of a batch, when one was trained on', async () => {
    const model = make();
    const logs = await model.trainOnBatch([[1]], [[2]]);
    expect(model.trainingLogs).toEqual(logs);
    model.setWeights([tensor([[2]]), tensor([1])]);
    expect((await model.toArtifacts()).metrics).toEqual(logs);
  });
});

test('numbers without digits are texts, so that all readers of JSON take them', () => {
  const logs = { loss: Number.NaN, f1: [1, Number.POSITIVE_INFINITY] };
  const encoded = encodeMetrics(logs);
  expect(encoded).toEqual({ loss: 'NaN', f1: [1, 'Infinity'] });
  expect(decodeMetrics(encoded)).toEqual(logs);
});

test('what others have put under the key is left out', () => {
  expect(decodeMetrics({ a: 1, b: 'good', c: ['x'], d: null })).toEqual({ a: 1 });
  expect([decodeMetrics('accuracy'), decodeMetrics({}), encodeMetrics({})]).toEqual([undefined, undefined, undefined]);
});
