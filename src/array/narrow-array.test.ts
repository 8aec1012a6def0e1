import { describe, expect, test } from 'vitest';
import { NarrowArray } from './narrow-array.ts';

const wide = (values: readonly number[], dtype: 'int8' | 'float16', count = 1, inner = 1): number[] | undefined => {
  const narrow = NarrowArray.of(Float32Array.from(values), dtype, { count, inner });
  return narrow && Array.from(narrow.widen());
};

describe('NarrowArray', () => {
  test('keeps halves as they are, subnormals too', () => {
    const halves = [0, 1, -2.5, 65504, 2 ** -14, -(2 ** -24), 3 * 2 ** -24];
    expect(wide(halves, 'float16')).toEqual(halves);
    expect(wide([1 + 2 ** -12], 'float16')).toEqual([1]);
  });

  test('takes the largest value of a channel to 127, and the others to the nearest step', () => {
    const values = [127, 254, -63.4, 3, 0.4, 255];
    const narrow = NarrowArray.of(Float32Array.from(values), 'int8', { count: 2, inner: 1 });
    expect(Array.from(narrow?.codes ?? [])).toEqual([127, 127, -63, 1, 0, 127]);
    expect(Array.from(narrow?.scales ?? [])).toEqual([1, Math.fround(255 / 127)]);
    expect(narrow?.largestError).toBeCloseTo(1, 5);
    expect(narrow?.byteLength).toBe(14);
  });

  test('finds the channels of neighbours, and channels of several axes', () => {
    expect(wide([127, 1, 2, 1270, 10, 20], 'int8', 2, 3)).toEqual([127, 1, 2, 1270, 10, 20]);
    const blocks = [127, 5, 1270, 50, 12_700, 500, 7, 127, 70, 1270, 700, 12_700];
    expect(wide(blocks, 'int8', 3, 2)).toEqual(blocks);
  });

  test('has no form for what is not finite or too large', () => {
    for (const dtype of ['int8', 'float16'] as const) {
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        expect(wide([1, value, 2], dtype)).toBeUndefined();
      }
    }
    expect(wide([65_519], 'float16')).toEqual([65_504]);
    expect(wide([65_520], 'float16')).toBeUndefined();
    expect(wide([3e38, 1], 'int8')?.[0]).toBeCloseTo(3e38, -33);
  });

  test('gives 0 for channels of zeros, and of next to nothing', () => {
    expect(wide([0, 1e-45, 0, 0], 'int8', 2)).toEqual([0, 0, 0, 0]);
    expect(wide([], 'int8')).toEqual([]);
  });
});
