import { describe, expect, test } from 'vitest';
import { freshSeed, type PhiloxBlock, type PhiloxKey, PhiloxStream, philoxBlock, philoxKey } from './philox.ts';

function draw(count: number, next: () => number): { values: number[]; mean: number; deviation: number } {
  const values = Array.from({ length: count }, next);
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
  return { values, mean, deviation: Math.sqrt(variance) };
}

// The published test vectors of Random123 for philox4x32 with 10 rounds.
const VECTORS: readonly (readonly [PhiloxBlock, PhiloxKey, PhiloxBlock])[] = [
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
];

test.each(VECTORS)('philoxBlock(%j, %j) gives the published bits', (counter, key, bits) => {
  expect(philoxBlock(counter, key)).toEqual(bits);
});

test('philoxKey() keeps 64 bits of a seed', () => {
  expect(philoxKey(7)).toEqual([7, 0]);
  expect(philoxKey(2 ** 40 + 5)).toEqual([5, 256]);
  expect(philoxKey(-1)).toEqual([0xffffffff, 0xffffffff]);
});

test('freshSeed() gives seeds that differ', () => {
  expect(new Set(Array.from({ length: 20 }, freshSeed)).size).toBe(20);
});

describe('PhiloxStream', () => {
  test('draws the blocks of its key in order', () => {
    const stream = new PhiloxStream(9);
    const bits = Array.from({ length: 8 }, () => stream.nextBits());
    expect(bits).toEqual([...philoxBlock([0, 0, 0, 0], [9, 0]), ...philoxBlock([1, 0, 0, 0], [9, 0])]);
  });

  test('repeats itself from the same seed only', () => {
    const first = (seed: number): number[] => {
      const stream = new PhiloxStream(seed);
      return Array.from({ length: 5 }, () => stream.nextNormal());
    };
    expect(first(1)).toEqual(first(1));
    expect(first(1)).not.toEqual(first(2));
  });

  test.each([0, 1, 4, 7, 8])('goes on after %i words', (count) => {
    const stream = new PhiloxStream(6);
    for (let word = 0; word < count; word++) stream.nextBits();
    expect(stream.drawn).toBe(count);
    const next = Array.from({ length: 9 }, () => stream.nextBits());
    const other = new PhiloxStream(6, count);
    expect(Array.from({ length: 9 }, () => other.nextBits())).toEqual(next);
  });

  test('nextUniform() is uniform in [0, 1)', () => {
    const stream = new PhiloxStream(3);
    const { values, mean, deviation } = draw(20_000, () => stream.nextUniform());
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values)).toBeLessThan(1);
    expect(mean).toBeCloseTo(0.5, 1.7);
    expect(deviation).toBeCloseTo(Math.sqrt(1 / 12), 1.7);
  });

  test('nextNormal() has mean 0 and deviation 1', () => {
    const stream = new PhiloxStream(4);
    const { values, mean, deviation } = draw(20_000, () => stream.nextNormal());
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(deviation - 1)).toBeLessThan(0.03);
    const beyondTwo = values.filter((value) => Math.abs(value) > 2).length / values.length;
    expect(Math.abs(beyondTwo - 0.0455)).toBeLessThan(0.006);
  });

  test('nextTruncatedNormal() stays within two deviations', () => {
    const stream = new PhiloxStream(5);
    const { values, deviation } = draw(20_000, () => stream.nextTruncatedNormal());
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(2);
    expect(Math.abs(deviation - 0.8796)).toBeLessThan(0.02);
  });
});
