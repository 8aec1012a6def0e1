/** Elements by position: gathering, Python's square brackets, slices, and their inverses. */
import { formatShape, normalizeAxis, type Shape, sizeOf } from '../array/shape.ts';
import { Tensor } from '../array/tensor.ts';
import { UnsupportedError } from '../errors.ts';
import { apply, constant } from '../graph/apply.ts';
import { SymbolicTensor } from '../graph/node.ts';
import { equal, greaterEqual, less, logicalAnd, logicalNot, where } from './compare.ts';
import { arange, coordinates } from './creation.ts';
import { add, clip, floorDivide, maximum, minimum, mod, multiply } from './elementwise.ts';
import { knownElements } from './known-values.ts';
import { broadcastShapes, broadcastTo, cast, commonDtype, type Operand, toSymbol, withShape } from './operand.ts';
import { any, max, min, prod, sum } from './reduce.ts';
import { between, expandDims, flip, ravel, squeeze, unstack } from './shape.ts';

/** A slice as Python writes it: `start:stop:step`; `null` is the default. */
export interface SliceSpec {
  readonly start?: number | null;
  readonly stop?: number | null;
  readonly step?: number | null;
}

/** One item between square brackets: an index, a slice, `null` for a new axis, `'...'`, or indices as an array. */
export type IndexItem = number | null | '...' | SliceSpec | readonly number[] | Tensor | SymbolicTensor;

function toIndices(indices: Operand | readonly number[]): SymbolicTensor {
  if (Array.isArray(indices)) return constant(new Tensor([indices.length], 'int32', Int32Array.from(indices)));
  return cast(indices as Operand, 'int32');
}

/**
 * The elements at indices along an axis, which is replaced by the shape of the indices; of the flattened tensor when the
 * axis is `null`. An index out of range gives NaN.
 */
export function take(x: Operand, indices: Operand | readonly number[], axis: number | null = null): SymbolicTensor {
  if (axis === null) return take(ravel(x), indices, 0);
  const symbol = toSymbol(x);
  return apply('gather', [symbol, toIndices(indices)], { axis: normalizeAxis(axis, symbol.shape.length) });
}

/** One element for each index, along the axis; the other axes are broadcast. */
export function takeAlongAxis(x: Operand, indices: Operand, axis: number | null = -1): SymbolicTensor {
  if (axis === null) return takeAlongAxis(ravel(x), ravel(indices), 0);
  const [symbol, places] = [toSymbol(x), toIndices(indices)];
  const place = normalizeAxis(axis, symbol.shape.length);
  const without = (shape: Shape): number[] => shape.map((extent, other) => (other === place ? 1 : extent));
  const shared = broadcastShapes(without(symbol.shape), without(places.shape));
  const along = (shape: Shape): number[] =>
    shared.map((extent, other) => (other === place ? (shape[place] as number) : extent));
  const inputs = [broadcastTo(symbol, along(symbol.shape)), broadcastTo(places, along(places.shape))];
  return apply('takeAlongAxis', inputs, { axis: place });
}

/** Start, stop and step as Python's `slice.indices` gives them. */
function resolveSlice({ start, stop, step }: SliceSpec, extent: number): [number, number, number] {
  const stride = step ?? 1;
  if (stride === 0) throw new RangeError('Cannot slice with step 0');
  const [lowest, highest] = stride > 0 ? [0, extent] : [-1, extent - 1];
  const bound = (position: number): number => {
    return Math.min(Math.max(position < 0 ? position + extent : position, lowest), highest);
  };
  const first = start === null || start === undefined ? (stride > 0 ? 0 : extent - 1) : bound(start);
  const last = stop === null || stop === undefined ? (stride > 0 ? extent : -1) : bound(stop);
  return [first, last, stride];
}

function sliceAxis(x: SymbolicTensor, axis: number, spec: SliceSpec): SymbolicTensor {
  const [first, last, stride] = resolveSlice(spec, x.shape[axis] as number);
  const count = Math.max(0, Math.ceil((last - first) / stride));
  if (count === 0) return between(x, axis, 0, 0);
  if (stride > 0) return between(x, axis, first, first + (count - 1) * stride + 1, stride);
  const lowest = first + (count - 1) * stride;
  return flip(between(x, axis, lowest, first + 1, -stride), axis);
}

function isSliceSpec(item: IndexItem): item is SliceSpec {
  return typeof item === 'object' && item !== null && !isArrayIndex(item);
}

function isArrayIndex(item: IndexItem): item is readonly number[] | Tensor | SymbolicTensor {
  return Array.isArray(item) || item instanceof Tensor || item instanceof SymbolicTensor;
}

/**
 * Python's `x[key]`: integers take an axis away, slices keep it (their steps may be negative), `null` adds one, `'...'`
 * stands for all axes that are left. One item may be an array of indices, whose shape replaces its axis.
 *
 * @throws {RangeError} when there are more items than axes or an integer is out of range.
 */
export function getItem(x: Operand, key: IndexItem | readonly IndexItem[]): SymbolicTensor {
  const symbol = toSymbol(x);
  const items = Array.isArray(key) ? (key as readonly IndexItem[]) : [key as IndexItem];
  const consuming = items.filter((item) => item !== null && item !== '...').length;
  const left = symbol.shape.length - consuming;
  if (left < 0) {
    throw new RangeError(
      `Cannot index: found ${consuming} items for a tensor of shape ${formatShape(symbol.shape)}, expected at most one an axis`,
    );
  }
  if (items.filter(isArrayIndex).length > 1) {
    throw new UnsupportedError(
      'Cannot index: found more than one array of indices, expected one',
      'several index arrays',
    );
  }
  const ellipsis: SliceSpec[] = Array.from({ length: left }, () => ({}));
  const expanded = items.includes('...')
    ? items.flatMap((item) => (item === '...' ? ellipsis : [item]))
    : [...items, ...ellipsis];
  return indexAxes(symbol, expanded);
}

/** Items are applied from the last to the first, so that the places of earlier axes stay what they were. */
function indexAxes(x: SymbolicTensor, items: readonly IndexItem[]): SymbolicTensor {
  let axis = x.shape.length;
  return items.reduceRight<SymbolicTensor>((result, item) => {
    if (item === null) return expandDims(result, axis);
    axis--;
    if (isSliceSpec(item)) return sliceAxis(result, axis, item);
    if (typeof item === 'number')
      return squeeze(between(result, axis, ...single(item, result.shape[axis] as number)), axis);
    return take(result, item as Operand | readonly number[], axis);
  }, x);
}

function single(index: number, extent: number): [number, number] {
  const position = index < 0 ? index + extent : index;
  if (!Number.isInteger(index) || position < 0 || position >= extent) {
    throw new RangeError(`Cannot index: found ${index}, expected an index into ${extent} elements`);
  }
  return [position, position + 1];
}

/** The numbers of an operand that is known while tracing; `null` for one that a program computes. */
export function knownNumbers(x: Operand | readonly number[]): number[] | null {
  if (Array.isArray(x)) return [...(x as readonly number[])];
  if (typeof x === 'number' || typeof x === 'boolean') return [Number(x)];
  return knownElements(x as SymbolicTensor | Tensor);
}

/**
 * A block of a given shape from the start indices on, which may be computed: then they are limited so that the block
 * lies in the tensor. An extent of −1 is what is left.
 */
export function slice(x: Operand, startIndices: Operand | readonly number[], shape: readonly number[]): SymbolicTensor {
  const symbol = toSymbol(x);
  const starts = knownNumbers(startIndices);
  if (starts === null) return dynamicSlice(symbol, toIndices(startIndices), shape);
  return shape.reduce((block, extent, axis) => {
    const whole = symbol.shape[axis] as number;
    const length = extent === -1 ? whole - (starts[axis] as number) : extent;
    const start = Math.min(Math.max(starts[axis] as number, 0), whole - length);
    return between(block, axis, start, start + length);
  }, symbol);
}

function dynamicSlice(x: SymbolicTensor, starts: SymbolicTensor, shape: readonly number[]): SymbolicTensor {
  return unstack(starts, 0).reduce((block, start, axis) => {
    const whole = x.shape[axis] as number;
    const length = shape[axis] === -1 ? whole : (shape[axis] as number);
    if (length === whole) return block;
    return take(block, add(arange(length), clip(start, 0, whole - length)), axis);
  }, x);
}

/** The tensor with a block of updates written over it from the start indices on, which are limited to fit. */
export function sliceUpdate(x: Operand, startIndices: Operand | readonly number[], updates: Operand): SymbolicTensor {
  const symbol = toSymbol(x);
  const block = cast(updates, symbol.dtype);
  const starts = knownNumbers(startIndices);
  const list: Operand[] = starts ?? unstack(toIndices(startIndices), 0);
  // Each element looks where in the block it would be, and takes that where it is inside.
  const places = symbol.shape.map((whole, axis) => {
    const room = whole - (block.shape[axis] as number);
    const start = minimum(maximum(cast(list[axis] as Operand, 'int32'), 0), room);
    return apply('subtract', [arange(whole), broadcastTo(start, [whole])], {});
  });
  const moved = places.reduce((result, place, axis) => {
    return take(result, clip(place, 0, (block.shape[axis] as number) - 1), axis);
  }, block);
  const inside = places.map((place, axis) => {
    const hit = logicalAnd(greaterEqual(place, 0), less(place, block.shape[axis] as number));
    return withShape(
      hit,
      symbol.shape.map((extent, other) => (other === axis ? extent : 1)),
    );
  });
  const isInside = inside.reduce((all, one) => logicalAnd(all, one));
  return where(isInside, moved, symbol);
}

/** Index tuples as positions in row-major order; one that lies outside becomes −1 − size, which is out of range. */
function linearIndices(indices: SymbolicTensor, shape: Shape): SymbolicTensor {
  const components = unstack(indices, -1);
  let position: SymbolicTensor = cast(0, 'int32');
  let isValid: SymbolicTensor = cast(true, 'bool');
  for (const [axis, component] of components.entries()) {
    const extent = shape[axis] as number;
    const resolved = where(less(component, 0), add(component, extent), component);
    isValid = logicalAnd(isValid, logicalAnd(greaterEqual(resolved, 0), less(resolved, extent)));
    position = add(multiply(position, extent), resolved);
  }
  const size = sizeOf(shape.slice(0, components.length));
  return ravel(where(isValid, position, -1 - size));
}

/** Zeros of a shape, to which each value is added at its index tuple, the last axis of the indices. */
export function scatter(indices: Operand, values: Operand, shape: Shape): SymbolicTensor {
  const [places, updates] = [toIndices(indices), toSymbol(values)];
  const depth = places.shape.at(-1) as number;
  const extent = sizeOf(shape.slice(0, depth));
  const rows = withShape(updates, [sizeOf(places.shape.slice(0, -1)), sizeOf(shape.slice(depth))]);
  const result = apply('scatterAdd', [linearIndices(places, shape), rows], { axis: 0, extent });
  return withShape(result, shape);
}

/** How values meet those that are there: replaced when `null`, of equal indices by the last. */
export type ScatterReduction = 'add' | 'max' | 'min' | 'mul' | null;

/** The tensor with updates at index tuples, the last axis of the indices. */
export function scatterUpdate(
  x: Operand,
  indices: Operand,
  updates: Operand,
  reduction: ScatterReduction = null,
): SymbolicTensor {
  const symbol = toSymbol(x);
  const [places, values] = [toIndices(indices), cast(updates, symbol.dtype)];
  if (reduction === 'add') return add(symbol, scatter(places, values, symbol.shape));
  const depth = places.shape.at(-1) as number;
  const cells = sizeOf(symbol.shape.slice(0, depth));
  const inner = sizeOf(symbol.shape.slice(depth));
  const positions = linearIndices(places, symbol.shape);
  const count = positions.shape[0] as number;
  const rows = withShape(broadcastTo(values, [...places.shape.slice(0, -1), ...symbol.shape.slice(depth)]), [
    count,
    inner,
  ]);
  const previous = withShape(symbol, [cells, inner]);
  if (reduction === null) {
    const isLast = lastOfEach(positions, count);
    const target = where(isLast, positions, -1 - cells);
    const written = apply('scatterAdd', [target, rows], { axis: 0, extent: cells });
    const hits = apply('scatterAdd', [target, broadcastTo(cast(1, 'int32'), [count])], { axis: 0, extent: cells });
    return withShape(where(expandDims(greaterEqual(hits, 1), 1), written, previous), symbol.shape);
  }
  const isHere = equal(expandDims(arange(cells), 1), expandDims(positions, 0));
  return withShape(joinMasked(reduction, previous, isHere, rows), symbol.shape);
}

/** True for those updates whose position no later one has. */
function lastOfEach(positions: SymbolicTensor, count: number): SymbolicTensor {
  const isSame = equal(expandDims(positions, 1), expandDims(positions, 0));
  const isLater = less(coordinates([count, count], 0), coordinates([count, count], 1));
  return logicalNot(any(logicalAnd(isSame, isLater), 1));
}

function joinMasked(
  reduction: 'max' | 'min' | 'mul',
  previous: SymbolicTensor,
  isHere: SymbolicTensor,
  rows: SymbolicTensor,
): SymbolicTensor {
  const mask = expandDims(isHere, 2);
  const values = expandDims(rows, 0);
  if (reduction === 'mul') return multiply(previous, prod(where(mask, values, cast(1, rows.dtype)), 1));
  const [neutral, join, reduce] =
    reduction === 'max' ? ([leastOf(rows), maximum, max] as const) : ([greatestOf(rows), minimum, min] as const);
  return join(previous, reduce(where(mask, values, neutral), 1));
}

/** The neutral element of `max` in the tensor's dtype. */
function leastOf(x: SymbolicTensor): SymbolicTensor {
  return cast(x.dtype === 'int32' ? -(2 ** 31) : Number.NEGATIVE_INFINITY, x.dtype);
}

/** The neutral element of `min` in the tensor's dtype. */
function greatestOf(x: SymbolicTensor): SymbolicTensor {
  return cast(x.dtype === 'int32' ? 2 ** 31 - 1 : Number.POSITIVE_INFINITY, x.dtype);
}

/**
 * The elements at index tuples, the last axis of the indices, after `batchDims` axes that both share: TensorFlow's
 * `gather_nd`.
 */
export function gatherNd(x: Operand, indices: Operand, batchDims = 0): SymbolicTensor {
  const [symbol, places] = [toSymbol(x), toIndices(indices)];
  if (batchDims > 0) {
    const batch = symbol.shape[0] as number;
    const parts = Array.from({ length: batch }, (_, index) =>
      expandDims(gatherNd(getItem(symbol, [index]), getItem(places, [index]), batchDims - 1), 0),
    );
    return parts.length === 1 ? (parts[0] as SymbolicTensor) : apply('concatenate', parts, { axis: 0 });
  }
  const depth = places.shape.at(-1) as number;
  const rows = withShape(symbol, [sizeOf(symbol.shape.slice(0, depth)), ...symbol.shape.slice(depth)]);
  const gathered = apply('gather', [rows, linearIndices(places, symbol.shape)], { axis: 0 });
  return withShape(gathered, [...places.shape.slice(0, -1), ...symbol.shape.slice(depth)]);
}

/** Index tuples of positions in row-major order: one int32 tensor for each axis of the shape. */
export function unravelIndex(indices: Operand, shape: Shape): SymbolicTensor[] {
  const size = sizeOf(shape);
  const places = cast(indices, 'int32');
  const resolved = where(less(places, 0), add(places, size), places);
  let inner = size;
  return shape.map((extent) => {
    inner /= extent;
    return mod(floorDivide(resolved, inner), extent);
  });
}

/** 1 at each index along a new axis of `numClasses`, 0 elsewhere and for indices out of range. */
export function oneHot(x: Operand, numClasses: number, axis = -1, dtype = 'float32'): SymbolicTensor {
  const places = cast(x, 'int32');
  const ndim = places.shape.length + 1;
  const place = normalizeAxis(axis, ndim);
  const classes = withShape(
    arange(numClasses),
    Array.from({ length: ndim }, (_, other) => (other === place ? numClasses : 1)),
  );
  return cast(equal(expandDims(places, place), classes), dtype);
}

/** 1 at each index that occurs along the first axis after the batch, or of a vector. */
export function multiHot(x: Operand, numClasses: number, axis = -1, dtype = 'float32'): SymbolicTensor {
  const places = toSymbol(x);
  const hits = oneHot(places, numClasses, axis, 'bool');
  return cast(max(hits, places.shape.length > 1 ? 1 : 0), dtype);
}

/** Sums of the rows of each segment. */
export function segmentSum(data: Operand, segmentIds: Operand, numSegments: number): SymbolicTensor {
  // A negative id belongs to no segment, while a negative index would count from the end.
  const ids = toIndices(segmentIds);
  const target = where(less(ids, 0), numSegments, ids);
  const values = toSymbol(data);
  const numbers = values.dtype === 'bool' ? cast(values, 'int32') : values;
  return apply('scatterAdd', [target, numbers], { axis: 0, extent: numSegments });
}

/** Products of the rows of each segment; 1 for none. The cost grows with rows times segments. */
export function segmentProd(data: Operand, segmentIds: Operand, numSegments: number): SymbolicTensor {
  const [mask, rows] = segmentMask(data, segmentIds, numSegments);
  return prod(where(mask, rows, cast(1, rows.dtype)), 1);
}

/** Greatest elements of each segment; −∞, or the least int32, for none. The cost grows with rows times segments. */
export function segmentMax(data: Operand, segmentIds: Operand, numSegments: number): SymbolicTensor {
  const [mask, rows] = segmentMask(data, segmentIds, numSegments);
  return max(where(mask, rows, leastOf(rows)), 1);
}

/** Least elements of each segment; ∞, or the greatest int32, for none. The cost grows with rows times segments. */
export function segmentMin(data: Operand, segmentIds: Operand, numSegments: number): SymbolicTensor {
  const [mask, rows] = segmentMask(data, segmentIds, numSegments);
  return min(where(mask, rows, greatestOf(rows)), 1);
}

function segmentMask(data: Operand, segmentIds: Operand, numSegments: number): [SymbolicTensor, SymbolicTensor] {
  const values = toSymbol(data);
  const isMember = equal(expandDims(arange(numSegments), 1), expandDims(toIndices(segmentIds), 0));
  const mask = withShape(isMember, [...isMember.shape, ...values.shape.slice(1).map(() => 1)]);
  return [mask, expandDims(values, 0)];
}

/** How often each of 0 … length − 1 occurs in a vector or in each row, or the sum of their weights. */
export function bincount(x: Operand, weights: Operand | null, length: number): SymbolicTensor {
  const hits = oneHot(x, length, -1, 'bool');
  const axis = hits.shape.length - 2;
  if (weights === null) return sum(hits, axis);
  const dtype = commonDtype(weights);
  return sum(where(hits, expandDims(toSymbol(weights), -1), cast(0, dtype)), axis);
}
