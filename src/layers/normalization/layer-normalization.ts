/** Normalisations of each example by its own statistics. The shape stays. */
import type { PartialShape } from '../../array/shape.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { layerNormalization, normalize, rmsNormalization } from '../../ops/normalization.ts';
import { axes } from '../axes.ts';
import type { Constraint } from '../constraints.ts';
import { boolean, constraint, type Fields, initializer, number, type Options, regularizer } from '../fields.ts';
import { type Initializer, resolveInitializer } from '../initializers.ts';
import { Layer, type LayerConfig, layerFields } from '../layer.ts';
import type { Regularizer } from '../regularizers.ts';

export interface LayerNormalizationConfig extends LayerConfig {
  axis: number | readonly number[];
  epsilon: number;
  center: boolean;
  scale: boolean;
  /** Keras' older scaling: by the deviation, without taking the mean off, and without `beta`. */
  rmsScaling: boolean;
  betaInitializer: Initializer;
  gammaInitializer: Initializer;
  betaRegularizer: Regularizer | null;
  gammaRegularizer: Regularizer | null;
  betaConstraint: Constraint | null;
  gammaConstraint: Constraint | null;
}

/** Extents of the input along the axes, in the order in which Keras keeps them. */
function extentsAlong(inputShape: PartialShape | undefined, axis: number | readonly number[]): number[] {
  return sortedAxes(axis).map((place) => inputShape?.at(place) ?? Number.NaN);
}

function sortedAxes(axis: number | readonly number[]): number[] {
  return (typeof axis === 'number' ? [axis] : [...axis]).sort((a, b) => a - b);
}

/** Mean 0 and variance 1 over the axes, then `gamma` and `beta`, which have the extents of those axes. */
export class LayerNormalization extends Layer<LayerNormalizationConfig> {
  static readonly className = 'LayerNormalization';
  static readonly fields: Fields<LayerNormalizationConfig> = {
    ...layerFields,
    axis: axes(-1),
    epsilon: number(1e-3),
    center: boolean(true),
    scale: boolean(true),
    rmsScaling: boolean(false),
    betaInitializer: initializer('zeros'),
    gammaInitializer: initializer('ones'),
    betaRegularizer: regularizer(),
    gammaRegularizer: regularizer(),
    betaConstraint: constraint(),
    gammaConstraint: constraint(),
  };
  override readonly supportsMasking = true;

  constructor(options: Options<LayerNormalizationConfig> = {}) {
    super(LayerNormalization.className, LayerNormalization.fields, options);
  }

  protected override build([inputShape]: readonly PartialShape[]): void {
    const { axis, center, scale, rmsScaling, gammaInitializer, betaInitializer } = this.config;
    const shape = extentsAlong(inputShape, axis);
    if (scale || rmsScaling) this.addWeight('gamma', shape, { initializer: gammaInitializer });
    if (center && !rmsScaling) this.addWeight('beta', shape, { initializer: betaInitializer });
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    const { axis, epsilon, rmsScaling } = this.config;
    const gamma = this.hasWeight('gamma') ? this.weight('gamma') : null;
    const beta = this.hasWeight('beta') ? this.weight('beta') : null;
    return layerNormalization(x, gamma, beta, axis, epsilon, rmsScaling);
  }
}

export interface RMSNormalizationConfig extends LayerConfig {
  axis: number | readonly number[];
  epsilon: number;
}

/** Divides by the root of the mean square over the axes, then multiplies by `scale`. */
export class RMSNormalization extends Layer<RMSNormalizationConfig> {
  static readonly className = 'RMSNormalization';
  static readonly fields: Fields<RMSNormalizationConfig> = { ...layerFields, axis: axes(-1), epsilon: number(1e-6) };

  constructor(options: Options<RMSNormalizationConfig> = {}) {
    super(RMSNormalization.className, RMSNormalization.fields, options);
  }

  protected override build([inputShape]: readonly PartialShape[]): void {
    const ones = resolveInitializer('ones') as Initializer;
    this.addWeight('scale', extentsAlong(inputShape, this.config.axis), { initializer: ones });
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    return rmsNormalization(x, this.weight('scale'), this.config.axis, this.config.epsilon);
  }
}

export interface UnitNormalizationConfig extends LayerConfig {
  axis: number | readonly number[];
}

/** The shortest length that is divided by, so that zeros stay zeros. */
const SHORTEST = 1e-12;

/** Divides by the length over the axes, so that it becomes 1. */
export class UnitNormalization extends Layer<UnitNormalizationConfig> {
  static readonly className = 'UnitNormalization';
  static readonly fields: Fields<UnitNormalizationConfig> = { ...layerFields, axis: axes(-1) };
  override readonly supportsMasking = true;

  constructor(options: Options<UnitNormalizationConfig> = {}) {
    super(UnitNormalization.className, UnitNormalization.fields, options);
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    return normalize(x, this.config.axis, 2, SHORTEST);
  }
}
