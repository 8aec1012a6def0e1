/** Optimizers that divide gradients by the root of what their squares have been: RMSprop, Adagrad, Adadelta. */
import type { SymbolicTensor } from '../../graph/node.ts';
import type { Variable } from '../../graph/variable.ts';
import { boolean, type Fields, number, type Options } from '../../layers/fields.ts';
import { add, divide, multiply, negative, sqrt, square, subtract } from '../../ops/elementwise.ts';
import {
  type Clock,
  constantSlot,
  type OptimizerConfig,
  optimizerFields,
  type SlotSpec,
  StepOptimizer,
  type StepResult,
  type WeightStep,
} from './step-optimizer.ts';

/** A running mean that keeps the share `rho`. */
function decayed(average: SymbolicTensor | undefined, value: SymbolicTensor, rho: number): SymbolicTensor {
  return add(multiply(average as SymbolicTensor, rho), multiply(value, 1 - rho));
}

export interface RMSpropConfig extends OptimizerConfig {
  /** The share that running means keep each step. */
  rho: number;
  momentum: number;
  epsilon: number;
  /** Whether the variance of gradients is divided by, instead of the mean of their squares. */
  centered: boolean;
}

/** Steps of the gradient over the root of the mean of its squares. */
export class RMSprop extends StepOptimizer<RMSpropConfig> {
  static readonly className = 'RMSprop';
  static readonly fields: Fields<RMSpropConfig> = {
    ...optimizerFields(0.001),
    rho: number(0.9),
    momentum: number(0),
    epsilon: number(1e-7),
    centered: boolean(false),
  };

  constructor(options: Options<RMSpropConfig> = {}) {
    super(RMSprop.className, RMSprop.fields, options);
  }

  protected override slotGroups(): readonly (readonly string[])[] {
    const { momentum, centered } = this.config;
    return [['velocity'], ...(momentum > 0 ? [['momentum']] : []), ...(centered ? [['average_gradient']] : [])];
  }

  protected override rule({ learningRate }: Clock): (step: WeightStep) => StepResult {
    const { rho, momentum: factor, epsilon } = this.config;
    return ({ weight, gradient, slots }) => {
      const changed: Record<string, SymbolicTensor> = {};
      changed.velocity = decayed(slots.velocity, square(gradient), rho);
      let spread = changed.velocity;
      if (slots.average_gradient) {
        changed.average_gradient = decayed(slots.average_gradient, gradient, rho);
        spread = subtract(spread, square(changed.average_gradient));
      }
      let descent = divide(multiply(gradient, learningRate), sqrt(add(spread, epsilon)));
      if (slots.momentum) {
        changed.momentum = add(multiply(slots.momentum, factor), descent);
        descent = changed.momentum;
      }
      return { weight: subtract(weight, descent), slots: changed };
    };
  }
}

export interface AdagradConfig extends OptimizerConfig {
  initialAccumulatorValue: number;
  epsilon: number;
}

/** Steps of the gradient over the root of the sum of its squares. */
export class Adagrad extends StepOptimizer<AdagradConfig> {
  static readonly className = 'Adagrad';
  static readonly fields: Fields<AdagradConfig> = {
    ...optimizerFields(0.001),
    initialAccumulatorValue: number(0.1),
    epsilon: number(1e-7),
  };

  constructor(options: Options<AdagradConfig> = {}) {
    super(Adagrad.className, Adagrad.fields, options);
  }

  protected override slotGroups(): readonly (readonly string[])[] {
    return [['accumulator']];
  }

  protected override slotSpec(_name: string, variable: Variable): SlotSpec {
    return constantSlot(variable.shape, this.config.initialAccumulatorValue);
  }

  protected override rule({ learningRate }: Clock): (step: WeightStep) => StepResult {
    return ({ weight, gradient, slots }) => {
      const accumulator = add(slots.accumulator as SymbolicTensor, square(gradient));
      const descent = divide(multiply(gradient, learningRate), sqrt(add(accumulator, this.config.epsilon)));
      return { weight: subtract(weight, descent), slots: { accumulator } };
    };
  }
}

export interface AdadeltaConfig extends OptimizerConfig {
  /** The share that running means keep each step. */
  rho: number;
  epsilon: number;
}

/** Steps as long as those before, by the running means of squares of gradients and of steps. */
export class Adadelta extends StepOptimizer<AdadeltaConfig> {
  static readonly className = 'Adadelta';
  static readonly fields: Fields<AdadeltaConfig> = {
    ...optimizerFields(0.001),
    rho: number(0.95),
    epsilon: number(1e-7),
  };

  constructor(options: Options<AdadeltaConfig> = {}) {
    super(Adadelta.className, Adadelta.fields, options);
  }

  protected override slotGroups(): readonly (readonly string[])[] {
    return [['accumulated_grad', 'accumulated_delta_var']];
  }

  protected override rule({ learningRate }: Clock): (step: WeightStep) => StepResult {
    const { rho, epsilon } = this.config;
    const root = (x: SymbolicTensor): SymbolicTensor => sqrt(add(x, epsilon));
    return ({ weight, gradient, slots }) => {
      const deltas = slots.accumulated_delta_var as SymbolicTensor;
      const grads = decayed(slots.accumulated_grad, square(gradient), rho);
      const delta = negative(divide(multiply(root(deltas), gradient), root(grads)));
      return {
        weight: add(weight, multiply(delta, learningRate)),
        slots: { accumulated_grad: grads, accumulated_delta_var: decayed(deltas, square(delta), rho) },
      };
    };
  }
}
