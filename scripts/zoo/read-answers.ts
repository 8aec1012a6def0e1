/** Reads what a model should predict, in the layouts of ../shared/models, ../shared/fixtures and KonduitAI's tests. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { bytesFile } from '../../src/binary/ranged-file.ts';
import { Hdf5Dataset } from '../../src/formats/hdf5/hdf5-dataset.ts';
import { Hdf5Group } from '../../src/formats/hdf5/hdf5-group.ts';
import { openHdf5 } from '../../src/formats/hdf5/open-hdf5.ts';
import { decodeJsonObject } from '../../src/formats/json.ts';
import { type Dtype, type NumbersOf, Tensor, tensor } from '../../src/index.ts';
import { architecturesBeside, stemOf } from './find-models.ts';

/** An array with the name that it has in the answer, if any, and the dtype in which it was computed. */
export interface NamedArray {
  readonly name: string | undefined;
  readonly tensor: Tensor;
  readonly dtype: string;
}

export interface Answer {
  /** Who computed the outputs, as far as the answer says: `Keras 3.12.4 on torch`. */
  readonly oracle: string | undefined;
  /** The backend that computed them, where its numbers are its own. */
  readonly numbersOf: NumbersOf;
  readonly inputs: readonly NamedArray[];
  readonly outputs: readonly NamedArray[];
}

/** All answers for a model. The authors' own outrank those of oracles; several oracles must all be met. */
export async function readAnswers(path: string): Promise<Answer[]> {
  const own = await readOwnAnswer(path);
  if (own?.arePredictions) return [own.answer];
  const direct = [...besideFiles(path), ...oracleFiles(path)];
  // Weights that lie beside a whole model of their name are that model's.
  const files = direct.length > 0 ? direct : architecturesBeside(path).flatMap(oracleFiles);
  const oracles = files.map(readJsonAnswer);
  // Outputs that are not said to be predictions may be labels: they count where there is nothing better.
  return oracles.length > 0 || own === undefined ? oracles : [own.answer];
}

function besideFiles(path: string): string[] {
  const names = [`${basename(path)}.expected.json`, `${stemOf(path)}.expected.json`];
  return names
    .map((name) => join(dirname(path), name))
    .filter((file) => existsSync(file))
    .slice(0, 1);
}

/** `_expected/<oracle>/<path>.json`, where `_expected` lies in a folder above the model. */
function oracleFiles(path: string): string[] {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const answers = join(folder, '_expected');
    if (existsSync(answers)) {
      return readdirSync(answers)
        .map((oracle) => join(answers, oracle, `${relative(folder, path)}.json`))
        .filter((file) => existsSync(file));
    }
    if (folder === dirname(folder)) return [];
  }
}

interface JsonArray {
  readonly name?: string;
  readonly shape: readonly number[];
  readonly dtype?: string;
  /** The elements, or in words the seeded generator that gives them: `mulberry32(seed 42)*2-1`. */
  readonly data: readonly (number | string | boolean)[] | string;
}

function readJsonAnswer(from: string): Answer {
  const json = decodeJsonObject(readFileSync(from, 'utf8'), from);
  const { inputs, outputs } = json as unknown as Record<'inputs' | 'outputs', JsonArray[]>;
  const { keras_version: version, backend } = json;
  const oracle = version === undefined ? undefined : `Keras ${version} on ${backend}`;
  const numbersOf = backend === 'torch' ? 'torch' : 'tensorflow';
  return { oracle, numbersOf, inputs: inputs.map(arrayOfJson), outputs: outputs.map(arrayOfJson) };
}

function arrayOfJson({ name, shape, dtype = 'float32', data }: JsonArray): NamedArray {
  const elements = typeof data === 'string' ? generate(data, shape) : data;
  return { name, dtype, tensor: tensorOf(shape, dtype, elements) };
}

/** Numbers in [−1, 1) from the generator that an answer names. */
function generate(words: string, shape: readonly number[]): number[] {
  const seed = /^mulberry32\(seed (\d+)\)\*2-1/.exec(words)?.[1];
  if (seed === undefined) throw new TypeError(`Cannot read an answer: its data is "${words}", expected elements`);
  let state = Number(seed);
  const count = shape.reduce((product, extent) => product * extent, 1);
  return Array.from({ length: count }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return (((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32) * 2 - 1;
  });
}

function tensorOf(
  shape: readonly number[],
  dtype: string,
  data: ArrayLike<number | string | boolean | bigint>,
): Tensor {
  const kind: Dtype = dtype === 'string' || dtype === 'bool' ? dtype : /int/.test(dtype) ? 'int32' : 'float32';
  if (kind === 'string') return new Tensor(shape, 'string', Array.from(data, String));
  return tensor(Float64Array.from(Array.from(data), Number), shape, kind);
}

/** `NAME_inputs_and_outputs.h5` beside `NAME_model.h5` or `NAME_weights.h5`. */
async function readOwnAnswer(path: string): Promise<{ answer: Answer; arePredictions: boolean } | undefined> {
  const from = join(dirname(path), `${stemOf(path)}_inputs_and_outputs.h5`);
  if (!existsSync(from)) return undefined;
  const root = await openHdf5(bytesFile(readFileSync(from), from));
  const arePredictions = (await root.get('predictions')) instanceof Hdf5Group;
  const inputs = await readArrays(root, 'inputs');
  const outputs = await readArrays(root, arePredictions ? 'predictions' : 'outputs');
  return { answer: { oracle: undefined, numbersOf: 'tensorflow', inputs, outputs }, arePredictions };
}

async function readArrays(root: Hdf5Group, name: string): Promise<NamedArray[]> {
  const group = await root.group(name);
  const arrays: NamedArray[] = [];
  for (const member of await group.names()) {
    const dataset = await group.get(member);
    if (!(dataset instanceof Hdf5Dataset)) continue;
    const data = await dataset.read();
    arrays.push({ name: member, dtype: dataset.dtype, tensor: tensorOf(dataset.shape, dataset.dtype, data) });
  }
  return arrays;
}
