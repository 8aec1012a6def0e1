import { describe, expect, test } from 'vitest';
import { placeholder } from '../../graph/apply.ts';
import { input as kerasInput } from '../input-layer.ts';
import { Cropping1D } from './cropping.ts';
import { Flatten, Permute, RepeatVector, Reshape } from './reshape.ts';
import { UpSampling2D } from './up-sampling.ts';
import { ZeroPadding1D, ZeroPadding2D } from './zero-padding.ts';

describe('Reshape', () => {
  test('finds the open extent for an empty batch', () => {
    const [output] = new Reshape({ targetShape: [-1, 2] }).trace([{ tensor: placeholder([0, 3, 4], 'float32') }], {
      training: false,
    });
    expect(output?.tensor.shape).toEqual([0, 6, 2]);
  });

  test('refuses another number of elements', () => {
    const layer = new Reshape({ name: 'r', targetShape: [5] });
    expect(() => layer.apply(kerasInput({ shape: [3, 4] }))).toThrow('Cannot apply layer "r"');
    expect(() => new Reshape({ targetShape: [-1, -1] })).toThrow('of which one may be -1');
  });
});

test('Flatten joins unknown extents to an unknown one', () => {
  expect(new Flatten().apply(kerasInput({ shape: [null, 4] })).shape).toEqual([null, null]);
});

test('Permute refuses what is no permutation', () => {
  expect(() => new Permute({ dims: [1, 3] })).toThrow('each of the axes 1, 2, … once');
});

test('RepeatVector refuses matrices', () => {
  const layer = new RepeatVector({ name: 'r', n: 2 });
  expect(() => layer.apply(kerasInput({ shape: [3, 4] }))).toThrow('expected 2 axes');
});

describe('ZeroPadding2D', () => {
  test('takes one number, one for each axis, or pairs', () => {
    const paddings = [2, [1, 2], [[1, 2], 3]].map((padding) => new ZeroPadding2D({ padding: padding as number }));
    expect(paddings.map(({ config }) => config.padding)).toEqual([
      [
        [2, 2],
        [2, 2],
      ],
      [
        [1, 1],
        [2, 2],
      ],
      [
        [1, 2],
        [3, 3],
      ],
    ]);
    expect(() => new ZeroPadding2D({ padding: [1, 2, 3] })).toThrow('or 2 numbers or pairs of them');
    expect(() => new ZeroPadding2D({ padding: -1 })).toThrow('option "padding" is -1');
  });

  test('refuses sequences', () => {
    const layer = new ZeroPadding2D({ name: 'p' });
    expect(() => layer.apply(kerasInput({ shape: [3, 4] }))).toThrow('Cannot apply layer "p"');
  });
});

test('ZeroPadding1D and Cropping1D take two numbers as both ends', () => {
  expect(new ZeroPadding1D({ padding: [1, 2] }).config.padding).toEqual([[1, 2]]);
  expect(new Cropping1D({ cropping: [0, 2] }).config.cropping).toEqual([[0, 2]]);
});

test('UpSampling2D infers unknown extents without resizing', () => {
  const layer = new UpSampling2D({ size: [2, 3], interpolation: 'lanczos5', dataFormat: 'channels_first' });
  expect(layer.apply(kerasInput({ shape: [3, null, 5] })).shape).toEqual([null, 3, null, 15]);
});
