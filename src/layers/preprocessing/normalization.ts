import { formatShape, normalizeAxis, type PartialShape } from '../../array/shape.ts';
import { type NestedArray, tensor } from '../../array/tensor.ts';
import { ShapeError } from '../../errors.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { add, divide, maximum, multiply, sqrt, subtract } from '../../ops/elementwise.ts';
import { type Operand, shapeOf, toFloat } from '../../ops/operand.ts';
import { reshape } from '../../ops/shape.ts';
import { anything, boolean, type Field, type Fields, nullable, type Options } from '../fields.ts';
import { createInitializer, type Initializer } from '../initializers.ts';
import { Layer, type LayerConfig, layerFields } from '../layer.ts';
import { numbers } from './rescaling.ts';

export interface NormalizationConfig extends LayerConfig {
  /** Axes that have a mean and a variance of their own; none of them for one mean of everything. */
  axis: readonly number[];
  /** Means along these axes, or one number; `null` when they are weights. */
  mean: NestedArray | null;
  variance: NestedArray | null;
  /** Whether to go back: `inputs · deviation + mean`. */
  invert: boolean;
}

/** Deviations are at least this, so that constant features do not divide by 0. */
const EPSILON = 1e-7;

const ZEROS = createInitializer('Zeros') as Initializer;
const ONES = createInitializer('Ones') as Initializer;

/** `null` is no axis, one axis a list of one. */
function axisList(): Field<readonly number[]> {
  const field = anything<readonly number[]>(
    'an axis, a list of axes, or null',
    (value) => Array.isArray(value) && value.every(Number.isInteger),
    [-1],
  );
  return {
    ...field,
    parse: (value) => field.parse(value === null ? [] : Number.isInteger(value) ? [value] : value),
  };
}

/**
 * `(inputs − mean) / √variance`, as float32.
 *
 * Mean and variance are given, or are the weights `mean`, `variance` and `count`, which Keras' `adapt` sets.
 */
export class Normalization extends Layer<NormalizationConfig> {
  static readonly className = 'Normalization';
  static readonly fields: Fields<NormalizationConfig> = {
    ...layerFields,
    axis: axisList(),
    mean: nullable(numbers()),
    variance: nullable(numbers()),
    invert: boolean(false),
  };
  override readonly supportsMasking = true;

  constructor(
    options: Options<Omit<NormalizationConfig, 'axis'>> & { readonly axis?: number | readonly number[] | null },
  ) {
    super(Normalization.className, Normalization.fields, options);
    const { mean, variance } = this.config;
    if ((mean === null) !== (variance === null)) {
      throw new TypeError('Cannot create Normalization: found one of mean and variance, expected both or neither');
    }
  }

  protected override build([inputShape = []]: readonly PartialShape[]): void {
    const kept = this.#keptAxes(inputShape.length).map((axis) => inputShape[axis] ?? null);
    if (kept.includes(null)) {
      throw new ShapeError(
        `Cannot build layer "${this.name}": found an input of shape ${formatShape(inputShape)}, ` +
          `expected known extents along the axes ${this.config.axis.join(', ')}`,
      );
    }
    if (this.config.mean !== null) return;
    const shape = kept as readonly number[];
    this.addWeight('mean', shape, { initializer: ZEROS, trainable: false });
    this.addWeight('variance', shape, { initializer: ONES, trainable: false });
    this.addWeight('count', [], { initializer: ZEROS, trainable: false, dtype: 'int32' });
  }

  #keptAxes(ndim: number): readonly number[] {
    return this.config.axis.map((axis) => normalizeAxis(axis, ndim)).sort((a, b) => a - b);
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    const { mean: givenMean, variance: givenVariance, invert } = this.config;
    const mean = this.#spread(givenMean === null ? this.weight('mean') : tensor(givenMean), x);
    const variance = this.#spread(givenVariance === null ? this.weight('variance') : tensor(givenVariance), x);
    const deviation = maximum(sqrt(variance), EPSILON);
    const inputs = toFloat(x);
    return invert ? add(mean, multiply(inputs, deviation)) : divide(subtract(inputs, mean), deviation);
  }

  /** Statistics along the kept axes, in the rank of the inputs; those with fewer axes belong to the last ones. */
  #spread(values: Operand, x: SymbolicTensor): SymbolicTensor {
    const given = shapeOf(values);
    const kept = this.#keptAxes(x.shape.length);
    const shape = new Array<number>(x.shape.length).fill(1);
    for (const [index, extent] of given.entries()) {
      const axis = kept[kept.length - given.length + index];
      if (axis === undefined) {
        throw new ShapeError(
          `Cannot apply layer "${this.name}": found statistics of shape ${formatShape(given)}, ` +
            `expected at most ${kept.length} axes`,
        );
      }
      shape[axis] = extent;
    }
    return reshape(values, shape);
  }
}
