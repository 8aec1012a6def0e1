/**
 * The real models beside the repository, and a few that are hard to tell apart, saved as `.h5` and as weights in every format, judged by those for whom the
 * formats are: Keras 3, tf_keras, NumPy and safetensors.
 *
 * A sample is judged: models of the newest fixtures of Keras 3 and tf_keras, one for each kind of layers, and every
 * eightieth of all others that are small. INTEROP_ALL=1 judges them all; with KERAS_BACKEND=tensorflow, and a PYTHON that has
 * it, that takes a quarter of an hour, on JAX an hour.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { findPython, findTfKerasPython } from '../../scripts/find-python.ts';
import { findModels } from '../../scripts/zoo/find-models.ts';
import { type KerasModel, loadModel, type Tensor, tensor, UnsupportedError } from '../../src/index.ts';
import { weightsByPath } from '../../src/serialization/layer-weights.ts';
import { nestedModels } from './nested-models.ts';

const SHARED = fileURLToPath(new URL('../../../shared', import.meta.url));
const FOLDER = '.cache/saved-formats-test';
const ALL = process.env.INTEROP_ALL === '1';

const LIMIT = 1e-5;
/** Halves are rounded to 8 or 11 bits on the way in Keras; Hornet computes in 24. */
const HALF_LIMIT = 2e-2;

/** Larger models are as their smaller kin, and take long in Python. */
const MAX_BYTES = ALL ? 25e6 : 1e6;
const MAX_INPUTS = 600_000;

/** Formats of weights alone, with what their files end in. */
const WEIGHT_ENDINGS = ['old.h5', 'weights.json', 'safetensors', 'npz'] as const;

/** What the judges do not have: TensorFlow in the Keras of `interop/.venv`, outputs of no extent, classes of Keras 2. */
const CANNOT_BE_JUDGED =
  /requires TensorFlow|LocallyConnected\dD|ThresholdedReLU|smaller than the corresponding spatial dimension/;

interface Row {
  readonly name: string;
  readonly problem?: string;
  readonly [format: string]: number | string | undefined;
}

interface Saved {
  readonly path: string;
  readonly isHalf: boolean;
  readonly keras3Only: readonly string[];
}

const saved = new Map<string, Saved>();
const counts = { found: 0, loaded: 0, written: 0, refused: 0, distinct: 0, tooLarge: 0 };

function sampleOf(paths: readonly string[]): string[] {
  if (ALL) return [...paths];
  const newest = /keras-versions\/(3\.15\.1|tf-keras-[^/]+)\/([^/]+)\.(h5|keras)$/;
  const kinds = new Map(
    paths.flatMap(
      (path) =>
        newest
          .exec(path)
          ?.slice(2, 3)
          .map((kind) => [kind, path] as const) ?? [],
    ),
  );
  const others = paths.filter((path) => !path.includes('/keras-versions/'));
  return [...kinds.values(), ...others.filter((_, index) => index % 80 === 0)];
}

function inputsOf(model: KerasModel): Tensor[] {
  return model.inputs.map(({ shape, dtype }, place) => {
    const known = shape.map((extent, axis) => extent ?? (axis === 0 ? 2 : shape.length === 4 ? 32 : 6));
    const length = known.reduce((product, extent) => product * extent, 1);
    if (length > MAX_INPUTS) throw new RangeError('too large');
    const values = Float64Array.from({ length }, (_, index) => Math.sin((index + 1) * (place + 1) * 12.9898));
    const data = dtype === 'float32' ? Float32Array.from(values) : Int32Array.from(values, (v) => Math.abs(v) * 4);
    return dtype === 'string'
      ? tensor(
          Array.from({ length }, (_, index) => ['a', 'the', 'zz'][index % 3] as string),
          known,
          'string',
        )
      : tensor(data, known);
  });
}

const jsonOf = ({ shape, dtype, data }: Tensor): object => ({
  shape,
  dtype: dtype === 'string' ? 'object' : dtype,
  data: Array.from(data as Float32Array),
});

async function save(path: string): Promise<void> {
  if (statSync(path).isFile() && statSync(path).size > MAX_BYTES) {
    counts.tooLarge++;
    return;
  }
  const model = await loadModel(path).catch(() => undefined);
  if (model === undefined) return;
  counts.loaded++;
  await saveModel(model, path);
}

async function saveModel(model: KerasModel, path: string): Promise<void> {
  const name = String(counts.written + counts.refused).padStart(4, '0');
  const at = (ending: string): string => join(FOLDER, `${name}.${ending}`);
  let keras3Only: readonly string[];
  try {
    const report = await model.save(at('h5'), { includeOptimizer: false });
    keras3Only = report.keras3Only ?? [];
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    counts.refused++;
    return;
  }
  counts.written++;
  // The same model is there in several formats, and gives the same bytes: one judgement is enough.
  const digest = createHash('sha256')
    .update(readFileSync(at('h5')))
    .digest('hex');
  if (saved.has(digest)) return rmSync(at('h5'));
  let inputs: Tensor[];
  try {
    inputs = inputsOf(model);
  } catch {
    counts.tooLarge++;
    return rmSync(at('h5'));
  }
  const found = await model.predict<Tensor | Tensor[] | Record<string, Tensor>>(inputs);
  const outputs = 'data' in found ? [found as Tensor] : Object.values(found);
  for (const ending of WEIGHT_ENDINGS) {
    await model.saveWeights(at(ending), ending === 'weights.json' ? { shardSize: 40_000_000 } : {});
  }
  const weights: Record<string, string> = {};
  for (const entry of weightsByPath(model)) {
    const { data } = await entry.read();
    const { buffer, byteOffset, byteLength } = data as Float32Array;
    weights[entry.name] = createHash('sha256')
      .update(new Uint8Array(buffer, byteOffset, byteLength))
      .digest('hex');
  }
  const isHalf = model.layers.some(({ config }) => /float16/.test(String((config as { dtype?: unknown }).dtype)));
  const case_ = {
    inputs: inputs.map(jsonOf),
    outputs: outputs.map(jsonOf),
    weights,
    keras3Only,
    formats: WEIGHT_ENDINGS,
  };
  writeFileSync(at('json'), JSON.stringify(case_));
  saved.set(digest, { path, isHalf, keras3Only });
  names.set(name, digest);
}

const names = new Map<string, string>();

function judge(python: string, name: 'keras' | 'tf_keras'): readonly Row[] {
  const printed = execFileSync(python, ['interop/check-saved-formats.py', FOLDER, name], {
    stdio: ['ignore', 'pipe', 'ignore'],
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  const lines = printed.split('\n').filter((line) => line.startsWith('{'));
  return lines.map((line) => JSON.parse(line) as Row);
}

/** Checks each row, and prints how many there are of what. */
function expectEqual(title: string, rows: readonly Row[], expected: number): void {
  const table: Record<string, number> = { judged: rows.length };
  expect(rows).toHaveLength(expected);
  for (const { name, problem, ...differences } of rows) {
    const { path, isHalf } = saved.get(names.get(name) ?? '') as Saved;
    const where = `${path} (${name}): ${problem ?? JSON.stringify(differences)}`;
    if (problem !== undefined) {
      expect(problem, where).toMatch(CANNOT_BE_JUDGED);
      const [reason] = CANNOT_BE_JUDGED.exec(problem) ?? [];
      const key = `cannot be judged: ${reason}`;
      table[key] = (table[key] ?? 0) + 1;
    }
    for (const [format, value] of Object.entries(differences)) {
      const isExact = format !== 'h5';
      expect(value, where).toBeLessThanOrEqual(isExact ? 0 : isHalf ? HALF_LIMIT : LIMIT);
      const key = `${format} equal${isHalf && !isExact ? ' (half precision)' : ''}`;
      table[key] = (table[key] ?? 0) + 1;
    }
  }
  console.log(`${title}\n${JSON.stringify(table, undefined, 1)}`);
}

const python = findPython();
const tfKeras = findTfKerasPython();

describe.skipIf(!existsSync(SHARED) || (python === undefined && tfKeras === undefined))(
  'the models of ../shared',
  () => {
    beforeAll(async () => {
      rmSync(FOLDER, { recursive: true, force: true });
      mkdirSync(FOLDER, { recursive: true });
      const paths = findModels([`${SHARED}/fixtures`, `${SHARED}/models`]).map(({ path }) => path);
      counts.found = paths.length;
      for (const path of sampleOf(paths)) await save(path);
      for (const [what, model] of nestedModels()) await saveModel(model, `a model ${what}`);
      counts.distinct = saved.size;
      console.log(`Saved\n${JSON.stringify(counts, undefined, 1)}`);
      expect(counts.distinct).toBeGreaterThan(25);
    }, 900_000);

    test.skipIf(python === undefined)('are the same in Keras 3, NumPy and safetensors', { timeout: 3_600_000 }, () => {
      expectEqual('Keras 3', judge(python as string, 'keras'), saved.size);
    });

    test.skipIf(tfKeras === undefined)(
      'are the same in tf_keras, as far as it has their parts',
      { timeout: 3_600_000 },
      () => {
        const shared = [...saved.values()].filter(({ keras3Only }) => keras3Only.length === 0);
        expectEqual('tf_keras', judge(tfKeras as string, 'tf_keras'), shared.length);
      },
    );
  },
);
