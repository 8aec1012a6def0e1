import type { Dtype } from '../../array/dtype.ts';
import { normalizeAxis, type PartialShape } from '../../array/shape.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import type { Variable } from '../../graph/variable.ts';
import { where } from '../../ops/compare.ts';
import {
  add,
  clip,
  divide,
  maximum,
  minimum,
  multiply,
  negative,
  rsqrt,
  sqrt,
  square,
  stopGradient,
  subtract,
} from '../../ops/elementwise.ts';
import { toFloat } from '../../ops/operand.ts';
import { moments, sum } from '../../ops/reduce.ts';
import { broadcastTo, expandDims, reshape } from '../../ops/shape.ts';
import { axes } from '../axes.ts';
import type { Constraint } from '../constraints.ts';
import {
  anything,
  boolean,
  constraint,
  type Field,
  type Fields,
  initializer,
  number,
  type Options,
  regularizer,
} from '../fields.ts';
import type { Initializer } from '../initializers.ts';
import type { KerasTensor } from '../keras-tensor.ts';
import { type CallContext, Layer, type LayerConfig, layerFields } from '../layer.ts';
import type { Regularizer } from '../regularizers.ts';

/** Bounds of the corrections of batch renormalization; what is absent is unbounded. */
export interface RenormClipping {
  readonly rmax?: number | null;
  readonly rmin?: number | null;
  readonly dmax?: number | null;
}

export interface BatchNormalizationConfig extends LayerConfig {
  /** The axis with statistics of its own, mostly the channels. Keras 2 can have several. */
  axis: number | readonly number[];
  momentum: number;
  epsilon: number;
  center: boolean;
  scale: boolean;
  betaInitializer: Initializer;
  gammaInitializer: Initializer;
  movingMeanInitializer: Initializer;
  movingVarianceInitializer: Initializer;
  betaRegularizer: Regularizer | null;
  gammaRegularizer: Regularizer | null;
  betaConstraint: Constraint | null;
  gammaConstraint: Constraint | null;
  /** Whether replicas share their statistics. There is one replica only, so it changes nothing. */
  synchronized: boolean;
  renorm: boolean;
  renormClipping: RenormClipping | null;
  renormMomentum: number;
}

export type BatchNormalizationOptions = Options<BatchNormalizationConfig>;

/** One axis, or several; a list of one, as Keras 2 writes it, is that axis. */
function featureAxis(): Field<number | readonly number[]> {
  const field = axes(-1);
  return { ...field, parse: (value) => field.parse(Array.isArray(value) && value.length === 1 ? value[0] : value) };
}

function isClipping(value: unknown): boolean {
  if (value === null) return true;
  if (typeof value !== 'object') return false;
  return Object.entries(value).every(
    ([key, bound]) => ['rmax', 'rmin', 'dmax'].includes(key) && (bound === null || typeof bound === 'number'),
  );
}

/** Keras' epsilon, which keeps a batch without any counting step from a division by 0. */
const FUZZ = 1e-7;

/**
 * Mean 0 and variance 1 for each channel, then `gamma` and `beta`.
 *
 * In training the statistics are those of the batch, over all counting steps, and the moving ones follow them; at
 * inference, and while the layer is frozen, they are the moving ones. The shape stays.
 */
export class BatchNormalization extends Layer<BatchNormalizationConfig> {
  static readonly className = 'BatchNormalization';
  static readonly fields: Fields<BatchNormalizationConfig> = {
    ...layerFields,
    axis: featureAxis(),
    momentum: number(0.99),
    epsilon: number(1e-3),
    center: boolean(true),
    scale: boolean(true),
    betaInitializer: initializer('zeros'),
    gammaInitializer: initializer('ones'),
    movingMeanInitializer: initializer('zeros'),
    movingVarianceInitializer: initializer('ones'),
    betaRegularizer: regularizer(),
    gammaRegularizer: regularizer(),
    betaConstraint: constraint(),
    gammaConstraint: constraint(),
    synchronized: boolean(false),
    renorm: boolean(false),
    renormClipping: anything<RenormClipping | null>('an object with rmax, rmin and dmax, or null', isClipping, null),
    renormMomentum: number(0.99),
  };
  override readonly supportsMasking = true;
  override readonly hasMaskArgument = true;

  constructor(options: BatchNormalizationOptions = {}) {
    super(BatchNormalization.className, BatchNormalization.fields, options);
  }

  protected override build([inputShape]: readonly PartialShape[]): void {
    const { axis, scale, center, renorm, gammaInitializer, betaInitializer } = this.config;
    const { movingMeanInitializer, movingVarianceInitializer } = this.config;
    const input = inputShape ?? [];
    const featureAxes = this.#featureAxes(input.length);
    const extentAt = (place: number): number => input[place] ?? Number.NaN;
    // Several axes keep their places among ones, as in Keras 2.
    const shape =
      typeof axis === 'number'
        ? featureAxes.map(extentAt)
        : input.map((_, place) => (featureAxes.includes(place) ? extentAt(place) : 1));
    if (scale) this.addWeight('gamma', shape, { initializer: gammaInitializer });
    if (center) this.addWeight('beta', shape, { initializer: betaInitializer });
    const moving = (name: string, init: Initializer): void => {
      this.addWeight(name, shape, { initializer: init, trainable: false });
    };
    moving('moving_mean', movingMeanInitializer);
    moving('moving_variance', movingVarianceInitializer);
    if (!renorm) return;
    const deviation = rootOf(movingVarianceInitializer);
    moving('moving_stddev', deviation);
    moving('renorm_mean', movingMeanInitializer);
    moving('renorm_stddev', deviation);
  }

  /** Those of the input. Deep models have so many of these layers that tracing them took a sixth of a load. */
  protected override inferOutputs(
    inputs: readonly KerasTensor[],
    kwargs: Readonly<Record<string, unknown>>,
  ): readonly { readonly shape: PartialShape; readonly dtype: Dtype }[] {
    const [x] = inputs;
    return x === undefined ? super.inferOutputs(inputs, kwargs) : [{ shape: x.shape, dtype: 'float32' }];
  }

  override call([x]: readonly [SymbolicTensor], context: CallContext): SymbolicTensor {
    const value = toFloat(x);
    const { epsilon, scale, center } = this.config;
    if (!context.training || this.isFrozen(context)) {
      const gamma = scale ? this.weight('gamma') : undefined;
      const beta = center ? this.weight('beta') : undefined;
      // What depends on weights alone is computed in their own shape: two tensors get that of the input, and not four.
      const { factor, shift } = affine(this.weight('moving_mean'), this.weight('moving_variance'), {
        gamma,
        beta,
        epsilon,
      });
      return add(multiply(value, this.#reshaped(factor, value)), this.#reshaped(shift, value));
    }
    const gamma = scale ? this.#along('gamma', value) : undefined;
    const beta = center ? this.#along('beta', value) : undefined;
    const [mean, variance] = this.#batchMoments(value, context.masks[0]);
    const corrected = this.config.renorm ? this.#renormalize(value, mean, variance, gamma, beta) : { gamma, beta };
    if (this.config.renorm) this.#updateRenormalized(mean, variance, context);
    else {
      this.#follow('moving_mean', mean, this.config.momentum, context);
      this.#follow('moving_variance', variance, this.config.momentum, context);
    }
    const { factor, shift } = affine(mean, variance, { ...corrected, epsilon });
    return add(multiply(value, factor), shift);
  }

  #featureAxes(ndim: number): number[] {
    const { axis } = this.config;
    return (typeof axis === 'number' ? [axis] : axis).map((place) => normalizeAxis(place, ndim));
  }

  /** A weight in a shape that broadcasts along its axes. */
  #along(name: string, x: SymbolicTensor): SymbolicTensor {
    return this.#reshaped(this.weight(name), x);
  }

  #reshaped(weight: SymbolicTensor, x: SymbolicTensor): SymbolicTensor {
    const featureAxes = this.#featureAxes(x.shape.length);
    return reshape(
      weight,
      x.shape.map((extent, axis) => (featureAxes.includes(axis) ? extent : 1)),
    );
  }

  #batchMoments(x: SymbolicTensor, mask: SymbolicTensor | undefined): readonly [SymbolicTensor, SymbolicTensor] {
    const featureAxes = this.#featureAxes(x.shape.length);
    const reduced = x.shape.map((_, axis) => axis).filter((axis) => !featureAxes.includes(axis));
    if (mask === undefined) return moments(x, reduced, true);
    const counts = broadcastTo(expandDims(mask, -1), x.shape);
    const weight = add(sum(toFloat(counts), reduced, true), FUZZ);
    const mean = divide(sum(where(counts, x, 0), reduced, true), weight);
    const variance = divide(sum(square(where(counts, subtract(x, mean), 0)), reduced, true), weight);
    return [mean, variance];
  }

  /** Batch renormalization: corrections that make the batch's statistics look like the moving ones. */
  #renormalize(
    x: SymbolicTensor,
    mean: SymbolicTensor,
    variance: SymbolicTensor,
    gamma: SymbolicTensor | undefined,
    beta: SymbolicTensor | undefined,
  ): { readonly gamma: SymbolicTensor; readonly beta: SymbolicTensor } {
    const { epsilon, renormClipping } = this.config;
    const { rmin, rmax, dmax } = renormClipping ?? {};
    const reference = maximum(this.#along('renorm_stddev', x), Math.sqrt(epsilon));
    let ratio = divide(sqrt(add(variance, epsilon)), reference);
    let shift = divide(subtract(mean, this.#along('renorm_mean', x)), reference);
    if (rmin !== undefined && rmin !== null) ratio = maximum(ratio, rmin);
    if (rmax !== undefined && rmax !== null) ratio = minimum(ratio, rmax);
    if (dmax !== undefined && dmax !== null) shift = clip(shift, -dmax, dmax);
    // The corrections count as constants: gradients see the batch's own statistics.
    [ratio, shift] = [stopGradient(ratio), stopGradient(shift)];
    const offset = gamma === undefined ? shift : multiply(shift, gamma);
    return {
      gamma: gamma === undefined ? ratio : multiply(ratio, gamma),
      beta: beta === undefined ? offset : add(offset, beta),
    };
  }

  #updateRenormalized(mean: SymbolicTensor, variance: SymbolicTensor, context: CallContext): void {
    const { momentum, renormMomentum, epsilon } = this.config;
    const deviation = sqrt(add(variance, epsilon));
    this.#follow('renorm_mean', mean, renormMomentum, context);
    this.#follow('renorm_stddev', deviation, renormMomentum, context);
    this.#follow('moving_mean', mean, momentum, context);
    const moved = this.#follow('moving_stddev', deviation, momentum, context);
    context.update?.(this.#variable('moving_variance'), maximum(subtract(square(moved), epsilon), 0));
  }

  /** Moves a statistic towards that of the batch; gives its new value. */
  #follow(name: string, statistic: SymbolicTensor, momentum: number, context: CallContext): SymbolicTensor {
    const variable = this.#variable(name);
    const flat = reshape(statistic, variable.shape);
    const moved = add(multiply(this.weight(name), momentum), multiply(flat, 1 - momentum));
    context.update?.(variable, moved);
    return moved;
  }

  #variable(name: string): Variable {
    return this.ownWeights.find((variable) => variable.name === name) as Variable;
  }
}

/** An initializer that gives the square roots of another's numbers. */
function rootOf(variance: Initializer): Initializer {
  return {
    ...variance,
    initialize: (shape, dtype) => {
      const filled = variance.initialize(shape, dtype);
      const data = filled.data as Float32Array;
      for (let index = 0; index < data.length; index++) data[index] = Math.sqrt(data[index] as number);
      return filled;
    },
  };
}

interface Corrections {
  readonly gamma: SymbolicTensor | undefined;
  readonly beta: SymbolicTensor | undefined;
  readonly epsilon: number;
}

/** What an input is multiplied by, and what is added to it then. */
function affine(
  mean: SymbolicTensor,
  variance: SymbolicTensor,
  { gamma, beta, epsilon }: Corrections,
): { readonly factor: SymbolicTensor; readonly shift: SymbolicTensor } {
  const inverse = rsqrt(add(variance, epsilon));
  const factor = gamma === undefined ? inverse : multiply(inverse, gamma);
  const shift = negative(multiply(mean, factor));
  return { factor, shift: beta === undefined ? shift : add(shift, beta) };
}
