/** Learning-rate schedules over many steps, against Keras 3.15 on JAX. */
import { expect, test } from 'vitest';
import { tensor } from '../../src/array/tensor.ts';
import { evaluate } from '../../src/backends/reference/evaluate.ts';
import { input } from '../../src/graph/apply.ts';
import { createSchedule, scheduleNames } from '../../src/training/schedules/resolve-schedule.ts';
import { expectClose, namesWithFewCases, readTrainingCases } from '../support/training-case.ts';

interface ScheduleCase {
  readonly schedule: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly steps: readonly number[];
  readonly values: readonly number[];
}

const cases = readTrainingCases<ScheduleCase>('schedules');

test('there are cases of every schedule of Keras', () => {
  const names = cases.map(({ schedule }) => schedule);
  expect(namesWithFewCases('schedules', scheduleNames, names, 3)).toEqual([]);
});

test.each(cases.map((one) => [one.schedule, JSON.stringify(one.config), one] as const))('%s %s', (...[, , one]) => {
  const schedule = createSchedule(one.schedule, one.config);
  if (schedule === undefined) throw new Error(`There is no schedule ${one.schedule}`);
  const step = input('step', { shape: [], dtype: 'int32' });
  const graph = { inputs: [step], outputs: [schedule.call(step)] };
  const values = one.steps.map((number) => evaluate(graph, [tensor(number, [], 'int32')])[0]?.data[0] as number);
  expectClose(tensor(values), ['float32', [values.length], one.values], 'step');
});
