/** Optimizers step by step, every weight and all state, against Keras 3.15 on JAX. */
import { describe, expect, test } from 'vitest';
import { optimizerNames } from '../../src/training/optimizers/resolve-optimizer.ts';
import { checkOptimizerCase, type OptimizerCase, type SharedData } from '../support/optimizer-case.ts';
import { namesWithFewCases, readClassNames, readTrainingCases } from '../support/training-case.ts';

const [data, ...cases] = readTrainingCases<SharedData | OptimizerCase>('optimizers') as [
  SharedData,
  ...OptimizerCase[],
];

test('there are at least ten cases of every optimizer of Keras', () => {
  const names = cases.map(({ optimizer }) => optimizer);
  expect(namesWithFewCases('optimizers', optimizerNames, names, 10)).toEqual([]);
});

describe.each(readClassNames('optimizers'))('%s', (name) => {
  const own = cases.filter(({ optimizer }) => optimizer === name);

  test.each(own.map((one, index) => [index, JSON.stringify(one.config), one] as const))(
    'case %i %s',
    (...[, , one]) => {
      checkOptimizerCase(data, one);
      expect(one.steps.length).toBeGreaterThanOrEqual(5);
    },
  );
});
