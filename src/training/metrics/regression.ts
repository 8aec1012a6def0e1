/** Means of the distances of numbers, the same functions as the losses. */
import type { SymbolicTensor } from '../../graph/node.ts';
import { type Fields, integer, type Options } from '../../layers/fields.ts';
import { sqrt, square, subtract } from '../../ops/elementwise.ts';
import { toFloat } from '../../ops/operand.ts';
import { alignRanks } from '../align.ts';
import {
  cosineOfAngle,
  logCosh,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  meanSquaredError,
  meanSquaredLogarithmicError,
} from '../losses/regression-functions.ts';
import { MeanMetric } from './mean.ts';
import { type MetricConfig, type MetricOptions, metricFields } from './metric.ts';

/** The mean of squared errors. */
export class MeanSquaredError extends MeanMetric {
  static readonly className = 'MeanSquaredError';
  static readonly fields: Fields<MetricConfig> = metricFields('mean_squared_error');

  constructor(options: MetricOptions = {}) {
    super(MeanSquaredError.className, MeanSquaredError.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return meanSquaredError(yTrue, yPred);
  }
}

/** The mean of the magnitudes of errors. */
export class MeanAbsoluteError extends MeanMetric {
  static readonly className = 'MeanAbsoluteError';
  static readonly fields: Fields<MetricConfig> = metricFields('mean_absolute_error');

  constructor(options: MetricOptions = {}) {
    super(MeanAbsoluteError.className, MeanAbsoluteError.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return meanAbsoluteError(yTrue, yPred);
  }
}

/** The mean of errors relative to targets, in percent. */
export class MeanAbsolutePercentageError extends MeanMetric {
  static readonly className = 'MeanAbsolutePercentageError';
  static readonly fields: Fields<MetricConfig> = metricFields('mean_absolute_percentage_error');

  constructor(options: MetricOptions = {}) {
    super(MeanAbsolutePercentageError.className, MeanAbsolutePercentageError.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return meanAbsolutePercentageError(yTrue, yPred);
  }
}

/** The mean of squared differences of the logarithms of 1 + x. */
export class MeanSquaredLogarithmicError extends MeanMetric {
  static readonly className = 'MeanSquaredLogarithmicError';
  static readonly fields: Fields<MetricConfig> = metricFields('mean_squared_logarithmic_error');

  constructor(options: MetricOptions = {}) {
    super(MeanSquaredLogarithmicError.className, MeanSquaredLogarithmicError.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return meanSquaredLogarithmicError(yTrue, yPred);
  }
}

/** The mean of log(cosh(error)). */
export class LogCoshError extends MeanMetric {
  static readonly className = 'LogCoshError';
  static readonly fields: Fields<MetricConfig> = metricFields('logcosh');

  constructor(options: MetricOptions = {}) {
    super(LogCoshError.className, LogCoshError.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return logCosh(yTrue, yPred);
  }
}

/** The root of the mean of squared errors. */
export class RootMeanSquaredError extends MeanMetric {
  static readonly className = 'RootMeanSquaredError';
  static readonly fields: Fields<MetricConfig> = metricFields('root_mean_squared_error');

  constructor(options: MetricOptions = {}) {
    super(RootMeanSquaredError.className, RootMeanSquaredError.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return square(subtract(...alignRanks(toFloat(yTrue), toFloat(yPred))));
  }

  override result(): SymbolicTensor {
    return sqrt(super.result());
  }
}

export interface CosineSimilarityConfig extends MetricConfig {
  axis: number;
}

/** The mean cosine of the angle between targets and predictions: 1 where they point the same way. */
export class CosineSimilarity extends MeanMetric<CosineSimilarityConfig> {
  static readonly className = 'CosineSimilarity';
  static readonly fields: Fields<CosineSimilarityConfig> = { ...metricFields('cosine_similarity'), axis: integer(-1) };

  constructor(options: Options<CosineSimilarityConfig> = {}) {
    super(CosineSimilarity.className, CosineSimilarity.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return cosineOfAngle(yTrue, yPred, this.config.axis);
  }
}
