import { expect, test } from 'vitest';
import { createRegularizer, resolveRegularizer } from './regularizers.ts';

test.each([
  ['l1', 'L1'],
  ['l2', 'L2'],
  ['L2', 'L2'],
  ['l1_l2', 'L1L2'],
  ['l1l2', 'L1L2'],
  ['L1L2', 'L1L2'],
  ['orthogonal_regularizer', 'OrthogonalRegularizer'],
])('resolveRegularizer() takes %s for %s', (name, className) => {
  expect(resolveRegularizer(name)?.className).toBe(className);
});

test('resolveRegularizer() knows no other names', () => {
  expect(resolveRegularizer('l3')).toBeUndefined();
  expect(resolveRegularizer('constructor')).toBeUndefined();
});

test('createRegularizer() fills in defaults and refuses unknown keys', () => {
  expect(createRegularizer('L1L2', { l2: 0.5 })?.config).toEqual({ l1: 0, l2: 0.5 });
  expect(() => createRegularizer('L2', { l1: 1 })).toThrow(
    'Cannot create L2: found an unknown option "l1", expected l2',
  );
});
