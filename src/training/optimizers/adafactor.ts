import { tensor } from '../../array/tensor.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import type { Variable } from '../../graph/variable.ts';
import { boolean, type Fields, number, type Options } from '../../layers/fields.ts';
import { add, divide, maximum, minimum, multiply, power, sqrt, square, subtract } from '../../ops/elementwise.ts';
import { mean } from '../../ops/reduce.ts';
import { expandDims } from '../../ops/shape.ts';
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

export interface AdafactorConfig extends OptimizerConfig {
  /** The power of the step number by which means of squares forget. */
  beta2Decay: number;
  /** Added to squares of gradients. */
  epsilon1: number;
  /** The least size of a weight, to which its steps are relative. */
  epsilon2: number;
  /** The greatest root mean square of a step. */
  clipThreshold: number;
  /** Whether the learning rate is at most one over the root of the step number. */
  relativeStep: boolean;
}

function rootMeanSquare(x: SymbolicTensor): SymbolicTensor {
  return sqrt(mean(square(x)));
}

/** Adam without momentum, that keeps only row and column means of the squares of matrices' gradients. */
export class Adafactor extends StepOptimizer<AdafactorConfig> {
  static readonly className = 'Adafactor';
  static readonly fields: Fields<AdafactorConfig> = {
    ...optimizerFields(0.001),
    beta2Decay: number(-0.8),
    epsilon1: number(1e-30),
    epsilon2: number(1e-3),
    clipThreshold: number(1),
    relativeStep: boolean(true),
  };

  constructor(options: Options<AdafactorConfig> = {}) {
    super(Adafactor.className, Adafactor.fields, options);
  }

  protected override slotGroups(): readonly (readonly string[])[] {
    return [['row', 'column', 'velocity']];
  }

  protected override slotSpec(name: string, variable: Variable): SlotSpec {
    const { shape } = variable;
    if (name === 'velocity') return constantSlot(variable.shape, 0);
    // Keras keeps two numbers for what has neither rows nor columns, which stay 0.
    if (shape.length < 2) return { shape: [], dtype: 'int32', initialize: () => tensor(0, [], 'int32') };
    const kept = name === 'row' ? shape.slice(0, -1) : [...shape.slice(0, -2), shape.at(-1) as number];
    return constantSlot(kept, 0);
  }

  protected override rule({ learningRate, step }: Clock): (step: WeightStep) => StepResult {
    const { beta2Decay, epsilon1, epsilon2, clipThreshold, relativeStep } = this.config;
    const relative = divide(1, sqrt(step));
    // Either way the rate is limited; Keras spares it the first limit where it follows a schedule.
    const rate = relativeStep && this.schedule === null ? minimum(learningRate, relative) : learningRate;
    const limited = minimum(rate, relative);
    const kept = subtract(1, power(step, beta2Decay));
    const move = (average: SymbolicTensor | undefined, value: SymbolicTensor): SymbolicTensor =>
      add(multiply(kept, average as SymbolicTensor), multiply(subtract(1, kept), value));
    return ({ weight, gradient, slots }) => {
      const squares = add(square(gradient), epsilon1);
      const changed: Record<string, SymbolicTensor> = {};
      if (weight.shape.length >= 2) {
        const row = move(slots.row, mean(squares, -1));
        const column = move(slots.column, mean(squares, -2));
        const share = divide(row, mean(row, -1, true));
        Object.assign(changed, { row, column });
        changed.velocity = multiply(expandDims(share, -1), expandDims(column, -2));
      } else {
        changed.velocity = move(slots.velocity, squares);
      }
      const update = divide(gradient, sqrt(changed.velocity));
      const clipped = divide(update, maximum(divide(rootMeanSquare(update), clipThreshold), 1));
      const size = multiply(maximum(rootMeanSquare(weight), epsilon2), limited);
      return { weight: subtract(weight, multiply(size, clipped)), slots: changed };
    };
  }
}
