/** How long it takes from starting a process until it has its first prediction with MobileNetV2; and the second. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Findings, makeRow, median, spread } from './measure.ts';
import { peerVersion, pythonWithTensorflow } from './peers.ts';

const ROUNDS = 20;

/** Enough for a steady state; the last of them count as that. */
const PREDICTIONS = 40;
const STEADY = 15;

/** What compiling may take. */
const COMPILE_GOAL_MS = 150;

interface Starter {
  readonly name: string;
  readonly goal?: number;
  readonly command: readonly [string, ...string[]];
}

interface Series {
  readonly times: readonly number[];
  readonly compileMs: number;
}

/** Starts processes in turn; `packageFolder` has Hornet as JavaScript. The files are in the memory of the system. */
export async function measureStart(
  folder: string,
  packageFolder: string,
  python: string | undefined,
): Promise<Findings> {
  const script = fileURLToPath(new URL('start-child.mjs', import.meta.url));
  const input = `${folder}/mobilenet-v2-input.bin`;
  const node = (engine: string, file: string): [string, ...string[]] => [
    process.execPath,
    '--no-warnings',
    script,
    engine,
    file,
    input,
    packageFolder,
  ];
  const ours: Starter = {
    name: 'Hornet',
    command: node('hornet', `${folder}/mobilenet-v2.keras`),
  };
  const peers: Starter[] = [
    {
      name: `TensorFlow.js ${peerVersion('@tensorflow/tfjs-core')} wasm, model.json`,
      goal: 2,
      command: node('tfjs', `${folder}/mobilenet-v2/model.json`),
    },
    ...(python === undefined ? [] : pythonStarters(folder, input, python)),
  ];
  const all = [ours, ...peers];
  const times = new Map<Starter, number[]>(all.map((starter) => [starter, []]));
  // The first of each meets cold caches, and is not counted.
  for (const { command } of all) await timeToFirst(command);
  for (let round = 0; round < ROUNDS; round++) {
    for (const starter of all) times.get(starter)?.push(await timeToFirst(starter.command));
  }
  const of = (starter: Starter): number[] => times.get(starter) ?? [];
  const series: Series[] = [];
  for (let round = 0; round < ROUNDS; round++) series.push(await readSeries(ours.command));
  const compileMs = series.map((found) => found.compileMs);
  const second = median(series.map((found) => found.times[1] as number));
  const steady = median(series.flatMap((found) => found.times.slice(-STEADY)));
  const name = 'process to first MobileNetV2 prediction';
  return {
    rows: [
      ...peers.map((peer) => makeRow(name, median(of(ours)), median(of(peer)), peer.name, 'ms', peer.goal)),
      makeRow('compile MobileNetV2, cold process', median(compileMs), COMPILE_GOAL_MS, 'what it may take', 'ms', 1),
      makeRow('second MobileNetV2 prediction', second, steady, 'Hornet, steady state', 'ms', 1 / 1.5),
    ],
    notes: [
      `${name}, the middle half: ${all
        .map((starter) => `${starter.name} ${spread(of(starter))} ms (${of(starter).length} times)`)
        .join(', ')}`,
      `compile: ${spread(compileMs)} ms; predictions of one process: ` +
        `${(series[0] as Series).times.slice(0, 6).map((ms) => ms.toFixed(1))} … ${steady.toFixed(1)} ms`,
      ...(python === undefined ? ['not run: start of real Keras, because no Python with Keras was found'] : []),
    ],
  };
}

function pythonStarters(folder: string, input: string, python: string): Starter[] {
  const script = fileURLToPath(new URL('start-child.py', import.meta.url));
  const file = `${folder}/mobilenet-v2.keras`;
  const starter = (backend: string, name: string, program: string): Starter => ({
    name,
    goal: 6,
    command: [program, script, backend, file, input],
  });
  return [
    starter('tensorflow', 'Keras on TensorFlow', pythonWithTensorflow(folder, python)),
    starter('jax', 'Keras on JAX', python),
  ];
}

/** Milliseconds from the start of the process to its first answer. */
async function timeToFirst(command: readonly [string, ...string[]]): Promise<number> {
  const started = performance.now();
  const child = start(command);
  let ms: number | undefined;
  for await (const line of linesOf(child)) if (line === 'first') ms ??= performance.now() - started;
  if (ms === undefined) throw new Error(`Cannot measure the start of ${command.join(' ')}: it gave no answer`);
  return ms;
}

async function readSeries([program, ...words]: readonly [string, ...string[]]): Promise<Series> {
  let last = '';
  for await (const line of linesOf(start([program, ...words, String(PREDICTIONS)]))) last = line;
  return JSON.parse(last) as Series;
}

function start([program, ...words]: readonly [string, ...string[]]): ChildProcess {
  return spawn(program, words, { stdio: ['ignore', 'pipe', 'ignore'] });
}

function linesOf({ stdout }: ChildProcess): AsyncIterable<string> {
  if (stdout === null) throw new Error('Cannot read what a process says that has no output');
  return createInterface(stdout);
}
