/** Transfer learning across the folders: what is frozen, what is shared, and what an optimizer keeps. */
import {
  BatchNormalization,
  Bidirectional,
  Conv2D,
  Dense,
  Dropout,
  GlobalAveragePooling2D,
  InputLayer,
  input,
  type KerasModel,
  type Layer,
  LSTM,
  loadModel,
  Model,
  MultiHeadAttention,
  memoryStore,
  optimizers,
  Sequential,
  type Tensor,
  TimeDistributed,
  tensor,
} from 'hornet';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { lowerGraph } from '../src/compiler/lower.ts';
import { topologicalOrder } from '../src/graph/node.ts';
import type { Variable } from '../src/graph/variable.ts';
import { frozenLayers } from '../src/model/frozen-layers.ts';
import { atOnce } from '../src/pause.ts';
import { CompiledModel } from '../src/training/compiled-model.ts';
import { MultiOptimizer, OptimizerMap } from '../src/training/optimizers/multi-optimizer.ts';
import { readSamples } from '../src/training/samples.ts';
import { buildStep } from '../src/training/training-step.ts';

const { Adam, SGD } = optimizers;

const wave = (shape: readonly number[], pace: number): Tensor => {
  const length = shape.reduce((product, extent) => product * extent, 1);
  return tensor(
    Float32Array.from({ length }, (_, index) => Math.sin(index * pace) + 0.3),
    shape,
  );
};
const IMAGES = wave([6, 8, 8, 3], 0.37);
const TARGETS = wave([6, 2], 1.3);

/** Two convolutions with batch normalisation: a base as of image models. */
function makeBase(name = 'base'): Model {
  const x = input({ shape: [8, 8, 3], name: `${name}_in` });
  const block = (at: ReturnType<typeof input>, index: number): ReturnType<typeof input> =>
    new BatchNormalization({ name: `norm_${index}` }).apply(
      new Conv2D({ filters: 4, kernelSize: 3, activation: 'relu', name: `conv_${index}` }).apply(at),
    );
  const pooled = new GlobalAveragePooling2D({ name: 'pool' }).apply(block(block(x, 1), 2));
  return new Model({ inputs: x, outputs: pooled, name });
}

function withHead(base: Model, name = 'head', units = 2): Model {
  const x = input({ shape: [8, 8, 3] });
  const y = new Dense({ units, name }).apply(new Dropout({ rate: 0.2 }).apply(base.apply(x)));
  return new Model({ inputs: x, outputs: y, name: `with_${name}` });
}

const pathsOf = (variables: readonly Variable[]): string[] => variables.map(({ path }) => path);
const valuesOf = (layer: Pick<Layer, 'getWeights'>): number[][] =>
  layer.getWeights().map(({ data }) => Array.from(data as Float32Array));

function stepOf(model: KerasModel, mode: 'train' | 'test' = 'train', optimizer = new Adam(), x = IMAGES) {
  const compiled = new CompiledModel(model, optimizer, { loss: 'mse' }, frozenLayers(model as unknown as Layer));
  const step = buildStep(model, compiled, readSamples(model, [x, TARGETS], 'test'), mode);
  const nodes = topologicalOrder([...step.graph.outputs, ...step.updates.map(([, value]) => value)]);
  const count = (primitive: string): number => nodes.filter((node) => node.primitive === primitive).length;
  return { ...step, count, kernels: atOnce(lowerGraph(step.graph, step.updates)).kernels.length };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('trainable, as in Keras 3.15', () => {
  test('is set downwards, both ways', () => {
    const model = withHead(makeBase());
    model.trainable = false;
    expect(model.trainableWeights).toEqual([]);
    expect(model.getLayer('base').children.some(({ trainable }) => trainable)).toBe(false);
    model.trainable = true;
    expect(model.trainableWeights.length).toBe(10);
    expect(model.nonTrainableWeights.length).toBe(4);
  });

  test('a layer that is thawed inside a frozen model is trained, and a frozen model as a whole is not', () => {
    const base = makeBase();
    const model = withHead(base);
    base.trainable = false;
    base.getLayer('conv_2').trainable = true;
    expect(pathsOf(model.trainableWeights)).toEqual([
      ...['base/conv_2/kernel', 'base/conv_2/bias'],
      ...['head/kernel', 'head/bias'],
    ]);
    expect(base.trainable).toBe(false);
    expect(base.trainableWeights).toEqual([]);
    const { updates } = stepOf(model);
    const updated = pathsOf(updates.map(([variable]) => variable)).filter((path) => path.startsWith('base/'));
    expect(updated.sort()).toEqual(['base/conv_2/bias', 'base/conv_2/kernel']);
  });

  test('as an option holds for a layer with those that it makes itself; a layer that is given speaks for itself', () => {
    const x = input({ shape: [4, 3] });
    const frozen = { trainable: false };
    const trained = (layer: Layer): string[] => {
      const model = new Model({ inputs: x, outputs: layer.apply(layer instanceof MultiHeadAttention ? [x, x] : x) });
      return pathsOf(model.trainableWeights);
    };
    expect(trained(new Dense({ units: 2, ...frozen }))).toEqual([]);
    expect(trained(new LSTM({ units: 2, ...frozen }))).toEqual([]);
    expect(trained(new MultiHeadAttention({ numHeads: 1, keyDim: 2, ...frozen }))).toEqual([]);
    expect(trained(new Bidirectional({ layer: new LSTM({ units: 2, ...frozen }) }))).toEqual([]);
    expect(trained(new TimeDistributed({ layer: new Dense({ units: 2 }), ...frozen })).length).toBe(2);
    const layers = [new TimeDistributed({ layer: new Dense({ units: 2 }) }), new LSTM({ units: 2 })];
    for (const layer of layers) {
      layer.trainable = false;
      expect(trained(layer)).toEqual([]);
    }
  });

  test('survives save and load, with each layer as it was', async () => {
    const base = makeBase();
    const attention = new MultiHeadAttention({ numHeads: 1, keyDim: 2, name: 'attention' });
    const x = input({ shape: [8, 8, 3] });
    const rows = new TimeDistributed({ layer: new Dense({ units: 2, name: 'inside' }), name: 'rows' }).apply(x);
    const attended = new GlobalAveragePooling2D().apply(attention.apply([rows, rows]));
    const model = new Model({ inputs: x, outputs: [base.apply(x), attended] });
    base.trainable = false;
    base.getLayer('norm_2').trainable = true;
    attention.trainable = false;
    const store = memoryStore();
    await model.save({ store, key: 'model.keras' });
    const loaded = await loadModel({ store, key: 'model.keras' });
    expect(pathsOf(loaded.trainableWeights)).toEqual(pathsOf(model.trainableWeights));
    expect(pathsOf(loaded.trainableWeights)).toEqual([
      ...['rows/inside/kernel', 'rows/inside/bias'],
      ...['base/norm_2/gamma', 'base/norm_2/beta'],
    ]);
    expect(loaded.getLayer('base').trainable).toBe(false);
    expect(loaded.getLayer('attention').trainable).toBe(false);
  });

  test('takes effect at the next compile; until then there is a warning', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const base = makeBase();
    const model = withHead(base);
    base.trainable = false;
    model.compile({ optimizer: 'adam', loss: 'mse' });
    const before = valuesOf(base);
    base.trainable = true;
    await model.fit(IMAGES, TARGETS);
    expect(valuesOf(base)).toEqual(before);
    expect(warn).toHaveBeenCalledOnce();
    expect(warn.mock.calls[0]?.[0]).toContain('was changed after compile and has no effect until compile is called');
    model.compile({ optimizer: 'adam', loss: 'mse' });
    await model.fit(IMAGES, TARGETS);
    expect(valuesOf(base)).not.toEqual(before);
    expect(warn).toHaveBeenCalledOnce();
  });
});

test('a model of which nothing is trained says so', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const model = withHead(makeBase());
  model.trainable = false;
  model.getLayer('head').trainable = true;
  model.compile({ optimizer: 'adam', loss: 'mse' });
  const before = valuesOf(model.getLayer('head'));
  await model.fit(IMAGES, TARGETS, { epochs: 2 });
  expect(valuesOf(model.getLayer('head'))).toEqual(before);
  expect(warn.mock.calls).toEqual([
    [`Model "${model.name}": it has no weights that are trained; the model itself is not trainable`],
  ]);
});

describe('what is frozen', () => {
  test('costs nothing in a step: no gradient, no slot, no kernel', () => {
    const base = makeBase();
    const model = withHead(base);
    const whole = stepOf(model);
    expect(whole.count('convolveFilterGradient')).toBe(2);
    expect(whole.count('convolveInputGradient')).toBe(1);
    base.trainable = false;
    const optimizer = new Adam();
    const frozen = stepOf(model, 'train', optimizer);
    const forward = stepOf(model, 'test');
    expect(frozen.count('convolve')).toBe(forward.count('convolve'));
    expect(frozen.count('convolveFilterGradient')).toBe(0);
    expect(frozen.count('convolveInputGradient')).toBe(0);
    // A training adds no more to the forward pass than to that of the head alone.
    const features = input({ shape: [4] });
    const [dropout, dense] = model.layers.slice(-2) as [Layer, Layer];
    const head = new Model({ inputs: features, outputs: dense.apply(dropout.apply(features)) });
    const [trained, tested] = (['train', 'test'] as const).map((mode) =>
      stepOf(head, mode, new Adam(), wave([6, 4], 1)),
    );
    expect(frozen.kernels - forward.kernels).toBeLessThanOrEqual((trained?.kernels ?? 0) - (tested?.kernels ?? 0));
    expect(whole.kernels).toBeGreaterThan(frozen.kernels + 10);
    const slots = pathsOf(frozen.updates.map(([variable]) => variable)).filter((path) =>
      /adam\/.*(mom|vel)/.test(path),
    );
    expect(slots.length).toBe(4);
    expect(slots.every((path) => path.startsWith('adam/head_'))).toBe(true);
    // In the middle of what is trained: its input's gradient alone.
    base.trainable = true;
    base.getLayer('conv_2').trainable = false;
    const middle = stepOf(model);
    expect([middle.count('convolveInputGradient'), middle.count('convolveFilterGradient')]).toEqual([1, 1]);
  });

  test('keeps every bit, and batch normalisation infers with its moving statistics', async () => {
    const base = makeBase();
    const model = withHead(base);
    base.trainable = false;
    const before = valuesOf(base);
    const features = await new Model({ inputs: base.inputs, outputs: base.output }).predict(IMAGES);
    // A head without dropout on frozen features has the loss of the whole model in training mode.
    const x = input({ shape: [8, 8, 3] });
    const plain = new Model({ inputs: x, outputs: new Dense({ units: 2, name: 'plain' }).apply(base.apply(x)) });
    plain.compile({ optimizer: new SGD({ learningRate: 0 }), loss: 'mse' });
    const head = new Sequential({ layers: [new InputLayer({ batchShape: [null, 4] }), plain.getLayer('plain')] });
    head.compile({ optimizer: new SGD({ learningRate: 0 }), loss: 'mse' });
    const [through, alone] = [await plain.trainOnBatch(IMAGES, TARGETS), await head.trainOnBatch(features, TARGETS)];
    expect(through.loss).toBeCloseTo(alone.loss as number, 6);
    model.compile({ optimizer: 'adam', loss: 'mse' });
    await model.fit(IMAGES, TARGETS, { epochs: 3 });
    expect(valuesOf(base)).toEqual(before);
    expect(valuesOf(model.getLayer('head'))).not.toEqual(valuesOf(withHead(base, 'other').getLayer('other')));
  });
});

describe('models that share a base', () => {
  test('have the same weights: what one learns the other knows', async () => {
    const base = makeBase();
    const [first, second] = [withHead(base, 'first'), withHead(base, 'second', 3)];
    expect(first.getLayer('base').weights[0]).toBe(second.getLayer('base').weights[0]);
    const before = (await second.predict(IMAGES)).toArray();
    const head = valuesOf(second.getLayer('second'));
    first.compile({ optimizer: new SGD({ learningRate: 0.1 }), loss: 'mse' });
    await first.fit(IMAGES, TARGETS);
    expect((await second.predict(IMAGES)).toArray()).not.toEqual(before);
    expect(valuesOf(second.getLayer('second'))).toEqual(head);
  });

  test('may be one model with several heads, or be cut and get a new one', async () => {
    const base = makeBase();
    const heads = ['a', 'b'].map((name) => new Dense({ units: 2, name }).apply(base.output));
    const both = new Model({ inputs: base.inputs, outputs: heads });
    both.compile({ optimizer: 'adam', loss: ['mse', 'mse'], lossWeights: [1, 0] });
    const [a, b] = [valuesOf(both.getLayer('a')), valuesOf(both.getLayer('b'))];
    await both.fit(IMAGES, [TARGETS, TARGETS]);
    expect(valuesOf(both.getLayer('a'))).not.toEqual(a);
    // Its loss counts nothing, so its gradients are zeros.
    expect(valuesOf(both.getLayer('b'))).toEqual(b);

    const inner = new GlobalAveragePooling2D().apply(base.getLayer('norm_1').output);
    const cut = new Model({ inputs: base.inputs, outputs: new Dense({ units: 2, name: 'low' }).apply(inner) });
    expect(cut.layers.map(({ name }) => name)).not.toContain('conv_2');
    const low = valuesOf(base.getLayer('conv_1'));
    const high = valuesOf(base.getLayer('conv_2'));
    cut.compile({ optimizer: 'adam', loss: 'mse' });
    await cut.fit(IMAGES, TARGETS);
    expect(valuesOf(base.getLayer('conv_1'))).not.toEqual(low);
    expect(valuesOf(base.getLayer('conv_2'))).toEqual(high);
  });
});

describe('learning rate multipliers', () => {
  /** Three dense layers, one of them in a nested model, always with the same weights. */
  function network(): Model {
    const options = { units: 3, activation: 'tanh', kernelInitializer: 'ones' } as const;
    const inner = new Sequential({
      layers: [new InputLayer({ batchShape: [null, 3] }), new Dense({ ...options, name: 'block_1' })],
      name: 'inner',
    });
    const x = input({ shape: [4] });
    const low = new Dense({ ...options, name: 'block_0' }).apply(x);
    const y = new Dense({ units: 1, kernelInitializer: 'ones', name: 'head' }).apply(inner.apply(low));
    return new Model({ inputs: x, outputs: y });
  }
  const [x, y] = [wave([10, 4], 1.7), wave([10, 1], 0.9)];
  const config = { learningRate: 0.05, weightDecay: 0.01 };

  async function train(options: Parameters<KerasModel['compile']>[0]): Promise<number[][]> {
    const model = network();
    model.compile({ loss: 'mse', ...options });
    await model.fit(x, y, { epochs: 3, batchSize: 4, shuffle: false });
    return valuesOf(model);
  }

  const expectSame = (found: number[][], expected: number[][]): void => {
    const [flat, other] = [found.flat(), expected.flat()];
    expect(flat.length).toBe(other.length);
    for (const [index, value] of flat.entries()) expect(value).toBeCloseTo(other[index] as number, 6);
  };

  test.each(['SGD', 'Adam', 'RMSprop', 'Lion'] as const)('make of %s what two optimizers do', async (name) => {
    const Optimizer = optimizers[name];
    const slow = new Optimizer({ ...config, learningRate: config.learningRate * 0.1 });
    const map = new OptimizerMap(new Optimizer(config), { '(block_0|inner)/.*': slow });
    const expected = await train({ optimizer: new MultiOptimizer(map) });
    const optimizer = (): InstanceType<typeof Optimizer> => new Optimizer(config);
    expectSame(await train({ optimizer: optimizer(), learningRateMultipliers: { 'block_*': 0.1 } }), expected);
    const named = { block_0: 0.1, 'inner/block_1': 0.1, head: 1 };
    expectSame(await train({ optimizer: optimizer(), learningRateMultipliers: named }), expected);
    const last = { '*': 7, 'block_*': 3, block_0: 0.1, inner: 0.1, 'head/*': 1 };
    expectSame(await train({ optimizer: optimizer(), learningRateMultipliers: last }), expected);
    const byPath = (path: string): number | undefined => (path.includes('block') ? 0.1 : undefined);
    expectSame(await train({ optimizer: optimizer(), learningRateMultipliers: byPath }), expected);
    const none = await train({ optimizer: optimizer() });
    expect(Math.abs((none[0]?.[0] as number) - (expected[0]?.[0] as number))).toBeGreaterThan(1e-3);
  });

  test('name a weight, too; nought leaves it where it is', async () => {
    const [kernel, bias] = await train({ optimizer: 'sgd', learningRateMultipliers: { 'block_0/kernel': 0 } });
    expect(kernel).toEqual(new Array(12).fill(1));
    expect(bias).not.toEqual([0, 0, 0]);
  });

  test('that name nothing, or are no numbers, are refused', async () => {
    await expect(train({ learningRateMultipliers: { blok_1: 0.1 } })).rejects.toThrow(
      'found no layer or weight "blok_1" for a learning rate multiplier; did you mean "block_1"',
    );
    await expect(train({ learningRateMultipliers: { block: 0.1 } })).rejects.toThrow(
      'found no layer or weight "block"',
    );
    await expect(train({ learningRateMultipliers: { head: -1 } })).rejects.toThrow('"head" is -1, expected a number');
    await expect(train({ learningRateMultipliers: () => Number.NaN })).rejects.toThrow('is NaN');
  });
});

describe('an optimizer that is used again after thawing', () => {
  test('goes on with the moments that it has, and begins the others', async () => {
    const make = (): Sequential =>
      new Sequential({
        layers: [
          new InputLayer({ batchShape: [null, 1] }),
          new Dense({ units: 1, useBias: false, kernelInitializer: 'ones', name: 'low' }),
          new Dense({ units: 1, useBias: false, kernelInitializer: 'ones', name: 'high' }),
        ],
      });
    const model = make();
    const [low, high] = model.weights as readonly [Variable, Variable];
    const optimizer = new SGD({ learningRate: 0.1, momentum: 0.5 });
    const [x, y] = [tensor([[1]]), tensor([[3]])];
    model.getLayer('low').trainable = false;
    model.compile({ optimizer, loss: 'mse' });
    await model.fit(x, y, { epochs: 2 });
    model.getLayer('low').trainable = true;
    model.compile({ optimizer, loss: 'mse', learningRateMultipliers: { low: 0.5 } });
    await model.fit(x, y, { epochs: 2 });

    // By hand: y = h·l·x, the gradient of (3 − h·l)² to h is −2(3 − h·l)·l, to l −2(3 − h·l)·h.
    let [l, h, momentumOfL, momentumOfH] = [1, 1, 0, 0];
    for (let step = 0; step < 4; step++) {
      const slope = -2 * (3 - h * l);
      const [ofH, ofL] = [slope * l, slope * h];
      momentumOfH = 0.5 * momentumOfH - 0.1 * ofH;
      h += momentumOfH;
      if (step < 2) continue;
      momentumOfL = 0.5 * momentumOfL - 0.05 * ofL;
      l += momentumOfL;
    }
    expect(low.value.data[0]).toBeCloseTo(l, 6);
    expect(high.value.data[0]).toBeCloseTo(h, 6);
    const momentum = (weight: Variable): unknown => Object.values(optimizer.slotsOf(weight))[0]?.value.data[0];
    expect(momentum(high)).toBeCloseTo(momentumOfH, 6);
    expect(momentum(low)).toBeCloseTo(momentumOfL, 6);
    expect(optimizer.iterations.value.data[0]).toBe(4);
  });
});
