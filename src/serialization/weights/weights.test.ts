import { describe, expect, test } from 'vitest';
import { type Shape, sizeOf } from '../../array/shape.ts';
import { Tensor } from '../../array/tensor.ts';
import { referenceBackend } from '../../backends/reference/reference-backend.ts';
import type { NamedWeights, PathWeights, WeightEntry, Weights } from '../../formats/artifacts.ts';
import { MultiHeadAttention } from '../../layers/attention/multi-head-attention.ts';
import { Conv1D, Conv2D } from '../../layers/convolutional/conv.ts';
import { Dense } from '../../layers/core/dense.ts';
import { InputLayer, input } from '../../layers/input-layer.ts';
import { BatchNormalization } from '../../layers/normalization/batch-normalization.ts';
import { LSTM } from '../../layers/rnn/lstm.ts';
import type { KerasModel } from '../../model/keras-model.ts';
import { Model } from '../../model/model.ts';
import { Sequential } from '../../model/sequential.ts';
import { planWeights } from '../build-model.ts';
import type { Dialect } from '../dialect.ts';
import { pathWeightsOf } from '../encode-model.ts';
import { emptyReport, type LoadReport } from '../report.ts';
import type { MatchOptions } from './plan.ts';
import { WeightAssembler } from './weight-assembler.ts';

const KERAS_2: Dialect = { generation: 2, version: '2.2.4', release: -1, numbersOf: 'tensorflow' };
const KERAS_1: Dialect = { generation: 1, version: '1.2.2', release: -1, numbersOf: 'tensorflow' };
const OPTIONS: MatchOptions = { byName: false, skipMismatch: false, rename: (name) => name };

/** An array whose elements are `first`, `first + 1`, … */
function entry(name: string, shape: Shape, first = 0): WeightEntry {
  const data = Float32Array.from({ length: sizeOf(shape) }, (_, index) => first + index);
  const read = async (): Promise<Tensor> => new Tensor(shape, 'float32', data);
  return { name, shape, dtype: 'float32', file: 'test', storedBytes: data.byteLength, read };
}

async function load(
  model: KerasModel,
  weights: Weights,
  dialect: Dialect = KERAS_2,
  options: Partial<MatchOptions> = {},
): Promise<LoadReport> {
  const report = emptyReport();
  const plan = await planWeights(model, weights, dialect, { ...OPTIONS, ...options }, report);
  const assembler = new WeightAssembler(plan, report);
  for (const part of assembler.entries) assembler.accept(part, await part.read());
  assembler.checkShapes();
  assembler.commit();
  return report;
}

const layers = (...list: readonly (readonly [string, ...WeightEntry[]])[]): Weights => ({
  kind: 'layers',
  layers: list.map(([name, ...entries]) => ({ name, entries })),
  topLevel: [],
});

const named = (...entries: WeightEntry[]): NamedWeights => ({ kind: 'named', entries });

const twoDense = (): Sequential =>
  new Sequential({
    name: 'model',
    layers: [
      new InputLayer({ batchShape: [null, 2] }),
      new Dense({ units: 3, name: 'first' }),
      new Dense({ units: 1, name: 'second' }),
    ],
  });

const firstElement = (model: KerasModel, path: string): unknown =>
  model.weights.find((variable) => variable.path === path)?.value.data[0];

describe('weights by layer', () => {
  test('go by name when every name is one of the model, whatever their order', async () => {
    const model = twoDense();
    const report = await load(
      model,
      layers(
        ['second', entry('second/kernel:0', [3, 1], 50), entry('second/bias:0', [1], 60)],
        ['first', entry('first/kernel:0', [2, 3], 10), entry('first/bias:0', [3], 20)],
      ),
    );
    expect(report.matched).toEqual(['second/kernel', 'second/bias', 'first/kernel', 'first/bias']);
    expect(firstElement(model, 'first/kernel')).toBe(10);
    expect(report.renamed).toEqual([]);
  });

  test('go in order when names are strange, and the report says so', async () => {
    const model = twoDense();
    const weights = layers(
      ['dense_7', entry('dense_7/kernel:0', [2, 3], 10), entry('dense_7/bias:0', [3])],
      ['dense_8', entry('dense_8/kernel:0', [3, 1], 50), entry('dense_8/bias:0', [1])],
    );
    const report = await load(model, weights);
    expect(firstElement(model, 'second/kernel')).toBe(50);
    expect(report.renamed).toContainEqual({ weight: 'second/kernel', source: 'dense_8/kernel:0' });
  });

  test('by name alone leave out what has no partner, on both sides', async () => {
    const model = twoDense();
    const weights = layers(
      ['first', entry('first/kernel:0', [2, 3], 10), entry('first/bias:0', [3])],
      ['other', entry('other/kernel:0', [3, 1], 50), entry('other/bias:0', [1])],
    );
    const report = await load(model, weights, KERAS_2, { byName: true });
    expect(report.missing).toEqual(['second/kernel', 'second/bias']);
    expect(report.unexpected).toEqual(['other/kernel:0', 'other/bias:0']);
    expect(firstElement(model, 'first/kernel')).toBe(10);
  });

  test('take another name from the rename option', async () => {
    const model = twoDense();
    const weights = layers(
      ['first', entry('kernel', [2, 3]), entry('bias', [3])],
      ['head', entry('kernel', [3, 1], 50), entry('bias', [1])],
    );
    const rename = (name: string): string => (name === 'head' ? 'second' : name);
    const report = await load(model, weights, KERAS_2, { byName: true, rename });
    expect(report.unexpected).toEqual([]);
    expect(firstElement(model, 'second/kernel')).toBe(50);
  });

  test('of another shape go to the report and change nothing', async () => {
    const model = twoDense();
    const weights = layers(
      ['first', entry('first/kernel:0', [5, 3], 10), entry('first/bias:0', [3], 20)],
      ['second', entry('second/kernel:0', [3, 1]), entry('second/bias:0', [1])],
    );
    const before = firstElement(model, 'first/kernel');
    const report = await load(model, weights);
    const mismatch = { weight: 'first/kernel', source: 'first/kernel:0', found: [5, 3], expected: [2, 3] };
    expect(report.mismatched).toEqual([mismatch]);
    expect(firstElement(model, 'first/kernel')).toBe(before);
    expect(firstElement(model, 'first/bias')).toBe(20);
  });

  test('of a nested model go by name, since their order depends on what was frozen', async () => {
    const inner = new Sequential({
      name: 'inner',
      layers: [
        new InputLayer({ batchShape: [null, 2] }),
        new BatchNormalization({ name: 'norm' }),
        new Dense({ units: 2, name: 'dense' }),
      ],
    });
    const model = new Sequential({ name: 'outer', layers: [new InputLayer({ batchShape: [null, 2] }), inner] });
    const weights = layers([
      'inner',
      entry('norm/gamma:0', [2], 1),
      entry('norm/beta:0', [2], 2),
      entry('dense/kernel:0', [2, 2], 3),
      entry('dense/bias:0', [2], 4),
      entry('norm/moving_mean:0', [2], 5),
      entry('norm/moving_variance:0', [2], 6),
    ]);
    await load(model, weights);
    expect(firstElement(model, 'inner/norm/moving_mean')).toBe(5);
    expect(firstElement(model, 'inner/dense/kernel')).toBe(3);
  });

  test('of Keras 1 recurrent layers are put together gate by gate', async () => {
    const lstm = new LSTM({ units: 1, name: 'lstm' });
    const model = new Sequential({ name: 'm', layers: [new InputLayer({ batchShape: [null, 2, 1] }), lstm] });
    // The file has input, cell, forget, output; each with kernel, recurrent kernel and bias.
    const gates = ['i', 'c', 'f', 'o'].flatMap((gate, index) => [
      entry(`lstm_W_${gate}`, [1, 1], index),
      entry(`lstm_U_${gate}`, [1, 1], 10 + index),
      entry(`lstm_b_${gate}`, [1], 20 + index),
    ]);
    await load(model, layers(['lstm', ...gates]), KERAS_1);
    expect(model.getWeights().map((value) => [...(value.data as Float32Array)])).toEqual([
      [0, 2, 1, 3],
      [10, 12, 11, 13],
      [20, 22, 21, 23],
    ]);
  });

  test('of CuDNN are transposed gate by gate and their two biases added', async () => {
    const lstm = new LSTM({ units: 2, name: 'lstm' });
    const model = new Sequential({ name: 'm', layers: [new InputLayer({ batchShape: [null, 2, 3] }), lstm] });
    const weights = layers(['lstm', entry('kernel', [3, 8]), entry('recurrent_kernel', [2, 8]), entry('bias', [16])]);
    await load(model, weights);
    const [kernel, recurrent, bias] = model.getWeights().map((value) => value.toArray() as number[][]);
    // First gate of the file: [[0, 1], [8, 9], [16, 17]]; its transpose, read column by column, fills [3, 2] by columns.
    expect(kernel?.map((row) => row.slice(0, 2))).toEqual([
      [0, 9],
      [1, 16],
      [8, 17],
    ]);
    expect(recurrent?.map((row) => row.slice(0, 2))).toEqual([
      [0, 8],
      [1, 9],
    ]);
    expect(bias).toEqual([8, 10, 12, 14, 16, 18, 20, 22]);
  });

  test('of Keras 1 convolutions are brought into order', async () => {
    const model = new Sequential({
      name: 'm',
      layers: [
        new InputLayer({ batchShape: [null, 2, 4, 4] }),
        new Conv2D({ filters: 3, kernelSize: [1, 2], dataFormat: 'channels_first', useBias: false, name: 'conv' }),
      ],
    });
    await load(model, layers(['conv', entry('conv_W', [3, 2, 1, 2])]), KERAS_1);
    const kernel = model.getWeights()[0]?.toArray() as number[][][][];
    // [out, in, rows, columns] element (o, i, 0, c) is 4o + 2i + c.
    expect(kernel[0]?.[1]?.[1]).toEqual([3, 7, 11]);
  });

  test('of Keras 1 lose the axis that 1D convolutions had', async () => {
    const model = new Sequential({
      name: 'm',
      layers: [
        new InputLayer({ batchShape: [null, 5, 2] }),
        new Conv1D({ filters: 3, kernelSize: 2, useBias: false, name: 'conv' }),
      ],
    });
    const report = await load(model, layers(['conv', entry('conv_W', [2, 1, 2, 3])]), KERAS_1);
    expect(report.mismatched).toEqual([]);
    expect(firstElement(model, 'conv/kernel')).toBe(0);
  });

  test('of low-rank adaptation are merged into the kernel', async () => {
    const head = new Dense({ units: 3, name: 'head', loraRank: 1, loraAlpha: 2 });
    const model = new Sequential({ name: 'm', layers: [new InputLayer({ batchShape: [null, 2] }), head] });
    const names = ['bias', 'lora_kernel_a', 'lora_kernel_b', 'kernel'].map((name) => `m/head/${name}`);
    const shapes = [[3], [2, 1], [1, 3], [2, 3]];
    const report = await load(
      model,
      layers(['head', ...names.map((name, index) => entry(name, shapes[index] as number[]))]),
    );
    expect(report.matched).toEqual(['head/kernel', 'head/bias']);
    // Kernel 0 … 5; a = [0, 1], b = [0, 1, 2]; alpha / rank = 2.
    expect(model.getWeights()[0]?.toArray()).toEqual([
      [0, 1, 2],
      [3, 6, 9],
    ]);
  });

  test('of Theano are turned round on request', async () => {
    const model = (): Sequential =>
      new Sequential({
        layers: [
          new InputLayer({ batchShape: [null, 3, 1] }),
          new Conv1D({ filters: 1, kernelSize: 3, useBias: false, name: 'conv' }),
        ],
      });
    const weights = layers(['conv', entry('kernel', [3, 1, 1])]);
    const [kept, turned] = [model(), model()];
    await load(kept, weights);
    await load(turned, weights, { ...KERAS_2, numbersOf: 'theano' });
    const run = async (which: Sequential): Promise<unknown> =>
      (await which.predict([[[1], [10], [100]]], { backend: referenceBackend() })).data[0];
    expect([await run(kept), await run(turned)]).toEqual([210, 12]);
  });
});

describe('weights by name', () => {
  test('go by path, with the spellings of TensorFlow.js and Keras 3', async () => {
    const model = new Sequential({
      name: 'm',
      layers: [
        new InputLayer({ batchShape: [null, 2, 1] }),
        new LSTM({ units: 1, name: 'lstm' }),
        new Dense({ units: 1, name: 'd' }),
      ],
    });
    const report = await load(
      model,
      named(
        entry('lstm/kernel', [1, 4], 1),
        entry('lstm/recurrent_kernel', [1, 4], 2),
        entry('lstm/bias', [4], 3),
        entry('m/d/kernel', [1, 1], 4),
        entry('m/d/bias', [1], 5),
      ),
    );
    expect(report.missing).toEqual([]);
    expect(model.weights.map((variable) => variable.value.data[0])).toEqual([1, 2, 3, 4, 5]);
  });

  test('go by the end of the name, then by order, and the report says so', async () => {
    const model = twoDense();
    const report = await load(
      model,
      named(
        entry('dense_4/kernel', [2, 3], 1),
        entry('dense_4/bias', [3], 2),
        entry('dense_5/kernel', [3, 1], 3),
        entry('dense_5/bias', [1], 4),
      ),
    );
    expect(report.renamed).toHaveLength(4);
    expect(firstElement(model, 'second/kernel')).toBe(3);
  });

  test('that do not fit are reported on both sides', async () => {
    const report = await load(
      twoDense(),
      named(entry('first/kernel', [2, 3]), entry('first/bias', [3]), entry('x/y', [1])),
    );
    expect(report.missing).toEqual(['second/kernel', 'second/bias']);
    expect(report.unexpected).toEqual(['x/y']);
  });

  test('of a converted Keras 3 file are indices', async () => {
    const model = twoDense();
    const report = await load(
      model,
      named(
        entry('layers/dense/vars/0', [2, 3], 1),
        entry('layers/dense/vars/1', [3], 2),
        entry('layers/dense_1/vars/0', [3, 1], 3),
        entry('layers/dense_1/vars/1', [1], 4),
      ),
    );
    expect(report.missing).toEqual([]);
    expect(firstElement(model, 'second/bias')).toBe(4);
  });

  test('of a converted file of tf.keras are below the attribute that it walked first', async () => {
    const model = twoDense();
    const report = await load(
      model,
      named(
        entry('_layer_checkpoint_dependencies/dense/vars/0', [2, 3], 1),
        entry('_layer_checkpoint_dependencies/dense/vars/1', [3], 2),
        entry('_layer_checkpoint_dependencies/dense_1/vars/0', [3, 1], 3),
      ),
    );
    expect(firstElement(model, 'second/kernel')).toBe(3);
    expect(report.missing).toEqual(['second/bias']);
  });
});

describe('weights by path', () => {
  const group = (...entries: WeightEntry[]): { layerName: undefined; entries: Map<string, WeightEntry> } => ({
    layerName: undefined,
    entries: new Map(entries.map((part) => [part.name, part])),
  });

  test('are numbered by class', async () => {
    const model = twoDense();
    const weights: PathWeights = {
      kind: 'paths',
      groups: new Map([
        ['layers/dense', group(entry('0', [2, 3], 1), entry('1', [3], 2))],
        ['layers/dense_1', group(entry('0', [3, 1], 3), entry('1', [1], 4))],
        ['layers/dropout', group(entry('0', [1], 4))],
      ]),
    };
    const report = await load(model, weights);
    expect(model.weights.map((variable) => variable.value.data[0])).toEqual([1, 2, 3, 4]);
    expect(report.unexpected).toEqual(['layers/dropout/vars/0']);
  });

  test.each(['query_dense', '_query_dense'])('of attention are found at %s', async (query) => {
    const x = input({ shape: [2, 3] });
    const attention = new MultiHeadAttention({ numHeads: 1, keyDim: 2, useBias: false, name: 'attention' });
    const model = new Model({ inputs: x, outputs: attention.apply([x, x]) });
    const prefix = query.startsWith('_') ? '_' : '';
    const parts = ['query', 'key', 'value'].map(
      (part, index) =>
        [`layers/multi_head_attention/${prefix}${part}_dense`, group(entry('0', [3, 1, 2], index))] as const,
    );
    const output = [`layers/multi_head_attention/${prefix}output_dense`, group(entry('0', [1, 2, 3], 3))] as const;
    const report = await load(model, { kind: 'paths', groups: new Map([...parts, output]) });
    expect(report).toMatchObject({ missing: [], unexpected: [] });
    expect(model.weights.map(({ value }) => value.data[0])).toEqual([0, 1, 2, 3]);
    const groups = [...pathWeightsOf(model).groups].filter(([path]) => path.endsWith('query_dense'));
    expect(groups).toMatchObject([['layers/multi_head_attention/query_dense', { oldName: '_query_dense' }]]);
  });
});
