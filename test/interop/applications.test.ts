/** The applications in their real widths: real Keras writes weights and answers while the test runs. */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findPython } from '../../scripts/find-python.ts';
import { checkAnswer, createApplication, readAnswer } from '../support/application-case.ts';

const FOLDER = '.cache/applications-test';
const MODELS = ['mobile-net', 'mobile-net-v2', 'res-net', 'res-net-features'];

beforeAll(() => {
  rmSync(FOLDER, { recursive: true, force: true });
  execFileSync(findPython() ?? 'python3', ['interop/make-application-fixtures.py', FOLDER], { stdio: 'pipe' });
});

// They take half a gigabyte.
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

test.each(MODELS)('%s predicts what Keras predicts, from both files of weights', async (name) => {
  const answer = readAnswer(`${FOLDER}/${name}.json`);
  expect(answer.inputs[0][0]).toBe(2);
  for (const suffix of ['h5', 'weights.h5']) {
    await checkAnswer(await createApplication(answer, `${FOLDER}/${name}.${suffix}`), answer);
  }
});
