/**
 * Layers that change images at random while a model is trained, and give them back at inference: a table of classes
 * with their options. Those that act at inference too have files of their own.
 */
import { UnsupportedError } from '../../errors.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { cast, toFloat } from '../../ops/operand.ts';
import { anything, boolean, type Field, type Fields, number, string } from '../fields.ts';
import { type CallContext, Layer } from '../layer.ts';
import { drawFor } from '../regularization/drop.ts';
import {
  degenerateColors,
  greyImages,
  invertImages,
  jitterColors,
  posterizeImages,
  saturateImages,
  sharpenImages,
  solarizeImages,
  turnHues,
} from './color-changes.ts';
import { type ImageLayerConfig, imageFields } from './image-layer.ts';
import {
  brightenImages,
  type Change,
  contrastImages,
  flipImages,
  rotateImages,
  shearImages,
  translateImages,
  zoomImages,
} from './random-changes.ts';

/** Strength of a change: a number, or its range; `null` for none. */
export type Factor = number | readonly number[] | null;

/** A seed, or a generator as Keras stores it. */
export type Seed = number | Readonly<Record<string, unknown>> | null;

/** A class of the table. Options that have no default must be given. */
export interface AugmentationClass<C extends ImageLayerConfig> {
  new (options?: Partial<C>): Augmentation<C>;
  readonly className: string;
  readonly fields: Fields<C>;
}

/** Gives images back at inference, and changes them in training, as far as its class can. */
abstract class Augmentation<C extends ImageLayerConfig> extends Layer<C> {
  /** Whether integers become float32, as Keras does in some of these layers. */
  protected abstract readonly givesFloat: boolean;

  /** What training does; without it the layer refuses to train. */
  protected abstract readonly change: Change<C> | undefined;

  override call([images]: readonly [SymbolicTensor], context: CallContext): SymbolicTensor {
    if (context.training && this.change !== undefined) {
      const { seed: given } = this.config as unknown as { readonly seed: Seed };
      const changed = this.change(toFloat(images), this.config, drawFor(this, context, seedOf(given)));
      return this.givesFloat ? changed : cast(changed, images.dtype);
    }
    if (context.training) {
      throw new UnsupportedError(
        `Cannot train layer "${this.name}": random numbers in ${this.className} are not supported; ` +
          'take it out of the model and change the images beforehand',
        `${this.className} in training`,
      );
    }
    return this.givesFloat ? toFloat(images) : images;
  }
}

/** The number of a seed; a generator has one in its configuration. */
export function seedOf(given: Seed): number | null {
  if (given === null || typeof given === 'number') return given;
  const { seed: inner } = (given.config ?? {}) as { readonly seed?: unknown };
  return typeof inner === 'number' ? inner : null;
}

function augmentation<O>(
  className: string,
  own: Fields<O>,
  givesFloat: boolean,
  change?: Change<NoInfer<ImageLayerConfig & O>>,
): AugmentationClass<ImageLayerConfig & O> {
  type C = ImageLayerConfig & O;
  const fields = { ...imageFields, ...own } as unknown as Fields<C>;
  return class extends Augmentation<C> {
    static readonly className = className;
    static readonly fields: Fields<C> = fields;
    protected override readonly givesFloat = givesFloat;
    protected override readonly change = change;

    constructor(options: Partial<C> = {}) {
      super(className, fields, options);
    }
  };
}

/** A number, a list of numbers, or null; without a default it must be given. */
function factor(...fallback: [Factor] | []): Field<Factor> {
  return anything<Factor>(
    'a number, a list of numbers, or null',
    (value) =>
      value === null ||
      typeof value === 'number' ||
      (Array.isArray(value) && value.every((element) => typeof element === 'number')),
    ...fallback,
  );
}

/** The least and the greatest value of an image. */
function valueRange(): Field<readonly number[]> {
  return anything<readonly number[]>(
    'a list of two numbers',
    (value) => Array.isArray(value) && value.length === 2 && value.every((element) => typeof element === 'number'),
    [0, 255],
  );
}

function seed(): Field<Seed> {
  return anything<Seed>(
    'an integer, a seed generator, or null',
    (value) => value === null || Number.isInteger(value) || typeof value === 'object',
    null,
  );
}

export type AugMixConfig = ImageLayerConfig & {
  valueRange: readonly number[];
  numChains: number;
  chainDepth: number;
  factor: Factor;
  alpha: number;
  allOps: boolean;
  interpolation: string;
  seed: Seed;
};

/** Mixes chains of other changes. */
export const AugMix: AugmentationClass<AugMixConfig> = augmentation(
  'AugMix',
  {
    valueRange: valueRange(),
    numChains: number(3),
    chainDepth: number(3),
    factor: factor(0.3),
    alpha: number(1),
    allOps: boolean(true),
    interpolation: string('bilinear'),
    seed: seed(),
  },
  true,
);

export type CutMixConfig = ImageLayerConfig & { factor: Factor; seed: Seed };

/** Cuts a piece of one image into another. */
export const CutMix: AugmentationClass<CutMixConfig> = augmentation(
  'CutMix',
  { factor: factor(1), seed: seed() },
  true,
);

export type EqualizationConfig = ImageLayerConfig & { bins: number; valueRange: readonly number[] };

/** Spreads the values of each channel evenly. */
export const Equalization: AugmentationClass<EqualizationConfig> = augmentation(
  'Equalization',
  { bins: number(256), valueRange: valueRange() },
  false,
);

export type MixUpConfig = ImageLayerConfig & { alpha: number; seed: Seed };

/** Blends pairs of images. */
export const MixUp: AugmentationClass<MixUpConfig> = augmentation('MixUp', { alpha: number(0.2), seed: seed() }, false);

export type RandAugmentConfig = ImageLayerConfig & {
  valueRange: readonly number[];
  numOps: number;
  factor: Factor;
  interpolation: string;
  seed: Seed;
};

/** A number of changes drawn from a list. */
export const RandAugment: AugmentationClass<RandAugmentConfig> = augmentation(
  'RandAugment',
  { valueRange: valueRange(), numOps: number(2), factor: factor(0.5), interpolation: string('bilinear'), seed: seed() },
  true,
);

export type RandomBrightnessConfig = ImageLayerConfig & { factor: Factor; valueRange: readonly number[]; seed: Seed };

/** Brightens or darkens. */
export const RandomBrightness: AugmentationClass<RandomBrightnessConfig> = augmentation(
  'RandomBrightness',
  { factor: factor(), valueRange: valueRange(), seed: seed() },
  false,
  brightenImages,
);

export type RandomColorDegenerationConfig = ImageLayerConfig & {
  factor: Factor;
  valueRange: readonly number[];
  seed: Seed;
};

/** Takes colour away. */
export const RandomColorDegeneration: AugmentationClass<RandomColorDegenerationConfig> = augmentation(
  'RandomColorDegeneration',
  { factor: factor(), valueRange: valueRange(), seed: seed() },
  false,
  degenerateColors,
);

export type RandomColorJitterConfig = ImageLayerConfig & {
  valueRange: readonly number[];
  brightnessFactor: Factor;
  contrastFactor: Factor;
  saturationFactor: Factor;
  hueFactor: Factor;
  seed: Seed;
};

/** Changes brightness, contrast, saturation and hue. */
export const RandomColorJitter: AugmentationClass<RandomColorJitterConfig> = augmentation(
  'RandomColorJitter',
  {
    valueRange: valueRange(),
    brightnessFactor: factor(null),
    contrastFactor: factor(null),
    saturationFactor: factor(null),
    hueFactor: factor(null),
    seed: seed(),
  },
  false,
  jitterColors,
);

export type RandomContrastConfig = ImageLayerConfig & { factor: Factor; valueRange: readonly number[]; seed: Seed };

/** Changes the contrast. */
export const RandomContrast: AugmentationClass<RandomContrastConfig> = augmentation(
  'RandomContrast',
  { factor: factor(), valueRange: valueRange(), seed: seed() },
  false,
  contrastImages,
);

export type RandomElasticTransformConfig = ImageLayerConfig & {
  factor: Factor;
  scale: Factor;
  interpolation: string;
  fillMode: string;
  fillValue: number;
  valueRange: readonly number[];
  seed: Seed;
};

/** Distorts like rubber. */
export const RandomElasticTransform: AugmentationClass<RandomElasticTransformConfig> = augmentation(
  'RandomElasticTransform',
  {
    factor: factor(1),
    scale: factor(1),
    interpolation: string('bilinear'),
    fillMode: string('reflect'),
    fillValue: number(0),
    valueRange: valueRange(),
    seed: seed(),
  },
  true,
);

export type RandomErasingConfig = ImageLayerConfig & {
  factor: Factor;
  scale: Factor;
  fillValue: Factor;
  valueRange: readonly number[];
  seed: Seed;
};

/** Paints a rectangle over. */
export const RandomErasing: AugmentationClass<RandomErasingConfig> = augmentation(
  'RandomErasing',
  { factor: factor(1), scale: factor([0.02, 0.33]), fillValue: factor(null), valueRange: valueRange(), seed: seed() },
  true,
);

export type RandomFlipConfig = ImageLayerConfig & { mode: string; seed: Seed };

/** Mirrors. */
export const RandomFlip: AugmentationClass<RandomFlipConfig> = augmentation(
  'RandomFlip',
  { mode: string('horizontal_and_vertical'), seed: seed() },
  true,
  flipImages,
);

export type RandomGaussianBlurConfig = ImageLayerConfig & {
  factor: Factor;
  kernelSize: Factor;
  sigma: Factor;
  valueRange: readonly number[];
  seed: Seed;
};

/** Blurs. */
export const RandomGaussianBlur: AugmentationClass<RandomGaussianBlurConfig> = augmentation(
  'RandomGaussianBlur',
  { factor: factor(1), kernelSize: factor(3), sigma: factor(1), valueRange: valueRange(), seed: seed() },
  true,
);

export type RandomGrayscaleConfig = ImageLayerConfig & { factor: Factor; seed: Seed };

/** Makes grey. */
export const RandomGrayscale: AugmentationClass<RandomGrayscaleConfig> = augmentation(
  'RandomGrayscale',
  { factor: factor(0.5), seed: seed() },
  false,
  greyImages,
);

export type RandomHeightConfig = ImageLayerConfig & { factor: Factor; interpolation: string; seed: Seed };

/** Stretches in height (Keras 2). */
export const RandomHeight: AugmentationClass<RandomHeightConfig> = augmentation(
  'RandomHeight',
  { factor: factor(), interpolation: string('bilinear'), seed: seed() },
  true,
);

export type RandomHueConfig = ImageLayerConfig & { factor: Factor; valueRange: readonly number[]; seed: Seed };

/** Turns colours. */
export const RandomHue: AugmentationClass<RandomHueConfig> = augmentation(
  'RandomHue',
  { factor: factor(), valueRange: valueRange(), seed: seed() },
  false,
  turnHues,
);

export type RandomInvertConfig = ImageLayerConfig & { factor: Factor; valueRange: readonly number[]; seed: Seed };

/** Inverts colours. */
export const RandomInvert: AugmentationClass<RandomInvertConfig> = augmentation(
  'RandomInvert',
  { factor: factor(1), valueRange: valueRange(), seed: seed() },
  false,
  invertImages,
);

export type RandomPerspectiveConfig = ImageLayerConfig & {
  factor: Factor;
  scale: Factor;
  interpolation: string;
  fillValue: number;
  seed: Seed;
};

/** Changes the perspective. */
export const RandomPerspective: AugmentationClass<RandomPerspectiveConfig> = augmentation(
  'RandomPerspective',
  { factor: factor(1), scale: factor(1), interpolation: string('bilinear'), fillValue: number(0), seed: seed() },
  true,
);

export type RandomPosterizationConfig = ImageLayerConfig & {
  factor: Factor;
  valueRange: readonly number[];
  seed: Seed;
};

/** Takes bits away. */
export const RandomPosterization: AugmentationClass<RandomPosterizationConfig> = augmentation(
  'RandomPosterization',
  { factor: factor(), valueRange: valueRange(), seed: seed() },
  false,
  posterizeImages,
);

export type RandomRotationConfig = ImageLayerConfig & {
  factor: Factor;
  fillMode: string;
  interpolation: string;
  fillValue: number;
  seed: Seed;
};

/** Turns. */
export const RandomRotation: AugmentationClass<RandomRotationConfig> = augmentation(
  'RandomRotation',
  {
    factor: factor(),
    fillMode: string('reflect'),
    interpolation: string('bilinear'),
    fillValue: number(0),
    seed: seed(),
  },
  true,
  rotateImages,
);

export type RandomSaturationConfig = ImageLayerConfig & { factor: Factor; valueRange: readonly number[]; seed: Seed };

/** Changes the saturation. */
export const RandomSaturation: AugmentationClass<RandomSaturationConfig> = augmentation(
  'RandomSaturation',
  { factor: factor(), valueRange: valueRange(), seed: seed() },
  false,
  saturateImages,
);

export type RandomSharpnessConfig = ImageLayerConfig & { factor: Factor; valueRange: readonly number[]; seed: Seed };

/** Sharpens or blurs. */
export const RandomSharpness: AugmentationClass<RandomSharpnessConfig> = augmentation(
  'RandomSharpness',
  { factor: factor(), valueRange: valueRange(), seed: seed() },
  true,
  sharpenImages,
);

export type RandomShearConfig = ImageLayerConfig & {
  xFactor: Factor;
  yFactor: Factor;
  fillMode: string;
  interpolation: string;
  fillValue: number;
  seed: Seed;
};

/** Shears. */
export const RandomShear: AugmentationClass<RandomShearConfig> = augmentation(
  'RandomShear',
  {
    xFactor: factor(0),
    yFactor: factor(0),
    fillMode: string('reflect'),
    interpolation: string('bilinear'),
    fillValue: number(0),
    seed: seed(),
  },
  true,
  shearImages,
);

export type RandomTranslationConfig = ImageLayerConfig & {
  heightFactor: Factor;
  widthFactor: Factor;
  fillMode: string;
  interpolation: string;
  fillValue: number;
  seed: Seed;
};

/** Shifts. */
export const RandomTranslation: AugmentationClass<RandomTranslationConfig> = augmentation(
  'RandomTranslation',
  {
    heightFactor: factor(),
    widthFactor: factor(),
    fillMode: string('reflect'),
    interpolation: string('bilinear'),
    fillValue: number(0),
    seed: seed(),
  },
  true,
  translateImages,
);

export type RandomWidthConfig = ImageLayerConfig & { factor: Factor; interpolation: string; seed: Seed };

/** Stretches in width (Keras 2). */
export const RandomWidth: AugmentationClass<RandomWidthConfig> = augmentation(
  'RandomWidth',
  { factor: factor(), interpolation: string('bilinear'), seed: seed() },
  true,
);

export type RandomZoomConfig = ImageLayerConfig & {
  heightFactor: Factor;
  widthFactor: Factor;
  fillMode: string;
  interpolation: string;
  fillValue: number;
  seed: Seed;
};

/** Enlarges or shrinks. */
export const RandomZoom: AugmentationClass<RandomZoomConfig> = augmentation(
  'RandomZoom',
  {
    heightFactor: factor(),
    widthFactor: factor(null),
    fillMode: string('reflect'),
    interpolation: string('bilinear'),
    fillValue: number(0),
    seed: seed(),
  },
  true,
  zoomImages,
);

export type SolarizationConfig = ImageLayerConfig & {
  valueRange: readonly number[];
  additionFactor: Factor;
  thresholdFactor: Factor;
  seed: Seed;
};

/** Inverts what is above a threshold. */
export const Solarization: AugmentationClass<SolarizationConfig> = augmentation(
  'Solarization',
  { valueRange: valueRange(), additionFactor: factor(0), thresholdFactor: factor(0), seed: seed() },
  true,
  solarizeImages,
);
