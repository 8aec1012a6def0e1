import { describe, expect, test } from 'vitest';
import { input as kerasInput } from '../input-layer.ts';
import { Conv1D, Conv2D } from './conv.ts';
import { Conv2DTranspose } from './conv-transpose.ts';
import { DepthwiseConv2D } from './depthwise-conv.ts';
import { LocallyConnected1D } from './locally-connected.ts';
import { SeparableConv1D } from './separable-conv.ts';

const image = (channels: number) => kerasInput({ shape: [8, 8, channels] });

describe('Conv2D', () => {
  test('takes one extent for all axes, and padding in any case', () => {
    const layer = new Conv2D({ filters: 4, kernelSize: 3, padding: 'SAME' as 'same', strides: [2] });
    expect(layer.config).toMatchObject({ kernelSize: [3, 3], strides: [2, 2], padding: 'same' });
    expect(layer.apply(image(3)).shape).toEqual([null, 4, 4, 4]);
  });

  test('refuses options that no convolution can have', () => {
    expect(() => new Conv2D({ filters: 4, kernelSize: 0 })).toThrow('option "kernelSize" is 0, expected 2 integers');
    expect(() => new Conv2D({ filters: 4, kernelSize: [1, 2, 3] })).toThrow('option "kernelSize"');
    expect(() => new Conv2D({ filters: 4, kernelSize: 3, padding: 'causal' })).toThrow('"valid" or "same"');
    expect(() => new Conv2D({ filters: 0, kernelSize: 3 })).toThrow('an integer above 0');
  });

  test('refuses channels that the groups do not divide', () => {
    const layer = new Conv2D({ name: 'c', filters: 4, kernelSize: 3, groups: 2 });
    expect(() => layer.apply(image(3))).toThrow('Cannot build layer "c": found 3 channels and 4 filters');
  });

  test('refuses other channels than it was built for', () => {
    const layer = new Conv2D({ name: 'c', filters: 4, kernelSize: 3 });
    layer.apply(image(3));
    expect(() => layer.apply(image(6))).toThrow('Cannot apply layer "c": found an input of shape [2520, 8, 8, 6]');
  });

  test('refuses an input below its window', () => {
    const layer = new Conv2D({ filters: 4, kernelSize: 9 });
    expect(() => layer.apply(image(3))).toThrow('which is smaller than the window');
  });

  test('makes its weights when it is first applied', () => {
    const layer = new Conv2D({ filters: 4, kernelSize: [3, 2] });
    expect(layer.weights).toEqual([]);
    layer.apply(image(3));
    expect(layer.weights.map(({ path, shape }) => [path, shape])).toEqual([
      [`${layer.name}/kernel`, [3, 2, 3, 4]],
      [`${layer.name}/bias`, [4]],
    ]);
    expect(layer.countParams()).toBe(76);
  });
});

test('Conv1D infers the steps of causal padding', () => {
  const layer = new Conv1D({ filters: 2, kernelSize: 3, padding: 'causal', dilationRate: 2 });
  expect(layer.apply(kerasInput({ shape: [null, 5] })).shape).toEqual([null, null, 2]);
});

test('SeparableConv1D knows the causal padding of Keras 2', () => {
  const layer = new SeparableConv1D({ filters: 2, kernelSize: 3, padding: 'causal' });
  expect(layer.apply(kerasInput({ shape: [6, 5] })).shape).toEqual([null, 6, 2]);
});

test('DepthwiseConv2D refuses other channels than it was built for', () => {
  const layer = new DepthwiseConv2D({ kernelSize: 3 });
  layer.apply(image(3));
  expect(() => layer.apply(image(6))).toThrow('expected 3 channels');
});

test('Conv2DTranspose keeps unknown extents unknown', () => {
  const layer = new Conv2DTranspose({ filters: 2, kernelSize: 3, strides: 2, padding: 'same' });
  expect(layer.apply(kerasInput({ shape: [null, 7, 3] })).shape).toEqual([null, null, 14, 2]);
});

describe('LocallyConnected1D', () => {
  test('needs known extents', () => {
    const layer = new LocallyConnected1D({ filters: 2, kernelSize: 3 });
    expect(() => layer.apply(kerasInput({ shape: [null, 5] }))).toThrow('expected 1 spatial axes of known extents');
  });

  test('needs implementation 2 or 3 for the padding same', () => {
    const layer = new LocallyConnected1D({ filters: 2, kernelSize: 3, padding: 'same' });
    expect(() => layer.apply(kerasInput({ shape: [6, 5] }))).toThrow('padding "same" needs implementation 2 or 3');
  });
});
