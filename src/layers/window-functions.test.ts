import { expect, test } from 'vitest';
import { windowFunction } from './window-functions.ts';

test('windowFunction() gives symmetric and periodic windows', () => {
  expect([...windowFunction('hann', 3, false)]).toEqual([0, 1, 0]);
  expect([...windowFunction('hann', 4, true)].map((value) => Math.round(value * 1e6) / 1e6)).toEqual([0, 0.5, 1, 0.5]);
  expect([...windowFunction('bartlett', 5, false)]).toEqual([0, 0.5, 1, 0.5, 0]);
  expect([...windowFunction('blackman', 1, true)]).toEqual([1]);
});

test('windowFunction() refuses a window that it does not have', () => {
  expect(() => windowFunction('tukey', 4, true)).toThrow('Cannot make a window "tukey": expected one of boxcar, hann');
});
