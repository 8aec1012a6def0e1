/** Tensors from nothing but numbers: ranges, grids, constants, windows. */
import type { Shape } from '../array/shape.ts';
import { sizeOf } from '../array/shape.ts';
import { tensor } from '../array/tensor.ts';
import { apply, constant } from '../graph/apply.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import { broadcastTo, cast, type NumericDtype, numericDtype, type Operand, toSymbol } from './operand.ts';
import { tableLength } from './table-length.ts';

/** Numbers that are computed while tracing, in double precision, and rounded once. */
function numbers(count: number, element: (index: number) => number, dtype: NumericDtype = 'float32'): SymbolicTensor {
  const values = Array.from({ length: tableLength('a constant', Math.max(0, count)) }, (_, index) => element(index));
  return constant(tensor(values, [values.length], dtype));
}

/** One value everywhere. */
export function full(shape: number | Shape, value: Operand, dtype: string | null = null): SymbolicTensor {
  return broadcastTo(dtype === null ? value : cast(value, dtype), typeof shape === 'number' ? [shape] : shape);
}

/** 0 everywhere. */
export function zeros(shape: number | Shape, dtype = 'float32'): SymbolicTensor {
  return full(shape, 0, dtype);
}

/** 1 everywhere. */
export function ones(shape: number | Shape, dtype = 'float32'): SymbolicTensor {
  return full(shape, 1, dtype);
}

/** One value everywhere, with the shape of x and, by default, its dtype. */
export function fullLike(x: Operand, value: Operand, dtype: string | null = null): SymbolicTensor {
  const symbol = toSymbol(x);
  return full(symbol.shape, value, dtype ?? symbol.dtype);
}

/** 0 everywhere, with the shape of x and, by default, its dtype. */
export function zerosLike(x: Operand, dtype: string | null = null): SymbolicTensor {
  return fullLike(x, 0, dtype);
}

/** 1 everywhere, with the shape of x and, by default, its dtype. */
export function onesLike(x: Operand, dtype: string | null = null): SymbolicTensor {
  return fullLike(x, 1, dtype);
}

/** `start`, `start + step`, … below `stop`; from 0 when only one bound is given. Integers give int32. */
export function arange(
  start: number,
  stop: number | null = null,
  step: number | null = null,
  dtype: string | null = null,
): SymbolicTensor {
  const [first, last, stride] = stop === null ? [0, start, step ?? 1] : [start, stop, step ?? 1];
  const isInteger = [first, last, stride].every(Number.isInteger);
  const type = dtype === null ? (isInteger ? 'int32' : 'float32') : numericDtype(dtype);
  return numbers(Math.ceil((last - first) / stride), (index) => first + index * stride, type);
}

/** `count` numbers from `start` to `stop`, which is the last one unless `endpoint` is false. */
export function linspace(
  start: number,
  stop: number,
  count = 50,
  endpoint = true,
  dtype: string | null = null,
): SymbolicTensor {
  const step = (stop - start) / Math.max(1, endpoint ? count - 1 : count);
  const element = (index: number): number =>
    endpoint && index > 0 && index === count - 1 ? stop : start + index * step;
  return numbers(count, element, numericDtype(dtype ?? 'float32'));
}

/** `base` to the power of evenly spaced exponents. */
export function logspace(
  start: number,
  stop: number,
  count = 50,
  endpoint = true,
  base = 10,
  dtype: string | null = null,
): SymbolicTensor {
  const step = (stop - start) / Math.max(1, endpoint ? count - 1 : count);
  return numbers(count, (index) => base ** (start + index * step), numericDtype(dtype ?? 'float32'));
}

/** `count` numbers from `start` to `stop`, each the same multiple of the one before. */
export function geomspace(
  start: number,
  stop: number,
  count = 50,
  endpoint = true,
  dtype: string | null = null,
): SymbolicTensor {
  const steps = Math.max(1, endpoint ? count - 1 : count);
  return numbers(count, (index) => start * (stop / start) ** (index / steps), numericDtype(dtype ?? 'float32'));
}

/** The coordinate of each element along one axis; int32. */
export function coordinates(shape: Shape, axis: number): SymbolicTensor {
  return apply('iota', [], { shape, dtype: 'int32', axis });
}

/** 1 on the diagonal that is `k` above the main one, 0 elsewhere. */
export function eye(rows: number, columns: number | null = null, k = 0, dtype = 'float32'): SymbolicTensor {
  const width = columns ?? rows;
  const data = new Float32Array(rows * width);
  for (let row = Math.max(0, -k); row < rows && row + k < width; row++) data[row * width + row + k] = 1;
  return constant(tensor(Array.from(data), [rows, width], numericDtype(dtype)));
}

/** 1 on the main diagonal. */
export function identity(count: number, dtype = 'float32'): SymbolicTensor {
  return eye(count, null, 0, dtype);
}

/** 1 on and below the diagonal that is `k` above the main one. */
export function tri(rows: number, columns: number | null = null, k = 0, dtype = 'float32'): SymbolicTensor {
  const width = columns ?? rows;
  const values = Array.from({ length: rows * width }, (_, index) =>
    Number((index % width) - k <= Math.floor(index / width)),
  );
  return constant(tensor(values, [rows, width], numericDtype(dtype)));
}

/** Powers of a vector as columns: from the highest to 0, or the other way when `increasing`. */
export function powersOf(count: number, increasing: boolean): SymbolicTensor {
  return numbers(count, (index) => (increasing ? index : count - 1 - index));
}

/** A window of cosines: Σ (−1)ⁿ aₙ cos(2πnk / (N − 1)). */
function cosineWindow(count: number, coefficients: readonly number[]): SymbolicTensor {
  return numbers(count, (k) =>
    count === 1
      ? 1
      : coefficients.reduce((sum, a, n) => sum + (-1) ** n * a * Math.cos((2 * Math.PI * n * k) / (count - 1)), 0),
  );
}

/** Triangular window. */
export function bartlett(count: number): SymbolicTensor {
  return numbers(count, (k) => (count === 1 ? 1 : 1 - Math.abs((2 * k) / (count - 1) - 1)));
}

/** Blackman window. */
export function blackman(count: number): SymbolicTensor {
  return cosineWindow(count, [0.42, 0.5, 0.08]);
}

/** Hamming window. */
export function hamming(count: number): SymbolicTensor {
  return cosineWindow(count, [0.54, 0.46]);
}

/** Hann window. */
export function hanning(count: number): SymbolicTensor {
  return cosineWindow(count, [0.5, 0.5]);
}

/** Kaiser window of shape parameter β. */
export function kaiser(count: number, beta: number): SymbolicTensor {
  const centre = (count - 1) / 2;
  return numbers(count, (k) =>
    count === 1 ? 1 : besselI0(beta * Math.sqrt(1 - ((k - centre) / centre) ** 2)) / besselI0(beta),
  );
}

/** The modified Bessel function of order 0, by its series Σ (x²/4)ⁿ / (n!)². */
function besselI0(x: number): number {
  let term = 1;
  let sum = 1;
  for (let n = 1; term > 1e-17 * sum; n++) {
    term *= (x * x) / 4 / (n * n);
    sum += term;
  }
  return sum;
}

/** Number of elements; an int32 scalar. */
export function size(x: Operand): SymbolicTensor {
  return constant(tensor(sizeOf(toSymbol(x).shape), [], 'int32'));
}

/** The extents; an int32 vector. */
export function shape(x: Operand): SymbolicTensor {
  const extents = toSymbol(x).shape;
  return constant(tensor([...extents], [extents.length], 'int32'));
}

/** Number of axes; an int32 scalar. */
export function ndim(x: Operand): SymbolicTensor {
  return constant(tensor(toSymbol(x).shape.length, [], 'int32'));
}
