/** Rearrangements: elements are moved, repeated and joined, not changed. */
import { formatShape, normalizeAxis, type Shape, sizeOf } from '../array/shape.ts';
import { ShapeError } from '../errors.ts';
import { apply } from '../graph/apply.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import { broadcastTo, cast, commonDtype, normalizeAxes, type Operand, toSymbol, withShape } from './operand.ts';

export { broadcastTo } from './operand.ts';

/**
 * The same elements in another shape; one extent may be −1, which is what is left.
 *
 * @throws {ShapeError} when the sizes differ.
 */
export function reshape(x: Operand, shape: number | readonly number[]): SymbolicTensor {
  const symbol = toSymbol(x);
  const target = typeof shape === 'number' ? [shape] : shape;
  const known = sizeOf(target.filter((extent) => extent !== -1));
  const size = sizeOf(symbol.shape);
  const inferred = known === 0 ? 0 : size / known;
  const resolved = target.map((extent) => (extent === -1 ? inferred : extent));
  const isValid = target.filter((extent) => extent === -1).length <= 1 && resolved.every(Number.isInteger);
  if (!isValid || sizeOf(resolved) !== size) {
    throw new ShapeError(
      `Cannot reshape: found shape ${formatShape(symbol.shape)}, expected as many elements as ${formatShape(target)}`,
    );
  }
  return withShape(symbol, resolved);
}

/** One axis of all elements, in row-major order. */
export function ravel(x: Operand): SymbolicTensor {
  return reshape(x, [-1]);
}

/** Axes in another order; by default reversed. */
export function transpose(x: Operand, axes: readonly number[] | null = null): SymbolicTensor {
  const symbol = toSymbol(x);
  const ndim = symbol.shape.length;
  const permutation = (axes ?? symbol.shape.map((_, axis) => ndim - 1 - axis)).map((axis) => normalizeAxis(axis, ndim));
  if (permutation.every((axis, index) => axis === index) && permutation.length === ndim) return symbol;
  return apply('transpose', [symbol], { permutation });
}

/** Exchanges two axes. */
export function swapaxes(x: Operand, axis1: number, axis2: number): SymbolicTensor {
  const symbol = toSymbol(x);
  const ndim = symbol.shape.length;
  const [first, second] = [normalizeAxis(axis1, ndim), normalizeAxis(axis2, ndim)];
  const exchanged = new Map([
    [first, second],
    [second, first],
  ]);
  return transpose(
    symbol,
    symbol.shape.map((_, axis) => exchanged.get(axis) ?? axis),
  );
}

/** Moves axes to new places; the others keep their order. */
export function moveaxis(
  x: Operand,
  source: number | readonly number[],
  destination: number | readonly number[],
): SymbolicTensor {
  const symbol = toSymbol(x);
  const ndim = symbol.shape.length;
  const list = (axes: number | readonly number[]): number[] =>
    (typeof axes === 'number' ? [axes] : [...axes]).map((axis) => normalizeAxis(axis, ndim));
  const [from, to] = [list(source), list(destination)];
  if (from.length !== to.length) {
    throw new RangeError(`Cannot move axes: found ${from.length} sources and ${to.length} destinations`);
  }
  const rest = symbol.shape.map((_, axis) => axis).filter((axis) => !from.includes(axis));
  const placed = new Map(to.map((place, index) => [place, from[index] as number]));
  return transpose(
    symbol,
    symbol.shape.map((_, place) => placed.get(place) ?? (rest.shift() as number)),
  );
}

/** Adds axes of extent 1, at places that count in the new shape. */
export function expandDims(x: Operand, axis: number | readonly number[]): SymbolicTensor {
  const symbol = toSymbol(x);
  const list = typeof axis === 'number' ? [axis] : axis;
  const ndim = symbol.shape.length + list.length;
  const places = new Set(list.map((place) => normalizeAxis(place, ndim)));
  if (places.size !== list.length) throw new RangeError(`Cannot add axes [${list.join(', ')}]: one is named twice`);
  const extents = [...symbol.shape];
  return withShape(
    symbol,
    Array.from({ length: ndim }, (_, place) => (places.has(place) ? 1 : (extents.shift() as number))),
  );
}

/** Removes axes of extent 1: those named, or all. */
export function squeeze(x: Operand, axis: number | readonly number[] | null = null): SymbolicTensor {
  const symbol = toSymbol(x);
  const { shape } = symbol;
  const axes = axis === null ? null : normalizeAxes(axis, shape.length);
  const wrong = axes?.find((place) => shape[place] !== 1);
  if (wrong !== undefined) {
    throw new ShapeError(`Cannot squeeze axis ${wrong}: found shape ${formatShape(shape)}, expected an extent of 1`);
  }
  return withShape(
    symbol,
    shape.filter((extent, place) => (axes === null ? extent !== 1 : !axes.includes(place))),
  );
}

/** Joins tensors along an axis; their dtypes are promoted. */
export function concatenate(xs: readonly Operand[], axis = 0): SymbolicTensor {
  const dtype = commonDtype(...xs);
  const symbols = xs.map((x) => cast(x, dtype));
  if (symbols.length === 0) throw new RangeError('Cannot concatenate: found no tensors, expected at least one');
  const first = symbols[0] as SymbolicTensor;
  if (symbols.length === 1) return first;
  return apply('concatenate', symbols, { axis: normalizeAxis(axis, first.shape.length) });
}

/** Joins along an axis after flattening when it is `null`: NumPy's append. */
export function append(x: Operand, values: Operand, axis: number | null = null): SymbolicTensor {
  return axis === null ? concatenate([ravel(x), ravel(values)]) : concatenate([x, values], axis);
}

/** Joins tensors of one shape along a new axis. */
export function stack(xs: readonly Operand[], axis = 0): SymbolicTensor {
  const ndim = (toSymbol(xs[0] ?? 0).shape.length ?? 0) + 1;
  const place = normalizeAxis(axis, ndim);
  return concatenate(
    xs.map((x) => expandDims(x, place)),
    place,
  );
}

/** The slices along an axis, without that axis. */
export function unstack(x: Operand, axis = 0): SymbolicTensor[] {
  const symbol = toSymbol(x);
  const place = normalizeAxis(axis, symbol.shape.length);
  const rest = symbol.shape.filter((_, other) => other !== place);
  const count = symbol.shape[place] as number;
  return Array.from({ length: count }, (_, index) => withShape(between(symbol, place, index, index + 1), rest));
}

/** Elements `start` to `stop` along one axis; `stop` may exceed the extent and both may count from its end. */
export function between(x: Operand, axis: number, start: number, stop: number, stride = 1): SymbolicTensor {
  const symbol = toSymbol(x);
  const place = normalizeAxis(axis, symbol.shape.length);
  const extent = symbol.shape[place] as number;
  const bound = (position: number): number =>
    Math.min(Math.max(position < 0 ? position + extent : position, 0), extent);
  const [low, high] = [bound(start), bound(stop)];
  if (low === 0 && high === extent && stride === 1) return symbol;
  const starts = symbol.shape.map((_, other) => (other === place ? low : 0));
  const stops = symbol.shape.map((own, other) => (other === place ? Math.max(low, high) : own));
  return apply('slice', [symbol], {
    starts,
    stops,
    strides: symbol.shape.map((_, other) => (other === place ? stride : 1)),
  });
}

/**
 * Cuts along an axis: into equal parts, or before each of the indices.
 *
 * @throws {ShapeError} when the parts would not be equal.
 */
export function split(x: Operand, indicesOrSections: number | readonly number[], axis = 0): SymbolicTensor[] {
  const symbol = toSymbol(x);
  const place = normalizeAxis(axis, symbol.shape.length);
  const extent = symbol.shape[place] as number;
  if (typeof indicesOrSections !== 'number') return cut(symbol, indicesOrSections, place);
  const part = extent / indicesOrSections;
  if (!Number.isInteger(part)) {
    throw new ShapeError(`Cannot split axis ${axis} of extent ${extent} into ${indicesOrSections} equal parts`);
  }
  const indices = Array.from({ length: indicesOrSections - 1 }, (_, index) => (index + 1) * part);
  return cut(symbol, indices, place);
}

/** Cuts along an axis into parts that differ by at most one element, the larger first. */
export function arraySplit(x: Operand, indicesOrSections: number | readonly number[], axis = 0): SymbolicTensor[] {
  const symbol = toSymbol(x);
  const place = normalizeAxis(axis, symbol.shape.length);
  if (typeof indicesOrSections !== 'number') return cut(symbol, indicesOrSections, place);
  const extent = symbol.shape[place] as number;
  const part = Math.floor(extent / indicesOrSections);
  const larger = extent % indicesOrSections;
  const indices = Array.from({ length: indicesOrSections - 1 }, (_, index) => {
    return (index + 1) * part + Math.min(index + 1, larger);
  });
  return cut(symbol, indices, place);
}

function cut(x: SymbolicTensor, indices: readonly number[], axis: number): SymbolicTensor[] {
  const extent = x.shape[axis] as number;
  return [0, ...indices].map((start, index) => between(x, axis, start, indices[index] ?? extent));
}

/** Repeats the whole tensor along each axis; missing axes are added in front. */
export function tile(x: Operand, repeats: number | readonly number[]): SymbolicTensor {
  const symbol = toSymbol(x);
  const given = typeof repeats === 'number' ? [repeats] : [...repeats];
  const ndim = Math.max(given.length, symbol.shape.length);
  const counts = [...new Array<number>(ndim - given.length).fill(1), ...given];
  const shape = [...new Array<number>(ndim - symbol.shape.length).fill(1), ...symbol.shape];
  // Each axis becomes two: which copy, and where in it.
  const paired = withShape(
    symbol,
    shape.flatMap((extent) => [1, extent]),
  );
  const stretched = broadcastTo(
    paired,
    shape.flatMap((extent, axis) => [counts[axis] as number, extent]),
  );
  return withShape(
    stretched,
    shape.map((extent, axis) => extent * (counts[axis] as number)),
  );
}

/** Repeats each element, along an axis or, when it is `null`, of the flattened tensor. */
export function repeat(x: Operand, repeats: number | readonly number[], axis: number | null = null): SymbolicTensor {
  if (axis === null) return repeat(ravel(x), repeats, 0);
  const symbol = toSymbol(x);
  const place = normalizeAxis(axis, symbol.shape.length);
  const extent = symbol.shape[place] as number;
  if (typeof repeats !== 'number' && repeats.length !== 1) {
    if (repeats.length !== extent) {
      throw new ShapeError(`Cannot repeat: found ${repeats.length} counts, expected ${extent} as along axis ${axis}`);
    }
    const parts = repeats.map((count, index) => repeat(between(symbol, place, index, index + 1), count, place));
    return concatenate(parts, place);
  }
  const count = typeof repeats === 'number' ? repeats : (repeats[0] as number);
  const [before, after] = [symbol.shape.slice(0, place), symbol.shape.slice(place + 1)];
  const paired = withShape(symbol, [...before, extent, 1, ...after]);
  return withShape(broadcastTo(paired, [...before, extent, count, ...after]), [...before, extent * count, ...after]);
}

/** The elements in reverse order along the axes; `null` is all. */
export function flip(x: Operand, axis: number | readonly number[] | null = null): SymbolicTensor {
  const symbol = toSymbol(x);
  const axes = normalizeAxes(axis, symbol.shape.length);
  return axes.length === 0 ? symbol : apply('reverse', [symbol], { axes });
}

/** Moves elements along axes, those beyond the end to the beginning; of the flattened tensor when the axis is `null`. */
export function roll(
  x: Operand,
  shift: number | readonly number[],
  axis: number | readonly number[] | null = null,
): SymbolicTensor {
  const symbol = toSymbol(x);
  if (axis === null) return withShape(roll(ravel(symbol), shift, 0), symbol.shape);
  const axes = typeof axis === 'number' ? [axis] : axis;
  const shifts = typeof shift === 'number' ? axes.map(() => shift) : shift;
  return axes.reduce((rolled, one, index) => {
    const place = normalizeAxis(one, symbol.shape.length);
    const extent = symbol.shape[place] as number;
    if (extent === 0) return rolled;
    const cutAt = (((-(shifts[index] ?? shifts[0] ?? 0) % extent) + extent) % extent) as number;
    if (cutAt === 0) return rolled;
    return concatenate([between(rolled, place, cutAt, extent), between(rolled, place, 0, cutAt)], place);
  }, symbol);
}

/** Rotates by `k` quarter turns in the plane of two axes, from the first towards the second. */
export function rot90(x: Operand, k = 1, axes: readonly number[] = [0, 1]): SymbolicTensor {
  const symbol = toSymbol(x);
  const [first, second] = axes as [number, number];
  const turns = ((k % 4) + 4) % 4;
  if (turns === 0) return symbol;
  if (turns === 2) return flip(symbol, [first, second]);
  if (turns === 1) return swapaxes(flip(symbol, second), first, second);
  return flip(swapaxes(symbol, first, second), second);
}

/** Joins along the first axis, at least two axes being made. */
export function vstack(xs: readonly Operand[]): SymbolicTensor {
  return concatenate(
    xs.map((x) => atLeast2d(x)),
    0,
  );
}

/** Joins along the second axis, or the only one. */
export function hstack(xs: readonly Operand[]): SymbolicTensor {
  const symbols = xs.map((x) => (toSymbol(x).shape.length === 0 ? ravel(x) : toSymbol(x)));
  return concatenate(symbols, symbols[0]?.shape.length === 1 ? 0 : 1);
}

/** Joins along the third axis, at least three axes being made. */
export function dstack(xs: readonly Operand[]): SymbolicTensor {
  const symbols = xs.map((x) => {
    const matrix = atLeast2d(x);
    return matrix.shape.length === 2 ? expandDims(matrix, 2) : matrix;
  });
  return concatenate(symbols, 2);
}

function atLeast2d(x: Operand): SymbolicTensor {
  const symbol = toSymbol(x);
  return symbol.shape.length >= 2 ? symbol : reshape(symbol, [1, -1]);
}

/** Cuts along the first axis. */
export function vsplit(x: Operand, indicesOrSections: number | readonly number[]): SymbolicTensor[] {
  return split(x, indicesOrSections, 0);
}

/** Cuts along the second axis, or the only one. */
export function hsplit(x: Operand, indicesOrSections: number | readonly number[]): SymbolicTensor[] {
  return split(x, indicesOrSections, toSymbol(x).shape.length === 1 ? 0 : 1);
}

/** Cuts along the third axis. */
export function dsplit(x: Operand, indicesOrSections: number | readonly number[]): SymbolicTensor[] {
  return split(x, indicesOrSections, 2);
}

/** Coordinate grids from vectors; `xy` exchanges the first two axes, as in Cartesian indexing. */
export function meshgrid(xs: readonly Operand[], indexing: 'xy' | 'ij' = 'xy'): SymbolicTensor[] {
  const vectors = xs.map((x) => ravel(x));
  const shape: Shape = vectors.map((vector) => vector.shape[0] as number);
  return vectors.map((vector, index) => {
    const extents = shape.map((extent, axis) => (axis === index ? extent : 1));
    const grid = broadcastTo(withShape(vector, extents), shape);
    return indexing === 'xy' && shape.length > 1 ? swapaxes(grid, 0, 1) : grid;
  });
}
