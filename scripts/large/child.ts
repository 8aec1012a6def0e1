/**
 * One step of `npm run large`, in a process of its own: `node child.ts STEP FORMAT PATH BYTES` prints `{ ms, peakBytes }`,
 * the peak being the largest resident set during the step less that before it.
 *
 *   save, load   a model of so many bytes, which is in memory as a whole
 *   write, read  so many bytes of weights, of which each is made when it is asked for, one of them larger than 2 GB
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { WritableFile } from '../../src/binary/byte-sink.ts';
import { writeHdf5Model } from '../../src/formats/hdf5-model/write-hdf5-model.ts';
import { writeKeras } from '../../src/formats/keras/write-keras.ts';
import { writePathWeights } from '../../src/formats/keras/write-path-weights.ts';
import { writeShardedWeights } from '../../src/formats/keras/write-sharded-weights.ts';
import { writeLayersModel } from '../../src/formats/layers-model/write-layers-model.ts';
import { writeNpz } from '../../src/formats/npz/write-npz.ts';
import { writeSafetensors } from '../../src/formats/safetensors/write-safetensors.ts';
import {
  Dense,
  fileSystemStore,
  InputLayer,
  type KerasModel,
  loadModel,
  type ModelArtifacts,
  readArtifacts,
  Sequential,
  Tensor,
  type WeightEntry,
  type Weights,
} from '../../src/index.ts';
import { writeFiles } from '../../src/io/write-files.ts';

const STATUS = '/proc/self/status';

/** Of a side of a square matrix: 64 MB. */
const SIDE = 4096;
const MATRIX_BYTES = 4 * SIDE * SIDE;
/** Rows of one more matrix: 2.25 GB. */
const TALL_ROWS = 36 * SIDE;
const SHARD_BYTES = 2 ** 30;
/** Where no layer is cut; more than the largest. */
const LAYER_SHARD_BYTES = 3 * 2 ** 30;

const [step = '', format = '', path = '', bytes = ''] = process.argv.slice(2);
const count = Math.round(Number(bytes) / MATRIX_BYTES);
const steps: Readonly<Record<string, () => Promise<() => Promise<unknown>>>> = {
  save: async () => {
    const model = largeModel();
    for (const [index, variable] of model.weights.entries()) {
      const size = variable.shape.reduce((product, extent) => product * extent, 1);
      variable.assign(new Tensor(variable.shape, 'float32', new Float32Array(size).fill(index + 1)));
    }
    return async () => await save(model, path);
  },
  load: async () => async () => {
    const model = isWhole() ? await loadModel(path) : largeModel();
    if (!isWhole()) await model.loadWeights(path);
    for (const [index, { value }] of model.weights.entries()) {
      if (value.data.at(-1) !== index + 1) throw new Error(`weight ${index} is wrong`);
    }
    return model;
  },
  write: async () => async () => {
    const made = await filesOf(madeWeights());
    await writeFiles({ store: fileSystemStore(), key: path }, made);
  },
  read: async () => async () => {
    const { weights } = await readArtifacts(path);
    const entries = entriesOf(weights);
    const expected = madeEntries();
    if (entries.length !== expected.length) throw new Error(`found ${entries.length} arrays`);
    const found = new Set<number>();
    for (const entry of entries) {
      const { data, shape } = await entry.read();
      const number = data[0] as number;
      const isRight = data.at(-1) === -number && shape.join() === expected[number - 1]?.shape.join();
      if (!isRight || found.has(number)) throw new Error(`array ${entry.name} is wrong`);
      found.add(number);
    }
  },
};

const prepare = steps[step];
if (prepare === undefined)
  throw new RangeError(`Cannot do "${step}": expected one of ${Object.keys(steps).join(', ')}`);
const run = await prepare();
await warmUp();
globalThis.gc?.();
const before = resetPeak();
const started = performance.now();
const result = await run();
const ms = performance.now() - started;
const peakBytes = peak() - before;
// The result has to live until here.
if (result === null) throw new Error('Cannot measure a step that gave nothing');
console.log(JSON.stringify({ ms, peakBytes }));
process.exit(0);

function isWhole(): boolean {
  return ['keras', 'h5', 'layers-model'].includes(format);
}

async function save(model: KerasModel, destination: string): Promise<void> {
  if (isWhole()) await model.save(destination);
  else await model.saveWeights(destination);
}

function largeModel(): KerasModel {
  const layers = Array.from({ length: count }, (_, index) => new Dense({ units: SIDE, name: `dense_${index}` }));
  return new Sequential({ layers: [new InputLayer({ batchShape: [null, SIDE] }), ...layers], name: 'large' });
}

/** Loads the code that the step will need. */
async function warmUp(): Promise<void> {
  const model = new Sequential({ layers: [new InputLayer({ batchShape: [null, 3] }), new Dense({ units: 2 })] });
  const small = path.replace(/([^/]*)$/, 'small-$1');
  await save(model, small);
  if (isWhole()) await loadModel(small);
  else await model.loadWeights(small);
}

/** Arrays whose first and last numbers tell which they are. */
function madeEntries(): WeightEntry[] {
  const shapes = [[TALL_ROWS, SIDE], ...Array.from({ length: count - TALL_ROWS / SIDE }, () => [SIDE, SIDE])];
  return shapes.map((shape, index) => {
    const length = (shape[0] as number) * SIDE;
    const read = async (): Promise<Tensor> => {
      const data = new Float32Array(length);
      data[0] = index + 1;
      data[length - 1] = -index - 1;
      return new Tensor(shape, 'float32', data);
    };
    return { name: `matrix_${index}/kernel`, dtype: 'float32', shape, file: 'made', storedBytes: 4 * length, read };
  });
}

function madeWeights(): { readonly named: Weights; readonly paths: Weights; readonly layers: Weights } {
  const entries = madeEntries();
  const nameOf = (index: number): string => `matrix_${index}`;
  return {
    named: { kind: 'named', entries },
    layers: {
      kind: 'layers',
      layers: entries.map((entry, index) => ({ name: nameOf(index), entries: [entry] })),
      topLevel: [],
    },
    paths: {
      kind: 'paths',
      groups: new Map(
        entries.map((entry, index) => [
          `layers/${nameOf(index)}`,
          { layerName: nameOf(index), entries: new Map([['0', { ...entry, name: '0' }]]) },
        ]),
      ),
    },
  };
}

interface MadeFiles {
  readonly file: WritableFile;
  readonly beside?: ReadonlyMap<string, WritableFile>;
}

async function filesOf({ named, paths, layers }: ReturnType<typeof madeWeights>): Promise<MadeFiles> {
  const topology = { class_name: 'Sequential', config: { name: 'large', layers: [] } };
  const artifacts = (weights: Weights): ModelArtifacts => ({ format: 'keras', source: 'large', topology, weights });
  switch (format) {
    case 'keras':
      return { file: await writeKeras(artifacts(paths)) };
    case 'weights.h5':
      return { file: writePathWeights(paths as never, 'large') };
    case 'weights.json': {
      const options = { baseName: 'large', id: '0123456789abcdef', shardSize: LAYER_SHARD_BYTES };
      const { file, shards } = writeShardedWeights(paths as never, 'large', options);
      return { file, beside: shards };
    }
    case 'h5':
      return { file: writeHdf5Model({ ...artifacts(layers), format: 'hdf5' } as never) };
    case 'layers-model': {
      const options = { id: '0123456789abcdef', shardSize: SHARD_BYTES, fields: { format: 'layers-model' } };
      const { file, shards } = await writeLayersModel(artifacts(named), options);
      return { file, beside: shards };
    }
    case 'safetensors':
      return { file: writeSafetensors((named as { entries: readonly WeightEntry[] }).entries, {}) };
    case 'npz':
      return { file: writeNpz((named as { entries: readonly WeightEntry[] }).entries) };
    default:
      throw new RangeError(`Cannot write "${format}"`);
  }
}

function entriesOf(weights: Weights | undefined): readonly WeightEntry[] {
  if (weights?.kind === 'named') return weights.entries;
  if (weights?.kind === 'layers') return weights.layers.flatMap(({ entries }) => entries);
  return [...(weights?.groups.values() ?? [])].flatMap(({ entries }) => [...entries.values()]);
}

/** Lets the kernel forget the largest resident set where it can (Linux), and gives the present one. */
function resetPeak(): number {
  if (existsSync(STATUS)) writeFileSync('/proc/self/clear_refs', '5');
  return process.memoryUsage().rss;
}

function peak(): number {
  if (!existsSync(STATUS)) return process.resourceUsage().maxRSS * 1024;
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(STATUS, 'utf8'))?.[1]) * 1024;
}
