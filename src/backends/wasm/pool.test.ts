import { describe, expect, test } from 'vitest';
import { forEachPlace, outputShape } from '../../../test/support/naive-convolve.ts';
import { greatestDifference, runContract } from '../../../test/support/run-contract.ts';
import { SeededNumbers } from '../../../test/support/seeded-numbers.ts';
import { type Shape, sizeOf } from '../../array/shape.ts';
import type { PaddingPair } from '../../graph/primitives.ts';
import {
  type PoolGeometry,
  planAveragePool,
  planAveragePoolGradient,
  planMaxPool,
  planMaxPoolGradient,
} from './pool.ts';

/** Each window of these sees the input, since the padding is smaller than the window. */
function randomGeometry(numbers: SeededNumbers): PoolGeometry {
  const spatial = numbers.pick([1, 2, 2, 3]);
  const axes = <T>(choose: (axis: number) => T): T[] => Array.from({ length: spatial }, (_, axis) => choose(axis));
  const window = axes(() => numbers.integer(1, 3));
  return {
    inputShape: [
      numbers.integer(1, 3),
      ...axes(() => numbers.integer(spatial === 3 ? 3 : 5, spatial === 3 ? 6 : 12)),
      numbers.pick([1, 2, 3, 4, 7, 16, 21, 37]),
    ],
    attributes: {
      window,
      strides: axes(() => numbers.integer(1, 3)),
      padding: axes((axis): PaddingPair => {
        const greatest = (window[axis] as number) - 1;
        return [numbers.integer(0, greatest), numbers.integer(0, greatest)];
      }),
      dilation: axes(() => numbers.pick([1, 1, 2])),
    },
  };
}

/** For each channel of each place: offsets into x and y. */
function forEachElement(
  { inputShape, attributes }: PoolGeometry,
  y: Shape,
  visit: (x: number, y: number) => void,
): void {
  const channels = inputShape.at(-1) as number;
  forEachPlace(inputShape, attributes.window, y, attributes, (input, _, output) => {
    for (let channel = 0; channel < channels; channel++) visit(input * channels + channel, output * channels + channel);
  });
}

function poolShape({ inputShape, attributes }: PoolGeometry): number[] {
  return outputShape(inputShape, attributes.window, attributes, inputShape.at(-1) as number);
}

/** Few different values, so that maxima are often equal. */
function coarse(values: Float32Array): Float32Array {
  return values.map((value) => Math.round(value * 3));
}

function naiveMaximum(geometry: PoolGeometry, x: Float32Array): Float32Array {
  const shape = poolShape(geometry);
  const y = new Float32Array(sizeOf(shape)).fill(-Infinity);
  forEachElement(geometry, shape, (atX, atY) => {
    y[atY] = Math.max(y[atY] as number, x[atX] as number);
  });
  return y;
}

function countElements(geometry: PoolGeometry): Float32Array {
  const shape = poolShape(geometry);
  const counts = new Float32Array(sizeOf(shape));
  forEachElement(geometry, shape, (_, atY) => {
    counts[atY] = (counts[atY] as number) + 1;
  });
  return counts;
}

const none = new Float32Array(0);
const ROUNDS = Array.from({ length: 60 }, (_, round) => ({ round, numbers: new SeededNumbers(round) }));

describe.each(['plain', 'tail'])('%s', (kind) => {
  const tail = kind === 'tail';
  const factor = tail ? 2 : 1;

  test('planMaxPool() takes the maximum of what lies in the input', () => {
    for (const { numbers } of ROUNDS) {
      const geometry = randomGeometry(numbers);
      const x = numbers.floats(sizeOf(geometry.inputShape)).map((value) => value - 5);
      const expected = naiveMaximum(geometry, x).map((value) => value * factor);
      const plan = planMaxPool(geometry);
      const { output, visits } = runContract({ plan, left: x, right: none, outputLength: expected.length, tail });
      expect([...output]).toEqual([...expected]);
      expect(visits.every((count) => count === (tail ? 1 : 0))).toBe(true);
    }
  });

  test('planAveragePool() counts what lies in the input', () => {
    for (const { numbers } of ROUNDS) {
      const geometry = randomGeometry(numbers);
      const x = numbers.floats(sizeOf(geometry.inputShape));
      const shape = poolShape(geometry);
      const sums = new Float64Array(sizeOf(shape));
      forEachElement(geometry, shape, (atX, atY) => {
        sums[atY] = (sums[atY] as number) + (x[atX] as number);
      });
      const counts = countElements(geometry);
      const expected = sums.map((sum, index) => (sum / (counts[index] as number)) * factor);
      const plan = planAveragePool(geometry);
      const { output } = runContract({ plan, left: x, right: none, outputLength: sums.length, tail });
      expect(greatestDifference(output, expected)).toBeLessThan(5e-7);
    }
  });

  test('planMaxPoolGradient() gives to the first greatest element', () => {
    for (const { numbers } of ROUNDS) {
      const geometry = randomGeometry(numbers);
      const x = coarse(numbers.floats(sizeOf(geometry.inputShape)));
      const y = naiveMaximum(geometry, x);
      const dy = numbers.floats(y.length);
      const expected = new Float64Array(x.length);
      const taken = new Set<number>();
      forEachElement(geometry, poolShape(geometry), (atX, atY) => {
        if (x[atX] !== y[atY] || taken.has(atY)) return;
        taken.add(atY);
        expected[atX] = (expected[atX] as number) + (dy[atY] as number) * factor;
      });
      const plan = planMaxPoolGradient(geometry);
      const { output } = runContract({ plan, left: x, right: y, third: dy, outputLength: x.length, tail });
      expect(greatestDifference(output, expected)).toBeLessThan(5e-7);
    }
  });

  test('gradients of windows that have nothing in common', () => {
    for (const { round, numbers } of ROUNDS) {
      const window = [numbers.integer(1, 3), numbers.integer(1, 3)];
      const strides = window.map((extent) => extent + numbers.pick([0, 0, 1]));
      const rests = [numbers.pick([0, 0, 1]), numbers.pick([0, 0, 2])];
      const spatial = strides.map((stride, axis) => stride * numbers.integer(1, 4) + (rests[axis] as number));
      const geometry: PoolGeometry = {
        // Of many channels, an image is more than one unit.
        inputShape: [2, ...spatial, round % 6 === 0 ? 403 : numbers.integer(1, 9)],
        attributes: {
          window,
          strides,
          padding: [
            [0, 0],
            [0, 0],
          ],
          dilation: [1, 1],
        },
      };
      const x = coarse(numbers.floats(sizeOf(geometry.inputShape)));
      const y = naiveMaximum(geometry, x);
      const dy = numbers.floats(y.length);
      const expected = new Float64Array(x.length);
      const taken = new Set<number>();
      forEachElement(geometry, poolShape(geometry), (atX, atY) => {
        if (x[atX] !== y[atY] || taken.has(atY)) return;
        taken.add(atY);
        expected[atX] = (dy[atY] as number) * factor;
      });
      const plan = planMaxPoolGradient(geometry);
      const { output, visits } = runContract({ plan, left: x, right: y, third: dy, outputLength: x.length, tail });
      expect([...output]).toEqual([...Float32Array.from(expected)]);
      expect(visits.every((count) => count === (tail ? 1 : 0))).toBe(true);
      const shares = new Float64Array(x.length);
      forEachElement(geometry, poolShape(geometry), (atX, atY) => {
        shares[atX] = ((dy[atY] as number) / sizeOf(window)) * factor;
      });
      const average = runContract({
        plan: planAveragePoolGradient(geometry),
        left: dy,
        right: none,
        outputLength: x.length,
        tail,
      });
      expect(greatestDifference(average.output, shares)).toBeLessThan(1e-6);
    }
  });

  test('planAveragePoolGradient() shares out evenly', () => {
    for (const { numbers } of ROUNDS) {
      const geometry = randomGeometry(numbers);
      const counts = countElements(geometry);
      const dy = numbers.floats(counts.length);
      const expected = new Float64Array(sizeOf(geometry.inputShape));
      forEachElement(geometry, poolShape(geometry), (atX, atY) => {
        expected[atX] = (expected[atX] as number) + ((dy[atY] as number) / (counts[atY] as number)) * factor;
      });
      const plan = planAveragePoolGradient(geometry);
      const { output } = runContract({ plan, left: dy, right: none, outputLength: expected.length, tail });
      expect(greatestDifference(output, expected)).toBeLessThan(1e-6);
    }
  });
});

test('planMaxPool() keeps NaN, and its gradient goes to the first', () => {
  const geometry: PoolGeometry = {
    inputShape: [1, 4, 1],
    attributes: { window: [2], strides: [2], padding: [[0, 0]], dilation: [1] },
  };
  const x = Float32Array.of(NaN, 5, 7, 3);
  const { output: y } = runContract({ plan: planMaxPool(geometry), left: x, right: none, outputLength: 2 });
  expect([...y]).toEqual([NaN, 7]);
  const plan = planMaxPoolGradient(geometry);
  const dy = Float32Array.of(2, 3);
  const { output } = runContract({ plan, left: x, right: y, third: dy, outputLength: 4 });
  expect([...output]).toEqual([2, 0, 3, 0]);
});

test('pools of nothing', () => {
  const attributes = { window: [3], strides: [1], padding: [[0, 0]] as const, dilation: [1] };
  for (const plan of [planMaxPool, planAveragePool]) {
    const empty = plan({ inputShape: [1, 2, 4], attributes });
    expect(runContract({ plan: empty, left: new Float32Array(8), right: none, outputLength: 0 }).output.length).toBe(0);
  }
  const gradient = planAveragePoolGradient({ inputShape: [1, 2, 4], attributes });
  expect([...runContract({ plan: gradient, left: none, right: none, outputLength: 8 }).output]).toEqual(
    Array(8).fill(0),
  );
});
