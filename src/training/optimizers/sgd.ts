import { boolean, type Fields, number, type Options } from '../../layers/fields.ts';
import { add, multiply, subtract } from '../../ops/elementwise.ts';
import {
  type Clock,
  type OptimizerConfig,
  optimizerFields,
  StepOptimizer,
  type StepResult,
  type WeightStep,
} from './step-optimizer.ts';

export interface SGDConfig extends OptimizerConfig {
  momentum: number;
  /** Whether the gradient is followed from where the momentum leads. */
  nesterov: boolean;
}

/** Gradient descent, with momentum where wanted. */
export class SGD extends StepOptimizer<SGDConfig> {
  static readonly className = 'SGD';
  static readonly fields: Fields<SGDConfig> = {
    ...optimizerFields(0.01),
    momentum: number(0),
    nesterov: boolean(false),
  };

  constructor(options: Options<SGDConfig> = {}) {
    super(SGD.className, SGD.fields, options);
  }

  protected override slotGroups(): readonly (readonly string[])[] {
    return this.config.momentum === 0 ? [] : [['momentum']];
  }

  protected override rule({ learningRate }: Clock): (step: WeightStep) => StepResult {
    const { momentum: factor, nesterov } = this.config;
    return ({ weight, gradient, slots }) => {
      const descent = multiply(gradient, learningRate);
      if (slots.momentum === undefined) return { weight: subtract(weight, descent), slots: {} };
      const momentum = subtract(multiply(slots.momentum, factor), descent);
      const change = nesterov ? subtract(multiply(momentum, factor), descent) : momentum;
      return { weight: add(weight, change), slots: { momentum } };
    };
  }
}
