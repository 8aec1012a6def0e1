import { describe, expect, test } from 'vitest';
import { PhiloxStream } from '../array/philox.ts';
import { type Tensor, tensor } from '../array/tensor.ts';
import { Dense } from '../layers/core/dense.ts';
import { InputLayer } from '../layers/input-layer.ts';
import { clearSession } from '../layers/layer.ts';
import { BatchNormalization } from '../layers/normalization/batch-normalization.ts';
import { Dropout } from '../layers/regularization/dropout.ts';
import { LSTM } from '../layers/rnn/lstm.ts';
import { Sequential } from '../model/sequential.ts';
import { Callback, type Logs } from './callbacks/callback.ts';
import { EarlyStopping } from './callbacks/early-stopping.ts';
import { ReduceLROnPlateau } from './callbacks/learning-rate.ts';
import { LambdaCallback } from './callbacks/small-callbacks.ts';
import type { FitOptions } from './fit-options.ts';
import { Adam, Nadam } from './optimizers/adam.ts';
import { LossScaleOptimizer } from './optimizers/loss-scale-optimizer.ts';
import { MultiOptimizer, OptimizerMap } from './optimizers/multi-optimizer.ts';
import type { Optimizer } from './optimizers/optimizer.ts';
import { SGD } from './optimizers/sgd.ts';
import type { BatchLike } from './samples.ts';
import { CosineDecay } from './schedules/cosine.ts';
import { type TrainingState, TrainingStateError } from './training-state.ts';

function random(seed: number, ...shape: number[]): Tensor {
  const stream = new PhiloxStream(seed);
  const size = shape.reduce((product, extent) => product * extent, 1);
  return tensor(
    Float32Array.from({ length: size }, () => stream.nextNormal()),
    shape,
  );
}

const X = random(1, 23, 4);
const Y = random(2, 23, 2);

/** A model as a new process would make it, with other random weights. */
function made(optimizer: Optimizer): Sequential {
  clearSession();
  const layers = [
    new InputLayer({ batchShape: [null, 4] }),
    new Dense({ units: 8, activation: 'relu' }),
    new BatchNormalization(),
    new Dropout({ rate: 0.3 }),
    new Dense({ units: 2 }),
  ];
  const model = new Sequential({ layers });
  model.compile({ optimizer, loss: 'mse', metrics: ['mae'], seed: 3 });
  return model;
}

/** All bits of a training: every tensor of its state, and the logs. */
async function bitsOf(model: Sequential): Promise<Record<string, string>> {
  const { tensors } = await model.getTrainingState();
  const bits = (value: Tensor): string =>
    Buffer.from(new Uint8Array((value.data as Float32Array).slice().buffer)).toString('hex');
  return Object.fromEntries([...tensors].map(([name, value]) => [name, `${value.dtype}${value.shape}:${bits(value)}`]));
}

/** Takes a state after so many batches in all. */
function takeAfter(model: Sequential, count: number, take: (state: TrainingState) => void): LambdaCallback {
  let seen = 0;
  return new LambdaCallback({
    onTrainBatchEnd: async () => {
      if (++seen === count) take(await model.getTrainingState());
    },
  });
}

const OPTIONS: FitOptions = { epochs: 4, batchSize: 5, seed: 11, validationSplit: 0.2 };

describe('a training that is taken up goes on to the same bits', () => {
  const optimizers: readonly [string, () => Optimizer][] = [
    ['Adam', () => new Adam({ learningRate: 0.01 })],
    [
      'SGD with momentum and a schedule',
      () => new SGD({ learningRate: new CosineDecay({ initialLearningRate: 0.1, decaySteps: 12 }), momentum: 0.9 }),
    ],
    ['Nadam, which keeps a product', () => new Nadam()],
    [
      'averages and accumulation',
      () => new Adam({ useEma: true, emaOverwriteFrequency: 3, gradientAccumulationSteps: 2 }),
    ],
    ['a scaled loss', () => new LossScaleOptimizer(new Adam(), { dynamicGrowthSteps: 3 })],
    [
      'several optimizers',
      () => new MultiOptimizer(new OptimizerMap(new Adam(), { 'dense/.*': new SGD({ momentum: 0.5 }) })),
    ],
  ];

  test.each(optimizers)('%s', async (_, optimizer) => {
    const whole = made(optimizer());
    const states: TrainingState[] = [];
    const counts = [1, 4, 6, 8, 16];
    const takers = counts.map((count) => takeAfter(whole, count, (state) => states.push(state)));
    const atEnd = new LambdaCallback({
      onEpochEnd: async (epoch) => void (epoch === 1 && states.push(await whole.getTrainingState())),
    });
    const history = await whole.fit(X, Y, { ...OPTIONS, callbacks: [atEnd, ...takers] });
    const expected = await bitsOf(whole);
    expect(states.length).toBe(counts.length + 1);
    for (const state of states) {
      const resumed = made(optimizer());
      const other = await resumed.fit(X, Y, { ...OPTIONS, seed: 5, resume: state });
      expect(await bitsOf(resumed)).toEqual(expected);
      expect([other.epoch, other.history]).toEqual([history.epoch, history.history]);
    }
  });

  test('callbacks go on too, whether they come before or after the one that takes the state', async () => {
    const script = [5, 4, 4.5, 4.4, 4.3, 4.2, 4.1];
    const callbacks = (model: Sequential, take: (state: TrainingState) => void): Callback[] => [
      new EpochLog(script),
      new EarlyStopping({ monitor: 'score', mode: 'min', patience: 4, restoreBestWeights: true }),
      new LambdaCallback({ onEpochEnd: async (epoch) => void (epoch < 5 && take(await model.getTrainingState())) }),
      new ReduceLROnPlateau({ monitor: 'score', mode: 'min', patience: 2, factor: 0.5 }),
      new EarlyStopping({ monitor: 'score', mode: 'min', patience: 20 }),
    ];
    const options: FitOptions = { epochs: 9, batchSize: 8, seed: 1 };
    const whole = made(new Adam());
    const states: TrainingState[] = [];
    const { history, epoch } = await whole.fit(X, Y, {
      ...options,
      callbacks: callbacks(whole, (state) => states.push(state)),
    });
    expect(epoch).toEqual([0, 1, 2, 3, 4, 5]);
    expect(history.learning_rate?.map((rate) => Math.round(Number(rate) * 1e5))).toEqual([100, 100, 100, 100, 50, 50]);
    const expected = await bitsOf(whole);
    expect(states.length).toBe(5);
    for (const state of states) {
      const resumed = made(new Adam());
      const found = await resumed.fit(X, Y, { ...options, callbacks: callbacks(resumed, () => {}), resume: state });
      expect(found.history).toEqual(history);
      expect(await bitsOf(resumed)).toEqual(expected);
    }
  });

  test('a dataset that goes on from epoch to epoch, and whose validation does', async () => {
    const batches = (x: Tensor, y: Tensor) =>
      function* (): Generator<BatchLike> {
        for (let row = 0; row < 20; row += 4) {
          const part = ({ shape, data }: Tensor): Tensor => {
            const width = shape[1] as number;
            return tensor((data as Float32Array).slice(row * width, (row + 4) * width), [4, width]);
          };
          yield [part(x), part(y)];
        }
      };
    const options: FitOptions = { epochs: 5, stepsPerEpoch: 3, validationData: batches(X, Y), validationSteps: 2 };
    const whole = made(new SGD({ momentum: 0.9, learningRate: 0.01 }));
    const states: TrainingState[] = [];
    const takers = [2, 3, 5, 6, 8, 13].map((count) => takeAfter(whole, count, (state) => states.push(state)));
    const { history } = await whole.fit(batches(X, Y), { ...options, callbacks: takers });
    const expected = await bitsOf(whole);
    expect(states.length).toBe(6);
    for (const state of states) {
      const resumed = made(new SGD({ momentum: 0.9, learningRate: 0.01 }));
      const found = await resumed.fit(batches(X, Y), { ...options, resume: state });
      expect(found.history).toEqual(history);
      expect(await bitsOf(resumed)).toEqual(expected);
    }
  });

  test('states of stateful layers, which are no weights', async () => {
    const build = (): Sequential => {
      clearSession();
      const layers = [new InputLayer({ batchShape: [2, 3, 4] }), new LSTM({ units: 3, stateful: true })];
      const model = new Sequential({ layers });
      model.compile({ optimizer: 'adam', loss: 'mse' });
      return model;
    };
    const [x, y] = [random(5, 2, 3, 4), random(6, 2, 3)];
    const whole = build();
    await whole.trainOnBatch(x, y);
    const state = await whole.getTrainingState();
    expect(state.position).toBeNull();
    expect(state.tensors.has('states/lstm/rnn_state')).toBe(true);
    const resumed = build();
    await resumed.setTrainingState(state);
    expect(await resumed.trainOnBatch(x, y)).toEqual(await whole.trainOnBatch(x, y));
    const { tensors } = await whole.getTrainingState();
    expect((await resumed.getTrainingState()).tensors.get('states/lstm/rnn_state')).toEqual(
      tensors.get('states/lstm/rnn_state'),
    );
  });

  test('a weight that was thawed late counts its own steps', async () => {
    const build = (): Sequential => made(new Adam());
    const thaw = (model: Sequential, optimizer: Optimizer, trainable: boolean): void => {
      (model.layers[0] as Dense).trainable = trainable;
      model.compile({ optimizer, loss: 'mse', seed: 3 });
    };
    const whole = build();
    const optimizer = new Adam({ learningRate: 0.05 });
    thaw(whole, optimizer, false);
    await whole.fit(X, Y, { epochs: 1, seed: 1 });
    thaw(whole, optimizer, true);
    // Asked for before the first step, it must not spoil it.
    expect((await whole.getTrainingState()).tensors.get('optimizer/dense/kernel/start')?.data[0]).toBe(1);
    await whole.fit(X, Y, { epochs: 1, seed: 2 });
    const state = await whole.getTrainingState();
    await whole.fit(X, Y, { epochs: 3, resume: state });
    const resumed = build();
    thaw(resumed, new Adam({ learningRate: 0.05 }), true);
    await resumed.fit(X, Y, { epochs: 3, resume: state });
    expect(await bitsOf(resumed)).toEqual(await bitsOf(whole));
  });

  test('the moments of a weight that is frozen now, for when it is thawed', async () => {
    const freeze = (model: Sequential, optimizer: Optimizer, isFrozen: boolean): void => {
      (model.layers[0] as Dense).trainable = !isFrozen;
      model.compile({ optimizer, loss: 'mse', seed: 3 });
    };
    const [whole, first] = [made(new Adam()), new Adam({ learningRate: 0.05 })];
    freeze(whole, first, false);
    await whole.fit(X, Y, { epochs: 2, seed: 1 });
    freeze(whole, first, true);
    await whole.fit(X, Y, { epochs: 1, seed: 2 });
    const state = await whole.getTrainingState();
    expect(state.tensors.has('optimizer/dense/kernel/velocity')).toBe(true);
    const [resumed, second] = [made(new Adam()), new Adam({ learningRate: 0.05 })];
    freeze(resumed, second, true);
    await resumed.setTrainingState(state);
    for (const [model, optimizer] of [
      [whole, first],
      [resumed, second],
    ] as const) {
      await model.fit(X, Y, { epochs: 2, resume: state });
      freeze(model, optimizer, false);
      await model.fit(X, Y, { epochs: 2, seed: 4 });
    }
    expect(await bitsOf(resumed)).toEqual(await bitsOf(whole));
  });

  test('after it was ended by a signal', async () => {
    const controller = new AbortController();
    let batches = 0;
    const stop = new LambdaCallback({ onTrainBatchEnd: () => void (++batches === 7 && controller.abort()) });
    const model = made(new Adam());
    const start = await model.getTrainingState();
    const { signal } = controller;
    await expect(model.fit(X, Y, { ...OPTIONS, callbacks: [stop], signal })).rejects.toThrow('aborted');
    const state = await model.getTrainingState();
    expect([state.position?.epoch, state.position?.step]).toEqual([1, 3]);
    const resumed = made(new Adam());
    await resumed.fit(X, Y, { ...OPTIONS, resume: state });
    const whole = made(new Adam());
    await whole.setTrainingState(start);
    await whole.fit(X, Y, OPTIONS);
    expect(await bitsOf(resumed)).toEqual(await bitsOf(whole));
  });
});

/** Puts scripted numbers among the logs. */
class EpochLog extends Callback {
  readonly #values: readonly number[];

  constructor(values: readonly number[]) {
    super();
    this.#values = values;
  }

  override onEpochEnd(epoch: number, logs: Logs): void {
    logs.score = this.#values[epoch] as number;
  }
}

describe('what does not fit is said, and nothing is changed', () => {
  async function stateOf(model: Sequential): Promise<TrainingState> {
    await model.fit(X, Y, { ...OPTIONS, epochs: 1 });
    return await model.getTrainingState();
  }

  test('weights and slots', async () => {
    const state = await stateOf(made(new Adam()));
    clearSession();
    const model = new Sequential({
      layers: [
        new InputLayer({ batchShape: [null, 4] }),
        new Dense({ units: 3, name: 'dense' }),
        new Dense({ units: 2, name: 'densely' }),
      ],
    });
    model.compile({ optimizer: new SGD({ momentum: 0.9 }), loss: 'mse' });
    const before = await bitsOf(model);
    const error = await model.fit(X, Y, { resume: state }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(TrainingStateError);
    const { problems, message } = error as TrainingStateError;
    expect(problems).toContain('"weights/dense/kernel" is float32[4, 8] in the state, expected float32[4, 3]');
    expect(problems).toContain('the state lacks "weights/densely/kernel" (it has "weights/dense_1/kernel")');
    expect(problems.join()).toContain('the state lacks "optimizer/sgd/iteration"');
    expect(problems).toContain('the state has "optimizer/dense/kernel/velocity", which this training does not have');
    expect(message).toMatch(/^Cannot resume the training: .*; and \d+ more$/);
    expect(await bitsOf(model)).toEqual(before);
    await expect(model.setTrainingState(state)).rejects.toThrow(TrainingStateError);
    expect(await bitsOf(model)).toEqual(before);
  });

  test('samples and metrics, in the middle of an epoch', async () => {
    const model = made(new Adam());
    const states: TrainingState[] = [];
    await model.fit(X, Y, { ...OPTIONS, callbacks: [takeAfter(model, 2, (state) => states.push(state))] });
    const [state] = states as [TrainingState];
    const other = made(new Adam());
    const before = await bitsOf(other);
    await expect(other.fit(X, Y, { ...OPTIONS, batchSize: 4, resume: state })).rejects.toThrow(
      'the state is of a training on 18 samples in batches of 5, shuffled, this one is on 18 samples in batches of 4, shuffled',
    );
    await expect(other.fit(() => [[X, Y] as const], { resume: state })).rejects.toThrow('this one is on a dataset');
    expect(await bitsOf(other)).toEqual(before);
    const unmeasured = made(new Adam());
    unmeasured.compile({ optimizer: new Adam(), loss: 'mse', metrics: ['mse'] });
    const values = unmeasured.getWeights();
    await expect(unmeasured.fit(X, Y, { ...OPTIONS, resume: state })).rejects.toThrow(
      'the state lacks "metrics/mse/total" (it has "metrics/mae/total")',
    );
    expect(unmeasured.getWeights()).toEqual(values);
  });
});

test('a callback that cannot take its state leaves the model as it was', async () => {
  const model = made(new Adam());
  await model.fit(X, Y, { ...OPTIONS, epochs: 1 });
  const state = await model.getTrainingState();
  const other = made(new Adam());
  const before = other.getWeights();
  const resume = { ...state, callbacks: { History: { values: { epoch: null } } } };
  await expect(other.fit(X, Y, { ...OPTIONS, resume })).rejects.toThrow('the callback History cannot take its state');
  expect(other.getWeights()).toEqual(before);
  expect(other.optimizer?.iterations.value.data[0]).toBe(0);
});

test('a state is not changed by what happens to the model later', async () => {
  const model = made(new Adam());
  await model.fit(X, Y, { ...OPTIONS, epochs: 1 });
  const state = await model.getTrainingState();
  const copies = new Map([...state.tensors].map(([name, { data }]) => [name, (data as Float32Array).slice()]));
  await model.fit(X, Y, { ...OPTIONS, epochs: 2 });
  for (const [name, { data }] of state.tensors) expect(data).toEqual(copies.get(name));
});

test('a state that is asked for while a step is computed waits for it', async () => {
  const model = made(new Adam());
  const training = model.fit(X, Y, { ...OPTIONS, epochs: 3 });
  const states: TrainingState[] = [];
  let isDone = false;
  const finished = training.then(() => {
    isDone = true;
  });
  while (!isDone) {
    states.push(await model.getTrainingState());
    await new Promise((resolve) => setTimeout(resolve));
  }
  await finished;
  for (const { tensors, position } of states) {
    const steps = Number(tensors.get('optimizer/adam/iteration')?.data[0]);
    if (position !== null) expect(steps).toBe(position.epoch * 4 + position.step);
  }
  expect(states.length).toBeGreaterThan(0);
});
