import { describe, expect, test } from 'vitest';
import { placeholder } from '../../graph/apply.ts';
import type { Layer } from '../layer.ts';
import {
  AlphaDropout,
  Dropout,
  GaussianDropout,
  GaussianNoise,
  SpatialDropout1D,
  SpatialDropout2D,
  SpatialDropout3D,
} from './dropout.ts';

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
      `random numbers in ${className} are not supported`,
    );
  });
});

test('Dropout refuses a rate that is no share', () => {
  expect(() => new Dropout({ rate: 1.5 })).toThrow('option "rate" is 1.5, expected a number from 0 to 1');
});
