/**
 * Layers that disturb what they are given while a model is trained, so that it does not rely on single values. At
 * inference each gives its input back.
 */

import type { SymbolicTensor } from '../../graph/node.ts';
import { where } from '../../ops/compare.ts';
import { add, multiply } from '../../ops/elementwise.ts';
import { broadcastTo } from '../../ops/operand.ts';
import { type DrawBits, isKept, normal } from '../../ops/random.ts';
import { type DataFormat, dataFormat, spatialAxes } from '../data-format.ts';
import { anything, type Fields, integer, nullable, type Options } from '../fields.ts';
import { type LayerConfig, layerFields } from '../layer.ts';
import { drop } from './drop.ts';
import {
  type DropoutConfig,
  type DropoutOptions,
  dropoutFields,
  NoiseLayer,
  noiseShapeFor,
  type RateConfig,
  RateLayer,
  rateFields,
} from './dropout.ts';

/** The value that `selu` has far below 0. */
const SELU_FLOOR = -1.7580993408473766;

/** Dropout that keeps mean and deviation of what went through a `selu` activation. */
export class AlphaDropout extends RateLayer<DropoutConfig> {
  static readonly className = 'AlphaDropout';
  static readonly fields: Fields<DropoutConfig> = dropoutFields;

  constructor(options: DropoutOptions) {
    super(AlphaDropout.className, AlphaDropout.fields, options);
  }

  protected override disturb(x: SymbolicTensor, draw: DrawBits): SymbolicTensor {
    const { rate: share, noiseShape: shape } = this.config;
    const kept = broadcastTo(isKept(share, noiseShapeFor(x.shape, shape), draw), x.shape);
    // What is dropped becomes the value that `selu` gives far below 0; then mean and deviation are put right.
    const scale = ((1 - share) * (1 + share * SELU_FLOOR ** 2)) ** -0.5;
    return add(multiply(where(kept, x, SELU_FLOOR), scale), -scale * SELU_FLOOR * share);
  }
}

/** Multiplies by noise around 1 in training, of deviation √(rate / (1 − rate)). */
export class GaussianDropout extends RateLayer<RateConfig> {
  static readonly className = 'GaussianDropout';
  static readonly fields: Fields<RateConfig> = rateFields;

  constructor(options: Options<RateConfig, 'rate'>) {
    super(GaussianDropout.className, GaussianDropout.fields, options);
  }

  protected override disturb(x: SymbolicTensor, draw: DrawBits): SymbolicTensor {
    const { rate: share } = this.config;
    return multiply(x, add(multiply(normal(x.shape, draw), Math.sqrt(share / (1 - share))), 1));
  }
}

export interface SpatialDropoutConfig extends RateConfig {
  dataFormat: DataFormat;
}

const spatialFields: Fields<SpatialDropoutConfig> = { ...rateFields, dataFormat: dataFormat() };

/** Drops whole channels. */
abstract class SpatialDropout<C extends RateConfig & { dataFormat?: DataFormat }> extends RateLayer<C> {
  protected override disturb(x: SymbolicTensor, draw: DrawBits): SymbolicTensor {
    const { rate, dataFormat = 'channels_last' } = this.config;
    const spatial = spatialAxes(x.shape.length, dataFormat);
    const pattern = x.shape.map((extent, axis) => (spatial.includes(axis) ? 1 : extent));
    return drop(x, rate, pattern, draw);
  }
}

/** Dropout of whole channels of sequences `[batch, steps, channels]`. */
export class SpatialDropout1D extends SpatialDropout<RateConfig> {
  static readonly className = 'SpatialDropout1D';
  static readonly fields: Fields<RateConfig> = rateFields;

  constructor(options: Options<RateConfig, 'rate'>) {
    super(SpatialDropout1D.className, SpatialDropout1D.fields, options);
  }
}

/** Dropout of whole channels of images. */
export class SpatialDropout2D extends SpatialDropout<SpatialDropoutConfig> {
  static readonly className = 'SpatialDropout2D';
  static readonly fields: Fields<SpatialDropoutConfig> = spatialFields;

  constructor(options: Options<SpatialDropoutConfig, 'rate'>) {
    super(SpatialDropout2D.className, SpatialDropout2D.fields, options);
  }
}

/** Dropout of whole channels of volumes. */
export class SpatialDropout3D extends SpatialDropout<SpatialDropoutConfig> {
  static readonly className = 'SpatialDropout3D';
  static readonly fields: Fields<SpatialDropoutConfig> = spatialFields;

  constructor(options: Options<SpatialDropoutConfig, 'rate'>) {
    super(SpatialDropout3D.className, SpatialDropout3D.fields, options);
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

  protected override disturb(x: SymbolicTensor, draw: DrawBits): SymbolicTensor {
    return add(x, multiply(normal(x.shape, draw), this.config.stddev));
  }
}
