/** Adam and its variants with the same slots: `momentum` and `velocity`, running means of gradients and of their squares. */
import { tensor } from '../../array/tensor.ts';
import { parameter } from '../../graph/apply.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import type { Variable } from '../../graph/variable.ts';
import { anything, boolean, type Fields, number, type Options } from '../../layers/fields.ts';
import { greater, logicalAnd, where } from '../../ops/compare.ts';
import { abs, add, divide, maximum, multiply, power, sqrt, square, subtract } from '../../ops/elementwise.ts';
import { toFloat } from '../../ops/operand.ts';
import { sum } from '../../ops/reduce.ts';
import type { Assignment } from './optimizer.ts';
import {
  type Clock,
  type OptimizerConfig,
  optimizerFields,
  StepOptimizer,
  type StepResult,
  type WeightStep,
} from './step-optimizer.ts';

/** A running mean moved towards a value: it keeps the share `beta`. */
export function approach(average: SymbolicTensor, value: SymbolicTensor, beta: number): SymbolicTensor {
  return add(average, multiply(subtract(value, average), 1 - beta));
}

/** What is missing to a running mean that started at 0: 1 − βⁿ after n steps. */
export function biasCorrection(beta: number, step: SymbolicTensor): SymbolicTensor {
  return subtract(1, power(toFloat(beta), step));
}

/** The two running means of a weight's gradient. */
function moments(
  { gradient, slots }: WeightStep,
  { beta1, beta2 }: { readonly beta1: number; readonly beta2: number },
): { momentum: SymbolicTensor; velocity: SymbolicTensor } {
  return {
    momentum: approach(slots.momentum as SymbolicTensor, gradient, beta1),
    velocity: approach(slots.velocity as SymbolicTensor, square(gradient), beta2),
  };
}

/** Adam's step: its size is the learning rate, corrected for means that started at 0. */
export function adamRule(
  { learningRate, step }: Clock,
  config: { readonly beta1: number; readonly beta2: number; readonly epsilon: number },
): (step: WeightStep) => StepResult {
  const { beta1, beta2, epsilon } = config;
  const alpha = divide(multiply(learningRate, sqrt(biasCorrection(beta2, step))), biasCorrection(beta1, step));
  return (current) => {
    const { momentum, velocity } = moments(current, config);
    const hat = current.slots.velocity_hat && maximum(current.slots.velocity_hat, velocity);
    const descent = divide(multiply(momentum, alpha), add(sqrt(hat ?? velocity), epsilon));
    const slots = hat ? { momentum, velocity, velocity_hat: hat } : { momentum, velocity };
    return { weight: subtract(current.weight, descent), slots };
  };
}

/** The options that Adam and its variants share. */
export interface MomentsConfig extends OptimizerConfig {
  /** The share that the running mean of gradients keeps each step. */
  beta1: number;
  /** The share that the running mean of squared gradients keeps each step. */
  beta2: number;
  epsilon: number;
}

const momentsFields: Fields<MomentsConfig> = {
  ...optimizerFields(0.001),
  beta1: number(0.9),
  beta2: number(0.999),
  epsilon: number(1e-7),
};

export interface AdamConfig extends MomentsConfig {
  /** Whether the greatest velocity so far is divided by. */
  amsgrad: boolean;
}

/** Adam: steps of the mean gradient over the root of the mean square. */
export class Adam<C extends AdamConfig = AdamConfig> extends StepOptimizer<C> {
  static readonly className: string = 'Adam';
  static readonly fields: Fields<AdamConfig> = { ...momentsFields, amsgrad: boolean(false) };

  constructor(
    options: Options<AdamConfig> = {},
    className: string = Adam.className,
    fields: Fields<C> = Adam.fields as unknown as Fields<C>,
  ) {
    super(className, fields, options);
  }

  protected override slotGroups(): readonly (readonly string[])[] {
    return this.config.amsgrad ? [['momentum', 'velocity'], ['velocity_hat']] : [['momentum', 'velocity']];
  }

  protected override rule(clock: Clock): (step: WeightStep) => StepResult {
    return adamRule(clock, this.config);
  }
}

const isNumber = (value: unknown): boolean => typeof value === 'number';

/** Adam with weight decay apart from the gradient. */
export class AdamW extends Adam {
  static override readonly className: string = 'AdamW';
  static override readonly fields: Fields<AdamConfig> = {
    ...Adam.fields,
    weightDecay: anything<number | null>('a number', isNumber, 0.004),
  };

  constructor(options: Options<AdamConfig> = {}) {
    super(options, AdamW.className, AdamW.fields);
  }
}

/** Adam with the greatest gradient instead of the root of the mean square. */
export class Adamax extends StepOptimizer<MomentsConfig> {
  static readonly className = 'Adamax';
  static readonly fields: Fields<MomentsConfig> = momentsFields;

  constructor(options: Options<MomentsConfig> = {}) {
    super(Adamax.className, Adamax.fields, options);
  }

  protected override slotGroups(): readonly (readonly string[])[] {
    return [['momentum', 'norm']];
  }

  protected override rule({ learningRate, step }: Clock): (step: WeightStep) => StepResult {
    const { beta1, beta2, epsilon } = this.config;
    const correction = biasCorrection(beta1, step);
    return ({ weight, gradient, slots }) => {
      const momentum = approach(slots.momentum as SymbolicTensor, gradient, beta1);
      const norm = maximum(multiply(slots.norm as SymbolicTensor, beta2), abs(gradient));
      const descent = divide(multiply(momentum, learningRate), multiply(add(norm, epsilon), correction));
      return { weight: subtract(weight, descent), slots: { momentum, norm } };
    };
  }
}

/** How Nadam's share of momentum nears `beta1` from half of it. */
const NADAM_DECAY = 0.96;

/** Adam with Nesterov's momentum. */
export class Nadam extends StepOptimizer<MomentsConfig> {
  static readonly className = 'Nadam';
  static readonly fields: Fields<MomentsConfig> = momentsFields;
  /** The product of all shares of momentum so far. */
  readonly #product: Variable;

  constructor(options: Options<MomentsConfig> = {}) {
    super(Nadam.className, Nadam.fields, options);
    const initialize = () => tensor(1, [], 'float32');
    this.#product = this.makeVariable('u_product', { shape: [], dtype: 'float32', initialize });
  }

  protected override slotGroups(): readonly (readonly string[])[] {
    return [['momentum', 'velocity']];
  }

  protected override globalVariables(): readonly Variable[] {
    return [this.#product];
  }

  protected override globalUpdates(clock: Clock): readonly Assignment[] {
    return [[this.#product, this.#nextProduct(clock)]];
  }

  #nextProduct({ step }: Clock): SymbolicTensor {
    return multiply(parameter(this.#product), this.#share(step));
  }

  /** The share of momentum in a step. */
  #share(step: SymbolicTensor): SymbolicTensor {
    return multiply(subtract(1, multiply(power(toFloat(NADAM_DECAY), step), 0.5)), this.config.beta1);
  }

  protected override rule(clock: Clock): (step: WeightStep) => StepResult {
    const { beta2, epsilon } = this.config;
    const { learningRate, step } = clock;
    const [share, nextShare] = [this.#share(step), this.#share(add(step, 1))];
    const product = this.#nextProduct(clock);
    const momentumScale = divide(nextShare, subtract(1, multiply(product, nextShare)));
    const gradientScale = divide(subtract(1, share), subtract(1, product));
    const correction = biasCorrection(beta2, step);
    return (current) => {
      const { momentum, velocity } = moments(current, this.config);
      const direction = add(multiply(momentum, momentumScale), multiply(current.gradient, gradientScale));
      const scale = add(sqrt(divide(velocity, correction)), epsilon);
      const descent = divide(multiply(direction, learningRate), scale);
      return { weight: subtract(current.weight, descent), slots: { momentum, velocity } };
    };
  }
}

/** Adam whose steps are as long, in proportion, as the weight: for large batches. */
export class Lamb extends StepOptimizer<MomentsConfig> {
  static readonly className = 'Lamb';
  static readonly fields: Fields<MomentsConfig> = momentsFields;

  constructor(options: Options<MomentsConfig> = {}) {
    super(Lamb.className, Lamb.fields, options);
  }

  protected override slotGroups(): readonly (readonly string[])[] {
    return [['momentum', 'velocity']];
  }

  protected override rule({ learningRate, step }: Clock): (step: WeightStep) => StepResult {
    const { beta1, beta2, epsilon } = this.config;
    const [momentumCorrection, velocityCorrection] = [biasCorrection(beta1, step), biasCorrection(beta2, step)];
    return (current) => {
      const { momentum, velocity } = moments(current, this.config);
      const scale = add(sqrt(divide(velocity, velocityCorrection)), epsilon);
      const update = divide(divide(momentum, momentumCorrection), scale);
      const [weightNorm, updateNorm] = [sqrt(sum(square(current.weight))), sqrt(sum(square(update)))];
      const isUsable = logicalAnd(greater(weightNorm, 0), greater(updateNorm, 0));
      const ratio = where(isUsable, divide(weightNorm, updateNorm), 1);
      const descent = multiply(multiply(ratio, learningRate), update);
      return { weight: subtract(current.weight, descent), slots: { momentum, velocity } };
    };
  }
}
