/** Trainings that Hornet began and saved, gone on with in real Keras. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  BatchNormalization,
  Conv2D,
  Dense,
  Flatten,
  input,
  type KerasModel,
  LSTM,
  losses,
  Model,
  type ModelCompileOptions,
  metrics,
  optimizers,
  schedules,
  type Tensor,
  tensor,
} from '../../src/index.ts';
import type { Optimizer } from '../../src/training/optimizers/optimizer.ts';
import type { LearningRateSchedule } from '../../src/training/schedules/schedule.ts';
import { ask, findKerasOnJax, type Judge } from './judges.ts';
import { Tallies } from './tally.ts';

const FOLDER = '.cache/saved-training-test';
const STEPS = 5;
const LIMIT = 1e-4;

const judge = findKerasOnJax();

const wave = (shape: readonly number[], pace: number): Tensor => {
  const length = shape.reduce((product, extent) => product * extent, 1);
  return tensor(
    Float32Array.from({ length }, (_, index) => Math.sin((index + 1) * pace)),
    shape,
  );
};
const labels = (rows: number): Tensor =>
  tensor(
    Float32Array.from({ length: rows }, (_, index) => index % 2),
    [rows, 1],
  );

interface Case {
  readonly name: string;
  readonly model: () => KerasModel;
  readonly x: readonly Tensor[];
  readonly y: readonly Tensor[];
  readonly options: ModelCompileOptions & { readonly optimizer: Optimizer };
}

function denseModel(): KerasModel {
  const x = input({ shape: [6] });
  const hidden = new BatchNormalization({}).apply(new Dense({ units: 5, activation: 'tanh' }).apply(x));
  return new Model({ inputs: x, outputs: new Dense({ units: 1, activation: 'sigmoid' }).apply(hidden) });
}

const OPTIMIZERS: Readonly<Record<string, () => Optimizer>> = {
  Adadelta: () => new optimizers.Adadelta({ learningRate: 1 }),
  Adafactor: () => new optimizers.Adafactor({ learningRate: 0.05 }),
  Adagrad: () => new optimizers.Adagrad({ learningRate: 0.1, initialAccumulatorValue: 0.2 }),
  Adam: () => new optimizers.Adam({ learningRate: 0.03, beta1: 0.8, epsilon: 1e-5 }),
  'Adam, greatest velocity': () => new optimizers.Adam({ learningRate: 0.03, amsgrad: true }),
  'Adam, averages': () =>
    new optimizers.Adam({ learningRate: 0.03, useEma: true, emaMomentum: 0.9, emaOverwriteFrequency: 3 }),
  'Adam, sums of gradients': () => new optimizers.Adam({ learningRate: 0.03, gradientAccumulationSteps: 2 }),
  'Adam, clipped': () => new optimizers.Adam({ learningRate: 0.03, globalClipnorm: 0.1 }),
  Adamax: () => new optimizers.Adamax({ learningRate: 0.03 }),
  AdamW: () => new optimizers.AdamW({ learningRate: 0.03, weightDecay: 0.1 }),
  Ftrl: () => new optimizers.Ftrl({ learningRate: 0.1, l1RegularizationStrength: 0.01, beta: 0.2 }),
  Lamb: () => new optimizers.Lamb({ learningRate: 0.03 }),
  Lion: () => new optimizers.Lion({ learningRate: 0.01 }),
  LossScaleOptimizer: () =>
    new optimizers.LossScaleOptimizer(new optimizers.Adam({ learningRate: 0.03 }), { initialScale: 16 }),
  MultiOptimizer: () =>
    new optimizers.MultiOptimizer(
      new optimizers.OptimizerMap(new optimizers.SGD({ learningRate: 0.1, momentum: 0.5 })),
    ),
  Muon: () => new optimizers.Muon({ learningRate: 0.01 }),
  Nadam: () => new optimizers.Nadam({ learningRate: 0.03 }),
  RMSprop: () => new optimizers.RMSprop({ learningRate: 0.01, momentum: 0.3, centered: true }),
  ScheduleFreeAdamW: () => new optimizers.ScheduleFreeAdamW({ learningRate: 0.03, warmupSteps: 4 }),
  SGD: () => new optimizers.SGD({ learningRate: 1 }),
  'SGD, Nesterov': () => new optimizers.SGD({ learningRate: 0.1, momentum: 0.9, nesterov: true }),
  'SGD, exponential decay': () => new optimizers.SGD({ learningRate: decay() }),
  'SGD, cosine decay': () =>
    new optimizers.SGD({
      learningRate: new schedules.CosineDecay({
        initialLearningRate: 0,
        decaySteps: 20,
        warmupTarget: 1,
        warmupSteps: 6,
      }),
    }),
};

function decay(): LearningRateSchedule {
  return new schedules.ExponentialDecay({ initialLearningRate: 1, decaySteps: 3, decayRate: 0.5, staircase: true });
}

const optimizerCases = Object.entries(OPTIMIZERS).map(
  ([name, make]): Case => ({
    name,
    model: denseModel,
    x: [wave([8, 6], 1.7)],
    y: [labels(8)],
    options: { optimizer: make(), loss: 'binary_crossentropy', metrics: ['accuracy'] },
  }),
);

const modelCases: readonly Case[] = [
  {
    name: 'convolutions, a loss of logits',
    model: () => {
      const x = input({ shape: [6, 6, 2] });
      const maps = new Conv2D({ filters: 3, kernelSize: 3, activation: 'relu', kernelRegularizer: 'l2' }).apply(x);
      return new Model({ inputs: x, outputs: new Dense({ units: 4 }).apply(new Flatten({}).apply(maps)) });
    },
    x: [wave([4, 6, 6, 2], 0.7)],
    y: [tensor(Float32Array.from([0, 3, 1, 2]), [4])],
    options: {
      optimizer: new optimizers.Adam({ learningRate: 0.01 }),
      loss: new losses.SparseCategoricalCrossentropy({ fromLogits: true }),
      metrics: ['acc', new metrics.SparseTopKCategoricalAccuracy({ k: 2, name: 'best_two' })],
    },
  },
  {
    name: 'two outputs by name',
    model: () => {
      const x = input({ shape: [5, 3] });
      const state = new LSTM({ units: 4 }).apply(x);
      const outputs = [
        new Dense({ units: 2, name: 'place' }).apply(state),
        new Dense({ units: 1, name: 'side', activation: 'sigmoid' }).apply(state),
      ];
      return new Model({ inputs: x, outputs });
    },
    x: [wave([4, 5, 3], 0.9)],
    y: [wave([4, 2], 0.3), labels(4)],
    options: {
      optimizer: new optimizers.RMSprop({ learningRate: 0.01 }),
      loss: { place: new losses.Huber({ delta: 0.7 }), side: 'binary_crossentropy' },
      lossWeights: { place: 0.3, side: 2 },
      metrics: { side: ['accuracy'] },
    },
  },
];

const cases = [...optimizerCases, ...modelCases];

async function train(model: KerasModel, { x, y }: Case): Promise<number[]> {
  const found: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    await model.resetMetrics();
    found.push((await model.trainOnBatch(x, y)).loss as number);
  }
  return found;
}

interface Row {
  readonly name: string;
  readonly keras?: number;
  readonly weights?: number;
  readonly fails?: string;
}

describe.skipIf(judge === undefined)('real Keras (needs interop/.venv)', () => {
  const tallies = new Tallies();

  beforeAll(async () => {
    rmSync(FOLDER, { recursive: true, force: true });
    mkdirSync(FOLDER, { recursive: true });
    for (const one of cases) {
      const model = one.model();
      model.compile(one.options);
      await train(model, one);
      const name = `${FOLDER}/${one.name.replaceAll(/\W+/g, '-')}`;
      await model.save(`${name}.keras`);
      await model.saveWeights(`${name}.weights.h5`);
      const plain = (values: readonly Tensor[]): unknown =>
        values.map(({ shape, data }) => ({ shape, data: Array.from(data as Float32Array) }));
      const { className: optimizer } = one.options.optimizer;
      const expected = { optimizer, x: plain(one.x), y: plain(one.y), losses: await train(model, one) };
      writeFileSync(`${name}.json`, JSON.stringify(expected));
    }
  });

  afterAll(() => tallies.write());

  test(`goes on with ${cases.length} trainings, ${STEPS} steps, from .keras and from .weights.h5`, async () => {
    const { title, rows } = await ask<Row>(judge as Judge, 'check-saved-training.py', FOLDER);
    expect(rows).toHaveLength(cases.length);
    for (const row of rows) {
      for (const key of ['keras', 'weights'] as const) {
        const tally = tallies.of(title, key === 'keras' ? '.keras, each optimizer' : '.weights.h5, each optimizer');
        tally.count('models', true);
        tally.count('trained on', (row[key] ?? Number.NaN) <= LIMIT);
      }
    }
    for (const row of rows) {
      expect(row.keras, JSON.stringify(row)).toBeLessThanOrEqual(LIMIT);
      expect(row.weights, `weights alone: ${JSON.stringify(row)}`).toBeLessThanOrEqual(LIMIT);
    }
  });
});
