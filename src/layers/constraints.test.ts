import { expect, test } from 'vitest';
import { createConstraint, resolveConstraint } from './constraints.ts';

test.each([
  ['max_norm', 'MaxNorm'],
  ['maxNorm', 'MaxNorm'],
  ['maxnorm', 'MaxNorm'],
  ['min_max_norm', 'MinMaxNorm'],
  ['non_neg', 'NonNeg'],
  ['nonneg', 'NonNeg'],
  ['unit_norm', 'UnitNorm'],
  ['unitnorm', 'UnitNorm'],
  ['radial_constraint', 'RadialConstraint'],
])('resolveConstraint() takes %s for %s', (name, className) => {
  expect(resolveConstraint(name)?.className).toBe(className);
});

test('resolveConstraint() knows no other names', () => {
  expect(resolveConstraint('norm')).toBeUndefined();
});

test('createConstraint() fills in defaults and refuses unknown keys', () => {
  expect(createConstraint('MaxNorm', { axis: [0, 1] })?.config).toEqual({ maxValue: 2, axis: [0, 1] });
  expect(() => createConstraint('NonNeg', { axis: 0 })).toThrow('expected no options');
});
