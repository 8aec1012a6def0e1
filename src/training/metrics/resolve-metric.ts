/** Which metric a name means. */
import type { Field } from '../../layers/fields.ts';
import { snakeCaseOf } from '../../layers/keras-object.ts';
import type { LossFunction } from '../losses/loss.ts';
import { createLoss, lossClassNameOf, type TargetShapes, targetKind } from '../losses/resolve-loss.ts';
import {
  Accuracy,
  BinaryAccuracy,
  CategoricalAccuracy,
  SparseCategoricalAccuracy,
  SparseTopKCategoricalAccuracy,
  TopKCategoricalAccuracy,
} from './accuracy.ts';
import { AUC } from './auc.ts';
import {
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
import { ConcordanceCorrelation, PearsonCorrelation } from './correlation.ts';
import { F1Score, FBetaScore } from './f-score.ts';
import { CategoricalHinge, Hinge, SquaredHinge } from './hinge.ts';
import { BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU } from './iou.ts';
import { Mean, MeanMetricWrapper, Sum } from './mean.ts';
import { Metric } from './metric.ts';
import {
  BinaryCrossentropy,
  CategoricalCrossentropy,
  KLDivergence,
  Poisson,
  SparseCategoricalCrossentropy,
} from './probabilistic.ts';
import { R2Score } from './r2-score.ts';
import {
  CosineSimilarity,
  LogCoshError,
  MeanAbsoluteError,
  MeanAbsolutePercentageError,
  MeanSquaredError,
  MeanSquaredLogarithmicError,
  RootMeanSquaredError,
} from './regression.ts';

interface MetricClass {
  readonly fields: Readonly<Record<string, Field<unknown>>>;
  new (options: never): Metric;
}

/** All metrics, by Keras' class name. */
const METRICS: Readonly<Record<string, MetricClass>> = {
  AUC,
  Accuracy,
  BinaryAccuracy,
  BinaryCrossentropy,
  BinaryIoU,
  CategoricalAccuracy,
  CategoricalCrossentropy,
  CategoricalHinge,
  ConcordanceCorrelation,
  CosineSimilarity,
  F1Score,
  FBetaScore,
  FalseNegatives,
  FalsePositives,
  Hinge,
  IoU,
  KLDivergence,
  LogCoshError,
  Mean,
  MeanAbsoluteError,
  MeanAbsolutePercentageError,
  MeanIoU,
  MeanSquaredError,
  MeanSquaredLogarithmicError,
  OneHotIoU,
  OneHotMeanIoU,
  PearsonCorrelation,
  Poisson,
  Precision,
  PrecisionAtRecall,
  R2Score,
  Recall,
  RecallAtPrecision,
  RootMeanSquaredError,
  SensitivityAtSpecificity,
  SparseCategoricalAccuracy,
  SparseCategoricalCrossentropy,
  SparseTopKCategoricalAccuracy,
  SpecificityAtSensitivity,
  SquaredHinge,
  Sum,
  TopKCategoricalAccuracy,
  TrueNegatives,
  TruePositives,
};

/** Class names of all metrics. */
export const metricNames: readonly string[] = Object.keys(METRICS);

const CLASS_OF: ReadonlyMap<string, string> = new Map(
  metricNames.flatMap((name) => [
    [plain(name), name],
    [plain(snakeCaseOf(name)), name],
  ]),
);

/** The options of a class of metrics. */
export function metricFieldsOf(className: string): Readonly<Record<string, Field<unknown>>> | undefined {
  return Object.hasOwn(METRICS, className) ? METRICS[className]?.fields : undefined;
}

/** A name without the marks that tell its spellings apart. */
function plain(name: string): string {
  return name.replaceAll('_', '').toLowerCase();
}

/** Short names, and what they mean with the kind of the targets before it. */
const BY_KIND: Readonly<Record<string, string>> = {
  acc: 'Accuracy',
  accuracy: 'Accuracy',
  ce: 'Crossentropy',
  crossentropy: 'Crossentropy',
};

/**
 * A metric by class name and configuration, or `undefined` when there is none of that name.
 *
 * @throws {TypeError} when an option is missing, unknown, or not what it may be.
 */
export function createMetric(className: string, config: Readonly<Record<string, unknown>> = {}): Metric | undefined {
  const metric = Object.hasOwn(METRICS, className) ? METRICS[className] : undefined;
  return metric && new metric(config as never);
}

/**
 * A metric from a name, a function written with `ops`, or a metric; `undefined` when there is none of that name.
 *
 * It is called as it was named. `accuracy` and `acc`, and `crossentropy` and `ce`, mean the binary, the sparse or the
 * categorical one, by the shapes of the output. Names of losses mean the means of their values.
 */
export function resolveMetric(value: Metric | LossFunction | string, shapes?: TargetShapes): Metric | undefined {
  if (value instanceof Metric) return value;
  if (typeof value === 'function') return new MeanMetricWrapper(value);
  if (typeof value !== 'string') return undefined;
  const short = value.toLowerCase();
  const suffix = shapes && Object.hasOwn(BY_KIND, short) ? BY_KIND[short] : undefined;
  const lossName = lossClassNameOf(value);
  const className = suffix && shapes ? `${targetKind(shapes)}${suffix}` : (CLASS_OF.get(plain(value)) ?? lossName);
  if (className === undefined) return undefined;
  const metric = createMetric(className, { name: value });
  if (metric !== undefined || lossName === undefined) return metric;
  const loss = createLoss(lossName);
  return loss && new MeanMetricWrapper((yTrue, yPred) => loss.call(yTrue, yPred), { name: value });
}
