/** Losses for numbers. */
import type { SymbolicTensor } from '../../graph/node.ts';
import { type Fields, integer, number, type Options } from '../../layers/fields.ts';
import { FunctionalLoss, type LossConfig, type LossOptions, lossFields } from './loss.ts';
import {
  cosineSimilarity,
  huber,
  logCosh,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  meanSquaredError,
  meanSquaredLogarithmicError,
} from './regression-functions.ts';

/** mean((yTrue − yPred)²) over the last axis. */
export class MeanSquaredError extends FunctionalLoss {
  static readonly className = 'MeanSquaredError';
  static readonly fields: Fields<LossConfig> = lossFields('mean_squared_error');

  constructor(options: LossOptions = {}) {
    super(MeanSquaredError.className, MeanSquaredError.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return meanSquaredError(yTrue, yPred);
  }
}

/** mean(|yTrue − yPred|) over the last axis. */
export class MeanAbsoluteError extends FunctionalLoss {
  static readonly className = 'MeanAbsoluteError';
  static readonly fields: Fields<LossConfig> = lossFields('mean_absolute_error');

  constructor(options: LossOptions = {}) {
    super(MeanAbsoluteError.className, MeanAbsoluteError.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return meanAbsoluteError(yTrue, yPred);
  }
}

/** 100 · mean(|yTrue − yPred| / |yTrue|) over the last axis. */
export class MeanAbsolutePercentageError extends FunctionalLoss {
  static readonly className = 'MeanAbsolutePercentageError';
  static readonly fields: Fields<LossConfig> = lossFields('mean_absolute_percentage_error');

  constructor(options: LossOptions = {}) {
    super(MeanAbsolutePercentageError.className, MeanAbsolutePercentageError.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return meanAbsolutePercentageError(yTrue, yPred);
  }
}

/** mean((log(1 + yTrue) − log(1 + yPred))²) over the last axis. */
export class MeanSquaredLogarithmicError extends FunctionalLoss {
  static readonly className = 'MeanSquaredLogarithmicError';
  static readonly fields: Fields<LossConfig> = lossFields('mean_squared_logarithmic_error');

  constructor(options: LossOptions = {}) {
    super(MeanSquaredLogarithmicError.className, MeanSquaredLogarithmicError.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return meanSquaredLogarithmicError(yTrue, yPred);
  }
}

export interface CosineSimilarityConfig extends LossConfig {
  axis: number;
}

/** The negative cosine of the angle between targets and predictions: −1 where they point the same way. */
export class CosineSimilarity extends FunctionalLoss<CosineSimilarityConfig> {
  static readonly className = 'CosineSimilarity';
  static readonly fields: Fields<CosineSimilarityConfig> = { ...lossFields('cosine_similarity'), axis: integer(-1) };

  constructor(options: Options<CosineSimilarityConfig> = {}) {
    super(CosineSimilarity.className, CosineSimilarity.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return cosineSimilarity(yTrue, yPred, this.config.axis);
  }
}

export interface HuberConfig extends LossConfig {
  delta: number;
}

/** Quadratic for errors up to `delta`, linear beyond. */
export class Huber extends FunctionalLoss<HuberConfig> {
  static readonly className = 'Huber';
  static readonly fields: Fields<HuberConfig> = { ...lossFields('huber_loss'), delta: number(1) };

  constructor(options: Options<HuberConfig> = {}) {
    super(Huber.className, Huber.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return huber(yTrue, yPred, this.config.delta);
  }
}

/** mean(log(cosh(yPred − yTrue))) over the last axis. */
export class LogCosh extends FunctionalLoss {
  static readonly className = 'LogCosh';
  static readonly fields: Fields<LossConfig> = lossFields('log_cosh');

  constructor(options: LossOptions = {}) {
    super(LogCosh.className, LogCosh.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return logCosh(yTrue, yPred);
  }
}
