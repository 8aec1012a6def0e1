/** Normalisations as functions of tensors; the layers of these names own the weights. */
import { normalizeAxis } from '../array/shape.ts';
import { apply } from '../graph/apply.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import { add, divide, maximum, multiply, negative, rsqrt, square, subtract } from './elementwise.ts';
import { type Axes, normalizeAxes, type Operand, toFloat, withShape } from './operand.ts';
import { mean, moments, type NormOrder, norm, sum, variance } from './reduce.ts';

/** Keras' fuzz factor. */
const EPSILON = 1e-7;

/** A vector as long as one axis, in a shape that broadcasts along it. */
function alongAxis(vector: Operand, ndim: number, axis: number): SymbolicTensor {
  const symbol = toFloat(vector);
  const shape = new Array<number>(ndim).fill(1);
  shape[normalizeAxis(axis, ndim)] = symbol.shape[0] as number;
  return withShape(symbol, shape);
}

/** `(x − mean) / √(variance + ε) · scale + offset`, all vectors along one axis. */
export function batchNormalization(
  x: Operand,
  meanVector: Operand,
  varianceVector: Operand,
  axis: number,
  offset: Operand | null = null,
  scale: Operand | null = null,
  epsilon = 1e-3,
): SymbolicTensor {
  const value = toFloat(x);
  const along = (vector: Operand): SymbolicTensor => alongAxis(vector, value.shape.length, axis);
  const inverse = rsqrt(add(along(varianceVector), epsilon));
  const factor = scale === null ? inverse : multiply(inverse, along(scale));
  const shift = negative(multiply(along(meanVector), factor));
  return add(multiply(value, factor), offset === null ? shift : add(shift, along(offset)));
}

/** A weight over several axes, in a shape that broadcasts along them. */
function alongAxes(weight: Operand, value: SymbolicTensor, axes: readonly number[]): SymbolicTensor {
  const symbol = toFloat(weight);
  if (symbol.shape.length === value.shape.length) return symbol;
  return withShape(
    symbol,
    value.shape.map((extent, axis) => (axes.includes(axis) ? extent : 1)),
  );
}

/** Mean 0 and variance 1 over the axes, then `gamma` and `beta`, which have the extents of those axes. */
export function layerNormalization(
  x: Operand,
  gamma: Operand | null = null,
  beta: Operand | null = null,
  axis: number | readonly number[] = -1,
  epsilon: number = EPSILON,
  rmsScaling = false,
): SymbolicTensor {
  const value = toFloat(x);
  const axes = normalizeAxes(axis, value.shape.length);
  if (rmsScaling) {
    const scaled = multiply(value, rsqrt(add(variance(value, axes, true), epsilon)));
    return gamma === null ? scaled : multiply(scaled, alongAxes(gamma, value, axes));
  }
  const [average, spread] = moments(value, axes, true);
  const normalized = multiply(subtract(value, average), rsqrt(add(spread, epsilon)));
  const scaled = gamma === null ? normalized : multiply(normalized, alongAxes(gamma, value, axes));
  return beta === null ? scaled : add(scaled, alongAxes(beta, value, axes));
}

/** x divided by the root of the mean square over the axes, times `scale`. */
export function rmsNormalization(
  x: Operand,
  scale: Operand | null = null,
  axis: number | readonly number[] = -1,
  epsilon: number = EPSILON,
): SymbolicTensor {
  const value = toFloat(x);
  const normalized = multiply(value, rsqrt(add(mean(square(value), axis, true), epsilon)));
  return scale === null ? normalized : multiply(normalized, scale);
}

/** Vectors along the axis divided by their norm of the given order, or by ε where that is greater. */
export function normalize(
  x: Operand,
  axis: Axes = -1,
  order: NormOrder = 2,
  epsilon: number = EPSILON,
): SymbolicTensor {
  const value = toFloat(x);
  if (order !== 2) return divide(value, maximum(norm(value, order, axis, true), epsilon));
  // Clamping the sum of squares instead of its root keeps the gradient finite at 0.
  return multiply(value, rsqrt(maximum(sum(square(value), axis, true), epsilon * epsilon)));
}

/** x · 1/√(Σ x² over the axis), with the sum at least ε: the normalisation of TensorFlow. */
export function l2Normalize(x: Operand, axis: Axes = -1, epsilon = 1e-12): SymbolicTensor {
  const value = toFloat(x);
  const squares = sum(square(value), axis, true);
  return multiply(value, apply('rsqrt', [maximum(squares, epsilon)], {}));
}
