/**
 * Steps of a training by Hornet, as train-child.py does them: `node train-child.ts MODEL INPUT CLASSES THREADS`.
 *
 * Prints {} when it is ready, and then, for each line of the standard input, does one step and prints
 * { "ms", "loss" }.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { tensor } from '../src/array/tensor.ts';
import { wasmBackend } from '../src/backends/wasm/wasm-backend.ts';
import { loadModel } from '../src/io/load.ts';

const [file = '', inputFile = '', classes, threads] = process.argv.slice(2);
const { buffer, byteOffset, byteLength } = readFileSync(inputFile);
const values = new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
const model = await loadModel(file);
const inputShape = (model.inputs[0]?.shape ?? []).slice(1) as number[];
const rows = values.length / inputShape.reduce((product, extent) => product * extent, 1);
const x = tensor(values, [rows, ...inputShape]);
const y = tensor(
  Int32Array.from({ length: rows }, (_, index) => index % Number(classes)),
  [rows],
  'int32',
);
const backend = wasmBackend({ threads: Number(threads) });
model.compile({ optimizer: 'adam', loss: 'sparse_categorical_crossentropy' });
console.log('{}');
for await (const _ of createInterface(process.stdin)) {
  await model.resetMetrics();
  const started = performance.now();
  const { loss } = await model.trainOnBatch(x, y, { backend });
  console.log(JSON.stringify({ ms: performance.now() - started, loss }));
}
