/** Sorting and searching along an axis. */
import { normalizeAxis } from '../array/shape.ts';
import { apply } from '../graph/apply.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import { equal, greaterEqual, isfinite, less, lessEqual, logicalAnd } from './compare.ts';
import { type Operand, toNumeric, toSymbol, withShape } from './operand.ts';
import { max, sum } from './reduce.ts';
import { between, expandDims, ravel } from './shape.ts';

/** int32 indices that sort along the axis, or in row-major order when it is `null`; stable, NaN last. */
export function argsort(x: Operand, axis: number | null = -1, descending = false): SymbolicTensor {
  if (axis === null) return argsort(ravel(x), 0, descending);
  const symbol = toSymbol(x);
  return apply('argSort', [symbol], { axis: normalizeAxis(axis, symbol.shape.length), descending });
}

/** The elements in ascending order along the axis, NaN last. */
export function sort(x: Operand, axis: number | null = -1): SymbolicTensor {
  if (axis === null) return sort(ravel(x), 0);
  const symbol = toSymbol(x);
  const place = normalizeAxis(axis, symbol.shape.length);
  return apply('takeAlongAxis', [symbol, argsort(symbol, place)], { axis: place });
}

/** The `k` greatest elements of the last axis, greatest first, and their int32 indices. */
export function topK(x: Operand, k: number): [SymbolicTensor, SymbolicTensor] {
  const symbol = toSymbol(x);
  const indices = between(argsort(symbol, -1, true), -1, 0, k);
  return [apply('takeAlongAxis', [symbol, indices], { axis: symbol.shape.length - 1 }), indices];
}

/** Whether each target class is among the `k` greatest predictions of its row; ties at the border count. */
export function inTopK(targets: Operand, predictions: Operand, k: number): SymbolicTensor {
  const scores = toSymbol(predictions);
  const rank = scores.shape.length - 1;
  const indices = expandDims(toSymbol(targets), -1);
  const own = apply('takeAlongAxis', [scores, indices], { axis: rank });
  const better = sum(less(own, scores), -1);
  const isNumber = isfinite(withShape(own, own.shape.slice(0, -1)));
  return logicalAnd(less(better, k), isNumber);
}

/**
 * int32 indices at which values go into an ascending sequence so that it stays in order: before equal elements, or
 * behind them when the side is `right`.
 */
export function searchsorted(sequence: Operand, values: Operand, side: 'left' | 'right' = 'left'): SymbolicTensor {
  const places = expandDims(toNumeric(values), -1);
  const isBefore = side === 'left' ? less(sequence, places) : lessEqual(sequence, places);
  return sum(isBefore, -1);
}

/** int32 index of the bin of each value: 0 below the first boundary, and so on; a boundary belongs to the bin above. */
export function digitize(x: Operand, bins: Operand): SymbolicTensor {
  return sum(greaterEqual(expandDims(toNumeric(x), -1), bins), -1);
}

/** Whether each element occurs among the values; the result is inverted on demand. */
export function isin(x: Operand, values: Operand, invert = false): SymbolicTensor {
  const found = max(equal(expandDims(toSymbol(x), -1), ravel(values)), -1);
  return invert ? apply('logicalNot', [found], {}) : found;
}

/** int32 indices that put the element of rank `kth` in its place, lesser ones before it: here, a full sort. */
export function argpartition(x: Operand, _kth: number, axis: number | null = -1): SymbolicTensor {
  return argsort(x, axis);
}
