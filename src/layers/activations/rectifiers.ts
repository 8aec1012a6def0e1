/** Activations that cut or bend at a threshold, with options or weights of their own. Each keeps the shape. */
import { formatShape, type PartialShape, shapesEqual } from '../../array/shape.ts';
import { ShapeError } from '../../errors.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { elu, leakyRelu, relu } from '../../ops/activations.ts';
import { greater } from '../../ops/compare.ts';
import { add, minimum, multiply, negative, subtract } from '../../ops/elementwise.ts';
import { cast, toFloat } from '../../ops/operand.ts';
import type { Constraint } from '../constraints.ts';
import {
  anything,
  constraint,
  type Field,
  type Fields,
  initializer,
  nullable,
  number,
  type Options,
  regularizer,
} from '../fields.ts';
import type { Initializer } from '../initializers.ts';
import { Layer, type LayerConfig, layerFields } from '../layer.ts';
import type { Regularizer } from '../regularizers.ts';

function atLeastZero(fallback: number): Field<number> {
  return anything('a number of at least 0', (value) => typeof value === 'number' && value >= 0, fallback);
}

export interface ReLUConfig extends LayerConfig {
  maxValue: number | null;
  negativeSlope: number;
  threshold: number;
}

/** `x` from the threshold to `maxValue`, `negativeSlope · (x − threshold)` below the threshold. */
export class ReLU extends Layer<ReLUConfig> {
  static readonly className = 'ReLU';
  static readonly fields: Fields<ReLUConfig> = {
    ...layerFields,
    maxValue: nullable(atLeastZero(0)),
    negativeSlope: atLeastZero(0),
    threshold: atLeastZero(0),
  };
  override readonly supportsMasking = true;

  constructor(options: Options<ReLUConfig> = {}) {
    super(ReLU.className, ReLU.fields, options);
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    const { maxValue, negativeSlope, threshold } = this.config;
    const kept = threshold === 0 ? relu(x) : multiply(x, cast(greater(x, threshold), x.dtype));
    const upper = maxValue === null ? kept : minimum(kept, maxValue);
    if (negativeSlope === 0) return upper;
    return subtract(upper, multiply(relu(subtract(threshold, toFloat(x))), negativeSlope));
  }
}

export interface LeakyReLUConfig extends LayerConfig {
  negativeSlope: number;
}

/** `x` above 0, `negativeSlope · x` below. */
export class LeakyReLU extends Layer<LeakyReLUConfig> {
  static readonly className = 'LeakyReLU';
  static readonly fields: Fields<LeakyReLUConfig> = { ...layerFields, negativeSlope: atLeastZero(0.3) };
  override readonly supportsMasking = true;

  constructor(options: Options<LeakyReLUConfig> = {}) {
    super(LeakyReLU.className, LeakyReLU.fields, options);
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    return leakyRelu(x, this.config.negativeSlope);
  }
}

export interface ELUConfig extends LayerConfig {
  alpha: number;
}

/** `x` above 0, `alpha · (eˣ − 1)` below. */
export class ELU extends Layer<ELUConfig> {
  static readonly className = 'ELU';
  static readonly fields: Fields<ELUConfig> = { ...layerFields, alpha: number(1) };
  override readonly supportsMasking = true;

  constructor(options: Options<ELUConfig> = {}) {
    super(ELU.className, ELU.fields, options);
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    return elu(x, this.config.alpha);
  }
}

export interface PReLUConfig extends LayerConfig {
  alphaInitializer: Initializer;
  alphaRegularizer: Regularizer | null;
  alphaConstraint: Constraint | null;
  /** Axes, counted from 1 after the batch, along which one slope serves all. */
  sharedAxes: readonly number[] | null;
}

/** `x` above 0, `alpha · x` below, with a learnt `alpha` for each element but along the shared axes. */
export class PReLU extends Layer<PReLUConfig> {
  static readonly className = 'PReLU';
  static readonly fields: Fields<PReLUConfig> = {
    ...layerFields,
    alphaInitializer: initializer('zeros'),
    alphaRegularizer: regularizer(),
    alphaConstraint: constraint(),
    sharedAxes: sharedAxes(),
  };
  override readonly supportsMasking = true;

  constructor(options: Options<PReLUConfig> = {}) {
    super(PReLU.className, PReLU.fields, options);
  }

  protected override build([inputShape]: readonly PartialShape[]): void {
    const { alphaInitializer, sharedAxes: shared } = this.config;
    const shape = (inputShape ?? []).map((extent, axis) => (shared?.includes(axis) ? 1 : (extent ?? Number.NaN)));
    this.addWeight('alpha', shape.slice(1), { initializer: alphaInitializer });
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    const below = multiply(negative(this.weight('alpha')), relu(negative(x)));
    if (!shapesEqual(below.shape, x.shape)) {
      throw new ShapeError(
        `Cannot apply layer "${this.name}": found an input of shape ${formatShape(x.shape)}, ` +
          `expected one that fits its weight "alpha" of shape ${formatShape(this.weight('alpha').shape)}`,
      );
    }
    return add(relu(x), below);
  }
}

function sharedAxes(): Field<readonly number[] | null> {
  const isAxes = (value: unknown): boolean => Array.isArray(value) && value.every(Number.isInteger);
  const field = anything<readonly number[] | null>(
    'an axis, a list of axes, or null',
    (value) => value === null || isAxes(value),
    null,
  );
  return { ...field, parse: (value) => field.parse(Number.isInteger(value) ? [value] : value) };
}

export interface ThresholdedReLUConfig extends LayerConfig {
  theta: number;
}

/** `x` above `theta`, 0 elsewhere. Keras 2 and TensorFlow.js have it; Keras 3 does not. */
export class ThresholdedReLU extends Layer<ThresholdedReLUConfig> {
  static readonly className = 'ThresholdedReLU';
  static readonly fields: Fields<ThresholdedReLUConfig> = { ...layerFields, theta: atLeastZero(1) };
  override readonly supportsMasking = true;

  constructor(options: Options<ThresholdedReLUConfig> = {}) {
    super(ThresholdedReLU.className, ThresholdedReLU.fields, options);
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    return multiply(toFloat(x), toFloat(greater(x, this.config.theta)));
  }
}
