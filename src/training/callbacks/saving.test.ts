import { afterEach, expect, test, vi } from 'vitest';
import { type Tensor, tensor } from '../../array/tensor.ts';
import { FormatError, UnsupportedError } from '../../errors.ts';
import { loadTrainingState, saveTrainingState } from '../../io/training-state.ts';
import { Dense } from '../../layers/core/dense.ts';
import { InputLayer } from '../../layers/input-layer.ts';
import { clearSession } from '../../layers/layer.ts';
import { Dropout } from '../../layers/regularization/dropout.ts';
import { Sequential } from '../../model/sequential.ts';
import { memoryStore } from '../../storage/memory-store.ts';
import { Adam } from '../optimizers/adam.ts';
import { TrainingStateError } from '../training-state.ts';
import { BackupAndRestore } from './backup-and-restore.ts';
import { Callback, type Logs } from './callback.ts';
import { EarlyStopping } from './early-stopping.ts';
import { formatTemplate } from './format-template.ts';
import { ModelCheckpoint } from './model-checkpoint.ts';
import { LambdaCallback } from './small-callbacks.ts';
import { SwapEMAWeights } from './swap-ema-weights.ts';

const X = tensor([[1], [2], [3], [4], [5]]);
const Y = tensor([[2], [4], [6], [8], [10]]);

function made(options: { readonly useEma?: boolean; readonly units?: number } = {}): Sequential {
  clearSession();
  const layers = [
    new InputLayer({ batchShape: [null, 1] }),
    new Dense({ units: options.units ?? 4 }),
    new Dropout({ rate: 0.5, seed: 5 }),
    new Dense({ units: 1 }),
  ];
  const model = new Sequential({ layers });
  model.compile({ optimizer: new Adam({ learningRate: 0.05, useEma: options.useEma ?? false }), loss: 'mse' });
  return model;
}

class Script extends Callback {
  readonly #values: readonly number[];

  constructor(...values: number[]) {
    super();
    this.#values = values;
  }

  override onEpochEnd(epoch: number, logs: Logs): void {
    logs.val_loss = this.#values[epoch] as number;
  }
}

afterEach(() => {
  vi.restoreAllMocks();
});

test.each([
  ['{epoch:02d}-{val_loss:.2f}.keras', '07-0.12.keras'],
  ['a{{b}}', 'a{b}'],
  ['{val_loss}', '0.125'],
  ['{loss:+08.3f}|{loss:e}|{small:.1e}|{loss:.3g}|{val_loss:%}', '-001.500|-1.500000e+00|2.0e-07|-1.5|12.500000%'],
])('the template %s gives %s, as in Python', (template, expected) => {
  expect(formatTemplate(template, { epoch: 7, val_loss: 0.125, loss: -1.5, small: 2e-7 })).toBe(expected);
});

test('a template that cannot be filled says why', () => {
  expect(() => formatTemplate('{acc}.keras', { epoch: 1, loss: 2 })).toThrow(
    'found {acc}, expected one of epoch, loss',
  );
  expect(() => formatTemplate('{loss:02d}', { loss: 0.5 })).toThrow('the form "02d" of {loss} is not known');
  expect(() => formatTemplate('{loss', { loss: 0.5 })).toThrow('without its partner');
});

test('ModelCheckpoint saves each epoch, or the best, or after batches; models or weights', async () => {
  const files = new Map<string, Uint8Array>();
  const store = memoryStore(files);
  const at = (key: string) => ({ store, key });
  const script = new Script(3, 2, 4, 1);
  const best = new ModelCheckpoint(at('best-{epoch}-{val_loss:.1f}.weights.h5'), {
    saveBestOnly: true,
    saveWeightsOnly: true,
  });
  const above = new ModelCheckpoint(at('low-{epoch}.keras'), { saveBestOnly: true, initialValueThreshold: 1.5 });
  const callbacks = [
    script,
    new ModelCheckpoint(at('all-{epoch:02d}.keras')),
    best,
    above,
    new ModelCheckpoint(at('batch-{epoch}-{batch}.keras'), { saveFreq: 5 }),
  ];
  const model = made();
  await model.fit(X, Y, { epochs: 4, batchSize: 2, callbacks });
  expect([...files.keys()].sort()).toEqual([
    'all-01.keras',
    'all-02.keras',
    'all-03.keras',
    'all-04.keras',
    'batch-2-2.keras',
    'batch-4-1.keras',
    'best-1-3.0.weights.h5',
    'best-2-2.0.weights.h5',
    'best-4-1.0.weights.h5',
    'low-4.keras',
  ]);
  expect([best.best, above.best]).toEqual([1, 1]);
  const other = made();
  await other.loadWeights(at('best-4-1.0.weights.h5'));
  expect(other.getWeights()).toEqual(model.getWeights());
});

test('ModelCheckpoint says what it does, and at once when it could not', async () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  const place = { store: memoryStore(), key: 'm.keras' };
  const callbacks = [new Script(2, 3), new ModelCheckpoint(place, { saveBestOnly: true, verbose: 1 })];
  await made().fit(X, Y, { epochs: 2, callbacks });
  expect(log.mock.calls.flat()).toEqual([
    'Epoch 1: val_loss improved from None to 2.00000, saving model to m.keras',
    'Epoch 1: finished saving model to m.keras',
    'Epoch 2: val_loss did not improve from 2.00000',
  ]);
  const strange = new ModelCheckpoint({ store: memoryStore(), key: 'm.docx' });
  await expect(made().fit(X, Y, { callbacks: [strange] })).rejects.toThrow(UnsupportedError);
  expect(() => new ModelCheckpoint('m.keras', { saveFreq: 0 })).toThrow('expected "epoch" or a number of batches');
});

test('a stored training is read back as it was', async () => {
  const model = made({ useEma: true });
  const place = { store: memoryStore(), key: 'run.safetensors' };
  const stopping = new EarlyStopping({ monitor: 'val_loss', restoreBestWeights: true, patience: 5 });
  const strange = new Script(Number.NaN, Number.POSITIVE_INFINITY, -0);
  const saved: unknown[] = [];
  const take = new LambdaCallback({
    onTrainBatchEnd: async () => {
      const state = await model.getTrainingState();
      saved.push(state);
      await saveTrainingState(state, place);
      expect(await loadTrainingState(place)).toEqual(state);
    },
    onEpochEnd: async () => {
      const state = await model.getTrainingState();
      await saveTrainingState(state, place);
      expect(await loadTrainingState(place)).toEqual(state);
    },
  });
  await model.fit(X, Y, { epochs: 3, batchSize: 2, callbacks: [strange, stopping, take], validationData: [X, Y] });
  expect(saved.length).toBe(9);
});

test('a file that holds no training, or a damaged one, is refused', async () => {
  const files = new Map<string, Uint8Array>();
  const store = memoryStore(files);
  const model = made();
  await model.fit(X, Y, { epochs: 1 });
  await saveTrainingState(await model.getTrainingState(), { store, key: 'run' });
  const bytes = files.get('run') as Uint8Array;
  const changed = (from: string, to: string): Uint8Array => {
    const text = Buffer.from(bytes).toString('latin1');
    expect(text).toContain(from);
    return new Uint8Array(Buffer.from(text.replace(from, to), 'latin1'));
  };
  for (const [damaged, message] of [
    [bytes.subarray(0, 100), 'as safetensors'],
    [changed('training-state', 'training-stale'), 'safetensors of something else'],
    [changed('\\"version\\":1', '\\"version\\":2'), 'found version 2, expected 1'],
    [changed('\\"epoch\\":1,', '\\"epoch\\":-1'.concat(',').replace('-1,', '-,')), 'Cannot read'],
    [changed('\\"step\\"', '\\"stop\\"'), 'no epoch, step or logs'],
    [changed('\\"rows\\"', '\\"cows\\"'), 'where it is in the samples'],
  ] as const) {
    const error = await loadTrainingState(damaged).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(FormatError);
    expect((error as Error).message).toContain(message);
  }
});

/** Ends a training as a crash would. */
function crashAfter(batches: number): LambdaCallback {
  let seen = 0;
  return new LambdaCallback({
    onTrainBatchEnd: () => {
      if (++seen === batches) throw new Error('crash');
    },
  });
}

test('BackupAndRestore goes on where a crash left off, and removes the backup in the end', async () => {
  const files = new Map<string, Uint8Array>();
  const place = { store: memoryStore(files), key: 'backup' };
  for (const saveFreq of ['epoch', 2] as const) {
    const options = { epochs: 4, batchSize: 2, seed: 1 };
    const whole = made();
    const start = await whole.getTrainingState();
    const expected = await whole.fit(X, Y, options);
    const crashed = made();
    await crashed.setTrainingState(start);
    const backup = new BackupAndRestore(place, { saveFreq });
    await expect(crashed.fit(X, Y, { ...options, callbacks: [backup, crashAfter(8)] })).rejects.toThrow('crash');
    expect([...files.keys()]).toEqual(['backup']);
    const epochs: number[] = [];
    const watch = new LambdaCallback({ onEpochBegin: (epoch) => void epochs.push(epoch) });
    const resumed = made();
    const { history } = await resumed.fit(X, Y, {
      ...options,
      seed: 2,
      callbacks: [new BackupAndRestore(place, { saveFreq }), watch],
    });
    expect(epochs).toEqual([2, 3]);
    expect(history).toEqual(expected.history);
    expect(resumed.getWeights()).toEqual(whole.getWeights());
    expect([...files.keys()]).toEqual([]);
  }
});

test('BackupAndRestore may keep two, and what it keeps', async () => {
  const files = new Map<string, Uint8Array>();
  const place = { store: memoryStore(files), key: 'backup' };
  const backup = (): BackupAndRestore =>
    new BackupAndRestore(place, { doubleCheckpoint: true, deleteCheckpoint: false });
  await made().fit(X, Y, { epochs: 3, callbacks: [backup()] });
  expect([...files.keys()].sort()).toEqual(['backup', 'backup.bkp']);
  files.set('backup', (files.get('backup') as Uint8Array).subarray(0, 1000));
  const epochs: number[] = [];
  const watch = new LambdaCallback({ onEpochBegin: (epoch) => void epochs.push(epoch) });
  await made().fit(X, Y, { epochs: 4, callbacks: [backup(), watch] });
  expect(epochs).toEqual([2, 3]);
  const single = new BackupAndRestore(place);
  await expect(made({ units: 5 }).fit(X, Y, { callbacks: [single] })).rejects.toThrow(TrainingStateError);
});

test('SwapEMAWeights evaluates and predicts with averages, and leaves them in the end', async () => {
  const model = made({ useEma: true });
  const weights = (): number => Number(model.weights[0]?.value.data[0]);
  const average = (): number => Number(model.optimizer?.averageOf(model.weights[0] as never)?.value.data[0]);
  const seen: [string, number][] = [];
  let raw = 0;
  const watch = new LambdaCallback({
    onTrainBatchEnd: () => {
      raw = weights();
    },
    onTestBatchEnd: () => void seen.push(['test', weights() - raw]),
    onEpochEnd: () => void seen.push(['epoch', weights() - raw]),
    onPredictBatchEnd: () => void seen.push(['predict', weights() - raw]),
  });
  const swap = new SwapEMAWeights({ swapOnEpoch: true });
  await model.fit(X, Y, { epochs: 2, batchSize: 2, validationData: [X, Y], callbacks: [swap, watch] });
  expect(seen.map(([when]) => when)).toEqual([...Array(3).fill('test'), 'epoch', ...Array(3).fill('test'), 'epoch']);
  expect(seen.every(([, difference]) => difference !== 0)).toBe(true);
  expect(weights()).toBe(average());
  const without = made();
  await without.trainOnBatch(X, Y);
  await expect(without.evaluate(X, Y, { callbacks: [new SwapEMAWeights()] })).rejects.toThrow('useEma: true');
  const fresh = made({ useEma: true });
  const initial = await fresh.evaluate(X, Y);
  expect(await fresh.evaluate(X, Y, { callbacks: [new SwapEMAWeights()] })).toEqual(initial);
  const other = made({ useEma: true });
  await other.trainOnBatch(X, Y);
  await other.trainOnBatch(X, Y);
  const before = other.getWeights();
  const swapped = await other.predict(X, { callbacks: [new SwapEMAWeights()] });
  expect(other.getWeights()).toEqual(before);
  expect((await other.predict(X)).data).not.toEqual(swapped.data);
});

test('predict tells callbacks of its batches, which may end it', async () => {
  const model = made();
  const calls: string[] = [];
  const outputs: Tensor[] = [];
  const watch = new LambdaCallback({
    onPredictBegin: () => void calls.push('begin'),
    onPredictBatchBegin: (batch) => void calls.push(`batch ${batch} begin`),
    onPredictBatchEnd: async (batch, logs) => {
      calls.push(`batch ${batch} end`);
      outputs.push(logs.outputs as Tensor);
      model.stopPredicting = batch === 1;
    },
    onPredictEnd: () => void calls.push('end'),
  });
  const result = await model.predict(X, { batchSize: 2, callbacks: [watch] });
  expect(calls).toEqual(['begin', 'batch 0 begin', 'batch 0 end', 'batch 1 begin', 'batch 1 end', 'end']);
  expect(result.shape).toEqual([4, 1]);
  expect(outputs.flatMap(({ data }) => [...(data as Float32Array)])).toEqual([...(result.data as Float32Array)]);
  expect(watch.params).toEqual({ epochs: 1, steps: 3, verbose: 0 });
  expect(() => new LambdaCallback({ onEnd: () => {} } as never)).toThrow('found "onEnd"');
});
