/** How long a model of 100 MB takes until it is ready to predict, and how much memory, each time in a fresh process. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bytesFile } from '../src/binary/ranged-file.ts';
import { openZip } from '../src/formats/keras/zip-archive.ts';
import { type Findings, makeRow, median, type Row, spread } from './measure.ts';
import { peerVersion } from './peers.ts';

/** Repeats of each reader, in turn. */
const REPEATS = 20;

interface Outcome {
  readonly ms: number;
  readonly peakBytes: number;
  readonly version?: string;
}

interface Reader {
  readonly name: string;
  readonly file: string;
  readonly command: readonly [string, ...string[]];
}

interface Comparison {
  readonly name: string;
  readonly ours: Reader;
  readonly peers: readonly Reader[];
}

/** What is loaded before, so that no import is timed: a model with one layer of each class, in the same format. */
const warmUpModel = (folder: string, file: string): string =>
  `${folder}/small-resnet${/\/model\.json$|\.h5$|\.keras$/.exec(file)?.[0] ?? ''}`;

const node = (name: string, reader: string, folder: string, file: string): Reader => {
  const script = fileURLToPath(new URL('load-child.ts', import.meta.url));
  const command = [
    process.execPath,
    '--expose-gc',
    '--no-warnings',
    script,
    reader,
    file,
    warmUpModel(folder, file),
  ] as const;
  return { name, file, command };
};

/** Measures loading of the files in `folder`; real Keras takes part where `python` has it. */
export async function measureLoads(folder: string, python: string | undefined): Promise<Findings> {
  const comparisons = await listComparisons(folder, python);
  const rows: Row[] = [];
  const notes: string[] = [];
  for (const { name, ours, peers } of comparisons) {
    const readers = [ours, ...peers];
    const outcomes = new Map<Reader, Outcome[]>(readers.map((reader) => [reader, []]));
    // What one reader pays for a cold disk, the next would save.
    for (const reader of readers) readFileSync(reader.file);
    for (let round = 0; round < REPEATS; round++) {
      for (const reader of readers) outcomes.get(reader)?.push(runChild(reader.command));
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
    return [{ name: 'Keras', file, command: [python, script, file, warmUpModel(folder, file)] }];
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
