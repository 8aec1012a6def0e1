/**
 * The real models beside the repository, and a few that are hard to tell apart, saved in every format, judged by those for
 * whom the formats are: the oldest and the newest Keras 3, tf_keras, NumPy and safetensors. They compare predictions and
 * weights, go on with trainings that Hornet began, and hand them back.
 *
 * A sample is judged: models of the newest fixtures of Keras 3 and tf_keras, one for each kind of layers, and every
 * eightieth of all others that are small. INTEROP_ALL=1 judges them all, which takes an hour.
 */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findModels } from '../../scripts/zoo/find-models.ts';
import { loadModel } from '../../src/index.ts';
import { type Answer, ask, findJudges, type Judge, onJaxOf } from './judges.ts';
import { nestedModels } from './nested-models.ts';
import { type Column, Tallies } from './tally.ts';
import { type Case, type Training, trainSteps, ZooCases } from './zoo-cases.ts';

const SHARED = fileURLToPath(new URL('../../../shared', import.meta.url));
const SCRIPT = 'check-saved-formats.py';
const FOLDER = '.cache/saved-formats-test';
const ALL = !['', '0', 'false'].includes(process.env.INTEROP_ALL ?? '');

/** Larger models are as their smaller kin, and take long in Python. */
const MAX_BYTES = ALL ? 25e6 : 1e6;

const LIMIT = 1e-5;
const HALF_LIMIT = 2e-2;
const LOSS_LIMIT = 1e-4;

/** Fewer than these, and the sample has shrunk. */
const FEWEST = ALL ? 250 : 25;

/** What a judge says of a model that it cannot take, and what that means; the latter half are gaps of early releases. */
const LACKS: readonly (readonly [judge: RegExp, problem: RegExp, reason: string])[] = [
  [/^Keras 3/, /requires TensorFlow/, 'layers that need TensorFlow'],
  [/^Keras 3/, /(?:LocallyConnected\dD|ThresholdedReLU)/, 'layers of Keras 2'],
  [/^Keras 3/, /(?:smaller|greater) than the corresponding spatial dimension/, 'outputs of no extent'],
  [/^Keras 3/, /Layer expects 4 weight\(s\)\. Received 2 saved/, 'the adapters that our .h5 has merged'],
  [/^Keras 3\.0\./, /passed to \w+: \{'lora_/, 'low-rank adapters'],
  [/^Keras 3\.0\./, /activation function identifier: .*hard_sigmoid_keras2/, 'custom functions in .h5'],
  [
    /^Keras 3\.0\./,
    /node index out of bounds/,
    'calls that wait for calls of layers behind them, in its own files too',
  ],
  [/^Keras 3\.0\./, /Ranks of all input tensors|\(\(2, 1, 5\), \(2, 5\)\)/, 'encodings without an axis of their own'],
  [/^Keras 3\.0\./, /shape of the target variable/, 'the order of weights in .h5 of models that are frozen in part'],
  [/^Keras 3\.0\./, /slice\(None, None, None\)/, 'slices as arguments'],
  [/^Keras 3\.0\./, /attention\w*\/transpose|transpose expects a vector of size 2/, 'attention to matrices'],
];

const NO_STATE = 'trainings: Keras 3 goes on from the state of an optimizer in no .h5, its own neither';

interface Row {
  readonly name: string;
  readonly format: string;
  readonly lacks?: string;
  readonly otherwise?: string;
  readonly onJax?: boolean;
  readonly problem?: string;
  readonly difference?: number | null;
  readonly single?: number | null;
  readonly arrays?: number;
  readonly training?: number | null;
  readonly back?: Readonly<Record<string, string>>;
  readonly later?: readonly number[];
}

/** How the table calls what files end in. */
const TITLES: Readonly<Record<string, string>> = {
  'keras2.h5': '.h5, kerasVersion 2',
  'old.h5': '.h5 of weights',
  'old.h5 by name': '.h5 of weights, by name',
};
const titleOf = (ending: string): string => TITLES[ending] ?? `.${ending}`;

function sampleOf(paths: readonly string[]): string[] {
  if (ALL) return [...paths];
  const newest = /keras-versions\/(?:3\.15\.1|tf-keras-[^/]+)\/([^/]+)\.(?:h5|keras)$/;
  const kinds = new Map(
    paths.flatMap((path) => {
      const [, kind] = newest.exec(path) ?? [];
      return kind === undefined ? [] : [[kind, path] as const];
    }),
  );
  const others = paths.filter((path) => !path.includes('/keras-versions/'));
  return [...kinds.values(), ...others.filter((_, index) => index % 80 === 0)];
}

const judges = findJudges();

describe.skipIf(!existsSync(SHARED) || judges.length === 0)('the models of ../shared', () => {
  const zoo = new ZooCases(FOLDER, MAX_BYTES);
  const tallies = new Tallies();

  beforeAll(async () => {
    rmSync(FOLDER, { recursive: true, force: true });
    mkdirSync(FOLDER, { recursive: true });
    const paths = findModels([`${SHARED}/fixtures`, `${SHARED}/models`]).map(({ path }) => path);
    for (const path of sampleOf(paths)) await zoo.addFile(path);
    for (const [what, model] of nestedModels()) await zoo.add(model, `a model ${what}`);
    console.log(`Saved\n${JSON.stringify(zoo.counts, undefined, 1)}`);
    expect(zoo.cases.size).toBeGreaterThan(FEWEST);
  }, 3_600_000);

  afterAll(() => tallies.write());

  test.concurrent.for(judges)('are the same in $title', { timeout: 4 * 3_600_000 }, async (judge, { expect }) => {
    const { title, rows } = await askAll(judge, zoo);
    const formats = [...new Set(rows.map(({ format }) => format))].filter((format) => !format.startsWith('trained.'));
    const failures: string[] = [];
    for (const one of zoo.cases.values()) {
      const own = rows.filter(({ name }) => name === one.name);
      const unsaid = formats.filter((format) => own.every((row) => row.format !== format));
      if (unsaid.length > 0) failures.push(`${one.source} (${one.name}): not judged in ${unsaid}`);
      for (const row of own) {
        const told = await judgeRow(row, one, tallies, title);
        failures.push(...told.map((what) => `${one.source} (${one.name}), ${row.format}: ${what}`));
      }
    }
    failures.push(...(await askOnJax(judge, rows, zoo, tallies)));
    expect(failures).toEqual([]);
  });
});

/**
 * Asks for all cases. With oneDNN, TensorFlow 2.21 corrupts its memory in trainings of some separable convolutions, and dies;
 * without it, it has no convolutions of channels that come first.
 */
async function askAll(judge: Judge, zoo: ZooCases): Promise<Answer<Row>> {
  const answers: Answer<Row>[] = [];
  for (const channelsFirst of [false, true]) {
    const names = [...zoo.cases.values()].filter((one) => one.channelsFirst === channelsFirst).map(({ name }) => name);
    const environment = { ...judge.environment, TF_ENABLE_ONEDNN_OPTS: channelsFirst ? '1' : '0' };
    if (names.length > 0) answers.push(await ask<Row>({ ...judge, environment }, SCRIPT, FOLDER, names));
  }
  return { title: answers[0]?.title ?? judge.title, rows: answers.flatMap(({ rows }) => rows) };
}

/** Asks the same release of Keras on JAX for the trainings whose steps are wrong on TensorFlow alone. */
async function askOnJax(judge: Judge, refused: readonly Row[], zoo: ZooCases, tallies: Tallies): Promise<string[]> {
  const names = new Set(refused.filter(({ onJax }) => onJax).map(({ name }) => name));
  const sameOnJax = onJaxOf(judge);
  if (names.size === 0 || sameOnJax === undefined) return [];
  const { title, rows } = await ask<Row>(sameOnJax, SCRIPT, FOLDER, [...names]);
  const failures: string[] = [];
  for (const row of rows) {
    const one = zoo.cases.get(row.name) as Case;
    const told = await judgeRow(row, one, tallies, title);
    failures.push(...told.map((what) => `${one.source} (${one.name}), ${row.format}, ${title}: ${what}`));
  }
  return failures;
}

/** Counts what a judge found, and says what is not as it should be. */
async function judgeRow(row: Row, one: Case, tallies: Tallies, title: string): Promise<string[]> {
  const failures: string[] = [];
  const tally = tallies.of(title, titleOf(row.format.replace('trained.', '')));
  const check = (column: Column, what: string, value: number | null | undefined, limit: number): void => {
    const isGood = typeof value === 'number' && value <= limit;
    tally.count(column, isGood);
    if (!isGood) failures.push(row.problem ?? `${what} ${value}`);
  };
  const isTraining = row.format.startsWith('trained.');
  const [, , known] = LACKS.find(([who, what]) => who.test(title) && what.test(row.problem ?? '')) ?? [];
  const lacking = row.lacks ?? known;
  const reason = row.otherwise ?? (lacking === undefined ? undefined : `lacks ${lacking}`);
  if (!isTraining) tally.count('models', reason === undefined);
  if (reason !== undefined) {
    tally.note(`${isTraining ? 'not trained: ' : ''}${reason}`);
    return [];
  }
  if (isTraining) check('trained on', 'losses differ by', row.training, LOSS_LIMIT);
  else {
    tally.count('loaded', row.problem === undefined);
    if (row.arrays !== undefined) check('equal', 'arrays that differ:', row.arrays, 0);
    else {
      const isNearInHalves = one.isHalf && (row.difference ?? Number.POSITIVE_INFINITY) <= HALF_LIMIT;
      check('equal', 'outputs differ by', isNearInHalves ? row.single : row.difference, LIMIT);
      if (one.isHalf)
        tally.note(`in half precision: within ${HALF_LIMIT}; asked for single precision: within ${LIMIT}`);
    }
    if (row.format === 'h5' && title.startsWith('Keras 3')) tally.note(NO_STATE);
    else if (typeof one.training === 'string' && row.arrays === undefined) tally.note(`not trained: ${one.training}`);
  }
  for (const [ending, path] of Object.entries(row.back ?? {})) {
    const distance = await goOn(one, path, row.later ?? []).catch((error: Error) => error.message);
    const isGood = typeof distance === 'number' && distance <= LOSS_LIMIT;
    tallies.of(title, titleOf(ending)).count('we train on', isGood);
    if (!isGood) failures.push(`back.${ending}: ${distance}`);
  }
  return failures;
}

/** How far the losses are off when we go on with what a judge saved. */
async function goOn({ name, training }: Case, path: string, later: readonly number[]): Promise<number> {
  const isWhole = !/\.weights\.\w+$/.test(path);
  const model = await loadModel(isWhole ? path : join(FOLDER, `${name}.trained.keras`));
  if (!isWhole) await model.loadWeights(path);
  const losses = await trainSteps(model, training as Training, later.length);
  return Math.max(
    ...losses.map((loss, step) => Math.abs(loss - (later[step] as number)) / Math.max(1, Math.abs(loss))),
  );
}
