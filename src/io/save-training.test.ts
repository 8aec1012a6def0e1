import { describe, expect, test } from 'vitest';
import { tensor } from '../array/tensor.ts';
import { Dense } from '../layers/core/dense.ts';
import { input } from '../layers/input-layer.ts';
import { BatchNormalization } from '../layers/normalization/batch-normalization.ts';
import type { KerasModel } from '../model/keras-model.ts';
import { Model } from '../model/model.ts';
import { memoryStore } from '../storage/memory-store.ts';
import { BinaryCrossentropy } from '../training/losses/probabilistic.ts';
import { Adam, AdamW, Nadam } from '../training/optimizers/adam.ts';
import { Adadelta, Adagrad, RMSprop } from '../training/optimizers/adaptive.ts';
import { LossScaleOptimizer } from '../training/optimizers/loss-scale-optimizer.ts';
import { MultiOptimizer, OptimizerMap } from '../training/optimizers/multi-optimizer.ts';
import { Muon } from '../training/optimizers/muon.ts';
import type { Optimizer } from '../training/optimizers/optimizer.ts';
import { SGD } from '../training/optimizers/sgd.ts';
import { ExponentialDecay } from '../training/schedules/decays.ts';
import { loadModel } from './load.ts';

const X = tensor(
  Float32Array.from({ length: 24 }, (_, index) => Math.sin(index * 1.7)),
  [8, 3],
);
const Y = tensor(
  Float32Array.from({ length: 8 }, (_, index) => index % 2),
  [8, 1],
);

function makeModel(): KerasModel {
  const x = input({ shape: [3] });
  const hidden = new BatchNormalization({}).apply(new Dense({ units: 4, activation: 'tanh' }).apply(x));
  return new Model({ inputs: x, outputs: new Dense({ units: 1 }).apply(hidden) });
}

async function train(model: KerasModel, steps: number): Promise<unknown[]> {
  const logs: unknown[] = [];
  for (let step = 0; step < steps; step++) {
    await model.resetMetrics();
    logs.push(await model.trainOnBatch(X, Y));
  }
  return logs;
}

const OPTIMIZERS: readonly (readonly [string, () => Optimizer])[] = [
  ['Adam', () => new Adam({ learningRate: 0.05, amsgrad: true })],
  ['AdamW with averages', () => new AdamW({ learningRate: 0.05, useEma: true, emaOverwriteFrequency: 2 })],
  ['Nadam', () => new Nadam({ learningRate: 0.05 })],
  ['RMSprop', () => new RMSprop({ momentum: 0.5, centered: true })],
  [
    'SGD with a schedule, and sums of gradients',
    () =>
      new SGD({
        learningRate: new ExponentialDecay({ initialLearningRate: 1, decaySteps: 3, decayRate: 0.5 }),
        momentum: 0.9,
        gradientAccumulationSteps: 2,
      }),
  ],
  ['Muon', () => new Muon({ learningRate: 0.01 })],
  ['LossScaleOptimizer', () => new LossScaleOptimizer(new Adam({ learningRate: 0.05 }), { initialScale: 8 })],
  [
    'MultiOptimizer',
    () => new MultiOptimizer(new OptimizerMap(new SGD({ learningRate: 0.1 }), { '.*bias': new Adam() })),
  ],
];

describe('a saved training goes on in the same bits', () => {
  test.each(OPTIMIZERS)('%s', async (_, makeOptimizer) => {
    const model = makeModel();
    model.compile({ optimizer: makeOptimizer(), loss: new BinaryCrossentropy({ fromLogits: true }), metrics: ['mae'] });
    await train(model, 5);
    const bytes = await model.toBytes();
    expect(await model.toBytes()).toEqual(bytes);
    const loaded = await loadModel(bytes);
    expect(loaded.compiled).toBe(true);
    // A model that was never trained here says the same of its training.
    expect(await (await loadModel(bytes)).toBytes()).toEqual(bytes);
    const weights = await model.toBytes({ format: 'weights.h5' });

    const expected = await train(model, 4);
    expect(await train(loaded, 4)).toEqual(expected);
    await loaded.loadWeights(weights);
    expect(await train(loaded, 4)).toEqual(expected);
  });
});

describe('a training that is saved as TensorFlow.js does goes on', () => {
  const known: readonly (readonly [string, () => Optimizer])[] = [
    ['SGD', () => new SGD({ learningRate: 0.1 })],
    ['SGD with momentum', () => new SGD({ learningRate: 0.1, momentum: 0.9, nesterov: true })],
    ['Adam', () => new Adam({ learningRate: 0.05, beta1: 0.8 })],
    ['RMSprop', () => new RMSprop({ rho: 0.8 })],
    ['RMSprop, centered', () => new RMSprop({ centered: true })],
    ['Adagrad', () => new Adagrad({ learningRate: 0.1 })],
    ['Adadelta', () => new Adadelta({ learningRate: 1 })],
  ];

  test.each(known)('%s', async (_, makeOptimizer) => {
    const model = makeModel();
    model.compile({ optimizer: makeOptimizer(), loss: 'mse', metrics: ['mae'] });
    await train(model, 3);
    const store = memoryStore();
    const { omitted } = await model.save({ store, key: 'model.json' }, { format: 'layers-model' });
    expect(omitted).toEqual([]);
    const loaded = await loadModel({ store, key: 'model.json' });
    expect(loaded.compiled).toBe(true);
    const [found, expected] = [await train(loaded, 4), await train(model, 4)] as { loss: number }[][];
    // Momentum is stored in other units, which rounds.
    for (const [step, { loss }] of (expected ?? []).entries()) {
      expect(found?.[step]?.loss).toBeCloseTo(loss, 6);
    }
  });

  test('unless TensorFlow.js has no words for it', async () => {
    const model = makeModel();
    model.compile({ optimizer: new Nadam(), loss: new BinaryCrossentropy({ fromLogits: true }) });
    const store = memoryStore();
    const { omitted } = await model.save({ store, key: 'model.json' }, { format: 'layers-model' });
    expect(omitted).toEqual([
      'how the model is trained: the loss "BinaryCrossentropy", the optimizer Nadam as it is, which TensorFlow.js does not have',
    ]);
  });
});

test('it is left out when asked', async () => {
  const model = makeModel();
  model.compile({ optimizer: 'adam', loss: 'mse' });
  await train(model, 1);
  const loaded = await loadModel(await model.toBytes({ includeOptimizer: false }));
  expect(loaded.compiled).toBe(false);
  await expect(loaded.fit(X, Y)).rejects.toThrow('is not compiled');
});

test('a loaded model is not compiled when that is not wanted', async () => {
  const model = makeModel();
  model.compile({ optimizer: 'adam', loss: 'mse' });
  expect((await loadModel(await model.toBytes(), { compile: false })).compiled).toBe(false);
});

test('what a file cannot hold is told', async () => {
  const model = makeModel();
  model.compile({ optimizer: 'adam', loss: (_, yPred) => yPred, metrics: ['mae'] });
  const store = memoryStore();
  const report = await model.save({ store, key: 'model.keras' });
  expect(report.omitted).toEqual(['the loss "loss", which is the user\'s own']);
  // Without a loss there is nothing to train by.
  expect((await loadModel({ store, key: 'model.keras' })).compiled).toBe(false);
});

test('the state of another optimizer is left out, and reported', async () => {
  const model = makeModel();
  model.compile({ optimizer: 'adam', loss: 'mse' });
  await train(model, 1);
  const weights = await model.toBytes({ format: 'weights.h5' });
  const other = makeModel();
  other.compile({ optimizer: 'sgd', loss: 'mse' });
  const report = await other.loadWeights(weights);
  expect(report.ignored).toEqual([
    'the state of the optimizer: found 14 arrays instead of 2, expected that of SGD with 6 trained weights',
  ]);
});
