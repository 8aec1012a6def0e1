import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { type Tensor, tensor } from '../array/tensor.ts';
import { writableBytes } from '../binary/byte-sink.ts';
import { NotFoundError, UnsupportedError } from '../errors.ts';
import { Dense } from '../layers/core/dense.ts';
import { InputLayer } from '../layers/input-layer.ts';
import { clearSession } from '../layers/layer.ts';
import { Sequential } from '../model/sequential.ts';
import { fileSystemStore } from '../storage/file-system-store.ts';
import { memoryStore } from '../storage/memory-store.ts';
import type { Store } from '../storage/store.ts';
import { BackupAndRestore } from '../training/callbacks/backup-and-restore.ts';
import { ModelCheckpoint } from '../training/callbacks/model-checkpoint.ts';
import { LambdaCallback } from '../training/callbacks/small-callbacks.ts';
import { Adam } from '../training/optimizers/adam.ts';
import { Checkpoints } from './checkpoints.ts';

const X = tensor([[1], [2], [3], [4], [5]]);
const Y = tensor([[2], [4], [6], [8], [10]]);

const folder = mkdtempSync(join(tmpdir(), 'hornet-checkpoints-'));
afterAll(() => rmSync(folder, { recursive: true }));

function made(): Sequential {
  clearSession();
  const model = new Sequential({
    layers: [new InputLayer({ batchShape: [null, 1] }), new Dense({ units: 3 }), new Dense({ units: 1 })],
  });
  model.compile({ optimizer: new Adam({ learningRate: 0.05 }), loss: 'mse' });
  return model;
}

/** A model all of whose weights are one number, so that it can be told which moment a file is of. */
function filled(model: Sequential, value: number): Sequential {
  model.setWeights(
    model.weights.map(({ shape }) => {
      const size = shape.reduce((product, extent) => product * extent, 1);
      return tensor(new Float32Array(size).fill(value), shape);
    }),
  );
  return model;
}

function numbersOf(weights: readonly Tensor[]): Set<number> {
  return new Set(weights.flatMap(({ data }) => [...(data as Float32Array)]));
}

async function stepsOf(versions: Checkpoints): Promise<number[]> {
  return (await versions.list()).map(({ step }) => step);
}

const stores: readonly [string, () => Store][] = [
  ['memory', () => memoryStore()],
  ['files', () => fileSystemStore(mkdtempSync(join(folder, 'store-')))],
];

describe.each(stores)('Checkpoints in %s', (_, makeStore) => {
  test('keep the last and the best, and those with a name', async () => {
    const store = makeStore();
    const versions = new Checkpoints(store, { keep: 2, keepBest: 1, monitor: 'accuracy' });
    const model = made();
    for (const [index, accuracy] of [0.1, 0.9, 0.5, 0.6, 0.7].entries()) {
      const step = 10 * (index + 1);
      await versions.save(filled(model, index), {
        step,
        metrics: { accuracy },
        ...(index === 0 ? { name: 'first' } : {}),
      });
    }
    expect(await stepsOf(versions)).toEqual([10, 20, 40, 50]);
    expect((await versions.find('latest')).step).toBe(50);
    expect((await versions.find('best')).metrics).toEqual({ accuracy: 0.9 });
    const all = ['latest', 'best', 40, 'first'] as const;
    const loaded = await Promise.all(all.map((which) => versions.loadModel(which)));
    expect(loaded.map((one) => [...numbersOf(one.getWeights())])).toEqual([[4], [1], [3], [0]]);
    const ids = new Set((await versions.list()).map(({ id }) => id));
    const keys = (await store.list?.()) ?? [];
    expect(new Set(keys.map((key) => key.split('/')[0]))).toEqual(new Set([...ids, 'checkpoints.json']));
    await versions.remove('first');
    expect(await stepsOf(versions)).toEqual([20, 40, 50]);
  });

  test('the index is made again when it is missing, damaged, or of before', async () => {
    const store = makeStore();
    const options = { keep: 3, monitor: 'loss' };
    const versions = new Checkpoints(store, options);
    for (const step of [1, 2]) await versions.save(made(), { step, metrics: { loss: step } });
    const listed = await versions.list();
    const old = await (await store.open('checkpoints.json')).slice(0, 1);
    for (const bytes of [old, new TextEncoder().encode('{"version":1,"versions":{"x":3}}'), new Uint8Array(9)]) {
      await store.write?.('checkpoints.json', writableBytes(bytes.slice()));
      expect(await versions.list()).toEqual(listed);
    }
    await store.remove?.('checkpoints.json');
    expect(await new Checkpoints(store).list()).toEqual(listed);
    expect((await new Checkpoints(store).find('best')).step).toBe(1);
    await versions.save(made(), { step: 3 });
    expect(await stepsOf(versions)).toEqual([1, 2, 3]);
    expect((await store.list?.())?.includes('checkpoints.json')).toBe(true);
  });

  test('a record that is damaged is told, and others are not lost for it', async () => {
    const store = makeStore();
    const versions = new Checkpoints(store);
    const [first, second] = [await versions.save(made(), { step: 1 }), await versions.save(made(), { step: 2 })];
    await store.write?.(`${second.id}/checkpoint.json`, writableBytes(new TextEncoder().encode('{"version":1}')));
    await store.remove?.('checkpoints.json');
    expect((await versions.list()).map(({ id }) => id)).toEqual([first.id]);
    expect(await versions.listDamaged()).toEqual([{ id: second.id, problem: expect.stringContaining('number') }]);
    await expect(versions.find(2)).rejects.toThrow('there are the steps 1; 1 are damaged');
    await store.remove?.(`${first.id}/model.keras`);
    expect((await versions.listDamaged()).map(({ problem }) => problem)[0]).toMatch(/model\.keras is missing/);
    for (const { id } of await versions.listDamaged()) await versions.remove(id);
    expect(await versions.listDamaged()).toEqual([]);
    expect(await store.list?.()).toEqual(['checkpoints.json']);
  });

  test('a training is saved in the background, and goes on from any version to the same bits', async () => {
    const versions = new Checkpoints(makeStore(), { monitor: 'loss' });
    const callbacks = (): ModelCheckpoint[] => [new ModelCheckpoint(versions, { saveFreq: 2 })];
    const model = filled(made(), 0.5);
    await model.fit(X, Y, { epochs: 4, batchSize: 2, seed: 1, callbacks: callbacks() });
    const list = await versions.list();
    expect(list.map(({ step, epoch }) => [step, epoch])).toEqual([
      [2, 0],
      [4, 1],
      [6, 1],
      [8, 2],
      [10, 3],
      [12, 3],
    ]);
    expect(list.every(({ metrics }) => typeof metrics.loss === 'number')).toBe(true);
    const other = made();
    const resume = await versions.loadTrainingState(6);
    await other.fit(X, Y, { epochs: 4, batchSize: 2, seed: 1, resume, callbacks: callbacks() });
    expect(other.getWeights()).toEqual(model.getWeights());
    // Those that were saved again have taken the place of those of the same step.
    expect(await stepsOf(versions)).toEqual([2, 4, 6, 8, 10, 12]);
    const again = await versions.loadModel(12);
    expect(again.getWeights()).toEqual(model.getWeights());
    expect(await again.fit(X, Y)).toBeDefined();
  });

  test('BackupAndRestore goes on from the latest', async () => {
    const store = makeStore();
    const run = async (stopAt: number): Promise<Sequential> => {
      const model = filled(made(), 0.5);
      const stop = new LambdaCallback({
        onEpochEnd: (epoch) => {
          if (epoch === stopAt) throw new Error('power cut');
        },
      });
      const backup = new BackupAndRestore(new Checkpoints(store, { keep: 2 }));
      await model.fit(X, Y, { epochs: 5, batchSize: 2, seed: 1, callbacks: [backup, stop] });
      return model;
    };
    await expect(run(2)).rejects.toThrow('power cut');
    await vi.waitFor(async () => expect(await stepsOf(new Checkpoints(store))).toEqual([6, 9]));
    const resumed = await run(-1);
    const whole = filled(made(), 0.5);
    await whole.fit(X, Y, { epochs: 5, batchSize: 2, seed: 1 });
    expect(resumed.getWeights()).toEqual(whole.getWeights());
    expect(await stepsOf(new Checkpoints(store))).toEqual([12, 15]);
  });

  test.each(['layers-model', 'weights.h5', 'weights.json', 'safetensors', 'npz', 'h5'] as const)(
    'may be %s',
    async (format) => {
      const store = makeStore();
      const versions = new Checkpoints({ store, key: 'runs/a' }, { format, keep: 1, keepBest: 0 });
      const model = made();
      for (const value of [1, 2]) await versions.save(filled(model, value), { step: value });
      const { byteLength, files } = await versions.find();
      const other = made();
      await versions.loadWeights(other);
      expect(numbersOf(other.getWeights())).toEqual(new Set([2]));
      expect(files.training).toBe('training.safetensors');
      const keys = ((await store.list?.('runs/a')) ?? []).filter((key) => !key.endsWith('.json'));
      expect(new Set(keys.map((key) => key.split('/')[2]?.slice(0, 8)))).toEqual(new Set(['00000002']));
      expect(byteLength).toBeGreaterThan(100);
    },
  );
});

test('what is written is of one moment, while the model changes', async () => {
  const store = memoryStore();
  let release: () => void = () => {};
  const isHeld = new Promise<void>((resolve) => {
    release = resolve;
  });
  const slow: Store = {
    ...store,
    write: async (key, file) => {
      if (key.endsWith('.keras')) await isHeld;
      await store.write?.(key, file);
    },
  };
  const versions = new Checkpoints(slow);
  const model = filled(made(), 1);
  await versions.saveInBackground(model, { step: 1 });
  filled(model, 2);
  await model.trainOnBatch(X, Y);
  let isSecond = false;
  const second = versions.saveInBackground(model, { step: 2 }).then(() => {
    isSecond = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect([isSecond, await stepsOf(versions)]).toEqual([false, []]);
  release();
  await second;
  await versions.settle();
  expect(numbersOf((await versions.loadModel(1)).getWeights())).toEqual(new Set([1]));
  expect((await versions.loadModel(2)).getWeights()).toEqual(model.getWeights());
  const { tensors } = await versions.loadTrainingState(1);
  expect([...tensors].filter(([name]) => name.startsWith('weights/')).map(([, { data }]) => data[0])).toEqual([
    1, 1, 1, 1,
  ]);
});

test('versions are compared by metrics and weights', async () => {
  const versions = new Checkpoints(memoryStore());
  const model = filled(made(), 1);
  await versions.save(model, { step: 1, metrics: { loss: 2 } });
  const [kernel, ...rest] = model.getWeights() as [Tensor, ...Tensor[]];
  model.setWeights([tensor([[1, 1.5, 1]]), ...rest]);
  await versions.save(model, { step: 2, metrics: { loss: 1, accuracy: 0.5 } });
  const { metrics, weights, unmatched } = await versions.compare(1, 'latest');
  expect(metrics).toEqual({ loss: [2, 1], accuracy: [undefined, 0.5] });
  expect(unmatched).toEqual([]);
  expect(weights.map(({ changed }) => changed)).toEqual([1, 0, 0, 0]);
  expect(weights[0]).toMatchObject({ count: kernel.data.length, largest: 0.5, rms: Math.sqrt(0.25 / 3) });
});

test('versions are loaded by name, and predict side by side', async () => {
  const versions = new Checkpoints(memoryStore());
  for (const [name, value] of [
    ['a', 1],
    ['b', 2],
  ] as const) {
    await versions.save(filled(made(), value), { name });
  }
  const models = await Promise.all(['a', 'b'].map(async (name) => await versions.loadModel(name)));
  const x = tensor([[1]]);
  const alone = await Promise.all([1, 2].map(async (value) => await filled(made(), value).predict(x)));
  expect(await Promise.all(models.map(async (model) => await model.predict(x)))).toEqual(alone);
  expect(alone[0]).not.toEqual(alone[1]);
});

test('what fails in the background is thrown by the next hook, or when the training ends', async () => {
  const store = memoryStore();
  let writes = 0;
  const failing: Store = {
    ...store,
    write: async (key, file) => {
      if (key.endsWith('.keras') && ++writes >= 2) throw new Error('no room');
      await store.write?.(key, file);
    },
  };
  const epochs: number[] = [];
  const callbacks = [
    new ModelCheckpoint(new Checkpoints(failing)),
    new LambdaCallback({ onEpochBegin: (epoch) => void epochs.push(epoch) }),
  ];
  await expect(made().fit(X, Y, { epochs: 9, callbacks })).rejects.toThrow('no room');
  expect(epochs).toEqual([0, 1, 2]);
  expect(await stepsOf(new Checkpoints(store))).toEqual([1]);
  expect((await store.list?.())?.filter((key) => key.startsWith('00000002'))).toEqual([]);
  await expect(made().fit(X, Y, { callbacks: [new ModelCheckpoint(new Checkpoints(failing))] })).rejects.toThrow(
    'no room',
  );
});

test('a folder is left without a trace of versions that are gone, nor of saves that were killed', async () => {
  const path = join(folder, 'runs');
  const versions = new Checkpoints(path, { keep: 1 });
  await versions.save(made(), { step: 1 });
  const store = fileSystemStore(path);
  // A writer of long ago, and one that removed the record of a version and then was killed.
  await store.write?.('00000009-01234567.aaaaaaaa-x.writing', writableBytes(new Uint8Array(0)));
  await store.write?.('00000009-01234567/model.keras', writableBytes(new Uint8Array(7)));
  await store.write?.('00000008-01234567/model.keras', writableBytes(new Uint8Array(7)));
  // One that is at work.
  const now = `${Date.now().toString(36)}-y`;
  await store.write?.(`00000010-01234567.${now}.writing`, writableBytes(new Uint8Array(0)));
  await store.write?.('00000010-01234567/model.keras', writableBytes(new Uint8Array(7)));
  await versions.save(made(), { step: 2 });
  expect(await stepsOf(versions)).toEqual([2]);
  const { id } = await versions.find();
  const atWork = ['00000010-01234567', `00000010-01234567.${now}.writing`];
  expect(readdirSync(path).sort()).toEqual([id, ...atWork, 'checkpoints.json'].sort());
  expect(readdirSync(join(path, id)).sort()).toEqual(['checkpoint.json', 'model.keras', 'training.safetensors']);
});

test('what cannot be is said at once', async () => {
  expect(() => new Checkpoints('a', { keep: 0 })).toThrow('keep is 0, expected a number of at least 1');
  expect(() => new Checkpoints('a', { monitor: 'x' })).toThrow('give mode');
  const { list: _, ...noList } = memoryStore();
  const callbacks = [new ModelCheckpoint(new Checkpoints(noList))];
  await expect(made().fit(X, Y, { callbacks })).rejects.toThrow(UnsupportedError);
  const versions = new Checkpoints(join(folder, 'none'));
  await expect(versions.loadModel()).rejects.toThrow(NotFoundError);
  await versions.save(made(), { step: 3, name: 'before' });
  await expect(versions.find('befor')).rejects.toThrow('did you mean "before"?');
  await expect(versions.find('best')).rejects.toThrow('none of 1 versions has the metric "val_loss"');
  await expect(versions.find(4)).rejects.toThrow('there are the steps 3');
  const plain = new Checkpoints(memoryStore(), { trainingState: false });
  await plain.save(made(), { step: 3 });
  await expect(plain.loadTrainingState()).rejects.toThrow('without the state of its training');
  expect(() => new BackupAndRestore(plain, { deleteCheckpoint: true })).toThrow('option keep');
  expect(existsSync(join(folder, 'none'))).toBe(true);
});
