/** Trainings that Hornet or stock TensorFlow.js began, and the other goes on with. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Dense, input, type KerasModel, loadModel, Model, memoryStore, optimizers, tensor } from '../../src/index.ts';
import { filesHandler, openTensorflow, type Tensorflow, type TensorflowModel } from '../support/tensorflow-js.ts';
import { type Column, Tally } from './tally.ts';

const STEPS = 5;
const LIMIT = 1e-4;

const X = tensor(
  Float32Array.from({ length: 24 }, (_, index) => Math.sin(index * 1.7)),
  [8, 3],
);
const Y = tensor(
  Float32Array.from({ length: 8 }, (_, index) => index % 2),
  [8, 1],
);

/** Without Adadelta, whose steps TensorFlow.js takes by the mean of squares before the present one, unlike Keras. */
const OPTIMIZERS: readonly (readonly [string, () => optimizers.Optimizer])[] = [
  ['SGD', () => new optimizers.SGD({ learningRate: 0.1 })],
  ['Momentum', () => new optimizers.SGD({ learningRate: 0.1, momentum: 0.9 })],
  ['Momentum, Nesterov', () => new optimizers.SGD({ learningRate: 0.1, momentum: 0.9, nesterov: true })],
  ['Adam', () => new optimizers.Adam({ learningRate: 0.03, beta1: 0.8 })],
  ['RMSProp', () => new optimizers.RMSprop({ learningRate: 0.01, rho: 0.8 })],
  ['RMSProp, centered', () => new optimizers.RMSprop({ learningRate: 0.01, momentum: 0.3, centered: true })],
  ['Adagrad', () => new optimizers.Adagrad({ learningRate: 0.1 })],
];

function makeModel(optimizer: optimizers.Optimizer): KerasModel {
  const x = input({ shape: [3] });
  const hidden = new Dense({ units: 4, activation: 'tanh' }).apply(x);
  const model = new Model({ inputs: x, outputs: new Dense({ units: 1 }).apply(hidden) });
  model.compile({ optimizer, loss: 'mse', metrics: ['mae'] });
  return model;
}

async function train(model: KerasModel): Promise<number[]> {
  const losses: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    await model.resetMetrics();
    losses.push((await model.trainOnBatch(X, Y)).loss as number);
  }
  return losses;
}

async function trainThere(model: TensorflowModel, { tensor: toTensor }: Tensorflow): Promise<number[]> {
  const losses: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    const found = await model.trainOnBatch(toTensor(X), toTensor(Y));
    losses.push(Array.isArray(found) ? (found[0] as number) : found);
  }
  return losses;
}

function expectClose(found: readonly number[], expected: readonly number[], tally: Tally, column: Column): void {
  const distance = Math.max(...found.map((loss, step) => Math.abs(loss - (expected[step] as number))));
  tally.count(column, distance < LIMIT);
  expect(distance, `${found} instead of ${expected}`).toBeLessThan(LIMIT);
}

describe('stock TensorFlow.js', () => {
  let tensorflow: Tensorflow;
  const tally = new Tally('TensorFlow.js 4.22.0', 'model.json, each optimizer');
  beforeAll(async () => {
    tensorflow = await openTensorflow();
  });
  afterAll(() => {
    tensorflow.disposeVariables();
    tally.write();
  });

  test.each(OPTIMIZERS)('%s: it goes on with our training, and we with its', async (_, makeOptimizer) => {
    const model = makeModel(makeOptimizer());
    await train(model);
    const files = new Map<string, Uint8Array>();
    await model.save({ store: memoryStore(files), key: 'model.json' });
    const there = await tensorflow.loadLayersModel(filesHandler(files, 'model.json'));
    expectClose(await trainThere(there, tensorflow), await train(model), tally, 'trained on');

    let artifacts: unknown;
    const handler = {
      save: async (saved: unknown) => {
        artifacts = saved;
        return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
      },
    };
    await there.save(handler, { includeOptimizer: true });
    const here = await loadModel({ load: async () => artifacts } as Parameters<typeof loadModel>[0]);
    expect(here.compiled).toBe(true);
    expectClose(await train(here), await trainThere(there, tensorflow), tally, 'we train on');
  });
});
