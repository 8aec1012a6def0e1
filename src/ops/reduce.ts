/**
 * Reductions over one axis, several, or all, and running results along one.
 *
 * The axes vanish from the shape, or keep an extent of 1 with `keepdims`.
 */
import { normalizeAxis } from '../array/shape.ts';
import { ShapeError } from '../errors.ts';
import { apply } from '../graph/apply.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import type { CumulativeName } from '../graph/primitives.ts';
import { isfinite, where } from './compare.ts';
import {
  add,
  divide,
  exp,
  log,
  maximum,
  minimum,
  multiply,
  power,
  sqrt,
  square,
  stopGradient,
  subtract,
} from './elementwise.ts';
import {
  type Axes,
  broadcastTo,
  cast,
  normalizeAxes,
  type Operand,
  reducedCount,
  reducedShape,
  toFloat,
  toNumeric,
  toSymbol,
  withShape,
} from './operand.ts';

function reduce(
  primitive: 'sum' | 'product' | 'max' | 'min',
  x: SymbolicTensor,
  axis: Axes,
  keepdims: boolean,
): SymbolicTensor {
  const axes = normalizeAxes(axis, x.shape.length);
  if (axes.length === 0) return x;
  return withShape(apply(primitive, [x], { axes }), reducedShape(x.shape, axes, keepdims));
}

/** The sum; of bools: how many are true. */
export function sum(x: Operand, axis: Axes = null, keepdims = false): SymbolicTensor {
  return reduce('sum', toNumeric(x), axis, keepdims);
}

/** The product. */
export function prod(x: Operand, axis: Axes = null, keepdims = false): SymbolicTensor {
  return reduce('product', toNumeric(x), axis, keepdims);
}

/** The greatest element; `initial` counts as one more. */
export function max(x: Operand, axis: Axes = null, keepdims = false, initial: number | null = null): SymbolicTensor {
  const greatest = reduce('max', toSymbol(x), axis, keepdims);
  return initial === null ? greatest : maximum(greatest, initial);
}

/** The least element; `initial` counts as one more. */
export function min(x: Operand, axis: Axes = null, keepdims = false, initial: number | null = null): SymbolicTensor {
  const least = reduce('min', toSymbol(x), axis, keepdims);
  return initial === null ? least : minimum(least, initial);
}

/** Whether any element is true, or not 0. */
export function any(x: Operand, axis: Axes = null, keepdims = false): SymbolicTensor {
  return reduce('max', cast(x, 'bool'), axis, keepdims);
}

/** Whether all elements are true, or not 0. */
export function all(x: Operand, axis: Axes = null, keepdims = false): SymbolicTensor {
  return reduce('min', cast(x, 'bool'), axis, keepdims);
}

/** How many elements are not 0; int32. */
export function countNonzero(x: Operand, axis: Axes = null, keepdims = false): SymbolicTensor {
  return sum(cast(x, 'bool'), axis, keepdims);
}

/** The mean, as float32. */
export function mean(x: Operand, axis: Axes = null, keepdims = false): SymbolicTensor {
  const value = toFloat(x);
  const count = reducedCount(value.shape, normalizeAxes(axis, value.shape.length));
  return divide(sum(value, axis, keepdims), count);
}

/** The mean with weights, which have the shape of x, or are one for each element along the axis. */
export function average(x: Operand, axis: Axes = null, weights: Operand | null = null): SymbolicTensor {
  if (weights === null) return mean(x, axis);
  const value = toFloat(x);
  let weight = toFloat(weights);
  if (weight.shape.length === 1 && value.shape.length > 1) {
    const axes = normalizeAxes(axis, value.shape.length);
    if (axes.length !== 1) throw new ShapeError('Cannot average: weights along an axis need that axis');
    weight = withShape(
      weight,
      value.shape.map((extent, other) => (other === axes[0] ? extent : 1)),
    );
  }
  const stretched = broadcastTo(weight, value.shape);
  return divide(sum(multiply(value, stretched), axis), sum(stretched, axis));
}

/** The variance, of the whole population: the mean squared distance to the mean. */
export function variance(x: Operand, axis: Axes = null, keepdims = false): SymbolicTensor {
  const value = toFloat(x);
  return mean(square(subtract(value, mean(value, axis, true))), axis, keepdims);
}

/** The standard deviation, of the whole population. */
export function std(x: Operand, axis: Axes = null, keepdims = false): SymbolicTensor {
  return sqrt(variance(x, axis, keepdims));
}

/** Mean and variance. */
export function moments(x: Operand, axis: Axes = null, keepdims = false): [SymbolicTensor, SymbolicTensor] {
  return [mean(x, axis, keepdims), variance(x, axis, keepdims)];
}

/** The greatest element minus the least. */
export function ptp(x: Operand, axis: Axes = null, keepdims = false): SymbolicTensor {
  return subtract(max(x, axis, keepdims), min(x, axis, keepdims));
}

/** log Σ eˣ, without overflow in between. */
export function logsumexp(x: Operand, axis: Axes = null, keepdims = false): SymbolicTensor {
  const value = toFloat(x);
  const greatest = stopGradient(max(value, axis, true));
  // Infinities must not be subtracted from themselves.
  const shift = where(isfinite(greatest), greatest, 0);
  const total = log(sum(exp(subtract(value, shift)), axis, true));
  const axes = normalizeAxes(axis, value.shape.length);
  return withShape(add(total, shift), reducedShape(value.shape, axes, keepdims));
}

/** int32 index of the first greatest element along the axis, or in row-major order when it is `null`. */
export function argmax(x: Operand, axis: number | null = null, keepdims = false): SymbolicTensor {
  return argReduce('argMax', x, axis, keepdims);
}

/** int32 index of the first least element along the axis, or in row-major order when it is `null`. */
export function argmin(x: Operand, axis: number | null = null, keepdims = false): SymbolicTensor {
  return argReduce('argMin', x, axis, keepdims);
}

function argReduce(primitive: 'argMax' | 'argMin', x: Operand, axis: number | null, keepdims: boolean): SymbolicTensor {
  const symbol = toNumeric(x);
  const { shape } = symbol;
  if (axis === null) {
    const flat = withShape(symbol, [shape.reduce((product, extent) => product * extent, 1)]);
    const index = apply(primitive, [flat], { axis: 0 });
    return keepdims
      ? withShape(
          index,
          shape.map(() => 1),
        )
      : index;
  }
  const normalized = normalizeAxis(axis, shape.length);
  const index = apply(primitive, [symbol], { axis: normalized });
  return withShape(index, reducedShape(shape, [normalized], keepdims));
}

function cumulate(primitive: CumulativeName, x: Operand, axis: number | null, reverse: boolean): SymbolicTensor {
  const symbol = toNumeric(x);
  const size = symbol.shape.reduce((product, extent) => product * extent, 1);
  if (axis === null) return apply(primitive, [withShape(symbol, [size])], { axis: 0, reverse });
  return apply(primitive, [symbol], { axis: normalizeAxis(axis, symbol.shape.length), reverse });
}

/** The sum of this element and those before it; of all in row-major order when the axis is `null`. */
export function cumsum(x: Operand, axis: number | null = null, reverse = false): SymbolicTensor {
  return cumulate('cumulativeSum', x, axis, reverse);
}

/** The product of this element and those before it. */
export function cumprod(x: Operand, axis: number | null = null, reverse = false): SymbolicTensor {
  return cumulate('cumulativeProduct', x, axis, reverse);
}

/** The greatest of this element and those before it. */
export function cummax(x: Operand, axis: number | null = null, reverse = false): SymbolicTensor {
  return cumulate('cumulativeMax', x, axis, reverse);
}

/** The least of this element and those before it. */
export function cummin(x: Operand, axis: number | null = null, reverse = false): SymbolicTensor {
  return cumulate('cumulativeMin', x, axis, reverse);
}

/** Which norm: a number p, ∞, −∞, or `fro` for the Euclidean norm of all elements. */
export type NormOrder = number | 'fro' | 'nuc' | null;

/** Vector norms along one axis, and Frobenius, 1- and ∞-norms of the matrices in two. */
export function norm(x: Operand, ord: NormOrder = null, axis: Axes = null, keepdims = false): SymbolicTensor {
  const value = toFloat(x);
  const axes = axis === null ? null : typeof axis === 'number' ? [axis] : axis;
  if (ord === null || ord === 'fro' || (ord === 2 && axes === null && value.shape.length === 1)) {
    return sqrt(sum(square(value), axes, keepdims));
  }
  const used = axes ?? value.shape.map((_, index) => index);
  if (ord !== 'nuc' && used.length === 1) return vectorNorm(value, ord, used, keepdims);
  if (ord !== 'nuc' && used.length === 2 && Math.abs(ord) !== 2) return matrixNorm(value, ord, used, keepdims);
  throw new ShapeError(
    `Cannot compute the norm of order ${ord}: found ${used.length} axes, which need singular values`,
  );
}

function vectorNorm(x: SymbolicTensor, ord: number, axes: readonly number[], keepdims: boolean): SymbolicTensor {
  const magnitudes = apply('absolute', [x], {});
  if (ord === Number.POSITIVE_INFINITY) return max(magnitudes, axes, keepdims);
  if (ord === Number.NEGATIVE_INFINITY) return min(magnitudes, axes, keepdims);
  if (ord === 0) return toFloat(countNonzero(x, axes, keepdims));
  if (ord === 1) return sum(magnitudes, axes, keepdims);
  if (ord === 2) return sqrt(sum(square(x), axes, keepdims));
  return power(sum(power(magnitudes, ord), axes, keepdims), 1 / ord);
}

function matrixNorm(x: SymbolicTensor, ord: number, axes: readonly number[], keepdims: boolean): SymbolicTensor {
  const [rows, columns] = axes.map((axis) => normalizeAxis(axis, x.shape.length)) as [number, number];
  const [summed, compared] = Math.abs(ord) === 1 ? [rows, columns] : [columns, rows];
  const sums = sum(apply('absolute', [x], {}), summed, true);
  const found = ord > 0 ? max(sums, compared, true) : min(sums, compared, true);
  return withShape(found, reducedShape(x.shape, [rows, columns], keepdims));
}
