/**
 * Losses, as functions over symbolic tensors. A loss has
 *
 * - `className` and `config`, Keras' own in camelCase;
 * - `call(yTrue, yPred)`: the values, one for each sample (and step, pixel, …), as Keras' `call` gives them;
 * - `outputMask(…)`: which of the values count, for losses that leave some out;
 * - `reduce(values, sampleWeight, mask)`: one number of the values, by `config.reduction`;
 * - `compute(yTrue, yPred, { sampleWeight, mask })`: all of it, as Keras' `loss(yTrue, yPred, sample_weight)`.
 */
import type { SymbolicTensor } from '../../graph/node.ts';
import { type Fields, nullable, type Options, oneOf, resolveConfig, string } from '../../layers/fields.ts';
import { logicalAnd } from '../../ops/compare.ts';
import { toFloat } from '../../ops/operand.ts';
import { alignRanks } from '../align.ts';
import { type Reduction, reduceValues } from './reduction.ts';

/** The options that every loss has. */
export interface LossConfig {
  name: string;
  reduction: Reduction;
  /** Keras' dtype; whatever it says, programs compute in float32. */
  dtype: string | null;
}

export type LossOptions = Options<LossConfig>;

const REDUCTIONS = ['sum_over_batch_size', 'sum', 'mean', 'mean_with_sample_weight', 'none'] as const;

/** Fields of `LossConfig`, to be spread into those of each loss. */
export function lossFields(name: string): Fields<LossConfig> {
  const reduction = oneOf(REDUCTIONS, 'sum_over_batch_size');
  return {
    name: string(name),
    // Keras takes None for "none".
    reduction: { ...reduction, parse: (value) => (value === null ? 'none' : reduction.parse(value)) },
    dtype: nullable(string()),
  };
}

/** What a loss is computed with, besides targets and predictions. */
export interface LossWeights {
  readonly sampleWeight?: SymbolicTensor | undefined;
  /** The mask that came with the predictions. */
  readonly mask?: SymbolicTensor | undefined;
}

/**
 * How far predictions are from targets.
 *
 * A loss of one's own extends this class and writes `call` with `ops`.
 */
export abstract class Loss<C extends LossConfig = LossConfig> {
  readonly role = 'loss';
  readonly className: string;
  readonly config: C;

  constructor(className: string, fields: Fields<C>, options: Readonly<Record<string, unknown>>) {
    this.className = className;
    this.config = resolveConfig(className, fields, options);
  }

  get name(): string {
    return this.config.name;
  }

  /** The values, one for each sample. */
  abstract call(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor;

  /** Which of the values count; `undefined` for all. */
  outputMask(_yTrue: SymbolicTensor, _yPred: SymbolicTensor, _values: SymbolicTensor): SymbolicTensor | undefined {
    return undefined;
  }

  /** One number of the values, or the values themselves when the reduction is `none`. */
  reduce(values: SymbolicTensor, sampleWeight?: SymbolicTensor, mask?: SymbolicTensor): SymbolicTensor {
    return reduceValues(values, this.config.reduction, sampleWeight, mask);
  }

  /** The loss of a batch. */
  compute(yTrue: SymbolicTensor, yPred: SymbolicTensor, weights: LossWeights = {}): SymbolicTensor {
    const [target, prediction] = [toFloat(yTrue), toFloat(yPred)];
    const values = this.call(target, prediction);
    const own = this.outputMask(target, prediction, values);
    const mask = weights.mask && own ? logicalAnd(weights.mask, own) : (weights.mask ?? own);
    return this.reduce(values, weights.sampleWeight, mask);
  }
}

/** A loss that is a function of targets and predictions of one rank. */
export abstract class FunctionalLoss<C extends LossConfig = LossConfig> extends Loss<C> {
  protected abstract evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor;

  call(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return this.evaluate(...alignRanks(yTrue, yPred));
  }
}

/** Values of a loss or a metric, one for each sample, written with `ops`. */
export type LossFunction = (yTrue: SymbolicTensor, yPred: SymbolicTensor) => SymbolicTensor;

/** A function as a loss. */
export class LossFunctionWrapper extends FunctionalLoss {
  static readonly className = 'LossFunctionWrapper';
  readonly fn: LossFunction;

  constructor(fn: LossFunction, options: LossOptions = {}) {
    super(LossFunctionWrapper.className, lossFields(fn.name || 'loss'), options);
    this.fn = fn;
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return this.fn(yTrue, yPred);
  }
}
