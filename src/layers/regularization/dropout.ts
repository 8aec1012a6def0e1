/**
 * Layers that disturb what they are given while a model is trained, so that it does not rely on single values. At
 * inference each gives its input back.
 */

import type { Shape } from '../../array/shape.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { where } from '../../ops/compare.ts';
import { add, multiply } from '../../ops/elementwise.ts';
import { broadcastTo, toFloat } from '../../ops/operand.ts';
import { type DrawBits, isKept, normal } from '../../ops/random.ts';
import { type DataFormat, dataFormat, spatialAxes } from '../data-format.ts';
import { anything, type Field, type Fields, integer, nullable, type Options } from '../fields.ts';
import { type CallContext, Layer, type LayerConfig, layerFields } from '../layer.ts';
import { drawFor, drop } from './drop.ts';

/** Disturbs its input in training, unless its strength is 0. */
abstract class NoiseLayer<C extends LayerConfig & { seed: number | null }> extends Layer<C> {
  override readonly supportsMasking = true;

  /** The share that is dropped, or the deviation of the noise. */
  protected abstract readonly strength: number;

  /** What training makes of the input. */
  protected abstract disturb(x: SymbolicTensor, draw: DrawBits): SymbolicTensor;

  override call([x]: readonly [SymbolicTensor], context: CallContext): SymbolicTensor {
    if (!context.training || this.strength <= 0) return x;
    return this.disturb(toFloat(x), drawFor(this, context, this.config.seed));
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

/** The value that `selu` has far below 0. */
const SELU_FLOOR = -1.7580993408473766;

/** The shape of the pattern: extents that are not given are those of the input. */
function noiseShapeFor(shape: Shape, given: readonly (number | null)[] | null): Shape {
  return given === null ? shape : given.map((extent, axis) => extent ?? (shape[axis] as number));
}

/** One element for each channel of each sample. */
function channelPattern(shape: Shape, format: DataFormat): Shape {
  const spatial = spatialAxes(shape.length, format);
  return shape.map((extent, axis) => (spatial.includes(axis) ? 1 : extent));
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

  protected override disturb(x: SymbolicTensor, draw: DrawBits): SymbolicTensor {
    return drop(x, this.config.rate, noiseShapeFor(x.shape, this.config.noiseShape), draw);
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

  protected override disturb(x: SymbolicTensor, draw: DrawBits): SymbolicTensor {
    const { rate: share, noiseShape: shape } = this.config;
    const kept = broadcastTo(isKept(share, noiseShapeFor(x.shape, shape), draw), x.shape);
    // What is dropped becomes the value that `selu` gives far below 0; then mean and deviation are put right.
    const scale = ((1 - share) * (1 + share * SELU_FLOOR ** 2)) ** -0.5;
    return add(multiply(where(kept, x, SELU_FLOOR), scale), -scale * SELU_FLOOR * share);
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

  protected override disturb(x: SymbolicTensor, draw: DrawBits): SymbolicTensor {
    return drop(x, this.config.rate, channelPattern(x.shape, 'channels_last'), draw);
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

  protected override disturb(x: SymbolicTensor, draw: DrawBits): SymbolicTensor {
    const { rate: share } = this.config;
    return multiply(x, add(multiply(normal(x.shape, draw), Math.sqrt(share / (1 - share))), 1));
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

  protected override disturb(x: SymbolicTensor, draw: DrawBits): SymbolicTensor {
    return drop(x, this.config.rate, channelPattern(x.shape, this.config.dataFormat), draw);
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

  protected override disturb(x: SymbolicTensor, draw: DrawBits): SymbolicTensor {
    return drop(x, this.config.rate, channelPattern(x.shape, this.config.dataFormat), draw);
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
