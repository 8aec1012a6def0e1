/** How long a model of 100 MB takes until it is ready to predict, and how much memory, each time in a fresh process. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bytesFile } from '../src/binary/ranged-file.ts';
import { openZip } from '../src/formats/keras/zip-archive.ts';
import { type Findings, makeRow, median, type Row, spread } from './measure.ts';
import { peerVersion } from './peers.ts';

/** Repeats of the readers in JavaScript, in turn; Keras takes seconds each time, so it gets fewer. */
const REPEATS = 9;
const KERAS_REPEATS = 3;

interface Outcome {
  readonly ms: number;
  readonly peakBytes: number;
  readonly version?: string;
}

interface Reader {
  readonly name: string;
  readonly file: string;
  readonly repeats: number;
  readonly command: readonly [string, ...string[]];
}

interface Comparison {
  readonly name: string;
  readonly ours: Reader;
  readonly peers: readonly Reader[];
}

/** Models of three layers, by the endings of their names. */
const tinyModel = (folder: string, file: string): string => {
  const fixtures = fileURLToPath(new URL('../test/fixtures/formats/', import.meta.url));
  if (file.endsWith('.json')) return `${folder}/tiny/model.json`;
  return `${fixtures}${file.endsWith('.h5') ? 'tiny.h5' : 'tiny.keras'}`;
};

/** Writes the one that is not among the fixtures. */
function writeTinyLayersModel(folder: string): void {
  const layers = [3, 4, 2].map((units, index) => ({
    class_name: 'Dense',
    config: { name: `dense_${index}`, units, ...(index === 0 ? { batch_input_shape: [null, 1] } : {}) },
  }));
  const weights = [1, 3, 4].flatMap((width, index) => {
    const units = [3, 4, 2][index] as number;
    return [
      { name: `dense_${index}/kernel`, shape: [width, units], dtype: 'float32' },
      { name: `dense_${index}/bias`, shape: [units], dtype: 'float32' },
    ];
  });
  const byteLength = weights.reduce((sum, { shape }) => sum + 4 * shape.reduce((size, extent) => size * extent, 1), 0);
  const json = {
    format: 'layers-model',
    modelTopology: { class_name: 'Sequential', config: { name: 'tiny', layers }, keras_version: '2.15.0' },
    weightsManifest: [{ paths: ['weights.bin'], weights }],
  };
  mkdirSync(`${folder}/tiny`, { recursive: true });
  writeFileSync(`${folder}/tiny/model.json`, JSON.stringify(json));
  writeFileSync(`${folder}/tiny/weights.bin`, new Uint8Array(byteLength));
}

const node = (name: string, reader: string, folder: string, file: string): Reader => {
  const script = fileURLToPath(new URL('load-child.ts', import.meta.url));
  const command = [
    process.execPath,
    '--expose-gc',
    '--no-warnings',
    script,
    reader,
    file,
    tinyModel(folder, file),
  ] as const;
  return { name, file, repeats: REPEATS, command };
};

/** Measures loading of the files in `folder`; real Keras takes part where `python` has it. */
export async function measureLoads(folder: string, python: string | undefined): Promise<Findings> {
  writeTinyLayersModel(folder);
  const comparisons = await listComparisons(folder, python);
  const rows: Row[] = [];
  const notes: string[] = [];
  for (const { name, ours, peers } of comparisons) {
    const readers = [ours, ...peers];
    const outcomes = new Map<Reader, Outcome[]>(readers.map((reader) => [reader, []]));
    // What one reader pays for a cold disk, the next would save.
    for (const reader of readers) readFileSync(reader.file);
    for (let round = 0; round < REPEATS; round++) {
      for (const reader of readers) if (round < reader.repeats) outcomes.get(reader)?.push(runChild(reader.command));
    }
    const of = (reader: Reader, key: 'ms' | 'peakBytes'): number[] =>
      (outcomes.get(reader) ?? []).map((outcome) => outcome[key]);
    const megabytes = (reader: Reader): number => median(of(reader, 'peakBytes')) / 1e6;
    for (const peer of peers) {
      const version = outcomes.get(peer)?.[0]?.version ?? '';
      const peerName = `${peer.name} ${version}`.trimEnd();
      rows.push(makeRow(`${name}, time`, median(of(ours, 'ms')), median(of(peer, 'ms')), peerName, 'ms'));
      rows.push(makeRow(`${name}, peak memory`, megabytes(ours), megabytes(peer), peerName, 'MB'));
    }
    const spreads = readers.map((reader) => `${reader.name} ${spread(of(reader, 'ms'))} ms`);
    notes.push(`${name}, the middle half of the times: ${spreads.join(', ')}`);
  }
  if (python === undefined) notes.push('not run: loading by real Keras, because no Python with Keras was found');
  return { rows, notes };
}

async function listComparisons(folder: string, python: string | undefined): Promise<Comparison[]> {
  const keras = (file: string): Reader[] => {
    if (python === undefined) return [];
    const script = fileURLToPath(new URL('load-child.py', import.meta.url));
    return [{ name: 'Keras', file, repeats: KERAS_REPEATS, command: [python, script, file, tinyModel(folder, file)] }];
  };
  const h5wasm = `h5wasm ${peerVersion('h5wasm')}, all datasets`;
  const tensorflow = `TensorFlow.js ${peerVersion('@tensorflow/tfjs-layers')}`;
  const [hdf5, zipped, table] = ['resnet-50.h5', 'resnet-50.keras', 'resnet-50/model.json'].map(
    (file) => `${folder}/${file}`,
  ) as [string, string, string];
  const unzipped = await unzipWeights(zipped, `${folder}/resnet-50-unzipped.weights.h5`);
  return [
    {
      name: 'load ResNet50 .h5',
      ours: node('Hornet', 'hornet', folder, hdf5),
      peers: [node(h5wasm, 'h5wasm', folder, hdf5), ...keras(hdf5)],
    },
    {
      name: 'load ResNet50 .keras',
      ours: node('Hornet', 'hornet', folder, zipped),
      peers: [node(`${h5wasm} of its weights, unzipped before`, 'h5wasm', folder, unzipped), ...keras(zipped)],
    },
    {
      name: 'load ResNet50 model.json',
      ours: node('Hornet', 'hornet', folder, table),
      peers: [
        node(`${tensorflow}, backend wasm`, 'tfjs-wasm', folder, table),
        node(`${tensorflow}, backend cpu`, 'tfjs-cpu', folder, table),
      ],
    },
  ];
}

/** h5wasm knows no archives: it gets the weights as a file of their own. */
async function unzipWeights(archive: string, target: string): Promise<string> {
  if (!existsSync(target) || statSync(target).mtimeMs < statSync(archive).mtimeMs) {
    const members = await openZip(bytesFile(readFileSync(archive), archive));
    const weights = await members.open('model.weights.h5');
    if (weights === undefined) throw new Error(`Cannot unzip "${archive}": it has no model.weights.h5`);
    writeFileSync(target, await weights.slice(0, weights.byteLength));
  }
  return target;
}

function runChild([program, ...words]: readonly [string, ...string[]]): Outcome {
  const output = execFileSync(program, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as Outcome;
}
