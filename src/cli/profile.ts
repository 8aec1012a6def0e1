import { writeFile } from 'node:fs/promises';
import {
  type KerasModel,
  type ModelProfile,
  type PredictInputs,
  predictSeeded,
  profileModel,
  Tensor,
} from '../index.ts';
import type { ProfileWords } from './command-line.ts';
import { CommandError, EXIT } from './exit-codes.ts';
import { readSamples } from './inputs.ts';
import { describeLoaded, loadWithProgress } from './loading.ts';
import { formatProfile } from './profile-table.ts';
import { showProgress } from './progress.ts';

/** Columns of the table where the output is no terminal, or a narrower one. */
const LEAST_COLUMNS = 100;

/** What stands for an extent that a model leaves open, in the order in which they are tried. */
const OPEN_EXTENTS = [32, 64, 7];

/** `hornet profile MODEL [INPUT…]`. */
export async function profile(source: string, locations: readonly string[], words: ProfileWords): Promise<void> {
  const loaded = await loadWithProgress(source);
  const { model } = loaded;
  process.stderr.write(`${describeLoaded(loaded)}\n`);
  const inputs =
    locations.length === 0
      ? (await predictSeeded(model, words.batch ?? 1, OPEN_EXTENTS)).inputs
      : await readBatch(model, locations, words.batch);
  const found = await measure(model, inputs, words);
  if (words.html !== undefined) {
    const { profilePage } = await import('./profile-page.ts');
    await writeReport(words.html, profilePage(found));
  }
  if (words.svg !== undefined) {
    const { profilePicture } = await import('./profile-picture.ts');
    await writeReport(words.svg, profilePicture(found));
  }
  const columns = Math.max(process.stdout.columns ?? 0, LEAST_COLUMNS);
  process.stdout.write(
    `${words.json === true ? JSON.stringify(found, null, 1) : formatProfile(found, words.top, columns)}\n`,
  );
}

async function writeReport(file: string, text: string): Promise<void> {
  await writeFile(file, text);
  process.stderr.write(`wrote ${file}\n`);
}

async function measure(model: KerasModel, inputs: PredictInputs, words: ProfileWords): Promise<ModelProfile> {
  if (words.train !== true) return await measureWith(model, inputs, words);
  if (!model.compiled) model.compile({ optimizer: 'sgd', loss: 'mse' });
  const outputs = listOf(await model.predict<never>(inputs));
  const rows = outputs[0]?.shape[0] ?? 1;
  try {
    return await measureWith(model, inputs, words, outputs);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // Losses with "sparse" in their names take the number of a class.
    return await measureWith(
      model,
      inputs,
      words,
      outputs.map(() => new Tensor([rows, 1], 'float32', new Float32Array(rows))),
    );
  }
}

async function measureWith(
  model: KerasModel,
  inputs: PredictInputs,
  { repeat }: ProfileWords,
  targets?: readonly Tensor[],
): Promise<ModelProfile> {
  const progress = await showProgress(`Profiling ${model.name}`);
  try {
    return await profileModel(model, inputs, {
      ...(repeat === undefined ? {} : { repeats: repeat }),
      ...(targets === undefined ? {} : { targets: targets.length === 1 ? (targets[0] as Tensor) : targets }),
      onProgress: (fraction) => progress.update(fraction),
    });
  } finally {
    progress.stop();
  }
}

function listOf(result: unknown): Tensor[] {
  if (result instanceof Tensor) return [result];
  return typeof result === 'object' && result !== null ? Object.values(result).flatMap(listOf) : [];
}

/** All inputs as one batch, again from the beginning until it has as many rows as are wanted. */
async function readBatch(
  model: KerasModel,
  locations: readonly string[],
  rows: number | undefined,
): Promise<PredictInputs> {
  const samples = await readSamples(model, locations, undefined);
  const [only] = samples;
  if (samples.length === 1 && only !== undefined && rows === undefined) return only.inputs;
  const lists = samples.map(({ inputs }) => (inputs instanceof Tensor ? [inputs] : inputs));
  if (!lists.every((list): list is Tensor[] => Array.isArray(list) && list.every((part) => part instanceof Tensor))) {
    throw new CommandError('Cannot use --batch with a record of inputs: name a file for each input', EXIT.usage);
  }
  return model.inputs.map((_, index) =>
    stack(
      lists.map((list) => list[index] as Tensor),
      rows,
    ),
  );
}

function stack(parts: readonly Tensor[], wanted: number | undefined): Tensor {
  const [first] = parts as readonly [Tensor];
  const sample = first.shape.slice(1);
  const other = parts.find(({ shape, dtype }) => shape.slice(1).join() !== sample.join() || dtype !== first.dtype);
  if (other !== undefined) {
    throw new CommandError(
      `Cannot put the inputs in one batch: found samples of ${sample.join('×')} and ${other.shape.slice(1).join('×')}`,
      EXIT.badInput,
    );
  }
  const size = sample.reduce((product, extent) => product * extent, 1);
  const values = parts.flatMap(({ data }) => Array.from(data as ArrayLike<number>));
  const rows = wanted ?? values.length / size;
  const at = (_: unknown, index: number): number => values[index % values.length] as number;
  const data = { length: rows * size };
  switch (first.dtype) {
    case 'float32':
      return new Tensor([rows, ...sample], 'float32', Float32Array.from(data, at));
    case 'int32':
      return new Tensor([rows, ...sample], 'int32', Int32Array.from(data, at));
    case 'bool':
      return new Tensor([rows, ...sample], 'bool', Uint8Array.from(data, at));
    default:
      throw new CommandError('Cannot put texts in one batch: name one file and leave out --batch', EXIT.usage);
  }
}
