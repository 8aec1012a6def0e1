import type { SymbolicTensor } from '../../graph/node.ts';
import type { Variable } from '../../graph/variable.ts';
import { anything, type Field, type Fields, number, type Options } from '../../layers/fields.ts';
import { add, clip, divide, multiply, power, square, subtract } from '../../ops/elementwise.ts';
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

export interface FtrlConfig extends OptimizerConfig {
  /** The power, 0 or less, by which sums of squares lower the learning rate. */
  learningRatePower: number;
  initialAccumulatorValue: number;
  l1RegularizationStrength: number;
  l2RegularizationStrength: number;
  /** Like the strength of L2, but on the gradient alone. */
  l2ShrinkageRegularizationStrength: number;
  beta: number;
}

function atLeastZero(fallback: number): Field<number> {
  return anything('a number of at least 0', (value) => typeof value === 'number' && value >= 0, fallback);
}

/** Follow the regularised leader: weights of little use become exactly 0. */
export class Ftrl extends StepOptimizer<FtrlConfig> {
  static readonly className = 'Ftrl';
  static readonly fields: Fields<FtrlConfig> = {
    ...optimizerFields(0.001),
    learningRatePower: anything('a number of at most 0', (value) => typeof value === 'number' && value <= 0, -0.5),
    initialAccumulatorValue: atLeastZero(0.1),
    l1RegularizationStrength: atLeastZero(0),
    l2RegularizationStrength: atLeastZero(0),
    l2ShrinkageRegularizationStrength: atLeastZero(0),
    beta: number(0),
  };

  constructor(options: Options<FtrlConfig> = {}) {
    super(Ftrl.className, Ftrl.fields, options);
  }

  protected override slotGroups(): readonly (readonly string[])[] {
    return [['accumulator', 'linear']];
  }

  protected override slotSpec(name: string, variable: Variable): SlotSpec {
    return constantSlot(variable.shape, name === 'accumulator' ? this.config.initialAccumulatorValue : 0);
  }

  protected override rule({ learningRate }: Clock): (step: WeightStep) => StepResult {
    const { learningRatePower, l1RegularizationStrength: l1, l2RegularizationStrength: l2, beta } = this.config;
    const shrinkage = this.config.l2ShrinkageRegularizationStrength;
    const ridge = multiply(add(divide(beta, multiply(learningRate, 2)), l2), 2);
    const raise = (x: SymbolicTensor): SymbolicTensor => power(x, -learningRatePower);
    return ({ weight, gradient, slots }) => {
      const before = slots.accumulator as SymbolicTensor;
      const accumulator = add(before, square(gradient));
      const shrunk = add(gradient, multiply(weight, 2 * shrinkage));
      const change = divide(subtract(raise(accumulator), raise(before)), learningRate);
      const linear = add(slots.linear as SymbolicTensor, subtract(shrunk, multiply(change, weight)));
      const quadratic = add(divide(raise(accumulator), learningRate), ridge);
      const solution = divide(subtract(clip(linear, -l1, l1), linear), quadratic);
      return { weight: solution, slots: { accumulator, linear } };
    };
  }
}
