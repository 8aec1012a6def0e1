import { sizeOf } from '../../array/shape.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { anything, type Fields, nullable, type Options, oneOf } from '../../layers/fields.ts';
import { greaterEqual, isinf, where } from '../../ops/compare.ts';
import { divide, multiply, square, subtract } from '../../ops/elementwise.ts';
import { broadcastTo, toFloat } from '../../ops/operand.ts';
import { mean, sum } from '../../ops/reduce.ts';
import { expandDims } from '../../ops/shape.ts';
import { alignRanks } from '../align.ts';
import type { Assignment } from '../optimizers/optimizer.ts';
import { checkMatrices } from './f-score.ts';
import { Metric, type MetricConfig, metricFields } from './metric.ts';

export interface R2ScoreConfig extends MetricConfig {
  /** How the scores of several outputs are joined; `null` keeps them. */
  classAggregation: 'uniform_average' | 'variance_weighted_average' | null;
  /** The number of inputs that the adjusted score takes into account; 0 for the plain score. */
  numRegressors: number;
}

/** The share of the targets' variance that predictions explain, for `[batch, outputs]`. */
export class R2Score extends Metric<R2ScoreConfig> {
  static readonly className = 'R2Score';
  static readonly fields: Fields<R2ScoreConfig> = {
    ...metricFields('r2_score'),
    classAggregation: nullable(oneOf(['uniform_average', 'variance_weighted_average']), 'uniform_average'),
    numRegressors: anything(
      'an integer of at least 0',
      (value) => Number.isSafeInteger(value) && (value as number) >= 0,
      0,
    ),
  };

  constructor(options: Options<R2ScoreConfig> = {}) {
    super(R2Score.className, R2Score.fields, options);
    this.addVariable('num_samples');
  }

  override update(yTrue: SymbolicTensor, yPred: SymbolicTensor, sampleWeight?: SymbolicTensor): readonly Assignment[] {
    const [target, prediction] = alignRanks(toFloat(yTrue), toFloat(yPred));
    checkMatrices(this.name, target.shape, prediction.shape);
    for (const name of ['squared_sum', 'sum', 'residual', 'count'])
      this.addVariable(name, [prediction.shape[1] as number]);
    const given = toFloat(sampleWeight ?? 1);
    const weights = broadcastTo(given.shape.length === 1 ? expandDims(given, 1) : given, target.shape);
    const weighted = multiply(target, weights);
    return [
      this.grow('num_samples', sizeOf(target.shape)),
      this.grow('squared_sum', sum(multiply(target, weighted), 0)),
      this.grow('sum', sum(weighted, 0)),
      this.grow('residual', sum(multiply(square(subtract(target, prediction)), weights), 0)),
      this.grow('count', sum(weights, 0)),
    ];
  }

  override result(): SymbolicTensor {
    const total = this.state('sum');
    const spread = subtract(this.state('squared_sum'), multiply(total, divide(total, this.state('count'))));
    const raw = subtract(1, divide(this.state('residual'), spread));
    const scores = where(isinf(raw), 0, raw);
    const { classAggregation, numRegressors } = this.config;
    const score =
      classAggregation === null
        ? scores
        : classAggregation === 'uniform_average'
          ? mean(scores)
          : divide(sum(multiply(spread, scores)), sum(spread));
    return numRegressors === 0 ? score : this.#adjust(score, numRegressors);
  }

  /** The score with every input taken off; the plain one where there are no more samples than inputs. */
  #adjust(score: SymbolicTensor, inputs: number): SymbolicTensor {
    const samples = this.state('num_samples');
    const left = subtract(samples, inputs + 1);
    const isTooFew = greaterEqual(inputs, subtract(samples, 1));
    const lost = divide(multiply(subtract(1, score), subtract(samples, 1)), where(isTooFew, 1, left));
    return where(isTooFew, score, subtract(1, lost));
  }
}
