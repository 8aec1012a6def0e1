/** How the values of a loss become one number. */
import { sizeOf } from '../../array/shape.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { where } from '../../ops/compare.ts';
import { divideNoNan, multiply } from '../../ops/elementwise.ts';
import { cast, toFloat } from '../../ops/operand.ts';
import { sum } from '../../ops/reduce.ts';
import { alignRanks } from '../align.ts';

/**
 * `sum_over_batch_size` and `mean` divide the sum by the number of values, `mean_with_sample_weight` by the sum of the
 * weights; `none` keeps the values.
 */
export type Reduction = 'sum_over_batch_size' | 'sum' | 'mean' | 'mean_with_sample_weight' | 'none';

/** The values times their weights, joined. A mask counts as a weight; means are over what it lets through. */
export function reduceValues(
  values: SymbolicTensor,
  reduction: Reduction,
  sampleWeight?: SymbolicTensor,
  mask?: SymbolicTensor,
): SymbolicTensor {
  const given = mergeMask(sampleWeight, mask, reduction);
  if (given === undefined) return reduceWeighted(values, reduction);
  const [aligned, weights] = alignRanks(toFloat(values), toFloat(given));
  return reduceWeighted(multiply(aligned, weights), reduction, weights);
}

function reduceWeighted(values: SymbolicTensor, reduction: Reduction, weights?: SymbolicTensor): SymbolicTensor {
  const { shape } = values;
  if (reduction === 'none' || shape.length === 0 || (shape.length === 1 && shape[0] === 0)) return values;
  const total = sum(values);
  if (reduction === 'sum') return total;
  const divisor = reduction === 'mean_with_sample_weight' && weights ? sum(weights) : sizeOf(shape);
  return divideNoNan(total, divisor);
}

/**
 * The weights of samples with a mask taken in: 0 where the mask is false.
 *
 * For means, what is left counts for more, so that dividing by the number of all values gives the mean of those left.
 */
export function mergeMask(
  sampleWeight: SymbolicTensor | undefined,
  mask: SymbolicTensor | undefined,
  reduction: Reduction,
): SymbolicTensor | undefined {
  if (mask === undefined) return sampleWeight;
  const kept = maskWeights(mask, reduction);
  if (sampleWeight === undefined) return kept;
  const [maskWeight, weight] = alignRanks(kept, toFloat(sampleWeight));
  return multiply(weight, maskWeight);
}

function maskWeights(mask: SymbolicTensor, reduction: Reduction): SymbolicTensor {
  const valid = toFloat(mask);
  if (reduction !== 'mean' && reduction !== 'sum_over_batch_size') return valid;
  return where(cast(mask, 'bool'), divideNoNan(sizeOf(mask.shape), sum(valid)), 0);
}
