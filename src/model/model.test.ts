import { describe, expect, test } from 'vitest';
import { Tensor, tensor } from '../array/tensor.ts';
import { referenceBackend } from '../backends/reference/reference-backend.ts';
import { ELU } from '../layers/activations/rectifiers.ts';
import { Conv2D } from '../layers/convolutional/conv.ts';
import { Dense } from '../layers/core/dense.ts';
import { Embedding } from '../layers/core/embedding.ts';
import { Masking } from '../layers/core/masking.ts';
import { input } from '../layers/input-layer.ts';
import { clearSession } from '../layers/layer.ts';
import { Concatenate } from '../layers/merging/concatenate.ts';
import { Add } from '../layers/merging/merge.ts';
import { BatchNormalization } from '../layers/normalization/batch-normalization.ts';
import { GlobalAveragePooling2D } from '../layers/pooling/global-pooling.ts';
import { MaxPooling2D } from '../layers/pooling/pooling.ts';
import { Permute } from '../layers/reshaping/reshape.ts';
import { ZeroPadding2D } from '../layers/reshaping/zero-padding.ts';
import { Model } from './model.ts';
import type { PredictDataset } from './predict-batches.ts';
import { profileModel } from './profile-model.ts';
import { Sequential } from './sequential.ts';

const backend = referenceBackend();

/** Two inputs, one shared layer, a nested model: out = sum of both branches. */
function branched(): Model {
  const a = input({ shape: [2], name: 'a' });
  const b = input({ shape: [2], name: 'b' });
  const shared = new Dense({ units: 2, name: 'shared', kernelInitializer: 'ones' });
  const inner = new Sequential({
    layers: [new Dense({ units: 2, name: 'inner_dense', kernelInitializer: 'ones' })],
    name: 'inner',
  });
  const sum = new Add({ name: 'sum' }).apply([shared.apply(a), inner.apply(shared.apply(b))]);
  return new Model({ inputs: { a, b }, outputs: sum, name: 'branched' });
}

async function operationsOf(model: Model, shape: readonly number[]): Promise<string[]> {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const { kernels } = await profileModel(model, new Tensor(shape, 'float32', new Float32Array(size)), { repeats: 1 });
  return kernels.map(({ operation }) => operation);
}

/** Units of convolution, normalisation and activation, padded, joined, added and pooled. */
function convolutional(dataFormat: 'channels_first' | 'channels_last'): Model {
  const [axis, channels] = dataFormat === 'channels_first' ? [1, [3, 9, 8]] : [-1, [9, 8, 3]];
  const image = input({ shape: channels as number[] });
  const padded = new ZeroPadding2D({ padding: 1, dataFormat }).apply(image);
  const convolved = new Conv2D({ filters: 8, kernelSize: 3, dataFormat }).apply(padded);
  const normal = new BatchNormalization({ axis: axis as number, betaInitializer: 'ones' }).apply(convolved);
  const active = new ELU({ alpha: 0.5 }).apply(normal);
  const pointwise = new Conv2D({ filters: 8, kernelSize: 1, dataFormat, activation: 'gelu' }).apply(active);
  const sum = new Add().apply([active, pointwise]);
  const joined = new Concatenate({ axis: axis as number }).apply([sum, pointwise]);
  const pooled = new MaxPooling2D({ poolSize: 2, dataFormat }).apply(joined);
  return new Model({ inputs: image, outputs: new GlobalAveragePooling2D({ dataFormat }).apply(pooled) });
}

describe('Model', () => {
  test('computes channels that come first with the kernels for those that come last', async () => {
    const [first, last] = [convolutional('channels_first'), convolutional('channels_last')];
    last.setWeights(first.getWeights());
    const size = 2 * 9 * 8 * 3;
    const images = new Tensor(
      [2, 9, 8, 3],
      'float32',
      Float32Array.from({ length: size }, (_, i) => Math.sin(i * i)),
    );
    const turned = new Permute({ dims: [3, 1, 2] });
    const x = input({ shape: [9, 8, 3] });
    const turn = new Model({ inputs: x, outputs: turned.apply(x) });
    const found = await first.predict(await turn.predict(images));
    expect(found).toEqual(await last.predict(images));
    const [ofFirst, ofLast] = [await operationsOf(first, [2, 3, 9, 8]), await operationsOf(last, [2, 9, 8, 3])];
    const computing = (operations: readonly string[]): string[] => operations.filter((each) => each !== 'copy');
    expect(computing(ofFirst)).toEqual(computing(ofLast));
    // The input is turned, and one value more is joined.
    expect(ofFirst.length - computing(ofFirst).length).toBeLessThanOrEqual(2);
  });

  test('runs shared and nested layers on inputs by name', async () => {
    const output = await branched().predict({ a: [[1, 2]], b: [[3, 4]] }, { backend });
    // a: 1 + 2 = 3 in both units; b: 3 + 4 = 7 in both, then 14 in both.
    expect(output.toArray()).toEqual([[17, 17]]);
  });

  test('takes inputs as a list in the order of the inputs', async () => {
    const output = await branched().predict([tensor([[1, 2]]), tensor([[3, 4]])], { backend });
    expect(output.toArray()).toEqual([[17, 17]]);
  });

  test('refuses inputs that are missing or unknown', async () => {
    const run = branched().predict({ a: [[1, 2]], c: [[3, 4]] }, { backend });
    await expect(run).rejects.toThrow('Cannot predict: found inputs a, c, expected a, b');
  });

  test('refuses an input of another shape, with its name', async () => {
    const run = branched().predict({ a: [[1, 2, 3]], b: [[3, 4]] }, { backend });
    await expect(run).rejects.toThrow('input "a" has shape [1, 3], expected [null, 2]');
  });

  test('lists layers deepest first, inputs before what follows, as Keras does', () => {
    expect(branched().layers.map((layer) => layer.name)).toEqual(['a', 'b', 'shared', 'inner', 'sum']);
  });

  test('gives weights their paths, nested models included', () => {
    expect(branched().weights.map((variable) => variable.path)).toEqual([
      'shared/kernel',
      'shared/bias',
      'inner/inner_dense/kernel',
      'inner/inner_dense/bias',
    ]);
    expect(branched().countParams()).toBe(12);
  });

  test('cuts a model out of another and shares its weights', async () => {
    const whole = branched();
    const cut = new Model({ inputs: whole.inputs[0] ?? [], outputs: whole.getLayer('shared').output });
    expect(cut.weights[0]).toBe(whole.weights[0]);
    const output = await cut.predict(new Float32Array([1, 2, 3, 4]), { backend });
    expect(output.toArray()).toEqual([
      [3, 3],
      [7, 7],
    ]);
  });

  test('begins in the middle of another', async () => {
    const whole = branched();
    const middle = whole.getLayer('shared').calls[1]?.outputs[0] ?? whole.output;
    const tail = new Model({ inputs: middle, outputs: whole.getLayer('inner').calls[0]?.outputs[0] ?? [] });
    expect(tail.layers.map((layer) => layer.name)).toEqual(['inner']);
    expect((await tail.predict([[1, 1]], { backend })).toArray()).toEqual([[2, 2]]);
  });

  test('refuses outputs that depend on an input that is not given', () => {
    const whole = branched();
    expect(() => new Model({ inputs: whole.inputs[0] ?? [], outputs: whole.output })).toThrow(
      'the outputs depend on input "b", which is not among the inputs',
    );
  });

  test('refuses two layers of one name', () => {
    const x = input({ shape: [1] });
    const twice = new Dense({ units: 1, name: 'same' }).apply(new Dense({ units: 1, name: 'same' }).apply(x));
    expect(() => new Model({ inputs: x, outputs: twice })).toThrow('found two layers named "same"');
  });

  test('gets layers by name and by index, negative ones from the end', () => {
    const model = branched();
    expect(model.getLayer('shared').name).toBe('shared');
    expect(model.getLayer(-1).name).toBe('sum');
    expect(model.getLayer(2).name).toBe('shared');
    expect(() => model.getLayer('shered')).toThrow('did you mean "shared"?');
    expect(() => model.getLayer(9)).toThrow('the model has 5 layers');
  });

  test('sets all weights or none', async () => {
    const model = branched();
    const values = model
      .getWeights()
      .map((value) => new Tensor(value.shape, 'float32', new Float32Array(value.data.length)));
    model.setWeights(values);
    expect((await model.predict({ a: [[1, 2]], b: [[3, 4]] }, { backend })).toArray()).toEqual([[0, 0]]);
    const wrong = [tensor([[1, 1]]), ...values.slice(1)];
    expect(() => model.setWeights(wrong)).toThrow('"shared/kernel" is float32[2, 2], its value float32[1, 2]');
    expect(model.getWeights()[0]).toBe(values[0]);
  });

  test('runs any number of rows in batches, none included', async () => {
    const model = new Sequential({ layers: [new Dense({ units: 1, kernelInitializer: 'ones' })] });
    const rows = Float32Array.from({ length: 7 }, (_, index) => index);
    const done: number[] = [];
    const onProgress = (rowsDone: number): number => done.push(rowsDone);
    const output = await model.predict(tensor(rows, [7, 1]), { backend, batchSize: 3, onProgress });
    expect(output.data).toEqual(rows);
    expect(done).toEqual([3, 6, 7]);
    expect((await model.predict(tensor(new Float32Array(0), [0, 1]), { backend })).shape).toEqual([0, 1]);
  });

  test('predictOnBatch() runs more rows than a batch has', async () => {
    const model = new Sequential({ layers: [new Dense({ units: 1, kernelInitializer: 'ones' })] });
    const rows = Float32Array.from({ length: 70 }, (_, index) => index);
    const output = await model.predictOnBatch(tensor(rows, [70, 1]));
    expect(output.shape).toEqual([70, 1]);
    expect(output.data).toEqual(rows);
  });

  test('stops between batches when it is told to', async () => {
    const model = new Sequential({ layers: [new Dense({ units: 1 })] });
    const run = model.predict(tensor(new Float32Array(4), [4, 1]), {
      backend,
      signal: AbortSignal.abort(new Error('enough')),
    });
    await expect(run).rejects.toThrow('enough');
  });

  test('nests outputs as they were given', async () => {
    const x = input({ shape: [1], name: 'x' });
    const double = new Add().apply([x, x]);
    const model = new Model({ inputs: x, outputs: { once: x, twice: [double] } });
    const outputs = await model.predict<{ once: Tensor; twice: Tensor[] }>([[2]], { backend });
    expect(outputs.once.toArray()).toEqual([[2]]);
    expect(outputs.twice[0]?.toArray()).toEqual([[4]]);
  });
});

describe('Sequential', () => {
  test('takes a list of layers, as in Keras', () => {
    const layers = [new Dense({ units: 2, name: 'a' }), new Dense({ units: 1, name: 'b' })];
    expect(new Sequential(layers).layers.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  test('is built by its input layer, or by its first inputs', async () => {
    const model = new Sequential({ layers: [new Dense({ units: 2, kernelInitializer: 'ones' })] });
    expect(model.hasShape).toBe(false);
    expect(() => model.outputShape).toThrow('begin with an InputLayer');
    await model.predict([[1, 2, 3]], { backend });
    expect(model.outputShape).toEqual([null, 2]);
    model.add(new Dense({ units: 5 }));
    expect(model.outputShape).toEqual([null, 5]);
    expect(model.getLayer(0).calls).toHaveLength(1);
  });

  test('carries masks from layer to layer', () => {
    const x = input({ shape: [null] });
    const embedded = new Embedding({ inputDim: 5, outputDim: 2, maskZero: true });
    const model = new Sequential({ layers: [embedded, new Masking({ maskValue: 0 })] });
    const output = model.apply(x);
    expect(output.shape).toEqual([null, null, 2]);
  });
});

test('summary() prints the table of Keras', () => {
  clearSession();
  const text = branched().summary({ showTrainable: true, expandNested: true });
  expect(text).toMatchInlineSnapshot(`
    "Model: "branched"
    ┏━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━┳━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━┓
    ┃ Layer (type)          ┃ Output Shape ┃ Param # ┃ Connected to              ┃ Trainable ┃
    ┡━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━╇━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━┩
    │ a (InputLayer)        │ (None, 2)    │       0 │ -                         │ -         │
    ├───────────────────────┼──────────────┼─────────┼───────────────────────────┼───────────┤
    │ b (InputLayer)        │ (None, 2)    │       0 │ -                         │ -         │
    ├───────────────────────┼──────────────┼─────────┼───────────────────────────┼───────────┤
    │ shared (Dense)        │ (None, 2)    │       6 │ a[0][0], b[0][0]          │ Y         │
    ├───────────────────────┼──────────────┼─────────┼───────────────────────────┼───────────┤
    │ inner (Sequential)    │ (None, 2)    │       6 │ shared[1][0]              │ Y         │
    ├───────────────────────┼──────────────┼─────────┼───────────────────────────┼───────────┤
    │   inner_dense (Dense) │ (None, 2)    │       6 │ input_layer[0][0]         │ Y         │
    ├───────────────────────┼──────────────┼─────────┼───────────────────────────┼───────────┤
    │ sum (Add)             │ (None, 2)    │       0 │ shared[0][0], inner[0][0] │ -         │
    └───────────────────────┴──────────────┴─────────┴───────────────────────────┴───────────┘
     Total params: 12 (48.00 B)
     Trainable params: 12 (48.00 B)
     Non-trainable params: 0 (0.00 B)"
  `);
});

describe('predict takes datasets', () => {
  const model = new Sequential([new Dense({ units: 1, kernelInitializer: 'ones', useBias: false })]);
  const rows = [
    [
      [1, 2],
      [3, 4],
    ],
    [[5, 6]],
  ];
  async function* asynchronous(): AsyncGenerator<Tensor> {
    for (const batch of rows) yield tensor(batch);
  }

  test.each<[string, () => PredictDataset]>([
    ['a generator of batches as fit takes them', () => rows.map((x) => [x, [[0]]] as const).values()],
    ['an async generator of tensors', asynchronous],
    ['a function that makes one', () => asynchronous],
    ['a set of records', () => new Set(rows.map((x) => ({ x })))],
  ])('%s', async (_, make) => {
    expect((await model.predict(make(), { backend })).toArray()).toEqual([[3], [7], [11]]);
    expect((await model.predict(make(), { backend, steps: 1 })).toArray()).toEqual([[3], [7]]);
  });

  test('several outputs, and none at all', async () => {
    const x = input({ shape: [2], name: 'x' });
    const [a, b] = [
      new Dense({ units: 1, kernelInitializer: 'ones' }),
      new Dense({ units: 2, kernelInitializer: 'zeros' }),
    ];
    const two = new Model({ inputs: x, outputs: { a: a.apply(x), b: b.apply(x) } });
    const found = await two.predict<{ a: Tensor; b: Tensor }>(asynchronous(), { backend });
    expect([found.a.shape, found.b.shape]).toEqual([
      [3, 1],
      [3, 2],
    ]);
    await expect(model.predict(new Set(), { backend })).rejects.toThrow('found no batches');
  });
});
