import type { SymbolicTensor } from '../../graph/node.ts';
import type { Variable } from '../../graph/variable.ts';
import { type Fields, number, type Options } from '../../layers/fields.ts';
import { add, divide, minimum, multiply, sqrt, square, subtract } from '../../ops/elementwise.ts';
import { approach, biasCorrection, type MomentsConfig } from './adam.ts';
import { copyOf } from './optimizer.ts';
import {
  type Clock,
  constantSlot,
  optimizerFields,
  type SlotSpec,
  StepOptimizer,
  type StepResult,
  type WeightStep,
} from './step-optimizer.ts';

export interface ScheduleFreeAdamWConfig extends MomentsConfig {
  /** Over how many steps the learning rate rises from 0. */
  warmupSteps: number;
}

/** Adam that averages its weights instead of lowering its learning rate. `momentum` holds the weights without averaging. */
export class ScheduleFreeAdamW extends StepOptimizer<ScheduleFreeAdamWConfig> {
  static readonly className = 'ScheduleFreeAdamW';
  static readonly fields: Fields<ScheduleFreeAdamWConfig> = {
    ...optimizerFields(0.0025),
    beta1: number(0.9),
    beta2: number(0.999),
    epsilon: number(1e-8),
    warmupSteps: number(0),
  };

  constructor(options: Options<ScheduleFreeAdamWConfig> = {}) {
    super(ScheduleFreeAdamW.className, ScheduleFreeAdamW.fields, options);
  }

  protected override slotGroups(): readonly (readonly string[])[] {
    return [['momentum', 'velocity']];
  }

  protected override slotSpec(name: string, variable: Variable): SlotSpec {
    const zeros = constantSlot(variable.shape, 0);
    return name === 'momentum' ? { ...zeros, initialize: copyOf(variable) } : zeros;
  }

  protected override rule({ learningRate, step }: Clock): (step: WeightStep) => StepResult {
    const { beta1, beta2, epsilon, warmupSteps } = this.config;
    const rate = warmupSteps > 0 ? multiply(learningRate, minimum(divide(step, warmupSteps), 1)) : learningRate;
    const correction = biasCorrection(beta2, step);
    const share = divide(1, step);
    return ({ weight, gradient, slots }) => {
      const before = slots.momentum as SymbolicTensor;
      const velocity = approach(slots.velocity as SymbolicTensor, square(gradient), beta2);
      const scale = add(sqrt(divide(velocity, correction)), epsilon);
      const momentum = subtract(before, divide(multiply(gradient, rate), scale));
      // The weight lies between the average and the weights without averaging, at β₁.
      const average = divide(subtract(weight, multiply(before, 1 - beta1)), beta1);
      const moved = add(multiply(average, subtract(1, share)), multiply(momentum, share));
      const next = add(multiply(momentum, 1 - beta1), multiply(moved, beta1));
      return { weight: next, slots: { momentum, velocity } };
    };
  }
}
