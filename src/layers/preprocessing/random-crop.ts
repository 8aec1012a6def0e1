import { UnsupportedError } from '../../errors.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { anything, boolean, type Fields, type Options, positiveInteger } from '../fields.ts';
import { type CallContext, Layer } from '../layer.ts';
import type { Seed } from './augmentation.ts';
import { imageFields, smartResize } from './image-layer.ts';
import type { SizeConfig } from './resizing.ts';

export interface RandomCropConfig extends SizeConfig {
  seed: Seed;
  /** Whether inference cuts the middle out and resizes it, as in Keras 2; Keras 3 gives the images back. */
  resizeAtInference: boolean;
}

/** Cuts pieces at random places in training. */
export class RandomCrop extends Layer<RandomCropConfig> {
  static readonly className = 'RandomCrop';
  static readonly fields: Fields<RandomCropConfig> = {
    ...imageFields,
    height: positiveInteger(),
    width: positiveInteger(),
    seed: anything<Seed>(
      'an integer, a seed generator, or null',
      (value) => value === null || Number.isInteger(value) || typeof value === 'object',
      null,
    ),
    resizeAtInference: boolean(false),
  };

  constructor(options: Options<RandomCropConfig, 'height' | 'width'>) {
    super(RandomCrop.className, RandomCrop.fields, options);
  }

  override call([images]: readonly [SymbolicTensor], { training }: CallContext): SymbolicTensor {
    if (training) {
      throw new UnsupportedError(
        `Cannot train layer "${this.name}": random numbers in RandomCrop are not supported; ` +
          'take it out of the model and crop the images beforehand',
        'RandomCrop in training',
      );
    }
    const { height, width, dataFormat, resizeAtInference } = this.config;
    return resizeAtInference ? smartResize(images, [height, width], dataFormat) : images;
  }
}
