/**
 * Layers that disturb what they are given while a model is trained, so that it does not rely on single values. At
 * inference each gives its input back.
 */

import { UnsupportedError } from '../../errors.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { type DataFormat, dataFormat } from '../data-format.ts';
import { anything, type Field, type Fields, integer, nullable, type Options } from '../fields.ts';
import { type CallContext, Layer, type LayerConfig, layerFields } from '../layer.ts';

/** Gives its input back, and refuses to train unless its strength is 0. */
abstract class NoiseLayer<C extends LayerConfig> extends Layer<C> {
  override readonly supportsMasking = true;

  /** The share that is dropped, or the deviation of the noise. */
  protected abstract readonly strength: number;

  override call([x]: readonly [SymbolicTensor], { training }: CallContext): SymbolicTensor {
    if (training && this.strength > 0) {
      throw new UnsupportedError(
        `Cannot train layer "${this.name}": random numbers in ${this.className} are not supported; ` +
          `set its strength to 0`,
        `${this.className} in training`,
      );
    }
    return x;
  }
}

function rate(): Field<number> {
  return anything('a number from 0 to 1', (value) => typeof value === 'number' && value >= 0 && value <= 1);
}

function noiseShape(): Field<readonly (number | null)[] | null> {
  const isExtent = (value: unknown): boolean => value === null || Number.isInteger(value);
  return anything<readonly (number | null)[] | null>(
    'a list of extents or null',
    (value) => value === null || (Array.isArray(value) && value.every(isExtent)),
    null,
  );
}

export interface DropoutConfig extends LayerConfig {
  /** Share of the elements that training sets to 0. */
  rate: number;
  seed: number | null;
  /** Shape of the pattern of dropped elements; where it has 1, whole slices are dropped. */
  noiseShape: readonly (number | null)[] | null;
}

const dropoutFields: Fields<DropoutConfig> = {
  ...layerFields,
  rate: rate(),
  seed: nullable(integer()),
  noiseShape: noiseShape(),
};

export type DropoutOptions = Options<DropoutConfig, 'rate'>;

/** Sets a share of the elements to 0 in training and scales up the others. */
export class Dropout extends NoiseLayer<DropoutConfig> {
  static readonly className = 'Dropout';
  static readonly fields: Fields<DropoutConfig> = dropoutFields;

  constructor(options: DropoutOptions) {
    super(Dropout.className, Dropout.fields, options);
  }

  protected override get strength(): number {
    return this.config.rate;
  }
}

/** Dropout that keeps mean and deviation of what went through a `selu` activation. */
export class AlphaDropout extends NoiseLayer<DropoutConfig> {
  static readonly className = 'AlphaDropout';
  static readonly fields: Fields<DropoutConfig> = dropoutFields;

  constructor(options: DropoutOptions) {
    super(AlphaDropout.className, AlphaDropout.fields, options);
  }

  protected override get strength(): number {
    return this.config.rate;
  }
}

export interface RateConfig extends LayerConfig {
  rate: number;
  seed: number | null;
}

const rateFields: Fields<RateConfig> = { ...layerFields, rate: rate(), seed: nullable(integer()) };

/** Dropout of whole channels of sequences `[batch, steps, channels]`. */
export class SpatialDropout1D extends NoiseLayer<RateConfig> {
  static readonly className = 'SpatialDropout1D';
  static readonly fields: Fields<RateConfig> = rateFields;

  constructor(options: Options<RateConfig, 'rate'>) {
    super(SpatialDropout1D.className, SpatialDropout1D.fields, options);
  }

  protected override get strength(): number {
    return this.config.rate;
  }
}

/** Multiplies by noise around 1 in training, of deviation √(rate / (1 − rate)). */
export class GaussianDropout extends NoiseLayer<RateConfig> {
  static readonly className = 'GaussianDropout';
  static readonly fields: Fields<RateConfig> = rateFields;

  constructor(options: Options<RateConfig, 'rate'>) {
    super(GaussianDropout.className, GaussianDropout.fields, options);
  }

  protected override get strength(): number {
    return this.config.rate;
  }
}

export interface SpatialDropoutConfig extends RateConfig {
  dataFormat: DataFormat;
}

const spatialFields: Fields<SpatialDropoutConfig> = { ...rateFields, dataFormat: dataFormat() };

/** Dropout of whole channels of images. */
export class SpatialDropout2D extends NoiseLayer<SpatialDropoutConfig> {
  static readonly className = 'SpatialDropout2D';
  static readonly fields: Fields<SpatialDropoutConfig> = spatialFields;

  constructor(options: Options<SpatialDropoutConfig, 'rate'>) {
    super(SpatialDropout2D.className, SpatialDropout2D.fields, options);
  }

  protected override get strength(): number {
    return this.config.rate;
  }
}

/** Dropout of whole channels of volumes. */
export class SpatialDropout3D extends NoiseLayer<SpatialDropoutConfig> {
  static readonly className = 'SpatialDropout3D';
  static readonly fields: Fields<SpatialDropoutConfig> = spatialFields;

  constructor(options: Options<SpatialDropoutConfig, 'rate'>) {
    super(SpatialDropout3D.className, SpatialDropout3D.fields, options);
  }

  protected override get strength(): number {
    return this.config.rate;
  }
}

export interface GaussianNoiseConfig extends LayerConfig {
  stddev: number;
  seed: number | null;
}

/** Adds noise around 0 in training. */
export class GaussianNoise extends NoiseLayer<GaussianNoiseConfig> {
  static readonly className = 'GaussianNoise';
  static readonly fields: Fields<GaussianNoiseConfig> = {
    ...layerFields,
    stddev: anything('a number of at least 0', (value) => typeof value === 'number' && value >= 0),
    seed: nullable(integer()),
  };

  constructor(options: Options<GaussianNoiseConfig, 'stddev'>) {
    super(GaussianNoise.className, GaussianNoise.fields, options);
  }

  protected override get strength(): number {
    return this.config.stddev;
  }
}
