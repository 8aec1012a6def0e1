/** Regularizers and constraints against Keras 3.15 on JAX. */
import { expect, test } from 'vitest';
import type { Tensor } from '../../src/array/tensor.ts';
import { createConstraint } from '../../src/layers/constraints.ts';
import { penaltyOf } from '../../src/layers/penalty.ts';
import { createRegularizer, type Regularizer } from '../../src/layers/regularizers.ts';
import type { EncodedTensor } from '../support/operation-cases.ts';
import { CaseInputs, expectClose, namesWithFewCases, readTrainingCases } from '../support/training-case.ts';

interface PenaltyCase {
  readonly role: 'regularizer' | 'constraint';
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly input: EncodedTensor;
  readonly expected: EncodedTensor;
}

const cases = readTrainingCases<PenaltyCase>('penalties');

test.each(['regularizers', 'constraints'])('there are cases of all %s of Keras', (kind) => {
  const names = cases.map(({ className }) => className);
  expect(namesWithFewCases(kind, [], names, 4)).toEqual([]);
});

test.each(cases.map((one) => [one.className, JSON.stringify(one.config), one.input[1].join('×'), one] as const))(
  '%s %s of %s',
  (...[, , , one]) => {
    const inputs = new CaseInputs();
    const x = inputs.add(one.input);
    const regularizer = createRegularizer(one.className, one.config) as Regularizer;
    const output =
      one.role === 'regularizer' ? penaltyOf(regularizer, x) : createConstraint(one.className, one.config)?.project(x);
    expect(output).toBeDefined();
    const [value] = inputs.evaluate(output === undefined ? [] : [output]);
    expectClose(value as Tensor, one.expected, one.className);
  },
);
