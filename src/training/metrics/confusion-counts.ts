/** True and false positives and negatives at several thresholds. */

import { type Shape, sizeOf } from '../../array/shape.ts';
import { tensor } from '../../array/tensor.ts';
import { constant } from '../../graph/apply.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { relu } from '../../ops/activations.ts';
import { greater, less, where } from '../../ops/compare.ts';
import { coordinates } from '../../ops/creation.ts';
import { add, ceil, clip, multiply, subtract } from '../../ops/elementwise.ts';
import { oneHot, segmentSum } from '../../ops/indexing.ts';
import { broadcastTo, cast, toFloat } from '../../ops/operand.ts';
import { cumsum, sum } from '../../ops/reduce.ts';
import { between, expandDims, ravel, reshape, transpose } from '../../ops/shape.ts';
import { topK } from '../../ops/sorting.ts';
import { alignRanks } from '../align.ts';
import { EPSILON } from '../epsilon.ts';

/** The four counts, by Keras' names: `[thresholds]`, or `[thresholds, labels]` when labels are told apart. */
export interface ConfusionCounts {
  readonly true_positives: SymbolicTensor;
  readonly false_positives: SymbolicTensor;
  readonly true_negatives: SymbolicTensor;
  readonly false_negatives: SymbolicTensor;
}

export type ConfusionName = keyof ConfusionCounts;

export interface ConfusionOptions {
  /** Ascending. A prediction above one is a positive. */
  readonly thresholds: readonly number[];
  /** Whether they lie evenly from 0 to 1; found out when it is not told. */
  readonly isEven?: boolean;
  /** Whether only the greatest predictions of a row can be positives. */
  readonly topK?: number | null;
  /** The only class that counts. */
  readonly classId?: number | null;
  /** Whether each label is counted for itself. */
  readonly multiLabel?: boolean;
  readonly labelWeights?: readonly number[] | null;
}

/** What is below every threshold, as Keras has it. */
export const BELOW_ALL = -1e10;

/** The counts of a batch. */
export function countConfusions(
  yTrue: SymbolicTensor,
  yPred: SymbolicTensor,
  sampleWeight: SymbolicTensor | undefined,
  options: ConfusionOptions,
): ConfusionCounts {
  let [prediction, target] = alignRanks(toFloat(yPred), toFloat(yTrue));
  const weight = sampleWeight && alignRanks(target, expandDims(toFloat(sampleWeight), -1), false)[1];
  if (options.topK) prediction = keepTopK(prediction, options.topK);
  if (typeof options.classId === 'number') {
    [target, prediction] = [classOf(target, options.classId), classOf(prediction, options.classId)];
  }
  const { thresholds, multiLabel = false } = options;
  const weights = elementWeights(prediction.shape, weight, options);
  const positive = cast(cast(target, 'bool'), 'float32');
  const flat = multiLabel ? [positive, prediction, weights] : [positive, prediction, weights].map(ravel);
  const [labels, scores, counts] = flat as [SymbolicTensor, SymbolicTensor, SymbolicTensor];
  const positives = multiply(labels, counts);
  const negatives = multiply(subtract(1, labels), counts);
  return (options.isEven ?? isEven(thresholds))
    ? countByBucket(scores, positives, negatives, thresholds)
    : countByComparison(scores, positives, negatives, thresholds);
}

function keepTopK(x: SymbolicTensor, k: number): SymbolicTensor {
  const [, indices] = topK(x, k);
  const isKept = sum(oneHot(indices, x.shape.at(-1) as number), -2);
  return add(multiply(x, isKept), multiply(subtract(1, isKept), BELOW_ALL));
}

/** One class, as a last axis of extent 1. */
function classOf(x: SymbolicTensor, classId: number): SymbolicTensor {
  const extent = x.shape.at(-1) as number;
  const place = classId < 0 ? classId + extent : classId;
  return between(x, -1, place, place + 1);
}

/** How much each element counts. Weights of labels are left to the result where labels are told apart. */
function elementWeights(
  shape: Shape,
  sampleWeight: SymbolicTensor | undefined,
  { labelWeights, multiLabel = false }: ConfusionOptions,
): SymbolicTensor {
  const samples = broadcastTo(sampleWeight ?? 1, shape);
  if (!labelWeights || multiLabel) return toFloat(samples);
  return multiply(samples, constant(tensor([...labelWeights])));
}

/** Whether thresholds lie evenly from 0 to 1, but for roundings. */
export function isEven(thresholds: readonly number[]): boolean {
  if (thresholds.length < 3) return false;
  return thresholds.every((threshold, index) => {
    const even = index / (thresholds.length - 1);
    return Math.abs(threshold - even) <= EPSILON + 1e-5 * even;
  });
}

/** The counts, `[thresholds, …]`, by comparing every score with every threshold. */
function countByComparison(
  scores: SymbolicTensor,
  positives: SymbolicTensor,
  negatives: SymbolicTensor,
  thresholds: readonly number[],
): ConfusionCounts {
  const limits = constant(tensor([...thresholds], [thresholds.length, ...scores.shape.map(() => 1)]));
  const isAbove = greater(expandDims(scores, 0), limits);
  const above = (x: SymbolicTensor): SymbolicTensor => sum(where(isAbove, expandDims(x, 0), 0), 1);
  const below = (x: SymbolicTensor): SymbolicTensor => sum(where(isAbove, 0, expandDims(x, 0)), 1);
  return {
    true_positives: above(positives),
    false_positives: above(negatives),
    true_negatives: below(negatives),
    false_negatives: below(positives),
  };
}

/** The same for even thresholds: each score falls between two of them, and sums run down from the highest. */
function countByBucket(
  scores: SymbolicTensor,
  positives: SymbolicTensor,
  negatives: SymbolicTensor,
  thresholds: readonly number[],
): ConfusionCounts {
  const count = thresholds.length;
  const labels = scores.shape.length === 1 ? 1 : (scores.shape[1] as number);
  const places = subtract(ceil(multiply(clip(scores, 0, 1), count - 1)), 1);
  // A first threshold just below 0 is below everything.
  const bucket = cast((thresholds[0] as number) < 0 ? relu(places) : places, 'int32');
  const matrix = reshape(bucket, [sizeOf(scores.shape) / labels, labels]);
  // The labels' buckets lie one after the other; what is in none of them stays there.
  const own = add(matrix, multiply(coordinates(matrix.shape, 1), count));
  const segments = ravel(where(less(matrix, 0), -1, own));
  const above = (x: SymbolicTensor): SymbolicTensor => {
    const sums = reshape(segmentSum(ravel(x), segments, count * labels), [labels, count]);
    const totals = transpose(cumsum(sums, 1, true));
    return scores.shape.length === 1 ? ravel(totals) : totals;
  };
  const [found, wrong] = [above(positives), above(negatives)];
  return {
    true_positives: found,
    false_positives: wrong,
    true_negatives: subtract(sum(negatives, 0), wrong),
    false_negatives: subtract(sum(positives, 0), found),
  };
}
