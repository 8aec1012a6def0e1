import { describe, expect, test } from 'vitest';
import { tensor } from '../../array/tensor.ts';
import { evaluate } from '../../backends/reference/evaluate.ts';
import { apply, constant, input, placeholder } from '../../graph/apply.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import type { Layer } from '../layer.ts';
import { Dropout } from './dropout.ts';
import {
  AlphaDropout,
  GaussianDropout,
  GaussianNoise,
  SpatialDropout1D,
  SpatialDropout2D,
  SpatialDropout3D,
} from './noise.ts';

const x = placeholder([2, 3, 4], 'float32');

const LAYERS: readonly (readonly [string, (strength: number) => Layer])[] = [
  ['Dropout', (rate) => new Dropout({ rate })],
  ['AlphaDropout', (rate) => new AlphaDropout({ rate })],
  ['GaussianDropout', (rate) => new GaussianDropout({ rate })],
  ['GaussianNoise', (stddev) => new GaussianNoise({ stddev })],
  ['SpatialDropout1D', (rate) => new SpatialDropout1D({ rate })],
  ['SpatialDropout2D', (rate) => new SpatialDropout2D({ rate })],
  ['SpatialDropout3D', (rate) => new SpatialDropout3D({ rate })],
];

describe.each(LAYERS)('%s', (className, make) => {
  test('gives its input back at inference, and without strength', () => {
    expect(make(0.5).trace([{ tensor: x }], { training: false })[0]?.tensor).toBe(x);
    expect(make(0).trace([{ tensor: x }], { training: true })[0]?.tensor).toBe(x);
  });

  test('does not pretend to train', () => {
    expect(() => make(0.5).trace([{ tensor: x }], { training: true })).toThrow(
      `${className} needs random numbers, found none in this call`,
    );
  });
});

/** What a layer makes of ones in training, and its input's gradient is left to `fit`. */
function disturbed(layer: Layer, shape: readonly number[]): Float32Array {
  const ones = input('x', { shape, dtype: 'float32' });
  let draws = 0;
  const counter = constant(tensor(Int32Array.of(3, 0), [2]));
  const random = (wanted: readonly number[], seed: number | null): SymbolicTensor => {
    const key = constant(tensor(Int32Array.of(seed ?? 7, draws++), [2]));
    return apply('randomBits', [key, counter], { shape: wanted });
  };
  const [output] = layer.trace([{ tensor: ones }], { training: true, random });
  const size = shape.reduce((product, extent) => product * extent, 1);
  const value = tensor(new Float32Array(size).fill(1), shape);
  return evaluate({ inputs: [ones], outputs: [output?.tensor as SymbolicTensor] }, [value])[0]?.data as Float32Array;
}

const meanOf = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const deviationOf = (values: Float32Array): number => {
  const mean = meanOf(values);
  return Math.sqrt(meanOf(values.map((value) => (value - mean) ** 2)));
};

test('Dropout drops its share and scales up the others', () => {
  const values = disturbed(new Dropout({ rate: 0.25 }), [100, 100]);
  expect(new Set(values)).toEqual(new Set([0, Math.fround(1 / 0.75)]));
  // Four deviations of a share of 10 000.
  expect(Math.abs(values.filter((value) => value === 0).length / 10_000 - 0.25)).toBeLessThan(0.0174);
  expect(disturbed(new Dropout({ rate: 1 }), [3, 3]).every((value) => value === 0)).toBe(true);
});

test('a seed decides what is dropped', () => {
  const [first, again, other] = [1, 1, 2].map((seed) => disturbed(new Dropout({ rate: 0.5, seed }), [40]));
  expect(again).toEqual(first);
  expect(other).not.toEqual(first);
});

test('dropped patterns are repeated along the axes that the layer says', () => {
  const rows = disturbed(new Dropout({ rate: 0.5, noiseShape: [null, 1] }), [30, 4]);
  for (let row = 0; row < 30; row++) expect(new Set(rows.subarray(row * 4, row * 4 + 4)).size).toBe(1);
  expect(new Set(rows).size).toBe(2);
  const channels = disturbed(new SpatialDropout2D({ rate: 0.5 }), [5, 3, 3, 6]);
  for (let index = 0; index < channels.length; index++) {
    const sample = Math.floor(index / 54);
    expect(channels[index]).toBe(channels[sample * 54 + (index % 6)]);
  }
  const first = disturbed(new SpatialDropout3D({ rate: 0.5, dataFormat: 'channels_first' }), [5, 6, 2, 2, 2]);
  for (let index = 0; index < first.length; index++) expect(first[index]).toBe(first[Math.floor(index / 8) * 8]);
});

test('noise has the mean and the deviation that it should have', () => {
  const noise = disturbed(new GaussianNoise({ stddev: 0.5 }), [100, 200]);
  expect(meanOf(noise)).toBeCloseTo(1, 1);
  expect(deviationOf(noise)).toBeCloseTo(0.5, 1);
  const dropout = disturbed(new GaussianDropout({ rate: 0.2 }), [100, 200]);
  expect(meanOf(dropout)).toBeCloseTo(1, 1);
  expect(deviationOf(dropout)).toBeCloseTo(0.5, 1);
});

test('AlphaDropout gives two values', () => {
  const [share, floor] = [0.3, -1.7580993408473766];
  const scale = ((1 - share) * (1 + share * floor ** 2)) ** -0.5;
  const values = [...new Set(disturbed(new AlphaDropout({ rate: share }), [500]))].sort((a, b) => a - b);
  expect(values.length).toBe(2);
  expect(values[0]).toBeCloseTo(scale * floor * (1 - share), 5);
  expect(values[1]).toBeCloseTo(scale * (1 - floor * share), 5);
});

test('Dropout refuses a rate that is no share', () => {
  expect(() => new Dropout({ rate: 1.5 })).toThrow('option "rate" is 1.5, expected a number from 0 to 1');
});
