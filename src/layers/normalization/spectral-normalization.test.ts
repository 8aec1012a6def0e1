import { expect, test } from 'vitest';
import { placeholder } from '../../graph/apply.ts';
import { Dense } from '../core/dense.ts';
import { input as kerasInput } from '../input-layer.ts';
import { Flatten } from '../reshaping/reshape.ts';
import { SpectralNormalization } from './spectral-normalization.ts';

test('SpectralNormalization shares the kernel with the layer inside', () => {
  const inner = new Dense({ units: 3 });
  const layer = new SpectralNormalization({ layer: inner });
  layer.apply(kerasInput({ shape: [4] }));
  expect(layer.weights.map(({ name }) => name)).toEqual(['kernel', 'vector_u', 'bias']);
  expect(layer.weights[0]).toBe(inner.weights[0]);
});

test('SpectralNormalization refuses a layer without a kernel', () => {
  const layer = new SpectralNormalization({ layer: new Flatten({ name: 'flat' }) });
  expect(() => layer.apply(kerasInput({ shape: [4] }))).toThrow(
    'found layer "flat" (Flatten), expected one with a weight',
  );
});

test('SpectralNormalization does not pretend to train', () => {
  const layer = new SpectralNormalization({ layer: new Dense({ units: 3 }) });
  const x = placeholder([2, 4], 'float32');
  expect(() => layer.trace([{ tensor: x }], { training: true })).toThrow('is not supported');
});
