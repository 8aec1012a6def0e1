/**
 * A thousand steps and a thousand predictions leave the process as it was after the first ten.
 *
 * What is measured is what JavaScript holds after the collector has run: its heap, and what is outside of it, which with V8
 * is the memory of tensors and of WebAssembly programs. The resident set is no measure of ten steps: it grows by four or
 * five megabytes once, when the engine optimises code that has become hot. After that it must not grow either, which would
 * show a leak in what the engine keeps for itself, such as compiled modules.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../support/source-tree.ts';

const SCRIPT = `
const [library] = process.argv.slice(1);
const { Conv2D, Dense, Dropout, Flatten, InputLayer, MaxPooling2D, Sequential, tensor } = await import(library);
const model = new Sequential({
  layers: [
    new InputLayer({ batchShape: [null, 12, 12, 3] }),
    new Conv2D({ filters: 8, kernelSize: 3, activation: 'relu' }),
    new MaxPooling2D(),
    new Flatten(),
    new Dropout({ rate: 0.3 }),
    new Dense({ units: 16, activation: 'relu' }),
    new Dense({ units: 4, activation: 'softmax' }),
  ],
});
model.compile({ optimizer: 'adam', loss: 'sparse_categorical_crossentropy', metrics: ['accuracy'] });
const samples = 80;
const x = tensor(Float32Array.from({ length: samples * 432 }, (_, index) => Math.sin(index)), [samples, 12, 12, 3]);
const y = tensor(Int32Array.from({ length: samples }, (_, index) => index % 4));
const one = tensor(x.data.slice(0, 432), [1, 12, 12, 3]);
let predictions = 0;
// Ten steps an epoch.
const run = async (epochs) => {
  await model.fit(x, y, { epochs, batchSize: 8 });
  for (let count = 0; count < 10 * epochs; count++) predictions += (await model.predict(one)).shape[0];
};
const settled = async () => {
  for (let count = 0; count < 5; count++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { held: heapUsed + external, rss };
};
await run(1);
const first = await settled();
await run(39);
const warm = await settled();
await run(60);
const last = await settled();
const steps = Number(model.optimizer.iterations.value.data[0]);
console.log(JSON.stringify({ steps, predictions, held: last.held - first.held, rss: last.rss - warm.rss }));
`;

/** Stricter than what is asked for, five megabytes: there is room for the history and the like. */
const HELD_LIMIT = 1e6;
const RESIDENT_LIMIT = 5e6;

test('a thousand steps and a thousand predictions take no memory that stays', () => {
  // The engine doubles the space for young objects when it thinks fit; that is no leak.
  const words = [
    '--expose-gc',
    '--max-semi-space-size=8',
    '--input-type=module',
    '-e',
    SCRIPT,
    join(root, 'src/index.ts'),
  ];
  const found = JSON.parse(execFileSync(process.execPath, words, { encoding: 'utf8' })) as Record<string, number>;
  expect(found).toMatchObject({ steps: 1000, predictions: 1000 });
  expect(found.held).toBeLessThan(HELD_LIMIT);
  expect(found.rss).toBeLessThan(RESIDENT_LIMIT);
});
