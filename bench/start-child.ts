/**
 * A process that predicts with MobileNetV2 as soon as it can: `node start-child.ts ENGINE FILE INPUT PACKAGE PREDICTIONS`.
 *
 * ENGINE is `hornet`, imported from PACKAGE, its folder of JavaScript, or `tfjs`. The first answer is announced with a
 * line; at the end comes a line of JSON with the milliseconds of each prediction and, of Hornet, of compiling alone.
 */
import { readFileSync } from 'node:fs';
import type { Backend } from '../src/compiler/backend.ts';
import type * as hornet from '../src/index.ts';
import { layersModelFile } from './layers-model-file.ts';
import { openTensorflow } from './peers.ts';

const [engine = '', file = '', inputFile = '', folder = '', predictions = '1'] = process.argv.slice(2);
const SHAPE = [1, 224, 224, 3];

const times: number[] = [];
let compileMs: number | undefined;
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

async function openHornet(): Promise<() => Promise<Float32Array>> {
  const { loadModel } = (await import(`${folder}/index.js`)) as typeof hornet;
  const model = await loadModel(file);
  const image = readImage();
  // Who asks for times has the backend timed; the others get it as every user does.
  const options = Number(predictions) > 1 ? { backend: timed(await defaultBackend()) } : {};
  return async () => (await model.predict(image, options)).data as Float32Array;
}

async function defaultBackend(): Promise<Backend> {
  const module = (await import(`${folder}/model/default-backend.js`)) as { defaultBackend(): Promise<Backend> };
  return await module.defaultBackend();
}

function timed(backend: Backend): Backend {
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

async function openTensorflowJs(): Promise<() => Promise<Float32Array>> {
  const tensorflow = await openTensorflow('wasm');
  const model = await tensorflow.loadLayersModel(layersModelFile(file));
  const image = readImage();
  return async () => model.predict(tensorflow.tensor(image, SHAPE)).dataSync();
}

function readImage(): Float32Array {
  const { buffer, byteOffset, byteLength } = readFileSync(inputFile);
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
}
