/** Keras' metrics. */
export {
  Accuracy,
  BinaryAccuracy,
  CategoricalAccuracy,
  SparseCategoricalAccuracy,
  SparseTopKCategoricalAccuracy,
  TopKCategoricalAccuracy,
} from './accuracy.ts';
export { AUC } from './auc.ts';
export {
  FalseNegatives,
  FalsePositives,
  Precision,
  PrecisionAtRecall,
  Recall,
  RecallAtPrecision,
  SensitivityAtSpecificity,
  SpecificityAtSensitivity,
  TrueNegatives,
  TruePositives,
} from './confusion.ts';
export { ConcordanceCorrelation, PearsonCorrelation } from './correlation.ts';
export { F1Score, FBetaScore } from './f-score.ts';
export { CategoricalHinge, Hinge, SquaredHinge } from './hinge.ts';
export { BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU } from './iou.ts';
export { Mean, MeanMetricWrapper, Sum } from './mean.ts';
export { Metric } from './metric.ts';
export {
  BinaryCrossentropy,
  CategoricalCrossentropy,
  KLDivergence,
  Poisson,
  SparseCategoricalCrossentropy,
} from './probabilistic.ts';
export { R2Score } from './r2-score.ts';
export {
  CosineSimilarity,
  LogCoshError,
  MeanAbsoluteError,
  MeanAbsolutePercentageError,
  MeanSquaredError,
  MeanSquaredLogarithmicError,
  RootMeanSquaredError,
} from './regression.ts';
