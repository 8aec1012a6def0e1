import { describe, expect, test } from 'vitest';
import { Tensor } from '../array/tensor.ts';
import type { WasmProgram } from '../backends/wasm/wasm-program.ts';
import type { Backend } from '../compiler/backend.ts';
import { UnsupportedError } from '../errors.ts';
import type { WeightEntry } from '../formats/artifacts.ts';
import {
  BatchNormalization,
  Bidirectional,
  Conv1D,
  Conv2D,
  Conv2DTranspose,
  ConvLSTM2D,
  Dense,
  EinsumDense,
  Embedding,
  GlobalAveragePooling2D,
  GRU,
  input,
  type KerasTensor,
  Layer,
  type LayerConfig,
  LSTM,
  layerFields,
  loadModel,
  Model,
  MultiHeadAttention,
  memoryStore,
  ops,
  type PartialShape,
  ReversibleEmbedding,
  SeparableConv2D,
  SimpleRNN,
  type SymbolicTensor,
  wasmBackend,
} from '../index.ts';
import type { KerasModel } from '../model/keras-model.ts';
import type { Store } from '../storage/store.ts';
import { readWeights } from './read-weights.ts';

interface Case {
  readonly shape: readonly number[];
  readonly layers: (x: KerasTensor) => KerasTensor;
  readonly isTable?: boolean;
  /** How much of the program's float32 weights may remain, for int8. */
  readonly share?: number;
}

const rnn = { returnSequences: true } as const;

/** A product with a kernel that has its outputs first, and says so. */
class Outward extends Layer {
  static readonly className = 'Outward';

  constructor(options: Partial<LayerConfig>) {
    super(Outward.className, layerFields, options);
  }

  protected override build([shape]: readonly PartialShape[]): void {
    this.addWeight('kernel', [64, shape?.at(-1) ?? 0], { initializer: 'glorot_uniform', channelAxes: [0] });
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    return ops.matmul(x, ops.transpose(this.weight('kernel')));
  }
}

const CASES: Readonly<Record<string, Case>> = {
  Dense: { shape: [5, 64], layers: (x) => new Dense({ units: 100, activation: 'relu' }).apply(x) },
  'Conv2D and its BatchNormalization': {
    shape: [9, 9, 16],
    layers: (x) => {
      const conv = new Conv2D({ filters: 32, kernelSize: 3, padding: 'same', useBias: false }).apply(x);
      return new BatchNormalization({ gammaInitializer: 'random_normal' }).apply(conv);
    },
  },
  Conv1D: { shape: [30, 12], layers: (x) => new Conv1D({ filters: 40, kernelSize: 5, dilationRate: 2 }).apply(x) },
  'Conv2D with groups': {
    shape: [6, 6, 32],
    layers: (x) => new Conv2D({ filters: 48, kernelSize: 2, groups: 4 }).apply(x),
  },
  SeparableConv2D: {
    shape: [9, 9, 40],
    layers: (x) => new SeparableConv2D({ filters: 64, kernelSize: 3 }).apply(x),
    share: 0.6,
  },
  Conv2DTranspose: {
    shape: [5, 6, 16],
    layers: (x) => new Conv2DTranspose({ filters: 24, kernelSize: 3, strides: 2 }).apply(x),
  },
  LSTM: { shape: [7, 40], layers: (x) => new LSTM({ units: 48, ...rnn }).apply(x) },
  GRU: { shape: [7, 40], layers: (x) => new GRU({ units: 48, ...rnn }).apply(x) },
  'GRU of Keras 1': {
    shape: [7, 40],
    layers: (x) => new GRU({ units: 48, resetAfter: false, ...rnn }).apply(x),
    share: 1,
  },
  SimpleRNN: { shape: [7, 40], layers: (x) => new SimpleRNN({ units: 64, ...rnn }).apply(x) },
  Bidirectional: {
    shape: [7, 40],
    layers: (x) => new Bidirectional({ layer: new LSTM({ units: 32, ...rnn }) }).apply(x),
  },
  ConvLSTM2D: {
    shape: [3, 6, 6, 8],
    layers: (x) => new ConvLSTM2D({ filters: 8, kernelSize: 3, padding: 'same' }).apply(x),
  },
  MultiHeadAttention: {
    shape: [12, 64],
    layers: (x) => new MultiHeadAttention({ numHeads: 4, keyDim: 16 }).apply([x, x]),
  },
  EinsumDense: {
    shape: [6, 40],
    layers: (x) => new EinsumDense({ equation: 'abc,cde->abde', outputShape: [null, 4, 16] }).apply(x),
  },
  'a layer of its author': { shape: [40], layers: (x) => new Outward({}).apply(x) },
  'EinsumDense with the outputs first': {
    shape: [40],
    layers: (x) => new EinsumDense({ equation: 'ab,cb->ac', outputShape: [64] }).apply(x),
  },
  Embedding: { shape: [9], layers: (x) => new Embedding({ inputDim: 80, outputDim: 20 }).apply(x), isTable: true },
  'a table that is used both ways': {
    shape: [9],
    layers: (x) => {
      const table = new ReversibleEmbedding({ inputDim: 80, outputDim: 24 });
      return table.apply(table.apply(x), { reverse: true });
    },
    isTable: true,
    share: 0.55,
  },
};

/** Weights of all sizes, the same each time. */
function fill(model: KerasModel): KerasModel {
  for (const [place, variable] of model.weights.entries()) {
    const length = variable.shape.reduce((size, extent) => size * extent, 1);
    const isPositive = variable.name === 'moving_variance';
    const draw = (index: number): number => Math.sin(index * 12.9898 + place) / 4;
    const data = Float32Array.from({ length }, (_, index) => (isPositive ? 1 + draw(index) : draw(index)));
    variable.assign(new Tensor(variable.shape, 'float32', data));
  }
  return model;
}

function makeModel({ shape, layers }: Case): KerasModel {
  const x = input({ shape });
  return fill(new Model({ inputs: x, outputs: layers(x), name: 'small' }));
}

function givenOf({ shape, isTable }: Case): Tensor {
  const all = [3, ...shape];
  const length = all.reduce((size, extent) => size * extent, 1);
  const draw = (_: unknown, index: number): number => (isTable ? (index * 7) % 80 : Math.cos(index * 3.7));
  return new Tensor(all, 'float32', Float32Array.from({ length }, draw));
}

/** A backend that tells what its last program keeps. */
function watchedBackend(): { backend: Backend; keptBytes: () => number } {
  const inner = wasmBackend({ threads: 1 });
  let last: WasmProgram | undefined;
  const compile: Backend['compile'] = async (graph, options) => {
    last = await inner.compile(graph, options);
    return last;
  };
  return { backend: { name: 'watched', compile }, keptBytes: () => last?.plan.permanentBytes ?? 0 };
}

const largest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);

describe.each(Object.entries(CASES))('compressWeights() of %s', (_, given) => {
  test.each(['int8', 'float16'] as const)('as %s predicts like the weights that it stands for', async (dtype) => {
    const [compressed, wide, original] = [makeModel(given), makeModel(given), makeModel(given)];
    const x = givenOf(given);
    const { weights, bytes, float32Bytes } = await compressed.compressWeights(dtype);
    wide.setWeights(compressed.getWeights());
    const [narrowly, widely] = [watchedBackend(), watchedBackend()];
    const found = await compressed.predict(x, { backend: narrowly.backend });
    const expected = await wide.predict(x, { backend: widely.backend });
    const before = await original.predict(x);
    const scale = largest(expected.data as Float32Array);
    const distance = (a: Tensor, b: Tensor): number =>
      largest(Float32Array.from(a.data as Float32Array, (value, index) => value - (b.data[index] as number)));
    expect(distance(found, expected) / scale).toBeLessThan(1e-5);
    expect(distance(found, before) / scale).toBeLessThan(dtype === 'int8' ? 0.1 : 0.006);
    expect(distance(found, before)).toBeGreaterThan(0);

    expect(weights.length).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(float32Bytes * (given.share === 1 ? 0.6 : (given.share ?? 0.55)));
    for (const { weight, largestError } of weights) {
      const place = compressed.weights.findIndex(({ path }) => path === weight);
      const difference = distance(compressed.getWeights()[place] as Tensor, original.getWeights()[place] as Tensor);
      expect(difference).toBe(largestError);
      expect(largestError).toBeLessThan(dtype === 'int8' ? 0.0015 : 0.0002);
    }
    if (dtype === 'int8') expect(narrowly.keptBytes() / widely.keptBytes()).toBeLessThanOrEqual(given.share ?? 0.5);
  });
});

describe('compressWeights()', () => {
  test('reports by how much outputs differ', async () => {
    const model = makeModel(CASES.Dense as Case);
    const report = await model.compressWeights('int8', { verify: true });
    expect(report.outputDifference).toBeGreaterThan(0);
    expect(report.outputDifference).toBeLessThan((report.largestOutput ?? 0) / 50);
    expect(model.weightCompression).toBe(report);
    expect(model.summary()).toContain('Total params: 6,500 (7.03 KB)');
  });

  test('leaves alone what is small, and what is too large for a half', async () => {
    const model = makeModel({
      shape: [64],
      layers: (x) => new Dense({ units: 40 }).apply(new Dense({ units: 64 }).apply(x)),
    });
    const huge = new Tensor([64, 64], 'float32', new Float32Array(4096).fill(70_000));
    model.weights[0]?.assign(huge);
    const { weights } = await model.compressWeights('float16');
    expect(weights.map(({ weight }) => weight)).toEqual([model.weights[2]?.path]);
    expect(model.getWeights()[0]).toBe(huge);
  });

  test('refuses another dtype, and one after the other', async () => {
    const model = makeModel(CASES.Dense as Case);
    await expect(model.compressWeights('int4' as 'int8')).rejects.toThrow('expected "int8" or "float16"');
    await model.compressWeights('int8');
    await expect(model.compressWeights('float16')).rejects.toThrow('is kept as int8');
  });

  test('keeps its form when a weight is set', async () => {
    const model = makeModel(CASES.Dense as Case);
    await model.compressWeights('int8');
    const x = givenOf(CASES.Dense as Case);
    const before = await model.predict(x);
    const [kernel, bias] = model.getWeights() as [Tensor, Tensor];
    model.setWeights([
      new Tensor(
        kernel.shape,
        'float32',
        (kernel.data as Float32Array).map((value) => -value),
      ),
      bias,
    ]);
    expect(model.weights[0]?.narrow?.dtype).toBe('int8');
    expect(await model.predict(x)).not.toEqual(before);
    const broken = new Tensor(kernel.shape, 'float32', new Float32Array(kernel.data.length).fill(Number.NaN));
    expect(() => model.setWeights([broken, bias])).toThrow('is kept as int8');
    expect(model.getWeights()[0]?.data[0]).toBeCloseTo(-(kernel.data[0] as number));
  });

  test('is an error for who trains, unless the layer is frozen', async () => {
    const x = input({ shape: [64] });
    const base = new Dense({ units: 64, activation: 'tanh', name: 'base' });
    const model = fill(new Model({ inputs: x, outputs: new Dense({ units: 1, name: 'head' }).apply(base.apply(x)) }));
    await model.compressWeights('int8');
    const samples = givenOf({ shape: [64], layers: (tensor) => tensor });
    const targets = [[1], [2], [3]];
    model.compile({ optimizer: 'sgd', loss: 'mse' });
    const failure = model.fit(samples, targets, { verbose: 0 });
    await expect(failure).rejects.toThrow(UnsupportedError);
    await expect(failure).rejects.toThrow('"base/kernel" is kept as int8');
    base.trainable = false;
    model.compile({ optimizer: 'sgd', loss: 'mse' });
    const { history } = await model.fit(samples, targets, { epochs: 20, verbose: 0 });
    expect(history.loss?.at(-1)).toBeLessThan((history.loss?.[0] as number) / 2);
    expect(model.weights[0]?.narrow?.dtype).toBe('int8');
  });
});

describe('loadModel() with weightDtype', () => {
  const tower: Case = {
    shape: [12, 12, 3],
    layers: (x) => {
      const wide = new Conv2D({ filters: 64, kernelSize: 5, activation: 'relu' }).apply(x);
      const narrow = new Conv2D({ filters: 32, kernelSize: 3 }).apply(wide);
      return new Dense({ units: 40 }).apply(new GlobalAveragePooling2D().apply(narrow));
    },
  };

  const savedStore = async (): Promise<Store> => {
    const store = memoryStore();
    await makeModel(tower).save({ store, key: 'small.keras' });
    return store;
  };

  test.each(['small.keras', 'small.h5', 'model.json'])('%s is what compressWeights() gives', async (key) => {
    const store = memoryStore();
    const original = makeModel(tower);
    await original.save({ store, key });
    const loaded = await loadModel({ store, key }, { weightDtype: 'int8' });
    const report = await original.compressWeights('int8');
    expect(loaded.weightCompression?.weights.map(({ largestError }) => largestError)).toEqual(
      report.weights.map(({ largestError }) => largestError),
    );
    expect(loaded.getWeights()).toEqual(original.getWeights());
    const x = givenOf(tower);
    expect(await loaded.predict(x)).toEqual(await original.predict(x));

    // What is saved are floats again.
    await loaded.save({ store, key: 'again.keras' });
    const again = await loadModel({ store, key: 'again.keras' });
    expect(again.getWeights()).toEqual(original.getWeights());
  });

  test('is a load that fails as a whole, when a weight of the file has no such form', async () => {
    const store = memoryStore();
    const broken = makeModel(tower);
    const [first, kernel] = [broken.weights[0], broken.weights[2]];
    broken.setWeights(
      broken
        .getWeights()
        .map((value, place) =>
          place < 2 ? new Tensor(value.shape, 'float32', new Float32Array(value.data.length)) : value,
        ),
    );
    (kernel?.value.data as Float32Array)[5] = Number.POSITIVE_INFINITY;
    await broken.save({ store, key: 'broken.weights.h5' });
    const loaded = await loadModel({ store: await savedStore(), key: 'small.keras' }, { weightDtype: 'float16' });
    const before = loaded.getWeights();
    await expect(loaded.loadWeights({ store, key: 'broken.weights.h5' })).rejects.toThrow('is kept as float16');
    expect(loaded.getWeights()).toEqual(before);
    expect(first?.value.data[0]).toBe(0);
  });

  test('verifies with the float32 weights', async () => {
    const store = await savedStore();
    const loaded = await loadModel({ store, key: 'small.keras' }, { weightDtype: 'float16', verifyWeights: true });
    expect(loaded.weightCompression?.outputDifference).toBeGreaterThan(0);
    expect(loaded.weightCompression?.outputDifference).toBeLessThan(0.01);
  });

  test('has few floats under way', async () => {
    let [underWay, most, done] = [0, 0, 0];
    const bytes = 3 << 20;
    const entries = Array.from({ length: 40 }, (_, index): WeightEntry => {
      const read = async (): Promise<Tensor> => {
        underWay += bytes;
        most = Math.max(most, underWay);
        await new Promise((resolve) => setTimeout(resolve, 1));
        return new Tensor([1], 'float32', new Float32Array(1));
      };
      return { name: `${index}`, dtype: 'float32', shape: [1], file: 'all', storedBytes: bytes, read } as WeightEntry;
    });
    const accept = (): void => {
      underWay -= bytes;
      done++;
    };
    await readWeights(entries, { accept, bytesUnderWay: 8 << 20 });
    expect(done).toBe(40);
    expect(most).toBeLessThanOrEqual(8 << 20);
  });
});
