/** Loads one model and compares it with its answers: the work of one turn of a worker of `npm run zoo`. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Backend,
  CustomObjectError,
  type CustomObjects,
  type KerasModel,
  loadModel,
  type ModelArtifacts,
  modelFromJSON,
  type NumbersOf,
  readArtifacts,
  UnsupportedError,
  type WeightEntry,
} from '../../src/index.ts';
import { compareWithAnswer, precisionOf } from './compare.ts';
import { architecturesBeside, type FoundModel } from './find-models.ts';
import { type Answer, readAnswers } from './read-answers.ts';

/** One line of the report. */
export interface ZooRow {
  readonly file: string;
  readonly format: string;
  readonly loaded: boolean;
  readonly compared: boolean;
  /** Only where it was compared. */
  readonly equal: boolean | null;
  readonly maxError: number | null;
  /** Why it was not loaded, not compared or not equal. */
  readonly reason: string | null;
  /** Classes and functions that only the file's author has. */
  readonly needs: readonly string[];
}

/** What is known before anything is loaded. */
type Row = { -readonly [K in keyof ZooRow]: ZooRow[K] };

export interface CheckOptions {
  readonly backend?: Backend | undefined;
  /** What only the author of the file has. */
  readonly customObjects?: CustomObjects | undefined;
}

/** Checks one model; whatever it throws becomes the row's reason. */
export async function checkModel({ path, guess }: FoundModel, options: CheckOptions = {}): Promise<ZooRow> {
  const row: Row = {
    file: path,
    format: guess,
    loaded: false,
    compared: false,
    equal: null,
    maxError: null,
    reason: null,
    needs: [],
  };
  try {
    await fillRow(row, options);
  } catch (error) {
    row.reason = describe(error);
    if (error instanceof CustomObjectError) row.needs = error.needs;
    else if (error instanceof UnsupportedError) row.reason = `not supported: ${row.reason}`;
  }
  return row;
}

async function fillRow(row: Row, { backend, customObjects = {} }: CheckOptions): Promise<void> {
  const artifacts = await readArtifacts(row.file);
  row.format = formatOf(artifacts, row.format);
  const answers = await readAnswers(row.file);
  const options = { numbersOf: answers[0]?.numbersOf ?? 'tensorflow', customObjects };
  const isWhole = artifacts.topology !== undefined;
  const loaded = isWhole ? await loadWhole(row, artifacts, options) : await loadWeights(row, artifacts, options);
  row.loaded = true;
  if (loaded === undefined) return;
  for (const answer of answers) await compare(row, loaded, answer, backend);
}

interface BuildOptions {
  readonly numbersOf: NumbersOf;
  readonly customObjects: CustomObjects;
}

/** A model, and its configuration as text. */
interface Loaded {
  readonly model: KerasModel;
  readonly configuration: string;
}

async function loadWhole(row: Row, artifacts: ModelArtifacts, options: BuildOptions): Promise<Loaded> {
  const model = await loadModel(row.file, options);
  return { model, configuration: JSON.stringify(artifacts.topology) };
}

/** Reads every tensor of a weights-only file, and assigns them where the architecture lies beside it. */
async function loadWeights(row: Row, artifacts: ModelArtifacts, options: BuildOptions): Promise<Loaded | undefined> {
  for (const entry of entriesOf(artifacts)) await entry.read();
  const [architecture] = architecturesBeside(row.file);
  if (architecture === undefined) {
    row.reason = 'no architecture lies beside the weights';
    return undefined;
  }
  const isConfiguration = architecture.endsWith('.json') && statSync(architecture).isFile();
  const model = isConfiguration
    ? await modelFromJSON(readFileSync(architecture, 'utf8'), options)
    : await loadModel(architecture, options);
  await model.loadWeights(row.file, options);
  const { topology } = await readArtifacts(architecture);
  return { model, configuration: JSON.stringify(topology) };
}

async function compare(
  row: Row,
  { model, configuration }: Loaded,
  answer: Answer,
  backend: Backend | undefined,
): Promise<void> {
  row.compared = true;
  try {
    const found = await compareWithAnswer(model, answer, precisionOf(configuration, answer), backend);
    row.equal = (row.equal ?? true) && found.equal;
    row.maxError = Math.max(row.maxError ?? 0, found.maxError);
    row.reason ??= found.reason ?? null;
  } catch (error) {
    row.equal = false;
    row.reason ??= describe(error);
  }
}

/** What the table counts by. */
function formatOf(artifacts: ModelArtifacts, guess: string): string {
  switch (artifacts.format) {
    case 'keras':
      return guess === '.keras folder' ? guess : '.keras';
    case 'hdf5':
      return '.h5';
    case 'hdf5-weights':
      return '.h5, weights only';
    case 'weights.h5':
      return '.weights.h5';
    case 'weights.json':
      return '.weights.json';
    case 'layers-model':
      return 'layers-model';
    default:
      return artifacts.format;
  }
}

function entriesOf({ weights, optimizerWeights = [] }: ModelArtifacts): WeightEntry[] {
  switch (weights?.kind) {
    case 'named':
      return [...weights.entries, ...optimizerWeights];
    case 'layers':
      return [...weights.layers.flatMap(({ entries }) => entries), ...weights.topLevel, ...optimizerWeights];
    case 'paths':
      return [...[...weights.groups.values()].flatMap(({ entries }) => [...entries.values()]), ...optimizerWeights];
    default:
      return [...optimizerWeights];
  }
}

function describe(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return text.replaceAll(`${join(process.cwd(), '/')}`, '');
}
