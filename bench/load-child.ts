/**
 * One load in a process of its own: `node --expose-gc bench/load-child.ts READER FILE` prints `{ ms, peakBytes }`.
 *
 * Time runs from the call to the promise's fulfilment, without imports, be they lazy or not. Peak memory is the largest resident set during the
 * load less the resident set just before it, when everything was imported and garbage collected.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { loadModel } from '../src/io/load.ts';
import { layersModelFile } from './layers-model-file.ts';
import { type H5wasmGroup, openH5wasm, openTensorflow } from './peers.ts';

const STATUS = '/proc/self/status';

/** What loading imports when a file of the format is met. */
const LAZY = [
  '@zip.js/zip.js/lib/zip-core-custom.js',
  '../src/formats/hdf5/open-hdf5.ts',
  '../src/formats/hdf5-model/read-hdf5-model.ts',
  '../src/formats/keras/read-keras.ts',
  '../src/formats/keras/zip-archive.ts',
  '../src/formats/layers-model/read-layers-model.ts',
];

/** Prepares what is not measured, and gives the load, whose result is kept until after the measurement. */
const readers: Readonly<Record<string, (file: string) => Promise<() => Promise<unknown>>>> = {
  hornet: async (file) => {
    // All others import what they need before, too.
    await Promise.all(LAZY.map((path) => import(path)));
    return () => loadModel(file);
  },
  h5wasm: async (file) => {
    const h5wasm = await openH5wasm();
    return async () => {
      const opened = new h5wasm.File(file, 'r');
      const kept: unknown[] = [];
      keepDatasets(opened, kept);
      opened.close();
      return kept;
    };
  },
  'tfjs-wasm': async (file) => {
    const tensorflow = await openTensorflow('wasm');
    return () => tensorflow.loadLayersModel(layersModelFile(file));
  },
  'tfjs-cpu': async (file) => {
    const tensorflow = await openTensorflow('cpu');
    return () => tensorflow.loadLayersModel(layersModelFile(file));
  },
};

const [reader = '', file = ''] = process.argv.slice(2);
const prepare = readers[reader];
if (prepare === undefined) throw new RangeError(`Cannot read with "${reader}": expected ${Object.keys(readers)}`);
const load = await prepare(file);
globalThis.gc?.();
const before = resetPeak();
const started = performance.now();
const result = await load();
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
