/** Models that real Keras made, read and saved by Hornet, and loaded into real Keras again. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findModels } from '../../scripts/zoo/find-models.ts';
import { type KerasModel, loadModel, type Tensor, tensor } from '../../src/index.ts';
import { ask, findKerasOnJax, type Judge } from './judges.ts';
import { Tallies } from './tally.ts';

const SEED = process.env.RANDOM_MODELS_SEED ?? '3';
const MODELS = 12;
const MADE = '.cache/saved-models-test/made';
const SAVED = '.cache/saved-models-test/saved';
const LIMIT = 1e-5;

const judge = findKerasOnJax();

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

describe.skipIf(judge === undefined)('real Keras (needs interop/.venv)', () => {
  const tallies = new Tallies();

  beforeAll(async () => {
    for (const folder of [MADE, SAVED]) rmSync(folder, { recursive: true, force: true });
    mkdirSync(SAVED, { recursive: true });
    execFileSync((judge as Judge).python, ['interop/make-random-models.py', MADE, SEED, String(MODELS)], {
      stdio: 'pipe',
    });
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
  });

  afterAll(() => tallies.write());

  test(`predicts the same with ${MODELS} models that Hornet saved (seed ${SEED})`, async () => {
    const { title, rows } = await ask<Row>(judge as Judge, 'check-saved-models.py', SAVED);
    expect(rows).toHaveLength(MODELS);
    for (const row of rows) {
      for (const key of ['keras', 'weights'] as const) {
        const tally = tallies.of(title, key === 'keras' ? '.keras, random models' : '.weights.h5, random models');
        tally.count('models', true);
        tally.count('loaded', true);
        tally.count('equal', row[key] <= LIMIT);
      }
    }
    for (const row of rows) {
      expect(row.keras, JSON.stringify(row)).toBeLessThanOrEqual(LIMIT);
      expect(row.weights, `weights alone: ${JSON.stringify(row)}`).toBeLessThanOrEqual(LIMIT);
    }
  });
});
