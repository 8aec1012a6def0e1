/** Order statistics, histograms, correlations, differences, and reductions that leave NaN out. */
import { formatShape, normalizeAxis, sizeOf } from '../array/shape.ts';
import { ShapeError } from '../errors.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import { equal, greaterEqual, isnan, less, lessEqual, logicalAnd, logicalNot, where } from './compare.ts';
import { arange, powersOf } from './creation.ts';
import { add, divide, log, multiply, power, sqrt, square, subtract } from './elementwise.ts';
import { knownNumbers } from './indexing.ts';
import { matmul } from './matrix.ts';
import {
  type Axes,
  cast,
  normalizeAxes,
  type Operand,
  reducedShape,
  toFloat,
  toNumeric,
  toSymbol,
  withShape,
} from './operand.ts';
import { pad } from './padding.ts';
import { argmax, argmin, cumprod, cumsum, max, mean, min, prod, sum } from './reduce.ts';
import { between, expandDims, moveaxis, reshape, stack, transpose } from './shape.ts';
import { sort } from './sorting.ts';

/** Which element stands for a rank between two. */
export type QuantileMethod = 'linear' | 'lower' | 'higher' | 'midpoint' | 'nearest';

/** The axes joined into one, the last. */
function joinAxes(x: SymbolicTensor, axis: Axes): SymbolicTensor {
  const axes = normalizeAxes(axis, x.shape.length);
  const kept = x.shape.map((_, other) => other).filter((other) => !axes.includes(other));
  const moved = transpose(x, [...kept, ...axes]);
  const extents = kept.map((other) => x.shape[other] as number);
  return withShape(moved, [...extents, sizeOf(axes.map((other) => x.shape[other] as number))]);
}

/** The element of sorted rows at a fractional rank. */
function atRank(sorted: SymbolicTensor, rank: number, method: QuantileMethod): SymbolicTensor {
  const element = (index: number): SymbolicTensor => {
    return withShape(between(sorted, -1, index, index + 1), sorted.shape.slice(0, -1));
  };
  const [low, high] = [Math.floor(rank), Math.ceil(rank)];
  switch (method) {
    case 'lower':
      return element(low);
    case 'higher':
      return element(high);
    case 'midpoint':
      return multiply(add(element(low), element(high)), 0.5);
    case 'nearest':
      // A half goes to the even rank.
      return element(rank - low === 0.5 ? low + (low % 2) : Math.round(rank));
    case 'linear':
      if (low === high) return element(low);
      return add(multiply(element(low), high - rank), multiply(element(high), rank - low));
  }
}

/** The elements below which a share `q` of all lies, NaN where there is any; several shares make a first axis. */
export function quantile(
  x: Operand,
  q: Operand | readonly number[],
  axis: Axes = null,
  method: QuantileMethod = 'linear',
  keepdims = false,
): SymbolicTensor {
  const value = toFloat(x);
  const shares = knownNumbers(q);
  if (shares === null) throw new TypeError('Cannot compute quantiles: found a computed share, expected numbers');
  const joined = joinAxes(value, axis);
  const sorted = sort(joined, -1);
  const hasNaN = max(isnan(joined), -1);
  const last = (joined.shape.at(-1) as number) - 1;
  const shape = reducedShape(value.shape, normalizeAxes(axis, value.shape.length), keepdims);
  const results = shares.map((share) =>
    withShape(where(hasNaN, Number.NaN, atRank(sorted, share * last, method)), shape),
  );
  const isScalar = !Array.isArray(q) && (typeof q === 'number' || toSymbol(q as Operand).shape.length === 0);
  return isScalar ? (results[0] as SymbolicTensor) : stack(results, 0);
}

/** Quantiles of shares in percent. */
export function percentile(
  x: Operand,
  q: Operand | readonly number[],
  axis: Axes = null,
  method: QuantileMethod = 'linear',
  keepdims = false,
): SymbolicTensor {
  const shares = knownNumbers(q);
  if (shares === null) throw new TypeError('Cannot compute percentiles: found a computed share, expected numbers');
  const isScalar = typeof q === 'number' || (!Array.isArray(q) && toSymbol(q as Operand).shape.length === 0);
  return quantile(
    x,
    isScalar ? (shares[0] as number) / 100 : shares.map((share) => share / 100),
    axis,
    method,
    keepdims,
  );
}

/** The middle element, or the mean of the two in the middle. */
export function median(x: Operand, axis: Axes = null, keepdims = false): SymbolicTensor {
  return quantile(x, 0.5, axis, 'linear', keepdims);
}

/** How many elements lie in each of equal bins, and the bins' edges. The last bin includes its upper edge. */
export function histogram(
  x: Operand,
  bins = 10,
  range: readonly [number, number] | null = null,
): [SymbolicTensor, SymbolicTensor] {
  const value = reshape(toFloat(x), [-1]);
  const [low, high] = range === null ? [min(value), max(value)] : [toFloat(range[0]), toFloat(range[1])];
  // An empty range is widened by a half to either side.
  const isEmpty = equal(low, high);
  const [first, last] = [where(isEmpty, subtract(low, 0.5), low), where(isEmpty, add(high, 0.5), high)];
  const steps = divide(arange(0, bins + 1, 1, 'float32'), bins);
  const edges = add(multiply(subtract(1, steps), first), multiply(steps, last));
  const [lower, upper] = [between(edges, 0, 0, bins), between(edges, 0, 1, bins + 1)];
  const column = expandDims(value, 1);
  const isLastBin = equal(arange(bins), bins - 1);
  const below = where(isLastBin, lessEqual(column, upper), less(column, upper));
  return [cast(sum(logicalAnd(greaterEqual(column, lower), below), 0), 'float32'), edges];
}

/** Correlation coefficients of the rows, which are variables. */
export function corrcoef(x: Operand): SymbolicTensor {
  const rows = toFloat(x);
  const centred = subtract(rows, mean(rows, -1, true));
  const norm = sqrt(sum(square(centred), -1, true));
  const unit = divide(centred, norm);
  return matmul(unit, transpose(unit));
}

/** Sums of products of a vector with another that is moved along it: the places where both overlap in full, or more. */
export function correlate(x: Operand, y: Operand, mode: 'valid' | 'same' | 'full' = 'valid'): SymbolicTensor {
  const [left, right] = [toFloat(x), toFloat(y)];
  const [n, m] = [left.shape[0] as number, right.shape[0] as number];
  if (left.shape.length !== 1 || right.shape.length !== 1) {
    throw new ShapeError(
      `Cannot correlate: found ${formatShape(left.shape)} and ${formatShape(right.shape)}, expected vectors`,
    );
  }
  const padded = pad(left, [[m - 1, m - 1]]);
  const windows = stack(
    Array.from({ length: n + m - 1 }, (_, lag) => between(padded, 0, lag, lag + m)),
    0,
  );
  const all = matmul(windows, right);
  if (mode === 'full') return all;
  const length = mode === 'valid' ? Math.abs(n - m) + 1 : Math.max(n, m);
  // The shorter vector at the centre; NumPy puts the odd element in front when the second vector is the longer.
  const start = mode === 'valid' ? Math.min(n, m) - 1 : n >= m ? Math.floor((m - 1) / 2) : Math.ceil((n - 1) / 2);
  return between(all, 0, start, start + length);
}

/** Differences of neighbours along an axis, `n` times. */
export function diff(x: Operand, n = 1, axis = -1): SymbolicTensor {
  const value = toNumeric(x);
  if (n === 0) return value;
  const place = normalizeAxis(axis, value.shape.length);
  const extent = value.shape[place] as number;
  return diff(subtract(between(value, place, 1, extent), between(value, place, 0, extent - 1)), n - 1, place);
}

/** The integral by the trapezoidal rule, over positions `x` or steps of `dx`. */
export function trapezoid(y: Operand, x: Operand | null = null, dx: Operand = 1, axis = -1): SymbolicTensor {
  const values = moveaxis(toFloat(y), axis, -1);
  const extent = values.shape.at(-1) as number;
  const pairs = add(between(values, -1, 1, extent), between(values, -1, 0, extent - 1));
  const widths = x === null ? dx : diff(toSymbol(x).shape.length === 1 ? x : moveaxis(x, axis, -1));
  return multiply(sum(multiply(pairs, widths), -1), 0.5);
}

/** Powers of a vector as columns, from the highest to 0, or the other way when `increasing`. */
export function vander(x: Operand, count: number | null = null, increasing = false): SymbolicTensor {
  const column = expandDims(toSymbol(x), 1);
  const exponents = powersOf(count ?? (column.shape[0] as number), increasing);
  return cast(power(toFloat(column), exponents), column.dtype);
}

/** Distances of every row of x to every row of y. */
export function cdist(x: Operand, y: Operand): SymbolicTensor {
  const difference = subtract(expandDims(toFloat(x), -2), expandDims(toFloat(y), -3));
  return sqrt(sum(square(difference), -1));
}

/** Peak signal-to-noise ratio: 20 log₁₀(greatest value) − 10 log₁₀(mean squared error). */
export function psnr(x: Operand, y: Operand, maxValue: number): SymbolicTensor {
  const error = mean(square(subtract(toFloat(x), toFloat(y))));
  const decibels = multiply(divide(log(error), Math.LN10), 10);
  return subtract(20 * Math.log10(maxValue), decibels);
}

type NanReduce = (x: Operand, axis?: Axes, keepdims?: boolean) => SymbolicTensor;

function nanReduce(reduce: NanReduce, neutral: number, whenEmpty: number): NanReduce {
  return (x, axis = null, keepdims = false) => {
    const value = toNumeric(x);
    if (value.dtype !== 'float32') return reduce(value, axis, keepdims);
    const absent = isnan(value);
    const reduced = reduce(where(absent, neutral, value), axis, keepdims);
    return Number.isNaN(whenEmpty) ? where(min(absent, axis, keepdims), whenEmpty, reduced) : reduced;
  };
}

/** The sum of the elements that are not NaN. */
export const nansum: NanReduce = nanReduce(sum, 0, 0);

/** The product of the elements that are not NaN. */
export const nanprod: NanReduce = nanReduce(prod, 1, 1);

/** The greatest element that is not NaN. */
export const nanmax: NanReduce = nanReduce(
  (x, axis, keepdims) => max(x, axis, keepdims),
  Number.NEGATIVE_INFINITY,
  Number.NaN,
);

/** The least element that is not NaN. */
export const nanmin: NanReduce = nanReduce(
  (x, axis, keepdims) => min(x, axis, keepdims),
  Number.POSITIVE_INFINITY,
  Number.NaN,
);

/** The mean of the elements that are not NaN. */
export function nanmean(x: Operand, axis: Axes = null, keepdims = false): SymbolicTensor {
  const value = toFloat(x);
  return divide(nansum(value, axis, keepdims), sum(logicalNot(isnan(value)), axis, keepdims));
}

/** The variance of the elements that are not NaN. */
export function nanvar(x: Operand, axis: Axes = null, keepdims = false): SymbolicTensor {
  const value = toFloat(x);
  return nanmean(square(subtract(value, nanmean(value, axis, true))), axis, keepdims);
}

/** The standard deviation of the elements that are not NaN. */
export function nanstd(x: Operand, axis: Axes = null, keepdims = false): SymbolicTensor {
  return sqrt(nanvar(x, axis, keepdims));
}

/** int32 index of the greatest element that is not NaN; −1 when all are. */
export function nanargmax(x: Operand, axis: number | null = null, keepdims = false): SymbolicTensor {
  const absent = isnan(x);
  const found = argmax(where(absent, Number.NEGATIVE_INFINITY, toFloat(x)), axis, keepdims);
  return where(min(absent, axis, keepdims), -1, found);
}

/** int32 index of the least element that is not NaN; −1 when all are. */
export function nanargmin(x: Operand, axis: number | null = null, keepdims = false): SymbolicTensor {
  const absent = isnan(x);
  const found = argmin(where(absent, Number.POSITIVE_INFINITY, toFloat(x)), axis, keepdims);
  return where(min(absent, axis, keepdims), -1, found);
}

/** Running sum that takes NaN for 0. */
export function nancumsum(x: Operand, axis: number | null = null): SymbolicTensor {
  return cumsum(where(isnan(x), 0, x), axis);
}

/** Running product that takes NaN for 1. */
export function nancumprod(x: Operand, axis: number | null = null): SymbolicTensor {
  return cumprod(where(isnan(x), 1, x), axis);
}
