import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { applicationFixture } from '../../test/support/application-case.ts';
import { Tensor, tensor } from '../array/tensor.ts';
import { type PreprocessInputOptions, type PreprocessMode, preprocessInput } from './preprocess-input.ts';

interface Case extends Required<PreprocessInputOptions> {
  readonly shape: readonly number[];
  readonly pixels: readonly number[];
  readonly prepared: readonly number[];
}

const cases = JSON.parse(readFileSync(applicationFixture('preprocessing.json'), 'utf8')) as readonly Case[];

describe('preprocessInput()', () => {
  test.each(cases.map((each) => [each.mode, each.dataFormat, each.shape, each] as const))(
    'gives in mode %s for %s %j what Keras gives, to the bit',
    (mode, dataFormat, shape, { pixels, prepared }) => {
      const images = new Tensor(shape, 'float32', Float32Array.from(pixels));
      const result = preprocessInput(images, { mode, dataFormat });
      expect(result.shape).toEqual(shape);
      expect(result.data).toEqual(Float32Array.from(prepared));
      expect(images.data).toEqual(Float32Array.from(pixels));
    },
  );

  test('takes integers', () => {
    const image = tensor(new Int32Array([255, 0, 51]), [1, 1, 3]);
    expect([...preprocessInput(image, { mode: 'tf' }).data]).toEqual([1, -1, Math.fround(Math.fround(0.4) - 1)]);
  });

  test('refuses an unknown mode, other axes, and other channels', () => {
    const image = tensor([[[1, 2, 3]]]);
    expect(() => preprocessInput(image, { mode: 'keras' as PreprocessMode })).toThrow(
      'Cannot preprocess images: found the mode "keras", expected "tf", "caffe" or "torch"',
    );
    expect(() => preprocessInput(tensor([[1, 2, 3]]), { mode: 'tf' })).toThrow(/expected numbers with 3 or 4 axes/);
    expect(() => preprocessInput(tensor([[[1]]]), { mode: 'caffe' })).toThrow(
      /found 1 channels along axis 2, expected 3/,
    );
    expect(() => preprocessInput(image, { mode: 'torch', dataFormat: 'channels_first' })).toThrow(/along axis 0/);
  });
});
