/** Optimizers step by step, every weight and all state, against Keras 3.15 on JAX. */
import { describe, expect, test } from 'vitest';
import { optimizerNames } from '../../src/training/optimizers/resolve-optimizer.ts';
import { checkOptimizerCase, type OptimizerCase, type SharedData } from '../support/optimizer-case.ts';
import { readTrainingCases } from '../support/training-case.ts';

const [data, ...cases] = readTrainingCases<SharedData | OptimizerCase>('optimizers') as [
  SharedData,
  ...OptimizerCase[],
];

test('there are at least two cases of every optimizer', () => {
  const counts = optimizerNames.map((name) => cases.filter(({ optimizer }) => optimizer === name).length);
  expect(Math.min(...counts)).toBeGreaterThanOrEqual(2);
});

describe.each(optimizerNames)('%s', (name) => {
  const own = cases.filter(({ optimizer }) => optimizer === name);

  test.each(own.map((one, index) => [index, JSON.stringify(one.config), one] as const))(
    'case %i %s',
    (...[, , one]) => {
      checkOptimizerCase(data, one);
      expect(one.steps.length).toBeGreaterThanOrEqual(5);
    },
  );
});
