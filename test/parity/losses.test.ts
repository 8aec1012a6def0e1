/** Losses in every reduction, with weights and masks, against Keras 3.15 on JAX. */
import { describe, expect, test } from 'vitest';
import { createLoss, lossNames } from '../../src/training/losses/resolve-loss.ts';
import type { EncodedTensor } from '../support/operation-cases.ts';
import {
  CaseInputs,
  expectClose,
  namesWithFewCases,
  readClassNames,
  readTrainingCases,
} from '../support/training-case.ts';

interface LossCase {
  readonly loss: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly yTrue: EncodedTensor;
  readonly yPred: EncodedTensor;
  readonly sampleWeight?: EncodedTensor;
  readonly mask?: EncodedTensor;
  readonly values: EncodedTensor;
  readonly expected: EncodedTensor;
}

const cases = readTrainingCases<LossCase>('losses');

test('there are at least ten cases of every loss of Keras', () => {
  const names = cases.map(({ loss }) => loss);
  expect(namesWithFewCases('losses', lossNames, names, 10)).toEqual([]);
});

describe.each(readClassNames('losses'))('%s', (name) => {
  const own = cases.filter(({ loss }) => loss === name);

  test.each(own.map((one, index) => [index, JSON.stringify(one.config), one] as const))(
    'case %i %s',
    (...[, , one]) => {
      const loss = createLoss(one.loss, one.config);
      if (loss === undefined) throw new Error(`There is no loss ${one.loss}`);
      const inputs = new CaseInputs();
      const [yTrue, yPred] = [inputs.add(one.yTrue), inputs.add(one.yPred)];
      const sampleWeight = inputs.optional(one.sampleWeight);
      const mask = inputs.optional(one.mask);
      const [values, result] = inputs.evaluate([
        loss.call(yTrue, yPred),
        loss.compute(yTrue, yPred, { sampleWeight, mask }),
      ]);
      if (values === undefined || result === undefined) throw new Error('The graph has two outputs');
      expectClose(values, one.values, 'values');
      expectClose(result, one.expected, 'loss');
    },
  );
});
