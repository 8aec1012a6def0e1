/**
 * How long one step of a training takes, on one thread, in turn with Keras on TensorFlow, Keras on JAX and TensorFlow.js.
 *
 * Each runs Keras' `train_on_batch`, or what it has in its place, on the same model, weights and batch. The Keras of Python
 * runs in processes that wait for their turn, told to use one thread and bound to one core; so is nobody slowed down by
 * another. Keras on TensorFlow runs twice, with XLA and without: the faster counts.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { tensor } from '../src/array/tensor.ts';
import { wasmBackend } from '../src/backends/wasm/wasm-backend.ts';
import { loadModel } from '../src/io/load.ts';
import { layersModelFile } from './layers-model-file.ts';
import { type Findings, makeRow, median, type Row, spread } from './measure.ts';
import { openTensorflow, pythonWithTensorflow, type TensorflowTensor } from './peers.ts';

const WARM_UPS = 4;
const REPEATS = 20;

/** TensorFlow.js takes a minute for a step. */
const SLOW_REPEATS = 1;

/** How far the losses of the first step may be apart. Later ones are: Adam's first steps enlarge what rounding leaves. */
const TOLERANCE = 1e-3;

interface Workload {
  readonly name: string;
  /** The files in the folder of models. */
  readonly model: string;
  readonly inputShape: readonly number[];
  readonly classes: number;
  /** TensorFlow.js does not freeze batch normalisations, so its losses are others. */
  readonly isFrozen: boolean;
}

const WORKLOADS: readonly Workload[] = [
  {
    name: 'train a CIFAR CNN, one step of 32',
    model: 'cifar-cnn',
    inputShape: [32, 32, 32, 3],
    classes: 10,
    isFrozen: false,
  },
  {
    name: 'fine-tune MobileNetV2 96², one step of 16',
    model: 'fine-tuning',
    inputShape: [16, 96, 96, 3],
    classes: 5,
    isFrozen: true,
  },
];

interface StepResult {
  readonly ms: number;
  readonly loss: number;
}

interface Competitor {
  readonly name: string;
  readonly step: () => Promise<StepResult>;
  readonly close: () => void;
}

/** Measures the models in `folder`; `python` has Keras on JAX. */
export async function measureTraining(folder: string, python: string | undefined): Promise<Findings> {
  const rows: Row[] = [];
  const notes: string[] = [];
  for (const workload of WORKLOADS) {
    const found = await measureWorkload(workload, folder, python);
    rows.push(...found.rows);
    notes.push(...found.notes);
  }
  if (python === undefined) notes.push('not run: training by real Keras, because no Python with Keras was found');
  return { rows, notes };
}

async function measureWorkload(workload: Workload, folder: string, python: string | undefined): Promise<Findings> {
  const ours = await openOurs(workload, folder);
  const peers = python === undefined ? [] : await openKeras(workload, folder, python);
  const all = [ours, ...peers];
  const results = new Map<Competitor, StepResult[]>(all.map((competitor) => [competitor, []]));
  for (let round = 0; round < WARM_UPS + REPEATS; round++) {
    for (const competitor of all) results.get(competitor)?.push(await competitor.step());
  }
  const firstLoss = (competitor: Competitor): number => (results.get(competitor) as [StepResult])[0].loss;
  for (const peer of peers) checkLoss(workload, firstLoss(ours), firstLoss(peer), peer.name);
  const slow = await openTensorflowJs(workload, folder);
  results.set(slow, []);
  for (let round = 0; round < SLOW_REPEATS; round++) {
    results.get(slow)?.push(await slow.step());
    results.get(ours)?.push(await ours.step());
  }
  if (!workload.isFrozen) checkLoss(workload, firstLoss(ours), firstLoss(slow), slow.name);
  for (const competitor of [...all, slow]) competitor.close();

  const times = (competitor: Competitor): number[] => {
    const measured = results.get(competitor) ?? [];
    return measured.slice(competitor === slow ? 0 : WARM_UPS).map(({ ms }) => ms);
  };
  const [first] = results.get(ours) as [StepResult];
  const spreads = [...all, slow].map((competitor) => `${competitor.name} ${spread(times(competitor))} ms`);
  return {
    rows: [...fastest(peers, times), slow].map((peer) =>
      makeRow(workload.name, median(times(ours)), median(times(peer)), peer.name, 'ms'),
    ),
    notes: [
      `${workload.name}: ${REPEATS} times in turn (TensorFlow.js ${SLOW_REPEATS}), the middle half: ` +
        `${spreads.join(', ')}; Hornet's first, with compilation, ${first.ms.toFixed(0)} ms`,
    ],
  };
}

/** Of peers with one name but for what stands in brackets, the faster. */
function fastest(peers: readonly Competitor[], times: (peer: Competitor) => number[]): Competitor[] {
  const kindOf = ({ name }: Competitor): string => name.replace(/ \(.*\)/, '');
  return peers.filter((peer) =>
    peers.every((other) => kindOf(other) !== kindOf(peer) || median(times(other)) >= median(times(peer))),
  );
}

function checkLoss({ name }: Workload, ours: number, theirs: number, peer: string): void {
  if (Math.abs(ours - theirs) <= TOLERANCE * Math.abs(theirs)) return;
  throw new Error(`Cannot compare times of "${name}" with ${peer}: the first loss is ${ours}, there ${theirs}`);
}

function readBatch({ model, inputShape, classes }: Workload, folder: string): { x: Float32Array; y: Int32Array } {
  const { buffer, byteOffset, byteLength } = readFileSync(`${folder}/${model}-input.bin`);
  const x = new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
  return { x, y: Int32Array.from({ length: inputShape[0] as number }, (_, index) => index % classes) };
}

async function openOurs(workload: Workload, folder: string): Promise<Competitor> {
  const model = await loadModel(`${folder}/${workload.model}.keras`);
  const backend = wasmBackend({ threads: 1 });
  const batch = readBatch(workload, folder);
  const x = tensor(batch.x, workload.inputShape);
  const y = tensor(batch.y, [batch.y.length], 'int32');
  model.compile({ optimizer: 'adam', loss: 'sparse_categorical_crossentropy' });
  return {
    name: 'Hornet',
    step: async () => {
      await model.resetMetrics();
      const started = performance.now();
      const { loss } = await model.trainOnBatch(x, y, { backend });
      return { ms: performance.now() - started, loss: loss as number };
    },
    close: () => {},
  };
}

async function openKeras(workload: Workload, folder: string, python: string): Promise<Competitor[]> {
  const tensorflow = pythonWithTensorflow(folder, python);
  return await Promise.all([
    openChild(workload, folder, tensorflow, 'tensorflow', 'jit'),
    openChild(workload, folder, tensorflow, 'tensorflow', 'plain'),
    openChild(workload, folder, python, 'jax', 'jit'),
  ]);
}

async function openChild(
  { model, classes }: Workload,
  folder: string,
  python: string,
  backend: 'tensorflow' | 'jax',
  jit: 'jit' | 'plain',
): Promise<Competitor> {
  const script = fileURLToPath(new URL('train-child.py', import.meta.url));
  const words = [script, backend, jit, `${folder}/${model}.keras`, `${folder}/${model}-input.bin`, String(classes)];
  const child: ChildProcessWithoutNullStreams = spawn(python, words, { stdio: ['pipe', 'pipe', 'pipe'] });
  let complaints = '';
  child.stderr.on('data', (text) => {
    complaints += text;
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const answer = async <T>(): Promise<T> => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`Cannot train with Keras on ${backend}: ${complaints}`);
    return JSON.parse(value) as T;
  };
  const { version } = await answer<{ version: string }>();
  return {
    name: `Keras ${version}${backend === 'jax' ? '' : jit === 'jit' ? ' (XLA)' : ' (no XLA)'}`,
    step: async () => {
      child.stdin.write('step\n');
      return await answer<StepResult>();
    },
    close: () => child.kill(),
  };
}

async function openTensorflowJs(workload: Workload, folder: string): Promise<Competitor> {
  const tensorflow = await openTensorflow('cpu');
  const model = await tensorflow.loadLayersModel(layersModelFile(`${folder}/${workload.model}/model.json`));
  const batch = readBatch(workload, folder);
  model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' });
  const x = tensorflow.tensor(batch.x, workload.inputShape);
  const y = tensorflow.tensor(Float32Array.from(batch.y), [batch.y.length, 1]);
  const inputs: TensorflowTensor[] = [x, y];
  return {
    name: `TensorFlow.js ${tensorflow.version}, backend cpu`,
    step: async () => {
      const started = performance.now();
      const loss = await model.trainOnBatch(x, y);
      return { ms: performance.now() - started, loss };
    },
    close: () => {
      for (const input of inputs) input.dispose();
    },
  };
}
