/** Models that real Keras makes while the test runs: random layers, saved in every format, against Keras' predictions. */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { findPython } from '../../scripts/find-python.ts';
import { checkModel } from '../../scripts/zoo/check-model.ts';
import { findModels } from '../../scripts/zoo/find-models.ts';

/** Another seed gives other models: `RANDOM_MODELS_SEED=7 npm run interop`. */
const SEED = process.env.RANDOM_MODELS_SEED ?? '1';
const MODELS = 12;
const FORMATS = 3;
const FOLDER = '.cache/random-models-test';

beforeAll(() => {
  rmSync(FOLDER, { recursive: true, force: true });
  const words = ['interop/make-random-models.py', FOLDER, SEED, String(MODELS)];
  execFileSync(findPython() ?? 'python3', words, { stdio: 'pipe' });
});

test(`${MODELS} random models predict what Keras predicts, from each of their files (seed ${SEED})`, async () => {
  const found = findModels([FOLDER]);
  expect(found).toHaveLength(MODELS * FORMATS);
  for (const model of found) {
    const row = await checkModel(model);
    expect(row, `${row.file}: ${row.reason}`).toMatchObject({ loaded: true, equal: true });
  }
});
