/** Metrics over several batches, state and result after each, against Keras 3.15 on JAX. */
import { describe, expect, test } from 'vitest';
import { evaluate } from '../../src/backends/reference/evaluate.ts';
import type { SymbolicTensor } from '../../src/graph/node.ts';
import { createMetric, metricNames } from '../../src/training/metrics/resolve-metric.ts';
import type { EncodedTensor } from '../support/operation-cases.ts';
import {
  CaseInputs,
  expectClose,
  namesWithFewCases,
  readClassNames,
  readTrainingCases,
} from '../support/training-case.ts';

interface MetricStep {
  readonly yTrue: EncodedTensor;
  /** Absent for metrics of values. */
  readonly yPred?: EncodedTensor;
  readonly sampleWeight?: EncodedTensor;
  readonly mask?: EncodedTensor;
  /** Long states by their sum. */
  readonly state: readonly (EncodedTensor | { readonly sum: number })[];
  readonly result: EncodedTensor;
}

interface MetricCase {
  readonly metric: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly steps: readonly MetricStep[];
}

const cases = readTrainingCases<MetricCase>('metrics');

test('there are at least ten cases of every metric of Keras', () => {
  const names = cases.map(({ metric }) => metric);
  expect(namesWithFewCases('metrics', metricNames, names, 10)).toEqual([]);
});

describe.each(readClassNames('metrics'))('%s', (name) => {
  const own = cases.filter(({ metric }) => metric === name);

  test.each(own.map((one, index) => [index, JSON.stringify(one.config), one] as const))(
    'case %i %s',
    (...[, , one]) => {
      const metric = createMetric(one.metric, one.config);
      if (metric === undefined) throw new Error(`There is no metric ${one.metric}`);
      const check = (): void => {
        for (const [number, step] of one.steps.entries()) {
          const inputs = new CaseInputs();
          const yTrue = inputs.add(step.yTrue);
          const yPred = step.yPred && inputs.add(step.yPred);
          const sampleWeight = inputs.optional(step.sampleWeight);
          const mask = inputs.optional(step.mask);
          // Metrics of values take the weights in the place of predictions.
          const assignments = metric.update(yTrue, yPred ?? (sampleWeight as SymbolicTensor), sampleWeight, mask);
          const values = inputs.evaluate(assignments.map(([, value]) => value));
          for (const [index, [variable]] of assignments.entries()) variable.assign(values[index] as (typeof values)[0]);
          for (const [index, variable] of metric.variables.entries()) {
            const expected = step.state[index] as MetricStep['state'][number];
            const { data } = variable.value;
            const label = `update ${number}, ${variable.name}`;
            if (!('sum' in expected)) expectClose(variable.value, expected, label);
            else expect(Array.from(data).reduce((sum, one) => sum + one, 0)).toBeCloseTo(expected.sum, 3);
          }
          expect(metric.variables.length).toBe(step.state.length);
          const [result] = evaluate({ inputs: [], outputs: [metric.result()] }, []);
          expectClose(result as (typeof values)[0], step.result, `result ${number}`);
        }
      };
      check();
      // After a reset, the same batches give the same results.
      metric.reset();
      check();
    },
  );
});
