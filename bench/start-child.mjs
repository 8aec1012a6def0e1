/**
 * A process that predicts with MobileNetV2 as soon as it can: `node start-child.mjs ENGINE FILE INPUT PACKAGE PREDICTIONS`.
 *
 * ENGINE is `hornet`, imported from PACKAGE, its folder of JavaScript, or `tfjs`. The first answer is announced with a
 * line; at the end comes a line of JSON with the milliseconds of each prediction and, of Hornet, of compiling alone.
 * Plain JavaScript, as what it imports: to strip types would take as long as the rest.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const [engine = '', file = '', inputFile = '', folder = '', predictions = '1'] = process.argv.slice(2);
const SHAPE = [1, 224, 224, 3];

const times = [];
let compileMs;
const predict = engine === 'hornet' ? await openHornet() : await openTensorflowJs();
for (let index = 0; index < Number(predictions); index++) {
  const started = performance.now();
  const output = await predict();
  times.push(performance.now() - started);
  if (!output.every(Number.isFinite)) throw new Error('Cannot measure a prediction that is no number');
  if (index === 0) console.log('first');
}
console.log(JSON.stringify({ times, compileMs }));
process.exit(0);

async function openHornet() {
  const { loadModel } = await import(`${folder}/index.js`);
  const model = await loadModel(file);
  const image = readImage();
  // Who asks for times has the backend timed; the others get it as every user does.
  const options = Number(predictions) > 1 ? { backend: await timedBackend() } : {};
  return async () => (await model.predict(image, options)).data;
}

async function timedBackend() {
  const { wasmBackend } = await import(`${folder}/index.js`);
  const backend = wasmBackend();
  return {
    name: backend.name,
    compile: async (...words) => {
      const started = performance.now();
      const program = await backend.compile(...words);
      compileMs = performance.now() - started;
      return program;
    },
  };
}

/** The model is read as its handlers for Node would do it: the table, and then the shards, each one part. */
async function openTensorflowJs() {
  const require = createRequire(import.meta.url);
  const core = require('@tensorflow/tfjs-core');
  const layers = require('@tensorflow/tfjs-layers');
  require('@tensorflow/tfjs-backend-cpu');
  const wasm = require('@tensorflow/tfjs-backend-wasm');
  wasm.setWasmPaths(`${fileURLToPath(new URL('.', import.meta.url))}node_modules/@tensorflow/tfjs-backend-wasm/dist/`);
  await core.setBackend('wasm');
  const { modelTopology, format, weightsManifest } = JSON.parse(readFileSync(file, 'utf8'));
  const shards = weightsManifest.flatMap(({ paths }) => paths).map((path) => readFileSync(`${dirname(file)}/${path}`));
  const weightData = shards.map(({ buffer, byteOffset, length }) => buffer.slice(byteOffset, byteOffset + length));
  const weightSpecs = weightsManifest.flatMap(({ weights }) => weights);
  const model = await layers.loadLayersModel({
    load: async () => ({ modelTopology, format, weightSpecs, weightData }),
  });
  const image = readImage();
  return async () => model.predict(core.tensor(image, SHAPE)).dataSync();
}

function readImage() {
  const { buffer, byteOffset, byteLength } = readFileSync(inputFile);
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
}
