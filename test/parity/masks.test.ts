/** Masks round attention and sums, as each release of Keras has them, by `interop/make-mask-fixtures.py`. */
import { readdirSync, readFileSync } from 'node:fs';
import {
  Add,
  Average,
  Dense,
  Embedding,
  GlobalAveragePooling1D,
  input,
  type KerasModel,
  Model,
  MultiHeadAttention,
  Subtract,
  tensor,
} from 'hornet';
import { expect, test } from 'vitest';
import type { Shape } from '../../src/array/shape.ts';
import { Tensor } from '../../src/array/tensor.ts';
import type { JsonObject } from '../../src/formats/artifacts.ts';
import { buildModel } from '../../src/serialization/build-model.ts';

interface Recording {
  readonly version: string;
  readonly topology: JsonObject;
  readonly weights: readonly { readonly shape: Shape; readonly values: readonly number[] }[];
  readonly x: readonly number[][][];
  readonly outputs: readonly number[][][];
}

const FOLDER = 'test/fixtures/masks';
const recordings = readdirSync(FOLDER).map(
  (file) => JSON.parse(readFileSync(`${FOLDER}/${file}`, 'utf8')) as Recording,
);

async function expectOutputs(model: KerasModel, { weights, x, outputs }: Recording): Promise<void> {
  model.setWeights(weights.map(({ shape, values }) => new Tensor(shape, 'float32', Float32Array.from(values))));
  const found = (await model.predict(x.map((words) => tensor(words, undefined, 'int32')))) as unknown as Tensor[];
  for (const [index, expected] of outputs.entries()) {
    const values = (found[index] as Tensor).data as Float32Array;
    for (const [place, value] of expected.flat().entries()) expect(values[place], `${index}`).toBeCloseTo(value, 5);
  }
}

test.each(recordings)('a model of Keras $version predicts what it did there', async (recording) => {
  const { topology, version } = recording;
  const { model } = await buildModel({ format: 'keras', source: version, kerasVersion: version, topology });
  await expectOutputs(model, recording);
});

test('releases differ, and what does not name one is read as of the newest', async () => {
  const newest = recordings.find(({ version }) => version === '3.15.1') as Recording;
  expect(recordings.find(({ version }) => version === '3.3.3')?.outputs).not.toEqual(newest.outputs);
  const { model } = await buildModel({ format: 'keras', source: 'text', topology: newest.topology });
  await expectOutputs(model, newest);
});

test('a model built in code predicts what it would in Keras 3.15', async () => {
  const [words, others] = [input({ shape: [5], dtype: 'int32' }), input({ shape: [5], dtype: 'int32' })];
  const table = (maskZero: boolean) => new Embedding({ inputDim: 6, outputDim: 4, maskZero });
  const mean = (x: ReturnType<Add['apply']>) => new GlobalAveragePooling1D().apply(x);
  const embedded = table(true).apply(words);
  const second = table(true).apply(others);
  const plain = table(false).apply(others);
  const attended = new MultiHeadAttention({ numHeads: 2, keyDim: 2 }).apply([embedded, embedded]);
  const model = new Model({
    inputs: [words, others],
    outputs: [
      mean(new Add().apply([embedded, attended])),
      mean(embedded),
      mean(attended),
      mean(new Subtract().apply([second, new Dense({ units: 4 }).apply(second)])),
      mean(new Add().apply([second, plain])),
      mean(new Average().apply([second, table(true).apply(words)])),
    ],
  });
  await expectOutputs(model, recordings.find(({ version }) => version === '3.15.1') as Recording);
});
