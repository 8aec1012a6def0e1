/** Learning rates that fall by a formula, with Keras' names and numbers. */
import type { SymbolicTensor } from '../../graph/node.ts';
import { anything, boolean, type Field, type Fields, number, type Options, string } from '../../layers/fields.ts';
import { equal, lessEqual, where } from '../../ops/compare.ts';
import { add, ceil, divide, floor, minimum, multiply, power, subtract } from '../../ops/elementwise.ts';
import { cast, toFloat } from '../../ops/operand.ts';
import { LearningRateSchedule } from './schedule.ts';

/** A number of steps, above 0. */
export const steps: Field<number> = anything<number>(
  'a number above 0',
  (value) => typeof value === 'number' && value > 0,
);

const numbers = anything<readonly number[]>(
  'a list of numbers',
  (value) => Array.isArray(value) && value.every((element) => typeof element === 'number'),
);

export interface ExponentialDecayConfig {
  initialLearningRate: number;
  decaySteps: number;
  decayRate: number;
  /** Whether the rate falls once every `decaySteps` instead of a little each step. */
  staircase: boolean;
  name: string;
}

function fractionOf(step: SymbolicTensor, { decaySteps, staircase }: ExponentialDecayConfig): SymbolicTensor {
  const fraction = divide(step, decaySteps);
  return staircase ? floor(fraction) : fraction;
}

/** initialLearningRate · decayRate^(step / decaySteps). */
export class ExponentialDecay extends LearningRateSchedule<ExponentialDecayConfig> {
  static readonly className = 'ExponentialDecay';
  static readonly fields: Fields<ExponentialDecayConfig> = {
    initialLearningRate: number(),
    decaySteps: steps,
    decayRate: number(),
    staircase: boolean(false),
    name: string('ExponentialDecay'),
  };

  constructor(options: Options<ExponentialDecayConfig, 'initialLearningRate' | 'decaySteps' | 'decayRate'>) {
    super(ExponentialDecay.className, ExponentialDecay.fields, options);
  }

  call(step: SymbolicTensor): SymbolicTensor {
    const { initialLearningRate, decayRate } = this.config;
    return multiply(power(toFloat(decayRate), fractionOf(step, this.config)), initialLearningRate);
  }
}

/** initialLearningRate / (1 + decayRate · step / decaySteps). */
export class InverseTimeDecay extends LearningRateSchedule<ExponentialDecayConfig> {
  static readonly className = 'InverseTimeDecay';
  static readonly fields: Fields<ExponentialDecayConfig> = {
    ...ExponentialDecay.fields,
    name: string('InverseTimeDecay'),
  };

  constructor(options: Options<ExponentialDecayConfig, 'initialLearningRate' | 'decaySteps' | 'decayRate'>) {
    super(InverseTimeDecay.className, InverseTimeDecay.fields, options);
  }

  call(step: SymbolicTensor): SymbolicTensor {
    const { initialLearningRate, decayRate } = this.config;
    return divide(initialLearningRate, add(multiply(fractionOf(step, this.config), decayRate), 1));
  }
}

export interface PiecewiseConstantDecayConfig {
  /** Steps up to and including which a value holds, ascending. */
  boundaries: readonly number[];
  /** One more than there are boundaries. */
  values: readonly number[];
  name: string;
}

/** One value up to each boundary, and one beyond the last. */
export class PiecewiseConstantDecay extends LearningRateSchedule<PiecewiseConstantDecayConfig> {
  static readonly className = 'PiecewiseConstantDecay';
  static readonly fields: Fields<PiecewiseConstantDecayConfig> = {
    boundaries: numbers,
    values: numbers,
    name: string('PiecewiseConstant'),
  };

  /** @throws {RangeError} when there is not one value more than there are boundaries. */
  constructor(options: {
    readonly boundaries: readonly number[];
    readonly values: readonly number[];
    readonly name?: string;
  }) {
    super(PiecewiseConstantDecay.className, PiecewiseConstantDecay.fields, options);
    const { boundaries, values } = this.config;
    if (values.length !== boundaries.length + 1) {
      throw new RangeError(
        `Cannot create PiecewiseConstantDecay: found ${values.length} values, ` +
          `expected ${boundaries.length + 1}, one more than boundaries`,
      );
    }
  }

  call(step: SymbolicTensor): SymbolicTensor {
    const { boundaries, values } = this.config;
    return boundaries.reduceRight<SymbolicTensor>(
      // A boundary is compared as a step, which is an integer.
      (later, boundary, index) =>
        where(lessEqual(step, cast(boundary, step.dtype)), toFloat(values[index] as number), later),
      toFloat(values.at(-1) as number),
    );
  }
}

export interface PolynomialDecayConfig {
  initialLearningRate: number;
  decaySteps: number;
  endLearningRate: number;
  power: number;
  /** Whether the rate starts over, each time over a longer stretch, instead of staying at its end. */
  cycle: boolean;
  name: string;
}

/** From one rate to another along a power of the share of steps that is left. */
export class PolynomialDecay extends LearningRateSchedule<PolynomialDecayConfig> {
  static readonly className = 'PolynomialDecay';
  static readonly fields: Fields<PolynomialDecayConfig> = {
    initialLearningRate: number(),
    decaySteps: steps,
    endLearningRate: number(1e-4),
    power: number(1),
    cycle: boolean(false),
    name: string('PolynomialDecay'),
  };

  constructor(options: Options<PolynomialDecayConfig, 'initialLearningRate' | 'decaySteps'>) {
    super(PolynomialDecay.className, PolynomialDecay.fields, options);
  }

  call(step: SymbolicTensor): SymbolicTensor {
    const { initialLearningRate, decaySteps, endLearningRate, power: exponent, cycle } = this.config;
    const done = toFloat(step);
    const fraction = cycle
      ? divide(done, multiply(where(equal(done, 0), 1, ceil(divide(done, decaySteps))), decaySteps))
      : divide(minimum(done, decaySteps), decaySteps);
    const left = power(subtract(1, fraction), exponent);
    const span = subtract(toFloat(initialLearningRate), toFloat(endLearningRate));
    return add(multiply(left, span), endLearningRate);
  }
}
