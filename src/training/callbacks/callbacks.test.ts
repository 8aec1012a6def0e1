import { afterEach, describe, expect, test, vi } from 'vitest';
import { tensor } from '../../array/tensor.ts';
import { Dense } from '../../layers/core/dense.ts';
import { InputLayer } from '../../layers/input-layer.ts';
import { Sequential } from '../../model/sequential.ts';
import { memoryStore } from '../../storage/memory-store.ts';
import { MultiOptimizer, OptimizerMap } from '../optimizers/multi-optimizer.ts';
import { SGD } from '../optimizers/sgd.ts';
import { Callback, type Logs } from './callback.ts';
import { CSVLogger } from './csv-logger.ts';
import { EarlyStopping } from './early-stopping.ts';
import { LearningRateScheduler, ReduceLROnPlateau } from './learning-rate.ts';
import { isBetterBy } from './monitor.ts';
import { ProgbarLogger } from './progbar-logger.ts';
import { LambdaCallback, TerminateOnNaN } from './small-callbacks.ts';

const X = tensor([[1], [2], [3], [4]]);
const Y = tensor([[2], [4], [6], [8]]);

function compiled(learningRate = 0.01): Sequential {
  const layers = [new InputLayer({ batchShape: [null, 1] }), new Dense({ units: 1, kernelInitializer: 'zeros' })];
  const model = new Sequential({ layers });
  model.compile({ optimizer: new SGD({ learningRate }), loss: 'mse' });
  return model;
}

/** Puts numbers of one's own in the place of a log, an epoch after the other. */
class Script extends Callback {
  readonly #name: string;
  readonly #values: readonly number[];

  constructor(name: string, values: readonly number[]) {
    super();
    this.#name = name;
    this.#values = values;
  }

  override onEpochEnd(epoch: number, logs: Logs): void {
    logs[this.#name] = this.#values[epoch] as number;
  }
}

afterEach(() => {
  vi.restoreAllMocks();
});

test('hooks come in the order of Keras, and the training waits for them', async () => {
  const calls: string[] = [];
  class Recorder extends Callback {
    override async onTrainBegin(): Promise<void> {
      await new Promise((resolve) => setTimeout(resolve, 5));
      calls.push('train begin');
    }
    override onTrainEnd(): void {
      calls.push('train end');
    }
    override onEpochBegin(epoch: number): void {
      calls.push(`epoch ${epoch} begin`);
    }
    override onEpochEnd(epoch: number, logs: Logs): void {
      calls.push(`epoch ${epoch} end ${Object.keys(logs)}`);
    }
    override onTrainBatchBegin(batch: number): void {
      calls.push(`batch ${batch} begin`);
    }
    override onTrainBatchEnd(batch: number): void {
      calls.push(`batch ${batch} end`);
    }
    override onTestBegin(): void {
      calls.push('test begin');
    }
    override onTestBatchEnd(batch: number): void {
      calls.push(`test batch ${batch} end`);
    }
    override onTestEnd(): void {
      calls.push('test end');
    }
  }
  const options = { batchSize: 3, validationData: [X, Y] as const, callbacks: [new Recorder()] };
  await compiled().fit(X, Y, options);
  expect(calls).toEqual([
    'train begin',
    'epoch 0 begin',
    ...['batch 0 begin', 'batch 0 end', 'batch 1 begin', 'batch 1 end'],
    ...['test begin', 'test batch 0 end', 'test batch 1 end', 'test end'],
    'epoch 0 end loss,val_loss',
    'train end',
  ]);
});

describe('EarlyStopping', () => {
  test('ends after so many epochs without improvement', async () => {
    const stopping = new EarlyStopping({ monitor: 'val_loss', patience: 2, minDelta: 0.1 });
    const script = new Script('val_loss', [5, 4, 3.95, 3.92, 1, 0]);
    const { epoch } = await compiled().fit(X, Y, { epochs: 6, callbacks: [script, stopping] });
    expect(epoch).toEqual([0, 1, 2, 3]);
    expect([stopping.stoppedEpoch, stopping.bestEpoch, stopping.best]).toEqual([3, 1, 4]);
  });

  test('gives back the best weights', async () => {
    const model = compiled();
    const kernels: number[] = [];
    const watch = new LambdaCallback({
      onEpochEnd: () => void kernels.push(Number(model.getWeights()[0]?.data[0])),
    });
    const stopping = new EarlyStopping({ monitor: 'val_accuracy', patience: 2, restoreBestWeights: true });
    const script = new Script('val_accuracy', [0.1, 0.9, 0.5, 0.4, 0.3]);
    await model.fit(X, Y, { epochs: 5, callbacks: [script, watch, stopping] });
    expect(kernels.length).toBe(4);
    expect(new Set(kernels).size).toBe(4);
    expect(model.getWeights()[0]?.data[0]).toBe(kernels[1]);
  });

  test('ends when the baseline is not reached, and looks at nothing before its first epoch', async () => {
    const script = new Script('val_loss', [5, 4, 3, 2, 1, 0]);
    const baseline = new EarlyStopping({ baseline: 1, patience: 3 });
    expect((await compiled().fit(X, Y, { epochs: 6, callbacks: [script, baseline] })).epoch.length).toBe(6);
    const rising = new Script('val_loss', [1, 2, 3, 4, 5, 6]);
    const late = new EarlyStopping({ startFromEpoch: 3, patience: 1 });
    expect((await compiled().fit(X, Y, { epochs: 6, callbacks: [rising, late] })).epoch).toEqual([0, 1, 2, 3, 4]);
  });

  test('says when there is nothing to monitor', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    await compiled().fit(X, Y, { callbacks: [new EarlyStopping()] });
    expect(warn.mock.calls[0]?.[0]).toContain('EarlyStopping monitors "val_loss", which is not among the logs: loss');
  });
});

test('names of logs tell whether they should fall', () => {
  expect(isBetterBy('val_loss', 'auto', 0)(1, 2)).toBe(true);
  expect(isBetterBy('val_accuracy', 'auto', 0)(1, 2)).toBe(false);
  expect(isBetterBy('mean_absolute_error', 'auto', 0)(1, 2)).toBe(true);
  expect(isBetterBy('anything', 'max', 0.5)(1.4, 1)).toBe(false);
  expect(() => isBetterBy('anything', 'auto', 0)).toThrow('Cannot monitor "anything"');
});

test('LearningRateScheduler sets the rate of each epoch, which the history shows', async () => {
  const model = compiled(1);
  const scheduler = new LearningRateScheduler((epoch, rate) => (epoch < 2 ? rate / 4 : rate));
  const { history } = await model.fit(X, Y, { epochs: 3, callbacks: [scheduler] });
  expect(history.learning_rate).toEqual([0.25, 0.0625, 0.0625]);
  expect(model.optimizer?.learningRate).toBe(0.0625);
});

test('a rate that is set has effect without a new compile', async () => {
  const model = compiled(0.01);
  const before = model.getWeights()[0]?.data[0];
  await model.trainOnBatch(X, Y);
  const moved = model.getWeights()[0]?.data[0];
  expect(moved).not.toBe(before);
  (model.optimizer as SGD).learningRate = 0;
  await model.trainOnBatch(X, Y);
  expect(model.getWeights()[0]?.data[0]).toBe(moved);
});

test('ReduceLROnPlateau lowers the rate, waits, and stops at the least', async () => {
  const plateau = new ReduceLROnPlateau({ monitor: 'loss', factor: 0.5, patience: 2, cooldown: 2, minLr: 0.15 });
  const script = new Script('loss', [5, 5, 5, 5, 5, 5, 5, 5, 5]);
  const { history } = await compiled(0.5).fit(X, Y, { epochs: 9, callbacks: [script, plateau] });
  const rates = (history.learning_rate as number[]).map((rate) => Number(rate.toFixed(4)));
  // Two epochs without improvement lower it; of the two that follow, the second already counts again.
  expect(rates).toEqual([0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.15, 0.15, 0.15]);
});

test('TerminateOnNaN ends in the middle of an epoch', async () => {
  const bad = tensor([[2], [Number.NaN], [6], [8]]);
  const batches: number[] = [];
  const watch = new LambdaCallback({ onTrainBatchEnd: (batch) => void batches.push(batch) });
  const callbacks = [new TerminateOnNaN(), watch];
  const { epoch } = await compiled().fit(X, bad, { epochs: 3, batchSize: 1, shuffle: false, callbacks });
  expect(batches).toEqual([0, 1]);
  expect(epoch).toEqual([0]);
});

describe('CSVLogger', () => {
  const header = 'epoch,a_metric,loss,val_a_metric,val_loss\n';

  test('gives each row to a function', async () => {
    let text = '';
    const logger = new CSVLogger((row) => {
      text += row;
    });
    const script = new Script('a_metric', [1, 2]);
    const { history } = await compiled().fit(X, Y, { epochs: 2, callbacks: [script, logger] });
    expect(text).toBe(`${header}0,1,${history.loss?.[0]},NA,NA\n1,2,${history.loss?.[1]},NA,NA\n`);
  });

  test('writes a file, or goes on with one; lists and separators are quoted', async () => {
    const files = new Map<string, Uint8Array>();
    const place = { store: memoryStore(files), key: 'log.csv' };
    const text = (): string => new TextDecoder().decode(files.get('log.csv'));
    const train = async (logger: CSVLogger, values: readonly unknown[]): Promise<unknown> =>
      (
        await compiled().fit(X, Y, {
          epochs: values.length,
          callbacks: [new Script('a_metric', values as number[]), logger],
        })
      ).history.loss;
    const [first] = (await train(new CSVLogger(place), [[1, 2]])) as number[];
    expect(text()).toBe(`${header}0,"[1, 2]",${first},NA,NA\n`);
    const [second] = (await train(new CSVLogger(place, { append: true }), [3])) as number[];
    expect(text()).toBe(`${header}0,"[1, 2]",${first},NA,NA\n0,3,${second},NA,NA\n`);
    const [third] = (await train(new CSVLogger(place, { separator: ';' }), [4])) as number[];
    expect(text()).toBe(`${header.replaceAll(',', ';')}0;4;${third};NA;NA\n`);
  });

  test('a training that is taken up goes on with its table', async () => {
    const files = new Map<string, Uint8Array>();
    const logger = (): CSVLogger => new CSVLogger({ store: memoryStore(files), key: 'log.csv' });
    const model = compiled();
    await model.fit(X, Y, { epochs: 2, callbacks: [logger()] });
    const resume = await model.getTrainingState();
    const two = new TextDecoder().decode(files.get('log.csv'));
    await model.fit(X, Y, { epochs: 3, callbacks: [logger()], resume });
    const three = new TextDecoder().decode(files.get('log.csv'));
    expect(three.startsWith(two)).toBe(true);
    expect(three.split('\n').map((line) => line.split(',')[0])).toEqual(['epoch', '0', '1', '2', '']);
  });
});

test('several optimizers have rates of their own, which callbacks tell and lower', async () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  const model = compiled();
  const map = new OptimizerMap(new SGD({ learningRate: 0.5, name: 'one' }), {
    '.*bias': new SGD({ learningRate: 0.25, name: 'two' }),
  });
  model.compile({ optimizer: new MultiOptimizer(map), loss: 'mse' });
  const script = new Script('loss', [5, 5, 5]);
  const plateau = new ReduceLROnPlateau({ monitor: 'loss', factor: 0.5, patience: 1, minLr: 0.2, verbose: 1 });
  const { history } = await model.fit(X, Y, { epochs: 3, callbacks: [script, plateau] });
  expect(history.learning_rate_one).toEqual([0.5, 0.5, 0.25]);
  expect(history.learning_rate_two?.map((rate) => Number(rate).toFixed(3))).toEqual(['0.250', '0.250', '0.200']);
  expect(log.mock.calls.flat()).toEqual([
    'Epoch 2: ReduceLROnPlateau reducing two learning rate to 0.2.',
    'Epoch 2: ReduceLROnPlateau reducing one learning rate to 0.25.',
    'Epoch 3: ReduceLROnPlateau reducing one learning rate to 0.2.',
  ]);
});

test('TerminateOnNaN throws when it is to', async () => {
  const bad = tensor([[2], [Number.NaN], [6], [8]]);
  const ends: string[] = [];
  const watch = new LambdaCallback({ onTrainEnd: () => void ends.push('end') });
  const callbacks = [new TerminateOnNaN({ raiseError: true }), watch];
  const fit = compiled().fit(X, bad, { batchSize: 1, shuffle: false, callbacks });
  await expect(fit).rejects.toThrow('Cannot go on training: the loss is NaN at batch 1');
  expect(ends).toEqual([]);
});

test('ProgbarLogger shows epochs, steps, losses and speed', async () => {
  const lines: string[] = [];
  const rewritten: string[] = [];
  const bar = new ProgbarLogger({ line: (text) => lines.push(text), rewrite: (text) => rewritten.push(text) });
  const model = compiled();
  bar.setModel(model);
  bar.setParams({ epochs: 2, steps: 4, verbose: 1 });
  bar.onEpochBegin(0);
  bar.onTrainBatchEnd(0, { loss: 0.5 });
  bar.onTrainBatchEnd(3, { loss: 0.25 });
  bar.onEpochEnd(0, { loss: 0.25, val_loss: 0.00001 });
  expect(rewritten[0]).toMatch(/^1\/4 ━{5} {15} \d+s left \S+\/step - loss: 0\.5000$/);
  expect(lines[0]).toBe('Epoch 1/2');
  expect(lines[1]).toMatch(/^4\/4 ━{20} 0s \S+\/step - loss: 0\.2500 - val_loss: 1\.0000e-5$/);
});
