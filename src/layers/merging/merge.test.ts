import { describe, expect, test } from 'vitest';
import { placeholder } from '../../graph/apply.ts';
import { input as kerasInput } from '../input-layer.ts';
import { Concatenate } from './concatenate.ts';
import { Dot } from './dot.ts';
import { Add, Subtract } from './merge.ts';

describe('Add', () => {
  test('refuses batches of different sizes', () => {
    const inputs = [kerasInput({ batchShape: [2, 3] }), kerasInput({ batchShape: [4, 3] })];
    expect(() => new Add({ name: 'a' }).apply(inputs)).toThrow(
      'Cannot apply layer "a": found inputs of shapes [2, 3] and [4, 3], expected at least one, all of one batch size',
    );
  });

  test('refuses extents that do not stretch', () => {
    const inputs = [kerasInput({ shape: [3] }), kerasInput({ shape: [4] })];
    expect(() => new Add().apply(inputs)).toThrow('Cannot broadcast');
  });

  test('gives a single input back', () => {
    const x = placeholder([2, 3], 'float32');
    expect(new Add().trace([{ tensor: x }], { training: false })[0]?.tensor).toBe(x);
  });
});

test('Subtract takes two inputs', () => {
  const inputs = [1, 2, 3].map(() => kerasInput({ shape: [3] }));
  expect(() => new Subtract().apply(inputs)).toThrow('found 3 inputs, expected 2');
});

test('Concatenate refuses extents that differ elsewhere', () => {
  const inputs = [kerasInput({ shape: [3, 2] }), kerasInput({ shape: [4, 2] })];
  expect(() => new Concatenate().apply(inputs)).toThrow('Cannot apply concatenate');
  expect(new Concatenate({ axis: 1 }).apply(inputs).shape).toEqual([null, 7, 2]);
});

describe('Dot', () => {
  test('refuses axes of different extents, and the batch', () => {
    const inputs = [kerasInput({ shape: [3, 2] }), kerasInput({ shape: [4, 2] })];
    expect(() => new Dot({ axes: 1 }).apply(inputs)).toThrow('expected equal extents along axes 1 and 1');
    expect(() => new Dot({ axes: 0 }).apply(inputs)).toThrow('neither of them 0');
    expect(new Dot({ axes: 2 }).apply(inputs).shape).toEqual([null, 3, 4]);
  });

  test('refuses axes that are no pair', () => {
    expect(() => new Dot({ axes: [1, 2, 3] as unknown as [number, number] })).toThrow('a list of two axes');
  });
});
