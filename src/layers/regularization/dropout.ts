/** Dropout, and what it has in common with the other layers that disturb what they are given; see noise.ts for those. */

import type { Shape } from '../../array/shape.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { toFloat } from '../../ops/operand.ts';
import type { DrawBits } from '../../ops/random.ts';
import { anything, type Field, type Fields, integer, nullable, type Options } from '../fields.ts';
import { type CallContext, Layer, type LayerConfig, layerFields } from '../layer.ts';
import { drawFor, drop } from './drop.ts';

/** Disturbs its input in training, unless its strength is 0. */
export abstract class NoiseLayer<C extends LayerConfig & { seed: number | null }> extends Layer<C> {
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

export interface RateConfig extends LayerConfig {
  /** Share of the elements that training sets to 0; of `GaussianDropout`, what tells how strong its noise is. */
  rate: number;
  seed: number | null;
}

export const rateFields: Fields<RateConfig> = {
  ...layerFields,
  rate: anything('a number from 0 to 1', (value) => typeof value === 'number' && value >= 0 && value <= 1),
  seed: nullable(integer()),
};

/** Disturbs as much as its `rate` says. */
export abstract class RateLayer<C extends RateConfig> extends NoiseLayer<C> {
  protected override get strength(): number {
    return this.config.rate;
  }
}

function noiseShape(): Field<readonly (number | null)[] | null> {
  const isExtent = (value: unknown): boolean => value === null || Number.isInteger(value);
  return anything<readonly (number | null)[] | null>(
    'a list of extents or null',
    (value) => value === null || (Array.isArray(value) && value.every(isExtent)),
    null,
  );
}

/** The shape of the pattern: extents that are not given are those of the input. */
export function noiseShapeFor(shape: Shape, given: readonly (number | null)[] | null): Shape {
  return given === null ? shape : given.map((extent, axis) => extent ?? (shape[axis] as number));
}

export interface DropoutConfig extends RateConfig {
  /** Shape of the pattern of dropped elements; where it has 1, whole slices are dropped. */
  noiseShape: readonly (number | null)[] | null;
}

export const dropoutFields: Fields<DropoutConfig> = { ...rateFields, noiseShape: noiseShape() };

export type DropoutOptions = Options<DropoutConfig, 'rate'>;

/** Sets a share of the elements to 0 in training and scales up the others. */
export class Dropout extends RateLayer<DropoutConfig> {
  static readonly className = 'Dropout';
  static readonly fields: Fields<DropoutConfig> = dropoutFields;

  constructor(options: DropoutOptions) {
    super(Dropout.className, Dropout.fields, options);
  }

  protected override disturb(x: SymbolicTensor, draw: DrawBits): SymbolicTensor {
    return drop(x, this.config.rate, noiseShapeFor(x.shape, this.config.noiseShape), draw);
  }
}
