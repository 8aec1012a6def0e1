import { formatShape, type Shape } from '../../array/shape.ts';
import { ShapeError } from '../../errors.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { anything, type Fields, nullable, type Options, oneOf } from '../../layers/fields.ts';
import { greater, greaterEqual, logicalAnd } from '../../ops/compare.ts';
import { abs, add, divide, multiply, subtract } from '../../ops/elementwise.ts';
import { toFloat } from '../../ops/operand.ts';
import { max, mean, sum } from '../../ops/reduce.ts';
import { expandDims } from '../../ops/shape.ts';
import { EPSILON } from '../epsilon.ts';
import type { Assignment } from '../optimizers/optimizer.ts';
import { Metric, type MetricConfig, metricFields } from './metric.ts';

export interface F1ScoreConfig extends MetricConfig {
  /**
   * `micro` counts all classes together, `macro` takes the mean of their scores, `weighted` that by how often they
   * occur; `null` gives one score for each class.
   */
  average: 'micro' | 'macro' | 'weighted' | null;
  /** Predictions above it are positives; `null` for the greatest of each row. */
  threshold: number | null;
}

export interface FBetaScoreConfig extends F1ScoreConfig {
  /** How many times more recall counts than precision. */
  beta: number;
}

const f1Fields: Fields<F1ScoreConfig> = {
  ...metricFields('f1_score'),
  average: nullable(oneOf(['micro', 'macro', 'weighted'])),
  threshold: nullable(
    anything<number>('a number above 0, up to 1', (value) => typeof value === 'number' && value > 0 && value <= 1),
  ),
};

/** Smaller predictions are 0. */
const LEAST_PREDICTION = 1e-9;

/** A mean of precision and recall, for `[batch, classes]`. */
abstract class FScore<C extends F1ScoreConfig> extends Metric<C> {
  protected abstract get beta(): number;

  override update(yTrue: SymbolicTensor, yPred: SymbolicTensor, sampleWeight?: SymbolicTensor): readonly Assignment[] {
    checkMatrices(this.name, yTrue.shape, yPred.shape);
    const { average, threshold } = this.config;
    const shape = average === 'micro' ? [] : [yPred.shape[1] as number];
    const names = ['true_positives', 'false_positives', 'false_negatives', 'intermediate_weights'];
    for (const name of names) this.addVariable(name, shape);
    const target = toFloat(yTrue);
    const found = toFloat(threshold === null ? isGreatest(toFloat(yPred)) : greater(toFloat(yPred), threshold));
    const total = (values: SymbolicTensor): SymbolicTensor => {
      const weighted = sampleWeight ? multiply(values, expandDims(toFloat(sampleWeight), 1)) : values;
      return sum(weighted, average === 'micro' ? null : 0);
    };
    return [
      this.grow('true_positives', total(multiply(found, target))),
      this.grow('false_positives', total(multiply(found, subtract(1, target)))),
      this.grow('false_negatives', total(multiply(subtract(1, found), target))),
      this.grow('intermediate_weights', total(target)),
    ];
  }

  override result(): SymbolicTensor {
    const found = this.state('true_positives');
    const shareIn = (other: string): SymbolicTensor => divide(found, add(add(found, this.state(other)), EPSILON));
    const [precision, recall] = [shareIn('false_positives'), shareIn('false_negatives')];
    const squared = this.beta ** 2;
    const scale = add(add(multiply(precision, squared), recall), EPSILON);
    const score = multiply(divide(multiply(precision, recall), scale), 1 + squared);
    const { average } = this.config;
    if (average === null) return score;
    if (average !== 'weighted') return mean(score);
    const weights = this.state('intermediate_weights');
    return sum(multiply(score, divide(weights, add(sum(weights), EPSILON))));
  }
}

function isGreatest(x: SymbolicTensor): SymbolicTensor {
  return logicalAnd(greaterEqual(x, max(x, -1, true)), greater(abs(x), LEAST_PREDICTION));
}

/** @throws {ShapeError} when one of them is no matrix. */
export function checkMatrices(name: string, yTrue: Shape, yPred: Shape): void {
  if (yTrue.length === 2 && yPred.length === 2) return;
  throw new ShapeError(
    `Cannot compute metric "${name}": found targets ${formatShape(yTrue)} and predictions ${formatShape(yPred)}, ` +
      'expected [batch, classes]',
  );
}

/** A mean of precision and recall in which recall counts `beta` times as much. */
export class FBetaScore extends FScore<FBetaScoreConfig> {
  static readonly className = 'FBetaScore';
  static readonly fields: Fields<FBetaScoreConfig> = {
    ...f1Fields,
    ...metricFields('fbeta_score'),
    beta: anything('a number above 0', (value) => typeof value === 'number' && value > 0, 1),
  };

  constructor(options: Options<FBetaScoreConfig> = {}) {
    super(FBetaScore.className, FBetaScore.fields, options);
  }

  protected override get beta(): number {
    return this.config.beta;
  }
}

/** The harmonic mean of precision and recall. */
export class F1Score extends FScore<F1ScoreConfig> {
  static readonly className = 'F1Score';
  static readonly fields: Fields<F1ScoreConfig> = f1Fields;

  constructor(options: Options<F1ScoreConfig> = {}) {
    super(F1Score.className, F1Score.fields, options);
  }

  protected override get beta(): number {
    return 1;
  }
}
