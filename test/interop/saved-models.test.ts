/** Models that real Keras made, read and saved by Hornet, and loaded into real Keras again. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { findPython } from '../../scripts/find-python.ts';
import { findModels } from '../../scripts/zoo/find-models.ts';
import { type KerasModel, loadModel, type Tensor, tensor } from '../../src/index.ts';

const SEED = process.env.RANDOM_MODELS_SEED ?? '3';
const MODELS = 12;
const MADE = '.cache/saved-models-test/made';
const SAVED = '.cache/saved-models-test/saved';
const LIMIT = 1e-5;

const python = findPython();

interface Row {
  readonly name: string;
  readonly keras: number;
  readonly weights: number;
}

/** Numbers between −1 and 1, the same each time; integers from 0 to 3. */
function inputsOf(model: KerasModel): Tensor[] {
  return model.inputs.map(({ shape, dtype }, place) => {
    const known = shape.map((extent, axis) => extent ?? (axis === 0 ? 2 : 6));
    const length = known.reduce((product, extent) => product * extent, 1);
    const values = Float64Array.from({ length }, (_, index) => Math.sin((index + 1) * (place + 1) * 12.9898));
    const data = dtype === 'float32' ? Float32Array.from(values) : Int32Array.from(values, (v) => Math.abs(v) * 4);
    return tensor(data, known);
  });
}

const jsonOf = ({ shape, dtype, data }: Tensor): unknown => ({ shape, dtype, data: Array.from(data as Float32Array) });

describe.skipIf(python === undefined)('real Keras (needs interop/.venv)', () => {
  let rows: Row[] = [];

  beforeAll(async () => {
    for (const folder of [MADE, SAVED]) rmSync(folder, { recursive: true, force: true });
    mkdirSync(SAVED, { recursive: true });
    const run = (...words: string[]): string =>
      execFileSync(python ?? 'python3', words, { stdio: 'pipe', encoding: 'utf8' });
    run('interop/make-random-models.py', MADE, SEED, String(MODELS));
    for (const { path } of findModels([MADE])) {
      if (!path.endsWith('.keras')) continue;
      const model = await loadModel(path);
      const name = join(SAVED, basename(path, '.keras'));
      await model.save(`${name}.keras`);
      await model.saveWeights(`${name}.weights.h5`);
      const inputs = inputsOf(model);
      const found = await model.predict<Tensor | Tensor[]>(inputs);
      const outputs = Array.isArray(found) ? found : [found];
      writeFileSync(`${name}.json`, JSON.stringify({ inputs: inputs.map(jsonOf), outputs: outputs.map(jsonOf) }));
    }
    const printed = run('interop/check-saved-models.py', SAVED);
    rows = printed
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Row);
  });

  test(`loads ${MODELS} models that Hornet saved, and predicts the same (seed ${SEED})`, () => {
    expect(rows).toHaveLength(MODELS);
    for (const row of rows) expect(row.keras, JSON.stringify(row)).toBeLessThanOrEqual(LIMIT);
  });

  test(`loads the weights alone of the same ${MODELS} models`, () => {
    expect(rows).toHaveLength(MODELS);
    for (const row of rows) expect(row.weights, JSON.stringify(row)).toBeLessThanOrEqual(LIMIT);
  });
});
