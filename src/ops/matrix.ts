/** Products of matrices and vectors, diagonals and triangles. */
import { formatShape, normalizeAxis, type Shape, sizeOf } from '../array/shape.ts';
import { ShapeError } from '../errors.ts';
import { apply } from '../graph/apply.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import { equal, where } from './compare.ts';
import { coordinates } from './creation.ts';
import { add, multiply, subtract } from './elementwise.ts';
import { broadcastShapes, broadcastTo, cast, commonDtype, type Operand, toSymbol, withShape } from './operand.ts';
import { sum } from './reduce.ts';
import { between, expandDims, moveaxis, ravel, reshape, stack, transpose } from './shape.ts';

/**
 * Matrix product over the last two axes, the leading ones broadcast. A vector on the left is a row, on the right a
 * column, and loses that axis again.
 */
export function matmul(x: Operand, y: Operand): SymbolicTensor {
  const dtype = commonDtype(x, y);
  const [left, right] = [cast(x, dtype), cast(y, dtype)];
  if (left.shape.length === 0 || right.shape.length === 0) {
    throw new ShapeError('Cannot multiply matrices: found a scalar, expected at least one axis');
  }
  if (left.shape.length === 1) {
    const rows = matmul(expandDims(left, 0), right);
    return withShape(rows, right.shape.length === 1 ? [] : [...rows.shape.slice(0, -2), rows.shape.at(-1) as number]);
  }
  if (right.shape.length === 1) return withShape(...dropLast(matmul(left, expandDims(right, 1))));
  if (left.shape.at(-1) !== right.shape.at(-2)) {
    throw new ShapeError(
      `Cannot multiply matrices: found shapes ${formatShape(left.shape)} and ${formatShape(right.shape)}, ` +
        'expected the last extent of the left to equal the last but one of the right',
    );
  }
  return dtype === 'float32' ? matmulFloat(left, right) : matmulInteger(left, right, dtype);
}

function dropLast(x: SymbolicTensor): [SymbolicTensor, Shape] {
  return [x, x.shape.slice(0, -1)];
}

function matmulFloat(left: SymbolicTensor, right: SymbolicTensor): SymbolicTensor {
  const plain = { transposeLeft: false, transposeRight: false };
  const [k, n] = right.shape.slice(-2) as [number, number];
  // One matrix on the right: all leading axes of the left are rows of one product.
  if (sizeOf(right.shape.slice(0, -2)) === 1 && right.shape.length <= left.shape.length) {
    const rows = sizeOf(left.shape.slice(0, -1));
    const product = apply('dot', [withShape(left, [rows, k]), withShape(right, [k, n])], plain);
    return withShape(product, [...left.shape.slice(0, -1), n]);
  }
  const leading = broadcastShapes(left.shape.slice(0, -2), right.shape.slice(0, -2));
  return apply('dot', [stretch(left, leading), stretch(right, leading)], plain);
}

function stretch(x: SymbolicTensor, leading: Shape): SymbolicTensor {
  return broadcastTo(x, [...leading, ...x.shape.slice(-2)]);
}

/** Integers are multiplied and added as such, so that nothing is rounded. */
function matmulInteger(left: SymbolicTensor, right: SymbolicTensor, dtype: string): SymbolicTensor {
  const products = multiply(expandDims(left, -1), expandDims(right, -3));
  return cast(sum(products, -2), dtype);
}

/** Product over the last axis of x and the last but one of y; with a scalar, the element-wise product. */
export function dot(x: Operand, y: Operand): SymbolicTensor {
  const [left, right] = [toSymbol(x), toSymbol(y)];
  if (left.shape.length === 0 || right.shape.length === 0) return multiply(left, right);
  const axis = right.shape.length === 1 ? 0 : right.shape.length - 2;
  return tensordot(left, right, [[left.shape.length - 1], [axis]]);
}

/** Product over axes of x and as many of y: a number means the last of x and the first of y. */
export function tensordot(
  x: Operand,
  y: Operand,
  axes: number | readonly [number | readonly number[], number | readonly number[]] = 2,
): SymbolicTensor {
  const [left, right] = [toSymbol(x), toSymbol(y)];
  const [contractLeft, contractRight] = contractedAxes(left.shape.length, right.shape.length, axes);
  const freeLeft = left.shape.map((_, axis) => axis).filter((axis) => !contractLeft.includes(axis));
  const freeRight = right.shape.map((_, axis) => axis).filter((axis) => !contractRight.includes(axis));
  const pick = (shape: Shape, list: readonly number[]): number[] => list.map((axis) => shape[axis] as number);
  const inner = sizeOf(pick(left.shape, contractLeft));
  const rows = reshape(transpose(left, [...freeLeft, ...contractLeft]), [sizeOf(pick(left.shape, freeLeft)), inner]);
  const columns = reshape(transpose(right, [...contractRight, ...freeRight]), [
    sizeOf(pick(right.shape, contractRight)),
    sizeOf(pick(right.shape, freeRight)),
  ]);
  return withShape(matmul(rows, columns), [...pick(left.shape, freeLeft), ...pick(right.shape, freeRight)]);
}

function contractedAxes(
  leftNdim: number,
  rightNdim: number,
  axes: number | readonly [number | readonly number[], number | readonly number[]],
): [number[], number[]] {
  if (typeof axes === 'number') {
    const count = Array.from({ length: axes }, (_, index) => index);
    return [count.map((index) => leftNdim - axes + index), count];
  }
  const list = (given: number | readonly number[], ndim: number): number[] =>
    (typeof given === 'number' ? [given] : given).map((axis) => normalizeAxis(axis, ndim));
  return [list(axes[0], leftNdim), list(axes[1], rightNdim)];
}

/** Product over the last axes of both. */
export function inner(x: Operand, y: Operand): SymbolicTensor {
  const [left, right] = [toSymbol(x), toSymbol(y)];
  if (left.shape.length === 0 || right.shape.length === 0) return multiply(left, right);
  return tensordot(left, right, [[-1], [-1]]);
}

/** Every product of an element of x and one of y; both are flattened. */
export function outer(x: Operand, y: Operand): SymbolicTensor {
  return multiply(reshape(x, [-1, 1]), reshape(y, [1, -1]));
}

/** The sum of the products of all elements; both are flattened. */
export function vdot(x: Operand, y: Operand): SymbolicTensor {
  return matmul(ravel(x), ravel(y));
}

/** The vector product along an axis of two or three components; two of two give a scalar. */
export function cross(
  x: Operand,
  y: Operand,
  axisX = -1,
  axisY = -1,
  axisOut = -1,
  axis: number | null = null,
): SymbolicTensor {
  const [left, right] = [moveaxis(x, axis ?? axisX, -1), moveaxis(y, axis ?? axisY, -1)];
  const component = (symbol: SymbolicTensor, index: number): Operand => {
    if (index >= (symbol.shape.at(-1) as number)) return 0;
    return withShape(between(symbol, -1, index, index + 1), symbol.shape.slice(0, -1));
  };
  const minor = (first: number, second: number): SymbolicTensor =>
    subtract(
      multiply(component(left, first), component(right, second)),
      multiply(component(left, second), component(right, first)),
    );
  const extents = [left.shape.at(-1), right.shape.at(-1)];
  if (!extents.every((extent) => extent === 2 || extent === 3)) {
    throw new ShapeError(`Cannot cross: found ${extents.join(' and ')} components, expected 2 or 3`);
  }
  if (extents.every((extent) => extent === 2)) return minor(0, 1);
  const components = [minor(1, 2), minor(2, 0), minor(0, 1)];
  const shape = broadcastShapes(...components.map((part) => part.shape));
  return moveaxis(
    stack(
      components.map((part) => broadcastTo(part, shape)),
      -1,
    ),
    -1,
    axis ?? axisOut,
  );
}

/** The Kronecker product: each element of x times all of y, as blocks. */
export function kron(x: Operand, y: Operand): SymbolicTensor {
  const [left, right] = [toSymbol(x), toSymbol(y)];
  const ndim = Math.max(left.shape.length, right.shape.length);
  const padded = (shape: Shape): number[] => [...new Array<number>(ndim - shape.length).fill(1), ...shape];
  const [outerShape, innerShape] = [padded(left.shape), padded(right.shape)];
  const products = multiply(
    withShape(
      left,
      outerShape.flatMap((extent) => [extent, 1]),
    ),
    withShape(
      right,
      innerShape.flatMap((extent) => [1, extent]),
    ),
  );
  return withShape(
    products,
    outerShape.map((extent, axis) => extent * (innerShape[axis] as number)),
  );
}

/** The diagonal that is `offset` above the main one, of the matrices in two axes; it becomes the last axis. */
export function diagonal(x: Operand, offset = 0, axis1 = 0, axis2 = 1): SymbolicTensor {
  const matrices = moveaxis(x, [axis1, axis2], [-2, -1]);
  const leading = matrices.shape.slice(0, -2);
  const [rows, columns] = matrices.shape.slice(-2) as [number, number];
  const length = Math.max(0, Math.min(rows + Math.min(offset, 0), columns - Math.max(offset, 0)));
  if (length === 0)
    return withShape(between(reshape(matrices, [...leading, rows * columns]), -1, 0, 0), [...leading, 0]);
  // In row-major order, the elements of a diagonal lie one row and one column apart.
  const start = offset >= 0 ? offset : -offset * columns;
  const flat = reshape(matrices, [...leading, rows * columns]);
  return between(flat, -1, start, start + (length - 1) * (columns + 1) + 1, columns + 1);
}

/** The sum of a diagonal. */
export function trace(x: Operand, offset = 0, axis1 = 0, axis2 = 1): SymbolicTensor {
  return sum(diagonal(x, offset, axis1, axis2), -1);
}

/** A matrix with a vector on its `k`-th diagonal, or the `k`-th diagonal of a matrix. */
export function diag(x: Operand, k = 0): SymbolicTensor {
  const symbol = toSymbol(x);
  if (symbol.shape.length === 2) return diagonal(symbol, k);
  if (symbol.shape.length !== 1) {
    throw new ShapeError(
      `Cannot take or make a diagonal: found shape ${formatShape(symbol.shape)}, expected 1 or 2 axes`,
    );
  }
  const extent = (symbol.shape[0] as number) + Math.abs(k);
  const pads: [number, number] = [Math.max(0, -k), Math.max(0, k)];
  // The vector stands at the rows of its diagonal and is stretched over the columns, of which one is kept.
  const rows = apply('pad', [symbol], { padding: [pads], value: 0 });
  const grid = broadcastTo(withShape(rows, [extent, 1]), [extent, extent]);
  const isDiagonal = equal(add(coordinates([extent, extent], 0), k), coordinates([extent, extent], 1));
  return where(isDiagonal, grid, cast(0, symbol.dtype));
}

/** A matrix with all elements, flattened, on its `k`-th diagonal. */
export function diagflat(x: Operand, k = 0): SymbolicTensor {
  return diag(ravel(x), k);
}

function triangle(x: Operand, k: number, keep: 'lower' | 'upper'): SymbolicTensor {
  const symbol = toSymbol(x);
  const shape = symbol.shape.slice(-2);
  const [rows, columns] = [add(coordinates(shape, 0), k), coordinates(shape, 1)];
  const kept = apply(keep === 'lower' ? 'lessEqual' : 'greaterEqual', [columns, rows], {});
  return where(kept, symbol, cast(0, symbol.dtype));
}

/** The elements on and below the diagonal that is `k` above the main one; 0 above. */
export function tril(x: Operand, k = 0): SymbolicTensor {
  return triangle(x, k, 'lower');
}

/** The elements on and above the diagonal that is `k` above the main one; 0 below. */
export function triu(x: Operand, k = 0): SymbolicTensor {
  return triangle(x, k, 'upper');
}
