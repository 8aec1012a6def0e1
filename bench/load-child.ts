/**
 * One load in a process of its own: `node --expose-gc bench/load-child.ts READER FILE SMALL` prints `{ ms, peakBytes }`.
 *
 * Before, the reader loads the model SMALL, which has the layer classes of FILE, so that no import is measured, whether it
 * is done at the start or when a format or a class is met. Time runs from the call to the promise's fulfilment. Peak memory is the largest resident
 * set during the load less the resident set just before it, after a garbage collection.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { loadModel } from '../src/io/load.ts';
import { layersModelFile } from './layers-model-file.ts';
import { type H5wasmGroup, openH5wasm, openTensorflow } from './peers.ts';

const STATUS = '/proc/self/status';

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
const peakBytes = peak() - before;
// The result has to live until here.
if (result === undefined) throw new Error('Cannot measure a load that gave nothing');
console.log(JSON.stringify({ ms, peakBytes }));
process.exit(0);

function keepDatasets(group: H5wasmGroup, kept: unknown[]): void {
  for (const key of group.keys()) {
    const child = group.get(key);
    if (child !== null && 'keys' in child) keepDatasets(child, kept);
    else if (child !== null) kept.push(child.value);
  }
}

/** Lets the kernel forget the largest resident set where it can (Linux), and gives the present one. */
function resetPeak(): number {
  if (existsSync(STATUS)) writeFileSync('/proc/self/clear_refs', '5');
  return process.memoryUsage().rss;
}

/** `maxRSS` would do, but for the parent's, which a child inherits under Linux. */
function peak(): number {
  if (!existsSync(STATUS)) return process.resourceUsage().maxRSS * 1024;
  const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(STATUS, 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}
