import type { SymbolicTensor } from '../../graph/node.ts';
import { anything, type Fields, number, type Options } from '../../layers/fields.ts';
import { add, multiply, sign, subtract } from '../../ops/elementwise.ts';
import {
  type Clock,
  type OptimizerConfig,
  optimizerFields,
  StepOptimizer,
  type StepResult,
  type WeightStep,
} from './step-optimizer.ts';

export interface LionConfig extends OptimizerConfig {
  /** The share of momentum in a step. */
  beta1: number;
  /** The share that momentum keeps each step. */
  beta2: number;
}

/** Steps of the sign of momentum and gradient: each element moves by the learning rate. */
export class Lion extends StepOptimizer<LionConfig> {
  static readonly className = 'Lion';
  static readonly fields: Fields<LionConfig> = {
    ...optimizerFields(0.001),
    beta1: anything('a number above 0, up to 1', (x) => typeof x === 'number' && x > 0 && x <= 1, 0.9),
    beta2: number(0.99),
  };

  constructor(options: Options<LionConfig> = {}) {
    super(Lion.className, Lion.fields, options);
  }

  protected override slotGroups(): readonly (readonly string[])[] {
    return [['momentum']];
  }

  protected override rule({ learningRate }: Clock): (step: WeightStep) => StepResult {
    const { beta1, beta2 } = this.config;
    return ({ weight, gradient, slots }) => {
      const mix = (share: number): SymbolicTensor =>
        add(multiply(slots.momentum as SymbolicTensor, share), multiply(gradient, 1 - share));
      const descent = multiply(sign(mix(beta1)), learningRate);
      return { weight: subtract(weight, descent), slots: { momentum: mix(beta2) } };
    };
  }
}
