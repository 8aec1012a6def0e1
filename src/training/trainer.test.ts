import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Tensor, tensor } from '../array/tensor.ts';
import { referenceBackend } from '../backends/reference/reference-backend.ts';
import { ShapeError } from '../errors.ts';
import { Dense } from '../layers/core/dense.ts';
import { InputLayer, input } from '../layers/input-layer.ts';
import type { Layer } from '../layers/layer.ts';
import { Concatenate } from '../layers/merging/concatenate.ts';
import { BatchNormalization } from '../layers/normalization/batch-normalization.ts';
import { Dropout } from '../layers/regularization/dropout.ts';
import { frozenLayers } from '../model/frozen-layers.ts';
import { Model } from '../model/model.ts';
import { Sequential } from '../model/sequential.ts';
import { mean, square, subtract } from '../ops/public.ts';
import { LambdaCallback } from './callbacks/small-callbacks.ts';
import { CompiledModel } from './compiled-model.ts';
import { Adam } from './optimizers/adam.ts';
import { SGD } from './optimizers/sgd.ts';
import { readSamples } from './samples.ts';
import { buildStep } from './training-step.ts';

const X = tensor(
  Float32Array.from({ length: 40 }, (_, index) => Math.sin(index * 1.7)),
  [10, 4],
);
const Y = tensor(
  Float32Array.from({ length: 10 }, (_, index) => Math.cos(index)),
  [10, 1],
);

function network(...middle: Layer[]): Sequential {
  const hidden = new Dense({ units: 3, activation: 'tanh', kernelInitializer: 'ones', name: 'hidden' });
  const head = new Dense({ units: 1, kernelInitializer: 'ones', name: 'head' });
  return new Sequential({ layers: [new InputLayer({ batchShape: [null, 4] }), hidden, ...middle, head] });
}

const valuesOf = (weights: readonly Tensor[]): number[][] =>
  weights.map(({ data }) => Array.from(data as Float32Array));

afterEach(() => {
  vi.restoreAllMocks();
});

describe('fit()', () => {
  test('learns a line', async () => {
    const model = new Sequential({ layers: [new InputLayer({ batchShape: [null, 1] }), new Dense({ units: 1 })] });
    model.compile({ optimizer: new SGD({ learningRate: 0.1 }), loss: 'mse' });
    const x = Float32Array.from({ length: 40 }, (_, index) => index / 20 - 1);
    const y = x.map((value) => 3 * value - 1);
    const history = await model.fit(tensor(x, [40, 1]), tensor(y, [40, 1]), { epochs: 200, batchSize: 16, seed: 1 });
    expect(history.epoch.length).toBe(200);
    expect(history.history.loss?.at(-1)).toBeLessThan(1e-4);
    const [kernel, bias] = model.getWeights();
    expect(kernel?.data[0]).toBeCloseTo(3, 1);
    expect(bias?.data[0]).toBeCloseTo(-1, 1);
  });

  test('the interpreter trains as wasm does', async () => {
    const [first, second] = [network(), network()];
    for (const model of [first, second]) model.compile({ optimizer: 'adam', loss: 'mse', metrics: ['mae'] });
    const options = { epochs: 3, batchSize: 4, shuffle: false };
    const on = await first.fit(X, Y, options);
    const off = await second.fit(X, Y, { ...options, backend: referenceBackend() });
    for (const name of ['loss', 'mae']) {
      for (const [epoch, value] of (off.history[name] as number[]).entries()) {
        expect(on.history[name]?.[epoch]).toBeCloseTo(value, 5);
      }
    }
    const expected = valuesOf(second.getWeights()).flat();
    for (const [index, value] of valuesOf(first.getWeights()).flat().entries()) {
      expect(value).toBeCloseTo(expected[index] as number, 5);
    }
  });

  test('arrays, generators, iterables and async iterables of the same batches train the same', async () => {
    const batches = [0, 4, 8].map((start) => {
      const rows = (value: Tensor, width: number): Tensor => {
        const stop = Math.min(start + 4, 10);
        return tensor((value.data as Float32Array).slice(start * width, stop * width), [stop - start, width]);
      };
      return [rows(X, 4), rows(Y, 1)] as const;
    });
    async function* later(): AsyncGenerator<(typeof batches)[number]> {
      for (const batch of batches) {
        await Promise.resolve();
        yield batch;
      }
    }
    function* twice(): Generator<{ x: Tensor; y: Tensor }> {
      for (const [x, y] of [...batches, ...batches]) yield { x, y };
    }
    const train = async (run: (model: Sequential) => Promise<unknown>): Promise<number[][]> => {
      const model = network();
      model.compile({ optimizer: 'adam', loss: 'mse' });
      await run(model);
      return valuesOf(model.getWeights());
    };
    const expected = await train((model) => model.fit(X, Y, { epochs: 2, batchSize: 4, shuffle: false }));
    expect(await train((model) => model.fit(new Set(batches), { epochs: 2 }))).toEqual(expected);
    expect(await train((model) => model.fit(later, { epochs: 2 }))).toEqual(expected);
    expect(await train((model) => model.fit(twice(), { epochs: 2, stepsPerEpoch: 3 }))).toEqual(expected);
  });

  test('a seed makes the order of samples and dropout reproducible', async () => {
    const train = async (seed: number): Promise<number[][]> => {
      const model = network(new Dropout({ rate: 0.5 }));
      model.compile({ optimizer: 'sgd', loss: 'mse', seed });
      await model.fit(X, Y, { epochs: 2, batchSize: 4, seed });
      return valuesOf(model.getWeights());
    };
    expect(await train(1)).toEqual(await train(1));
    expect(await train(2)).not.toEqual(await train(1));
  });

  test('dropout differs from step to step, and does nothing in evaluation', async () => {
    const model = network(new Dropout({ rate: 0.5 }));
    model.compile({ optimizer: new SGD({ learningRate: 0 }), loss: 'mse', seed: 3 });
    const losses: number[] = [];
    for (let step = 0; step < 4; step++) {
      await model.resetMetrics();
      losses.push((await model.trainOnBatch(X, Y)).loss as number);
    }
    expect(new Set(losses).size).toBe(4);
    expect(await model.evaluate(X, Y)).toEqual(await model.evaluate(X, Y));
  });

  test('holds back the last share of the samples', async () => {
    const [split, given] = [network(), network()];
    for (const model of [split, given]) model.compile({ loss: 'mse' });
    const rows = (value: Tensor, start: number, stop: number, width: number): Tensor =>
      tensor((value.data as Float32Array).slice(start * width, stop * width), [stop - start, width]);
    const options = { epochs: 2, shuffle: false } as const;
    const first = await split.fit(X, Y, { ...options, validationSplit: 0.3 });
    const validationData = { x: rows(X, 7, 10, 4), y: rows(Y, 7, 10, 1) };
    const second = await given.fit(rows(X, 0, 7, 4), rows(Y, 0, 7, 1), { ...options, validationData });
    expect(first.history).toEqual(second.history);
    expect(Object.keys(first.history)).toEqual(['loss', 'val_loss']);
    await expect(split.fit(X, Y, { validationSplit: 1 })).rejects.toThrow('leaves 0 to train on');
  });

  test('epochs begin at initialEpoch, and a signal ends them', async () => {
    const model = network();
    model.compile({ loss: 'mse' });
    expect((await model.fit(X, Y, { epochs: 5, initialEpoch: 3 })).epoch).toEqual([3, 4]);
    const controller = new AbortController();
    const abort = new LambdaCallback({ onEpochEnd: () => controller.abort(new Error('enough')) });
    const options = { epochs: 5, callbacks: [abort], signal: controller.signal };
    await expect(model.fit(X, Y, options)).rejects.toThrow('enough');
  });

  test('losses are functions, too, and belong to outputs', async () => {
    const x = input({ shape: [4] });
    const [a, b] = [1, 2].map((units) => new Dense({ units, name: `out${units}`, kernelInitializer: 'ones' }).apply(x));
    const model = new Model({ inputs: x, outputs: [a, b] as never });
    const both = new Model({ inputs: x, outputs: new Concatenate().apply([a, b] as never) });
    const zero = tensor(new Float32Array(20), [10, 2]);
    model.compile({
      loss: { out2: (yTrue, yPred) => mean(square(subtract(yPred, yTrue)), -1) },
      metrics: { out1: 'mae', out2: ['mse', 'mse'] },
    });
    const logs = await model.evaluate(X, { out1: Y, out2: zero });
    expect(Object.keys(logs)).toEqual(['loss', 'out1_mae', 'out2_mse', 'out2_mse_1']);
    expect(logs.out2_mse).toBeCloseTo(logs.loss as number, 5);
    const output = (await both.predict(X)).data as Float32Array;
    const squares = Array.from({ length: 10 }, (_, row) => (output[row * 3 + 1] as number) ** 2);
    expect(logs.loss).toBeCloseTo(squares.reduce((sum, value) => sum + value, 0) / 10, 4);
  });

  test('what does not fit is refused', async () => {
    const model = network();
    await expect(model.fit(X, Y)).rejects.toThrow('it is not compiled');
    model.compile({ loss: 'no such loss' });
    await expect(model.fit(X, Y)).rejects.toThrow('found no loss named "no such loss"');
    model.compile({ optimizer: 'no such optimizer', loss: 'mse' });
    await expect(model.fit(X, Y)).rejects.toThrow('found no optimizer named "no such optimizer"');
    model.compile({ loss: 'mse', metrics: ['no such metric'] });
    await expect(model.fit(X, Y)).rejects.toThrow('found no metric named "no such metric"');
    model.compile({ loss: 'mse' });
    await expect(model.fit(X, tensor([1, 2]))).rejects.toThrow(ShapeError);
    await expect(model.fit(new Set([]))).rejects.toThrow('found no batches');
    const weights = { sampleWeight: tensor(new Float32Array(10)), classWeight: { 0: 1 } };
    await expect(model.fit(X, Y, weights)).rejects.toThrow('found both classWeight and sampleWeight');
  });
});

describe('layers that are not trainable', () => {
  test('have no gradient, no slot and no update; batch normalisation infers', async () => {
    const model = network(new BatchNormalization({ name: 'norm' }));
    for (const name of ['hidden', 'norm']) model.getLayer(name).trainable = false;
    const optimizer = new Adam();
    const compiled = new CompiledModel(model, optimizer, { loss: 'mse' }, frozenLayers(model as unknown as Layer));
    const step = buildStep(model, compiled, readSamples(model, [X, Y], 'test'), 'train');
    const updated = step.updates.map(([variable]) => variable.path).sort();
    expect(updated.filter((path) => path.includes('hidden') || path.includes('norm'))).toEqual([]);
    expect(updated.filter((path) => path.includes('head'))).toEqual([
      ...['adam/head_bias_momentum', 'adam/head_bias_velocity', 'adam/head_kernel_momentum'],
      ...['adam/head_kernel_velocity', 'head/bias', 'head/kernel'],
    ]);
    model.compile({ optimizer, loss: 'mse' });
    const before = valuesOf(model.getLayer('hidden').weights.map(({ value }) => value));
    await model.fit(X, Y, { epochs: 2 });
    expect(valuesOf(model.getLayer('hidden').weights.map(({ value }) => value))).toEqual(before);
    expect(valuesOf(model.getLayer('norm').weights.map(({ value }) => value))).toEqual([
      [1, 1, 1],
      [0, 0, 0],
      [0, 0, 0],
      [1, 1, 1],
    ]);
  });

  test('are so from the next compile on; a warning says it once', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const model = network();
    model.compile({ optimizer: new SGD({ learningRate: 0.1 }), loss: 'mse' });
    const hidden = model.getLayer('hidden');
    const kernel = (): number[][] => valuesOf(hidden.weights.map(({ value }) => value));
    const before = kernel();
    hidden.trainable = false;
    await model.fit(X, Y, { epochs: 2 });
    await model.fit(X, Y);
    expect(warn.mock.calls).toEqual([
      [expect.stringContaining('`trainable` of "hidden" was changed after compile and has no effect')],
    ]);
    const between = kernel();
    expect(between).not.toEqual(before);
    model.compile({ optimizer: new SGD({ learningRate: 0.1 }), loss: 'mse' });
    await model.fit(X, Y);
    expect(kernel()).toEqual(between);
    expect(warn.mock.calls.length).toBe(1);
  });

  test('keep their slots while they are frozen', async () => {
    const model = network();
    const optimizer = new SGD({ learningRate: 0.1, momentum: 0.9 });
    const hidden = model.getLayer('hidden');
    const slot = (): number[] =>
      valuesOf(Object.values(optimizer.slotsOf(hidden.weights[0] as never)).map(({ value }) => value)).flat();
    model.compile({ optimizer, loss: 'mse' });
    await model.fit(X, Y);
    const moments = slot();
    expect(moments.some((value) => value !== 0)).toBe(true);
    hidden.trainable = false;
    model.compile({ optimizer, loss: 'mse' });
    await model.fit(X, Y);
    expect(slot()).toEqual(moments);
  });
});
