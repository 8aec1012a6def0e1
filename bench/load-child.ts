/**
 * One load in a process of its own: `node --expose-gc bench/load-child.ts READER FILE SMALL` prints `{ ms, peakBytes }`.
 *
 * Before, the reader loads the model SMALL, which has the layer classes of FILE, so that no import is measured, whether it
 * is done at the start or when a format or a class is met. Time runs from the call to the promise's fulfilment. Peak memory is the largest resident
 * set during the load less the resident set just before it, after a garbage collection.
 */
import { loadModel } from '../src/io/load.ts';
import { layersModelFile } from './layers-model-file.ts';
import { type H5wasmGroup, openH5wasm, openTensorflow } from './peers.ts';
import { peakBytes, resetPeak } from './resident-set.ts';

/** Prepares what is not measured, and gives the load, whose result is kept until after the measurement. */
const readers: Readonly<Record<string, () => Promise<(file: string) => Promise<unknown>>>> = {
  hornet: async () => loadModel,
  h5wasm: async () => {
    const h5wasm = await openH5wasm();
    return async (file) => {
      const opened = new h5wasm.File(file, 'r');
      const kept: unknown[] = [];
      keepDatasets(opened, kept);
      opened.close();
      return kept;
    };
  },
  'tfjs-wasm': async () => await tensorflowReader('wasm'),
  'tfjs-cpu': async () => await tensorflowReader('cpu'),
};

async function tensorflowReader(backend: 'wasm' | 'cpu'): Promise<(file: string) => Promise<unknown>> {
  const tensorflow = await openTensorflow(backend);
  return async (file) => await tensorflow.loadLayersModel(layersModelFile(file));
}

const [reader = '', file = '', small = ''] = process.argv.slice(2);
const prepare = readers[reader];
if (prepare === undefined) throw new RangeError(`Cannot read with "${reader}": expected ${Object.keys(readers)}`);
const load = await prepare();
await load(small);
globalThis.gc?.();
const before = resetPeak();
const started = performance.now();
const result = await load(file);
const ms = performance.now() - started;
const peak = peakBytes() - before;
// The result has to live until here.
if (result === undefined) throw new Error('Cannot measure a load that gave nothing');
console.log(JSON.stringify({ ms, peakBytes: peak }));
process.exit(0);

function keepDatasets(group: H5wasmGroup, kept: unknown[]): void {
  for (const key of group.keys()) {
    const child = group.get(key);
    if (child !== null && 'keys' in child) keepDatasets(child, kept);
    else if (child !== null) kept.push(child.value);
  }
}
