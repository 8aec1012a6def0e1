/** How often predictions are right. */
import { sizeOf } from '../../array/shape.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { boolean, type Fields, number, type Options, positiveInteger } from '../../layers/fields.ts';
import { equal, greater } from '../../ops/compare.ts';
import { cast, toFloat } from '../../ops/operand.ts';
import { any, argmax } from '../../ops/reduce.ts';
import { between, expandDims, ravel, reshape, squeeze } from '../../ops/shape.ts';
import { inTopK } from '../../ops/sorting.ts';
import { alignRanks } from '../align.ts';
import { MeanMetric } from './mean.ts';
import { type MetricConfig, type MetricOptions, metricFields } from './metric.ts';

/** 1 where predictions equal targets, 0 elsewhere. */
function accuracy(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
  return toFloat(equal(...alignRanks(yTrue, yPred)));
}

/** 1 where predictions are above the threshold just when targets are 1. */
function binaryAccuracy(yTrue: SymbolicTensor, yPred: SymbolicTensor, threshold = 0.5): SymbolicTensor {
  const [target, prediction] = alignRanks(toFloat(yTrue), toFloat(yPred));
  return toFloat(equal(target, toFloat(greater(prediction, threshold))));
}

/** 1 where the greatest prediction is at the class. */
function isGreatest(classes: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
  return toFloat(equal(toFloat(classes), toFloat(argmax(yPred, -1))));
}

/** 1 where the greatest prediction is where the greatest target is. */
function categoricalAccuracy(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
  const classes = argmax(yTrue, -1);
  if (classes.shape.length !== yPred.shape.length) return isGreatest(classes, yPred);
  return reshape(isGreatest(squeeze(classes, -1), yPred), classes.shape);
}

/** 1 where the greatest prediction is at the class number. */
function sparseCategoricalAccuracy(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
  const hasExtraAxis = yTrue.shape.length === yPred.shape.length && yTrue.shape.at(-1) === 1;
  const matches = isGreatest(hasExtraAxis ? squeeze(yTrue, -1) : yTrue, yPred);
  const { shape } = matches;
  return !hasExtraAxis && shape.length > 1 && shape.at(-1) === 1 ? squeeze(matches, -1) : matches;
}

/** 1 where the greatest target is among the `k` greatest predictions. */
function topKCategoricalAccuracy(yTrue: SymbolicTensor, yPred: SymbolicTensor, k = 5): SymbolicTensor {
  return sparseTopKCategoricalAccuracy(argmax(yTrue, -1), yPred, k);
}

/** 1 where the class number is among those of the `k` greatest predictions, or among the first `k` of sorted ones. */
function sparseTopKCategoricalAccuracy(
  yTrue: SymbolicTensor,
  yPred: SymbolicTensor,
  k = 5,
  fromSortedIds = false,
): SymbolicTensor {
  const classes = ravel(yTrue);
  const last = yPred.shape.at(-1) as number;
  const rows = yPred.shape.length > 2 ? reshape(yPred, [sizeOf(yPred.shape.slice(0, -1)), last]) : yPred;
  const matches = fromSortedIds
    ? any(equal(expandDims(toFloat(classes), 1), toFloat(between(rows, 1, 0, k))), 1)
    : inTopK(cast(classes, 'int32'), rows, k);
  return reshape(toFloat(matches), yTrue.shape);
}

/** How often predictions equal targets. */
export class Accuracy extends MeanMetric {
  static readonly className = 'Accuracy';
  static readonly fields: Fields<MetricConfig> = metricFields('accuracy');

  constructor(options: MetricOptions = {}) {
    super(Accuracy.className, Accuracy.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return accuracy(yTrue, yPred);
  }
}

export interface BinaryAccuracyConfig extends MetricConfig {
  /** Predictions above it mean 1. */
  threshold: number;
}

/** How often predictions above a threshold mean targets of 1, and others targets of 0. */
export class BinaryAccuracy extends MeanMetric<BinaryAccuracyConfig> {
  static readonly className = 'BinaryAccuracy';
  static readonly fields: Fields<BinaryAccuracyConfig> = { ...metricFields('binary_accuracy'), threshold: number(0.5) };

  constructor(options: Options<BinaryAccuracyConfig> = {}) {
    super(BinaryAccuracy.className, BinaryAccuracy.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return binaryAccuracy(yTrue, yPred, this.config.threshold);
  }
}

/** How often the greatest prediction is where a one-hot target has its 1. */
export class CategoricalAccuracy extends MeanMetric {
  static readonly className = 'CategoricalAccuracy';
  static readonly fields: Fields<MetricConfig> = metricFields('categorical_accuracy');

  constructor(options: MetricOptions = {}) {
    super(CategoricalAccuracy.className, CategoricalAccuracy.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return categoricalAccuracy(yTrue, yPred);
  }
}

/** How often the greatest prediction is at the class number. */
export class SparseCategoricalAccuracy extends MeanMetric {
  static readonly className = 'SparseCategoricalAccuracy';
  static readonly fields: Fields<MetricConfig> = metricFields('sparse_categorical_accuracy');

  constructor(options: MetricOptions = {}) {
    super(SparseCategoricalAccuracy.className, SparseCategoricalAccuracy.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return sparseCategoricalAccuracy(yTrue, yPred);
  }
}

export interface TopKCategoricalAccuracyConfig extends MetricConfig {
  k: number;
}

/** How often a one-hot target is among the `k` greatest predictions. */
export class TopKCategoricalAccuracy extends MeanMetric<TopKCategoricalAccuracyConfig> {
  static readonly className = 'TopKCategoricalAccuracy';
  static readonly fields: Fields<TopKCategoricalAccuracyConfig> = {
    ...metricFields('top_k_categorical_accuracy'),
    k: positiveInteger(5),
  };

  constructor(options: Options<TopKCategoricalAccuracyConfig> = {}) {
    super(TopKCategoricalAccuracy.className, TopKCategoricalAccuracy.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return topKCategoricalAccuracy(yTrue, yPred, this.config.k);
  }
}

export interface SparseTopKCategoricalAccuracyConfig extends TopKCategoricalAccuracyConfig {
  /** Whether predictions are class numbers, the likeliest first. */
  fromSortedIds: boolean;
}

/** How often a class number is among those of the `k` greatest predictions. */
export class SparseTopKCategoricalAccuracy extends MeanMetric<SparseTopKCategoricalAccuracyConfig> {
  static readonly className = 'SparseTopKCategoricalAccuracy';
  static readonly fields: Fields<SparseTopKCategoricalAccuracyConfig> = {
    ...metricFields('sparse_top_k_categorical_accuracy'),
    k: positiveInteger(5),
    fromSortedIds: boolean(false),
  };

  constructor(options: Options<SparseTopKCategoricalAccuracyConfig> = {}) {
    super(SparseTopKCategoricalAccuracy.className, SparseTopKCategoricalAccuracy.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return sparseTopKCategoricalAccuracy(yTrue, yPred, this.config.k, this.config.fromSortedIds);
  }
}
