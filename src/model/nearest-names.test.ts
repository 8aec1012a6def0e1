import { expect, test } from 'vitest';
import { nearestNames } from './nearest-names.ts';

test('nearestNames() finds spelling mistakes, nearest first', () => {
  expect(nearestNames('blok_5', ['block_5', 'block_55', 'dense'])).toEqual(['block_5', 'block_55']);
});

test('nearestNames() gives nothing for what is far from all', () => {
  expect(nearestNames('conv', ['embedding', 'softmax'])).toEqual([]);
});
