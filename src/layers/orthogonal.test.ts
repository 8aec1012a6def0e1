import { expect, test } from 'vitest';
import { PhiloxStream } from '../array/philox.ts';
import { orthonormalize } from './orthogonal.ts';

test('orthonormalize() keeps the direction of the first vector and the plane of the first two', () => {
  const [first, second] = orthonormalize([new Float64Array([3, 4]), new Float64Array([1, 7])]);
  expect([...(first as Float64Array)]).toEqual([0.6, 0.8]);
  expect(second?.[0]).toBeCloseTo(-0.8, 12);
  expect(second?.[1]).toBeCloseTo(0.6, 12);
});

test('orthonormalize() holds for a square matrix of many random vectors', () => {
  const stream = new PhiloxStream(1);
  const vectors = orthonormalize(
    Array.from({ length: 200 }, () => Float64Array.from({ length: 200 }, () => stream.nextNormal())),
  );
  const worst = Math.max(
    ...vectors.flatMap((a, i) =>
      vectors
        .slice(0, i + 1)
        .map((b, j) => Math.abs(a.reduce((sum, x, k) => sum + x * (b[k] as number), 0) - (i === j ? 1 : 0))),
    ),
  );
  expect(worst).toBeLessThan(1e-9);
});
