import { describe, expect, test } from 'vitest';
import { greatestDifference, runContract } from '../../../test/support/run-contract.ts';
import { SeededNumbers } from '../../../test/support/seeded-numbers.ts';
import { hasRelaxedSimd } from './assembler-features.ts';
import { type DotGeometry, planDot } from './contract-dot.ts';
import { splitEvenly } from './contract-product.ts';

interface Finishing {
  readonly bias?: Float32Array | undefined;
  readonly lower?: number | undefined;
  readonly upper?: number | undefined;
  readonly tail?: boolean;
}

function naiveDot(
  { batch, m, k, n, transposeLeft, transposeRight }: DotGeometry,
  left: Float32Array,
  right: Float32Array,
  { bias, lower, upper, tail }: Finishing,
): Float64Array {
  const output = new Float64Array(batch * m * n);
  for (let b = 0; b < batch; b++) {
    for (let row = 0; row < m; row++) {
      for (let column = 0; column < n; column++) {
        let sum = 0;
        for (let step = 0; step < k; step++) {
          const fromLeft = left[b * m * k + (transposeLeft ? step * m + row : row * k + step)] as number;
          const fromRight = right[b * k * n + (transposeRight ? column * k + step : step * n + column)] as number;
          sum += fromLeft * fromRight;
        }
        sum += bias?.[column] ?? 0;
        sum = Math.min(Math.max(sum, lower ?? -Infinity), upper ?? Infinity);
        output[(b * m + row) * n + column] = tail ? sum * 2 : sum;
      }
    }
  }
  return output;
}

/** A bias with as many numbers as there are columns. */
const biasOf = (n: number): Float32Array => Float32Array.from({ length: n }, (_, column) => Math.sin(column));

function check(geometry: DotGeometry, seed: number, finishing: Finishing, relaxedSimd: boolean): void {
  const { batch, m, k, n, packed } = geometry;
  const numbers = new SeededNumbers(seed);
  const [left, right] = [numbers.floats(batch * m * k), numbers.floats(batch * k * n)];
  const plan = planDot(geometry);
  const result = runContract({
    plan,
    left,
    right,
    outputLength: batch * m * n,
    packed: packed === true,
    relaxedSimd,
    ...finishing,
  });
  expect(greatestDifference(result.output, naiveDot(geometry, left, right, finishing))).toBeLessThan(2e-6);
  if (finishing.tail) expect(result.visits.every((count) => count === 1)).toBe(true);
}

describe.each([false, true].filter((relaxed) => !relaxed || hasRelaxedSimd()))('relaxed SIMD: %s', (relaxed) => {
  const extents = [1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 30, 49, 65, 100];

  test.each([false, true])('planDot() multiplies matrices of any shape, packed: %s', (packed) => {
    const numbers = new SeededNumbers(7);
    for (let round = 0; round < 150; round++) {
      const geometry: DotGeometry = {
        batch: numbers.pick([1, 1, 2, 3]),
        m: numbers.pick(extents),
        k: numbers.pick(extents),
        n: numbers.pick(extents),
        transposeLeft: round % 2 === 1,
        transposeRight: round % 4 >= 2,
        packed,
      };
      const finishing: Finishing = {
        bias: round % 3 === 0 ? numbers.floats(geometry.n) : undefined,
        lower: round % 5 === 0 ? 0 : undefined,
        upper: round % 10 === 0 ? 0.5 : undefined,
        tail: round % 2 === 0,
      };
      check(geometry, round, finishing, relaxed);
    }
  });

  test('planDot() splits tall, wide and deep matrices into units', () => {
    const base = { transposeLeft: false, transposeRight: false, packed: false };
    const shapes = [
      { batch: 1, m: 500, k: 70, n: 50 },
      { batch: 1, m: 3, k: 40, n: 300 },
      { batch: 2, m: 23, k: 17, n: 129 },
      { batch: 1, m: 1, k: 1000, n: 130 },
      { batch: 1, m: 200, k: 1500, n: 33 },
      { batch: 2, m: 13, k: 3001, n: 17 },
      { batch: 1, m: 32, k: 700, n: 1024 },
      { batch: 2, m: 13, k: 33, n: 1024 },
      { batch: 1, m: 301, k: 33, n: 70 },
    ];
    for (const [seed, shape] of shapes.entries()) {
      for (const packed of [false, true]) check({ ...base, ...shape, packed }, seed, { tail: true }, relaxed);
      check({ ...base, ...shape, transposeLeft: true }, seed, { bias: biasOf(shape.n), lower: 0, tail: true }, relaxed);
      check({ ...base, ...shape, transposeRight: true }, seed, { tail: true }, relaxed);
      check({ ...base, ...shape, transposeLeft: true, transposeRight: true }, seed, { tail: true }, relaxed);
    }
  });

  test('planDot() keeps NaN through clamps', () => {
    const geometry = { batch: 1, m: 1, k: 1, n: 5, transposeLeft: false, transposeRight: false, packed: false };
    const left = Float32Array.of(1);
    const right = Float32Array.of(NaN, -1, 9, Infinity, -Infinity);
    const { output } = runContract({
      plan: planDot(geometry),
      left,
      right,
      outputLength: 5,
      lower: 0,
      upper: 6,
      relaxedSimd: relaxed,
    });
    expect([...output]).toEqual([NaN, 0, 6, 6, 0]);
  });
});

test('planDot() of no depth gives the bias, and of no elements nothing', () => {
  const base = { batch: 1, m: 3, k: 0, n: 5, transposeLeft: false, transposeRight: false, packed: false };
  const bias = Float32Array.of(1, 2, 3, 4, 5);
  for (const geometry of [base, { ...base, transposeRight: true }, { ...base, m: 30 }]) {
    const empty = new Float32Array(0);
    const outputLength = geometry.m * 5;
    const { output } = runContract({ plan: planDot(geometry), left: empty, right: empty, outputLength, bias });
    expect([...output]).toEqual(Array.from({ length: outputLength }, (_, index) => (index % 5) + 1));
  }
  for (const extent of ['batch', 'm', 'n'] as const) {
    const plan = planDot({ ...base, k: 2, [extent]: 0 });
    const { output } = runContract({ plan, left: new Float32Array(6), right: new Float32Array(10), outputLength: 0 });
    expect(output.length).toBe(0);
  }
});

test('splitEvenly() makes parts of nearly equal size', () => {
  expect(splitEvenly(49, 6)).toEqual([
    { size: 6, count: 4 },
    { size: 5, count: 5 },
  ]);
  expect(splitEvenly(12, 6)).toEqual([{ size: 6, count: 2 }]);
  expect(splitEvenly(0, 6)).toEqual([]);
});
