/** How operands become tensors of one dtype and one shape: the rules of NumPy's broadcasting and promotion. */
import { computeDtype, type Dtype, isStorageDtype } from '../array/dtype.ts';
import { formatShape, normalizeAxis, type Shape, shapesEqual, sizeOf } from '../array/shape.ts';
import { Tensor, tensor } from '../array/tensor.ts';
import { ShapeError } from '../errors.ts';
import { apply, constant } from '../graph/apply.ts';
import { SymbolicTensor } from '../graph/node.ts';

/** What operations take: a symbolic tensor, a host tensor, or a literal. */
export type Operand = SymbolicTensor | Tensor | number | boolean;

/** Element types that programs compute with. */
export type NumericDtype = Exclude<Dtype, 'string'>;

/** One axis, several, or `null` for all. Axes may count from the end. */
export type Axes = number | readonly number[] | null;

const RANK: { readonly [D in NumericDtype]: number } = { bool: 0, int32: 1, float32: 2 };

const GREATEST_INT32 = 2 ** 31 - 1;

/** The operand as a symbolic tensor; a number becomes a float32 scalar, a boolean a bool. */
export function toSymbol(x: Operand): SymbolicTensor {
  if (x instanceof SymbolicTensor) return x;
  return constant(x instanceof Tensor ? x : tensor(x));
}

/** The operand's shape; that of a literal is `[]`. */
export function shapeOf(x: Operand): Shape {
  return typeof x === 'number' || typeof x === 'boolean' ? [] : x.shape;
}

/** The dtype that an element type of Keras is computed with: `int64` as int32, `float16` as float32, and so on. */
export function numericDtype(name: string): NumericDtype {
  const dtype = isStorageDtype(name) ? computeDtype(name) : undefined;
  if (dtype === undefined || dtype === 'string') {
    throw new TypeError(`Cannot compute with dtype "${name}": expected a numeric dtype such as float32, int32 or bool`);
  }
  return dtype;
}

/**
 * The dtype in which operands meet: bool, then int32, then float32. A literal number takes the dtype of the tensors,
 * at least int32, unless it is fractional; literals alone are float32.
 */
export function commonDtype(...operands: readonly Operand[]): NumericDtype {
  let common: NumericDtype | undefined;
  const raise = (dtype: NumericDtype): void => {
    if (common === undefined || RANK[dtype] > RANK[common]) common = dtype;
  };
  for (const operand of operands) {
    if (typeof operand === 'boolean') raise('bool');
    else if (typeof operand !== 'number') raise(numericDtype(operand.dtype));
  }
  const onlyLiterals = !operands.some((operand) => typeof operand === 'object');
  for (const operand of operands) {
    if (typeof operand === 'number') raise(isInt32(operand) && !onlyLiterals ? 'int32' : 'float32');
  }
  return common ?? 'float32';
}

function isInt32(value: number): boolean {
  return Number.isInteger(value) && Math.abs(value) <= GREATEST_INT32;
}

/** Converts the elements; a tensor of that dtype is itself. */
export function cast(x: Operand, dtype: string): SymbolicTensor {
  const target = numericDtype(dtype);
  if (typeof x === 'number' || typeof x === 'boolean') return literalConstant(x, target, []);
  const symbol = toSymbol(x);
  return symbol.dtype === target ? symbol : apply('cast', [symbol], { dtype: target });
}

function literalConstant(value: number | boolean, dtype: NumericDtype, shape: Shape): SymbolicTensor {
  return constant(tensor(literal(value, dtype), shape, dtype));
}

/** The value that a cast at run time would give. */
function literal(value: number | boolean, dtype: NumericDtype): number | boolean {
  return dtype === 'int32' ? Math.trunc(Number(value)) : value;
}

/** The operand as float32: what mathematical functions compute with. */
export function toFloat(x: Operand): SymbolicTensor {
  return cast(x, 'float32');
}

/** The operand as numbers: a bool becomes int32. */
export function toNumeric(x: Operand): SymbolicTensor {
  const symbol = toSymbol(x);
  return symbol.dtype === 'bool' ? cast(symbol, 'int32') : symbol;
}

/**
 * The shape to which shapes stretch together.
 *
 * @throws {ShapeError} when two extents differ and neither is 1.
 */
export function broadcastShapes(...shapes: readonly Shape[]): number[] {
  const ndim = Math.max(0, ...shapes.map((shape) => shape.length));
  const result = new Array<number>(ndim).fill(1);
  for (const shape of shapes) {
    for (let index = 0; index < shape.length; index++) {
      const axis = ndim - shape.length + index;
      const extent = shape[index] as number;
      if (extent === 1 || extent === result[axis]) continue;
      if (result[axis] !== 1) {
        throw new ShapeError(`Cannot broadcast: found shapes ${shapes.map(formatShape).join(' and ')}`);
      }
      result[axis] = extent;
    }
  }
  return result;
}

/** Stretches to a shape: leading axes are added, axes of extent 1 are repeated. */
export function broadcastTo(x: Operand, shape: Shape): SymbolicTensor {
  const symbol = toSymbol(x);
  if (shapesEqual(symbol.shape, shape)) return symbol;
  if (!shapesEqual(broadcastShapes(symbol.shape, shape), shape)) {
    throw new ShapeError(
      `Cannot broadcast: found shape ${formatShape(symbol.shape)}, expected one that stretches to ${formatShape(shape)}`,
    );
  }
  const leading = new Array<number>(shape.length - symbol.shape.length).fill(1);
  const padded = leading.length === 0 ? symbol : withShape(symbol, [...leading, ...symbol.shape]);
  return shapesEqual(padded.shape, shape) ? padded : apply('broadcast', [padded], { shape });
}

/** The same elements in another shape of the same size. */
export function withShape(x: SymbolicTensor, shape: Shape): SymbolicTensor {
  return shapesEqual(x.shape, shape) ? x : apply('reshape', [x], { shape });
}

/** The operands with one shape, and with the dtype, or their common one. */
export function align(operands: readonly Operand[], dtype: NumericDtype = commonDtype(...operands)): SymbolicTensor[] {
  const shape = broadcastShapes(...operands.map(shapeOf));
  const aligned = (operand: Operand): SymbolicTensor => {
    if (typeof operand === 'object') return cast(operand, dtype);
    // Graphs are full of literals: with its axes from the beginning none needs a reshape.
    return literalConstant(
      operand,
      dtype,
      shape.map(() => 1),
    );
  };
  return operands.map((operand) => broadcastTo(aligned(operand), shape));
}

/** Sorted axes from 0, without repeats; `null` is all of them. */
export function normalizeAxes(axes: Axes, ndim: number): number[] {
  if (axes === null) return Array.from({ length: ndim }, (_, axis) => axis);
  const list = typeof axes === 'number' ? [axes] : axes;
  return [...new Set(list.map((axis) => normalizeAxis(axis, ndim)))].sort((a, b) => a - b);
}

/** The shape after a reduction: the axes vanish, or keep an extent of 1. */
export function reducedShape(shape: Shape, axes: readonly number[], keepdims: boolean): number[] {
  if (keepdims) return shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
  return shape.filter((_, axis) => !axes.includes(axis));
}

/** Number of elements that a reduction over these axes joins. */
export function reducedCount(shape: Shape, axes: readonly number[]): number {
  return sizeOf(axes.map((axis) => shape[axis] as number));
}

/** One number for each of several axes, given as such or as a list. */
export function perAxis(value: number | readonly number[], count: number, name: string): number[] {
  const list = typeof value === 'number' ? new Array<number>(count).fill(value) : [...value];
  if (list.length !== count) {
    throw new RangeError(`Cannot use ${name} [${list.join(', ')}]: found ${list.length} numbers, expected ${count}`);
  }
  return list;
}
