/** Trainings against those that Keras did with the same weights and batches, by `interop/make-fit-fixtures.py`. */
import { readdirSync, readFileSync } from 'node:fs';
import { modelFromJSON } from 'hornet';
import { expect, test } from 'vitest';
import type { Dtype } from '../../src/array/dtype.ts';
import type { Shape } from '../../src/array/shape.ts';
import { Tensor } from '../../src/array/tensor.ts';
import type { JsonObject } from '../../src/formats/artifacts.ts';
import type { Logs } from '../../src/training/callbacks/callback.ts';
import { LambdaCallback } from '../../src/training/callbacks/small-callbacks.ts';
import type { ModelCompileOptions } from '../../src/training/compiled-model.ts';
import type { FitOptions } from '../../src/training/fit-options.ts';
import { makeOptimizer } from '../support/optimizer-case.ts';
import { readClassNames } from '../support/training-case.ts';

interface StoredArray {
  readonly shape: Shape;
  readonly dtype: Dtype;
  readonly data: string;
}

type Stored =
  | StoredArray
  | { readonly list: readonly StoredArray[] }
  | { readonly byName: Readonly<Record<string, StoredArray>> };

interface Training {
  readonly name: string;
  readonly topology: JsonObject;
  readonly optimizer: { readonly className: string; readonly config: Readonly<Record<string, unknown>> };
  readonly compile: ModelCompileOptions;
  readonly fit: FitOptions & { readonly sampleWeight?: StoredArray };
  readonly x: Stored;
  readonly y: Stored;
  readonly initial: readonly StoredArray[];
  readonly final: readonly StoredArray[];
  readonly steps: readonly Logs[];
  readonly epochs: readonly Logs[];
  readonly evaluated: Logs;
}

const FOLDER = 'test/fixtures/fit';

/** Float32 sums in another order differ in the seventh digit; fifty steps carry that on. */
const TOLERANCE = { logs: 1e-4, weights: 1e-3 };

/** Below it an element of a weight is next to nothing beside the others. */
const FLOOR = 1e-3;

const trainings = readdirSync(FOLDER).map((file) => JSON.parse(readFileSync(`${FOLDER}/${file}`, 'utf8')) as Training);

function decode({ shape, dtype, data }: StoredArray): Tensor {
  const bytes = new Uint8Array(Buffer.from(data, 'base64'));
  const elements = dtype === 'int32' ? new Int32Array(bytes.buffer) : new Float32Array(bytes.buffer);
  return new Tensor(shape, dtype as 'float32', elements as Float32Array<ArrayBuffer>);
}

function decodeAll(stored: Stored): Tensor | Tensor[] | Record<string, Tensor> {
  if ('list' in stored) return stored.list.map(decode);
  if ('data' in stored) return decode(stored);
  return Object.fromEntries(Object.entries(stored.byName).map(([name, value]) => [name, decode(value)]));
}

/** The largest difference, relative to each value, or to FLOOR of the greatest where that is more. */
function difference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  const greatest = Math.max(...Array.from(expected, Math.abs), 1e-6);
  return Math.max(
    ...Array.from(
      expected,
      (value, index) => Math.abs((actual[index] as number) - value) / Math.max(Math.abs(value), greatest * FLOOR),
    ),
  );
}

function expectLogs(actual: Logs, expected: Logs, where: string): void {
  expect(Object.keys(actual).sort(), where).toEqual(Object.keys(expected).sort());
  for (const [name, value] of Object.entries(expected)) {
    const error = difference([actual[name] as number], [value as number]);
    expect(error, `${where}: ${name} is ${actual[name]}, expected ${value}`).toBeLessThanOrEqual(TOLERANCE.logs);
  }
}

test('there are trainings of many kinds', () => {
  expect(trainings.length).toBeGreaterThanOrEqual(37);
  for (const { steps } of trainings) expect(steps.length).toBeGreaterThanOrEqual(50);
});

test('there is a training with every optimizer of Keras, and with every schedule', () => {
  const text = trainings.map(({ optimizer }) => JSON.stringify(optimizer)).join();
  const missing = [...readClassNames('optimizers'), ...readClassNames('schedules')];
  expect(missing.filter((name) => !text.includes(`"${name}"`))).toEqual([]);
});

test.each(trainings)('$name: losses, metrics and weights are those of Keras', async (training) => {
  const model = await modelFromJSON(training.topology);
  model.setWeights(training.initial.map(decode));
  const { className, config } = training.optimizer;
  const optimizer = makeOptimizer(className, config);
  model.compile({ ...training.compile, optimizer });
  const steps: Logs[] = [];
  const epochs: Logs[] = [];
  const recorder = new LambdaCallback({
    onTrainBatchEnd: (_, logs) => void steps.push({ ...logs }),
    onEpochEnd: (_, logs) => void epochs.push({ ...logs }),
  });
  const { sampleWeight, ...options } = training.fit;
  const [x, y] = [decodeAll(training.x), decodeAll(training.y)];
  await model.fit(x, y, {
    ...options,
    ...(sampleWeight === undefined ? {} : { sampleWeight: decode(sampleWeight) }),
    shuffle: false,
    callbacks: [recorder],
  });
  expect(steps.length).toBe(training.steps.length);
  for (const [index, expected] of training.steps.entries()) expectLogs(steps[index] as Logs, expected, `step ${index}`);
  for (const [index, expected] of training.epochs.entries()) {
    expectLogs(epochs[index] as Logs, expected, `epoch ${index}`);
  }
  for (const [index, expected] of training.final.entries()) {
    const variable = model.weights[index];
    const error = difference(variable?.value.data as Float32Array, decode(expected).data as Float32Array);
    expect(error, `final ${variable?.path}`).toBeLessThanOrEqual(TOLERANCE.weights);
  }
  expectLogs(await model.evaluate(x, y, { batchSize: options.batchSize ?? 32 }), training.evaluated, 'evaluated');
});
