/** How targets and predictions vary together. */
import type { SymbolicTensor } from '../../graph/node.ts';
import { axes } from '../../layers/axes.ts';
import type { Fields, Options } from '../../layers/fields.ts';
import { add, divide, multiply, square, subtract } from '../../ops/elementwise.ts';
import { type Axes, toFloat } from '../../ops/operand.ts';
import { mean, std, variance } from '../../ops/reduce.ts';
import { alignRanks } from '../align.ts';
import { EPSILON } from '../epsilon.ts';
import { MeanMetric } from './mean.ts';
import { type MetricConfig, metricFields } from './metric.ts';

/** Pearson's coefficient of correlation along axes, from −1 to 1. */
function pearsonCorrelation(yTrue: SymbolicTensor, yPred: SymbolicTensor, axis: Axes = -1): SymbolicTensor {
  const [target, prediction] = alignRanks(toFloat(yTrue), toFloat(yPred)).map((x) => {
    const centred = subtract(x, mean(x, axis, true));
    return divide(centred, std(centred, axis, true));
  }) as [SymbolicTensor, SymbolicTensor];
  return mean(multiply(target, prediction), axis);
}

/** Lin's coefficient of concordance along axes, as Keras computes it: 1 where predictions equal targets. */
function concordanceCorrelation(yTrue: SymbolicTensor, yPred: SymbolicTensor, axis: Axes = -1): SymbolicTensor {
  const [target, prediction] = alignRanks(toFloat(yTrue), toFloat(yPred));
  const [targetMean, predictionMean] = [mean(target, axis, true), mean(prediction, axis, true)];
  const spread = add(
    variance(subtract(target, targetMean), axis, true),
    variance(subtract(prediction, predictionMean), axis, true),
  );
  // Both factors are taken from the mean of the predictions; the mean of their products is the covariance all the same.
  const products = multiply(subtract(target, predictionMean), subtract(prediction, predictionMean));
  const scale = add(add(spread, square(subtract(targetMean, predictionMean))), EPSILON);
  return mean(divide(multiply(products, 2), scale), axis);
}

export interface CorrelationConfig extends MetricConfig {
  axis: number | readonly number[];
}

/** The mean of Pearson's coefficient of correlation. */
export class PearsonCorrelation extends MeanMetric<CorrelationConfig> {
  static readonly className = 'PearsonCorrelation';
  static readonly fields: Fields<CorrelationConfig> = { ...metricFields('pearson_correlation'), axis: axes(-1) };

  constructor(options: Options<CorrelationConfig> = {}) {
    super(PearsonCorrelation.className, PearsonCorrelation.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return pearsonCorrelation(yTrue, yPred, this.config.axis);
  }
}

/** The mean of Lin's coefficient of concordance. */
export class ConcordanceCorrelation extends MeanMetric<CorrelationConfig> {
  static readonly className = 'ConcordanceCorrelation';
  static readonly fields: Fields<CorrelationConfig> = { ...metricFields('concordance_correlation'), axis: axes(-1) };

  constructor(options: Options<CorrelationConfig> = {}) {
    super(ConcordanceCorrelation.className, ConcordanceCorrelation.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return concordanceCorrelation(yTrue, yPred, this.config.axis);
  }
}
