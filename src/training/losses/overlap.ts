/** Losses for the overlap of regions, such as segmentations. */
import type { SymbolicTensor } from '../../graph/node.ts';
import { axes } from '../../layers/axes.ts';
import { type Fields, nullable, number, type Options } from '../../layers/fields.ts';
import { add, divide, multiply, subtract } from '../../ops/elementwise.ts';
import { type Axes, toFloat } from '../../ops/operand.ts';
import { sum } from '../../ops/reduce.ts';
import { EPSILON } from '../epsilon.ts';
import { FunctionalLoss, type LossConfig, lossFields } from './loss.ts';

/** 1 − 2 Σ yTrue · yPred / (Σ yTrue + Σ yPred), the sums over the axes, `null` for all. */
function dice(yTrue: SymbolicTensor, yPred: SymbolicTensor, axis: Axes = null): SymbolicTensor {
  const target = toFloat(yTrue);
  const overlap = multiply(sum(multiply(target, yPred), axis), 2);
  return subtract(1, divide(overlap, add(add(sum(target, axis), sum(yPred, axis)), EPSILON)));
}

/** 1 − overlap / (overlap + α · what is missed + β · what is wrongly found), the sums over the axes. */
function tversky(
  yTrue: SymbolicTensor,
  yPred: SymbolicTensor,
  alpha = 0.5,
  beta = 0.5,
  axis: Axes = null,
): SymbolicTensor {
  const target = toFloat(yTrue);
  const overlap = sum(multiply(target, yPred), axis);
  const missed = sum(multiply(subtract(1, yPred), target), axis);
  const wrong = sum(multiply(yPred, subtract(1, target)), axis);
  const total = add(add(overlap, multiply(missed, alpha)), multiply(wrong, beta));
  return subtract(1, divide(overlap, add(total, EPSILON)));
}

export interface DiceConfig extends LossConfig {
  /** The axes of a region; `null` joins the whole batch. */
  axis: number | readonly number[] | null;
}

/** 1 − Dice's coefficient of two regions. */
export class Dice extends FunctionalLoss<DiceConfig> {
  static readonly className = 'Dice';
  static readonly fields: Fields<DiceConfig> = { ...lossFields('dice'), axis: nullable(axes(-1)) };

  constructor(options: Options<DiceConfig> = {}) {
    super(Dice.className, Dice.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return dice(yTrue, yPred, this.config.axis);
  }
}

export interface TverskyConfig extends DiceConfig {
  /** How much counts what is missed. */
  alpha: number;
  /** How much counts what is wrongly found. */
  beta: number;
}

/** 1 − Tversky's index of two regions. */
export class Tversky extends FunctionalLoss<TverskyConfig> {
  static readonly className = 'Tversky';
  static readonly fields: Fields<TverskyConfig> = {
    ...lossFields('tversky'),
    alpha: number(0.5),
    beta: number(0.5),
    axis: nullable(axes(-1)),
  };

  constructor(options: Options<TverskyConfig> = {}) {
    super(Tversky.className, Tversky.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    const { alpha, beta, axis } = this.config;
    return tversky(yTrue, yPred, alpha, beta, axis);
  }
}
