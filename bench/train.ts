/**
 * How long one step of a training takes, on two threads, in turn with Keras on TensorFlow, Keras on JAX and TensorFlow.js.
 *
 * Each runs Keras' `train_on_batch`, or what it has in its place, on the same model, weights and batch, in a process that
 * waits for its turn: a step that is not timed, and one that is. Hornet runs twice, as it is and with kernels of 256 bits
 * (`HORNET_WIDE=1`), and so does Keras on TensorFlow, with XLA and without, of which the faster counts. TensorFlow.js
 * has one thread in Node.
 */
import { readFileSync } from 'node:fs';
import { type AskedChild, startChild } from './asked-child.ts';
import { layersModelFile } from './layers-model-file.ts';
import { type Findings, makeRow, median, type Row, spread } from './measure.ts';
import { openTensorflow, pythonWithTensorflow, type TensorflowTensor } from './peers.ts';

const THREADS = 2;

/** The first turns make compilers replace their first code. */
const WARM_UPS = 8;
const REPEATS = 20;

/** Threads of native engines spin for a while after their work: nobody's turn begins in it. */
const PAUSE_MS = 15;

/** What the ratio to native Keras should be at least. */
const GOAL = 1;

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
  const ours = await Promise.all([openHornet(workload, folder, false), openHornet(workload, folder, true)]);
  const keras = python === undefined ? [] : await openKeras(workload, folder, python);
  const all = [...ours, ...keras];
  const firsts = new Map<Competitor, StepResult>();
  for (const competitor of all) firsts.set(competitor, await competitor.step());
  const firstLoss = (competitor: Competitor): number => (firsts.get(competitor) as StepResult).loss;
  const [narrow] = ours as [Competitor, Competitor];
  for (const other of all) checkLoss(workload, firstLoss(narrow), firstLoss(other), other.name);
  const times = new Map<Competitor, number[]>(all.map((competitor) => [competitor, []]));
  for (let round = 0; round < WARM_UPS + REPEATS; round++) {
    for (const competitor of all) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      await competitor.step();
      const { ms } = await competitor.step();
      if (round >= WARM_UPS) times.get(competitor)?.push(ms);
    }
  }
  for (const competitor of all) competitor.close();
  const slow = await openTensorflowJs(workload, folder);
  const slowStep = await slow.step();
  slow.close();
  if (!workload.isFrozen) checkLoss(workload, firstLoss(narrow), slowStep.loss, slow.name);
  times.set(slow, [slowStep.ms]);

  const medianTime = (competitor: Competitor): number => median(times.get(competitor) ?? []);
  const rows = ours.flatMap((own) => {
    const title = `${workload.name}, two threads${own === narrow ? '' : ', wide'}`;
    const row = (peer: Competitor, goal?: number): Row =>
      makeRow(title, medianTime(own), medianTime(peer), peer.name, 'ms', goal);
    return [...fastest(keras, medianTime).map((peer) => row(peer, GOAL)), row(slow)];
  });
  const spreads = [...times].map(([{ name }, values]) => `${name} ${spread(values)} ms`);
  return {
    rows,
    notes: [
      `${workload.name}: ${REPEATS} times in turn (TensorFlow.js once), the middle half: ${spreads.join(', ')}; ` +
        `Hornet's first, with compilation, ${(firsts.get(narrow) as StepResult).ms.toFixed(0)} ms`,
    ],
  };
}

/** Of peers with one name but for what stands in brackets, the faster. */
function fastest(peers: readonly Competitor[], time: (peer: Competitor) => number): Competitor[] {
  const kindOf = ({ name }: Competitor): string => name.replace(/ \(.*\)/, '');
  return peers.filter((peer) => peers.every((other) => kindOf(other) !== kindOf(peer) || time(other) >= time(peer)));
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

async function openHornet({ model, classes }: Workload, folder: string, wide: boolean): Promise<Competitor> {
  const words = [`${folder}/${model}.keras`, `${folder}/${model}-input.bin`, String(classes), String(THREADS)];
  const child = startChild(process.execPath, 'train-child.ts', words, { HORNET_WIDE: wide ? '1' : '0' });
  await child.next();
  return askedCompetitor(wide ? 'Hornet, wide' : 'Hornet', child);
}

async function openKeras(workload: Workload, folder: string, python: string): Promise<Competitor[]> {
  const tensorflow = pythonWithTensorflow(folder, python);
  return await Promise.all([
    openPython(workload, folder, tensorflow, 'tensorflow', 'jit'),
    openPython(workload, folder, tensorflow, 'tensorflow', 'plain'),
    openPython(workload, folder, python, 'jax', 'jit'),
  ]);
}

async function openPython(
  { model, classes }: Workload,
  folder: string,
  python: string,
  backend: 'tensorflow' | 'jax',
  jit: 'jit' | 'plain',
): Promise<Competitor> {
  const files = [`${folder}/${model}.keras`, `${folder}/${model}-input.bin`];
  const child = startChild(python, 'train-child.py', [backend, jit, ...files, String(classes), String(THREADS)]);
  const { version } = await child.next<{ version: string }>();
  return askedCompetitor(`Keras ${version}${backend === 'jax' ? '' : jit === 'jit' ? ' (XLA)' : ' (no XLA)'}`, child);
}

function askedCompetitor(name: string, child: AskedChild): Competitor {
  return {
    name,
    step: async () => {
      child.send('step');
      return await child.next<StepResult>();
    },
    close: () => child.close(),
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
