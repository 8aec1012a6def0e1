/** TensorFlow.js and Hornet in one page: each finds the models that the other has saved. */
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {
  copyModel,
  indexedDbStore,
  listModels,
  loadModel,
  localStorageStore,
  modelInfo,
  moveModel,
  NotFoundError,
  QuotaError,
  removeModel,
  type Store,
} from 'hornet';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const INPUT = Float32Array.from({ length: 2 * 8 * 8 }, (_, index) => Math.sin(index));

function makeModel(): tfl.Sequential {
  return tfl.sequential({
    name: 'made_by_tfjs',
    layers: [
      tfl.layers.conv2d({ inputShape: [8, 8, 1], filters: 3, kernelSize: 3, activation: 'relu' }),
      tfl.layers.batchNormalization(),
      tfl.layers.flatten(),
      tfl.layers.dense({ units: 2, activation: 'softmax' }),
    ],
  });
}

async function predictTfjs(model: tfl.LayersModel): Promise<number[]> {
  const output = model.predict(tf.tensor4d(INPUT, [2, 8, 8, 1])) as tf.Tensor;
  return [...(await output.data())];
}

async function predictHornet(source: Parameters<typeof loadModel>[0]): Promise<number[]> {
  const model = await loadModel(source);
  return [...(await model.predict(INPUT)).data] as number[];
}

function expectClose(found: readonly number[], expected: readonly number[]): void {
  expect(found.length).toBe(expected.length);
  for (const [index, value] of found.entries()) expect(Math.abs(value - (expected[index] ?? 0))).toBeLessThan(1e-6);
}

const PLACES: readonly [string, () => Store][] = [
  ['localstorage://', () => localStorageStore({ layout: 'tensorflowjs' })],
  ['indexeddb://', () => indexedDbStore({ layout: 'tensorflowjs' })],
];

describe.each(PLACES)('%s', (scheme, tensorflowJsStore) => {
  const clear = async (): Promise<void> => {
    for (const address of Object.keys(await listModels(scheme))) await removeModel(address);
  };
  beforeEach(clear);
  afterEach(clear);

  test('Hornet finds what TensorFlow.js saved', async () => {
    const model = makeModel();
    model.setUserDefinedMetadata({ labels: ['a', 'b'] });
    await model.save(`${scheme}group/old model.v1`);
    const expected = await predictTfjs(model);
    expectClose(await predictHornet(`${scheme}group/old model.v1`), expected);
    const listed = await listModels(scheme);
    expect(Object.keys(listed)).toEqual([`${scheme}group/old model.v1`]);
    expect(listed[`${scheme}group/old model.v1`]).toMatchObject({ format: 'layers-model', weightCount: 8 });
    const info = (await tf.io.listModels())[`${scheme}group/old model.v1`];
    const found = await modelInfo(`${scheme}group/old model.v1`);
    expect(found.modifiedAt?.getTime()).toBe(new Date(info?.dateSaved ?? 0).getTime());
    expect(found.byteLength).toBeGreaterThan(info?.weightDataBytes ?? Number.POSITIVE_INFINITY);
    await expect(loadModel(`${scheme}none`)).rejects.toBeInstanceOf(NotFoundError);
  });

  test('TensorFlow.js finds what Hornet saved in its layout', async () => {
    await makeModel().save(`${scheme}start`);
    const model = await loadModel(`${scheme}start`);
    const expected = [...(await model.predict(INPUT)).data] as number[];
    const store = tensorflowJsStore();
    await model.save({ store, key: 'group/new' }, { format: 'layers-model', metadata: { labels: ['x'] } });
    const loaded = await tfl.loadLayersModel(`${scheme}group/new`);
    expectClose(await predictTfjs(loaded), expected);
    expect(loaded.getUserDefinedMetadata()).toEqual({ labels: ['x'] });
    const infos = await tf.io.listModels();
    const info = infos[`${scheme}group/new`];
    const theirs = infos[`${scheme}start`];
    expect(info).toMatchObject({ modelTopologyType: 'JSON', weightDataBytes: theirs?.weightDataBytes });
    expect(Math.abs(Date.now() - new Date(info?.dateSaved ?? 0).getTime())).toBeLessThan(60_000);
    expect(await predictHornet({ store, key: 'group/new' })).toEqual(expected);
    expect(await predictHornet(`${scheme}group/new`)).toEqual(expected);
    await tf.io.removeModel(`${scheme}group/new`);
    await expect(loadModel(`${scheme}group/new`)).rejects.toBeInstanceOf(NotFoundError);
  });

  test('of two models of one name, in either layout, the later one is loaded', async () => {
    const [first, second] = [makeModel(), makeModel()];
    await first.save(`${scheme}both`);
    const expected = await predictTfjs(first);
    await (await loadModel(`${scheme}both`)).save(`${scheme}both`);
    expect((await modelInfo(`${scheme}both`)).format).toBe('keras');
    expectClose(await predictHornet(`${scheme}both`), expected);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await second.save(`${scheme}both`);
    expect((await modelInfo(`${scheme}both`)).format).toBe('layers-model');
    expectClose(await predictHornet(`${scheme}both`), await predictTfjs(second));
    await removeModel(`${scheme}both`);
    await expect(loadModel(`${scheme}both`)).rejects.toBeInstanceOf(NotFoundError);
    expect(await tf.io.listModels()).not.toHaveProperty(`${scheme}both`);
  });

  test('models move out of and into its layout', async () => {
    const model = makeModel();
    await model.save(`${scheme}mine`);
    const expected = await predictTfjs(model);
    await moveModel(`${scheme}mine`, 'opfs://kept/model.json');
    expect(await tf.io.listModels()).not.toHaveProperty(`${scheme}mine`);
    expectClose(await predictHornet('opfs://kept/model.json'), expected);
    await copyModel('opfs://kept/model.json', { store: tensorflowJsStore(), key: 'back' });
    expectClose(await predictTfjs(await tfl.loadLayersModel(`${scheme}back`)), expected);
    await removeModel('opfs://kept/model.json');
  });

  test('a format that TensorFlow.js does not have is refused, and nothing is replaced', async () => {
    const model = makeModel();
    await model.save(`${scheme}mine`);
    const ours = await loadModel(`${scheme}mine`);
    const saving = ours.save({ store: tensorflowJsStore(), key: 'mine' }, { format: 'keras' });
    await expect(saving).rejects.toThrow("save with { format: 'layers-model' }");
    expectClose(await predictTfjs(await tfl.loadLayersModel(`${scheme}mine`)), await predictTfjs(model));
  });
});

test('a model that does not fit into localStorage leaves the old one there', async () => {
  const store = localStorageStore({ layout: 'tensorflowjs' });
  const small = makeModel();
  await small.save('localstorage://full');
  const large = tfl.sequential({ layers: [tfl.layers.dense({ inputShape: [1000], units: 1100 })] });
  await large.save('indexeddb://large');
  const model = await loadModel('indexeddb://large');
  const error = await model.save({ store, key: 'full' }, { format: 'layers-model' }).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(QuotaError);
  expect((error as QuotaError).freeBytes).toBeLessThan((error as QuotaError).neededBytes);
  expectClose(await predictTfjs(await tfl.loadLayersModel('localstorage://full')), await predictTfjs(small));
  await removeModel('localstorage://full');
  await removeModel('indexeddb://large');
});
