/** Learning rates that fall along half a period of the cosine. */
import type { SymbolicTensor } from '../../graph/node.ts';
import { type Fields, nullable, number, type Options, string } from '../../layers/fields.ts';
import { less, where } from '../../ops/compare.ts';
import { add, cos, divide, floor, log, minimum, multiply, power, subtract } from '../../ops/elementwise.ts';
import { toFloat } from '../../ops/operand.ts';
import { steps } from './decays.ts';
import { LearningRateSchedule } from './schedule.ts';

/** From 1 to 0 as the fraction goes from 0 to 1. */
function halfWave(fraction: SymbolicTensor): SymbolicTensor {
  return multiply(add(cos(multiply(fraction, Math.PI)), 1), 0.5);
}

export interface CosineDecayConfig {
  initialLearningRate: number;
  decaySteps: number;
  /** The last rate, as a share of that from which it falls. */
  alpha: number;
  name: string;
  /** The rate to which it rises before it falls; `null` for no rise. */
  warmupTarget: number | null;
  warmupSteps: number;
}

/** Rises along a line from `initialLearningRate` to `warmupTarget`, if there is one, then falls along a cosine. */
export class CosineDecay extends LearningRateSchedule<CosineDecayConfig> {
  static readonly className = 'CosineDecay';
  static readonly fields: Fields<CosineDecayConfig> = {
    initialLearningRate: number(),
    decaySteps: steps,
    alpha: number(0),
    name: string('CosineDecay'),
    warmupTarget: nullable(number()),
    warmupSteps: number(0),
  };

  constructor(options: Options<CosineDecayConfig, 'initialLearningRate' | 'decaySteps'>) {
    super(CosineDecay.className, CosineDecay.fields, options);
  }

  call(step: SymbolicTensor): SymbolicTensor {
    const { initialLearningRate, decaySteps, warmupTarget, warmupSteps } = this.config;
    const done = toFloat(step);
    if (warmupTarget === null) return this.#fall(minimum(done, decaySteps), initialLearningRate);
    const falling = this.#fall(subtract(minimum(done, decaySteps + warmupSteps), warmupSteps), warmupTarget);
    if (warmupSteps === 0) return falling;
    const span = subtract(toFloat(warmupTarget), toFloat(initialLearningRate));
    const rising = add(multiply(divide(done, warmupSteps), span), initialLearningRate);
    return where(less(done, warmupSteps), rising, falling);
  }

  #fall(done: SymbolicTensor, from: number): SymbolicTensor {
    const { decaySteps, alpha } = this.config;
    const wave = halfWave(divide(done, decaySteps));
    return multiply(add(multiply(wave, 1 - alpha), alpha), from);
  }
}

export interface CosineDecayRestartsConfig {
  initialLearningRate: number;
  firstDecaySteps: number;
  /** How many times longer each period is than the one before. */
  tMul: number;
  /** How many times greater each period's first rate is than that of the one before. */
  mMul: number;
  /** The last rate, as a share of the first. */
  alpha: number;
  name: string;
}

/** Falls along a cosine again and again: stochastic gradient descent with warm restarts. */
export class CosineDecayRestarts extends LearningRateSchedule<CosineDecayRestartsConfig> {
  static readonly className = 'CosineDecayRestarts';
  static readonly fields: Fields<CosineDecayRestartsConfig> = {
    initialLearningRate: number(),
    firstDecaySteps: steps,
    tMul: number(2),
    mMul: number(1),
    alpha: number(0),
    name: string('SGDRDecay'),
  };

  constructor(options: Options<CosineDecayRestartsConfig, 'initialLearningRate' | 'firstDecaySteps'>) {
    super(CosineDecayRestarts.className, CosineDecayRestarts.fields, options);
  }

  call(step: SymbolicTensor): SymbolicTensor {
    const { initialLearningRate, firstDecaySteps, tMul, mMul, alpha } = this.config;
    const [restarts, fraction] = periodOf(divide(step, firstDecaySteps), tMul);
    const wave = multiply(halfWave(fraction), power(toFloat(mMul), restarts));
    return multiply(add(multiply(wave, 1 - alpha), alpha), initialLearningRate);
  }
}

/** How many periods are over, and which share of the present one, after so many times the first period. */
function periodOf(periods: SymbolicTensor, growth: number): [SymbolicTensor, SymbolicTensor] {
  if (growth === 1) {
    const over = floor(periods);
    return [over, subtract(periods, over)];
  }
  // Periods of lengths 1, g, g², …: n of them end at (1 − gⁿ) / (1 − g).
  const base = toFloat(growth);
  const over = floor(divide(log(subtract(1, multiply(periods, 1 - growth))), log(base)));
  const start = divide(subtract(1, power(base, over)), 1 - growth);
  return [over, divide(subtract(periods, start), power(base, over))];
}
