/** The activation functions of Keras, and the table by which configurations name them. */
import { normalizeAxis } from '../array/shape.ts';
import { apply } from '../graph/apply.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import { greater, greaterEqual, less, lessEqual, where } from './compare.ts';
import { arange } from './creation.ts';
import {
  abs,
  add,
  clip,
  divide,
  exp,
  expm1,
  log,
  log1p,
  maximum,
  minimum,
  multiply,
  negative,
  sqrt,
  square,
  stopGradient,
  subtract,
  tanh,
} from './elementwise.ts';
import { type Axes, type Operand, toFloat, toNumeric, toSymbol, withShape } from './operand.ts';
import { cumsum, max, sum } from './reduce.ts';
import { between } from './shape.ts';
import { sort } from './sorting.ts';

/** An activation as layers use it. */
export type Activation = (x: Operand) => SymbolicTensor;

const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;

/** x itself. */
export function linear(x: Operand): SymbolicTensor {
  return toSymbol(x);
}

function rectify(x: SymbolicTensor): SymbolicTensor {
  return x.dtype === 'float32' ? apply('relu', [x], {}) : maximum(x, 0);
}

/**
 * max(x, 0). With a threshold: 0 up to it, x above; with a slope: `slope · (x − threshold)` up to it; with a greatest
 * value: no more than that.
 */
export function relu(x: Operand, negativeSlope = 0, maxValue: number | null = null, threshold = 0): SymbolicTensor {
  const value = toNumeric(x);
  if (negativeSlope === 0 && threshold === 0) return clip(rectify(value), null, maxValue);
  const below = multiply(subtract(value, threshold), negativeSlope);
  return where(greater(value, threshold), clip(value, null, maxValue), below);
}

/** min(max(x, 0), 6). */
export function relu6(x: Operand): SymbolicTensor {
  return clip(rectify(toNumeric(x)), null, 6);
}

/** x, or a small multiple of it where it is negative. */
export function leakyRelu(x: Operand, negativeSlope = 0.2): SymbolicTensor {
  const value = toFloat(x);
  return where(greaterEqual(value, 0), value, multiply(value, negativeSlope));
}

/** 1 / (1 + e⁻ˣ). */
export function sigmoid(x: Operand): SymbolicTensor {
  return apply('sigmoid', [toFloat(x)], {});
}

/** log(1 / (1 + e⁻ˣ)), without overflow. */
export function logSigmoid(x: Operand): SymbolicTensor {
  return negative(softplus(negative(toFloat(x))));
}

/** min(max(x / 6 + 1/2, 0), 1): the definition of Keras 3. */
export function hardSigmoid(x: Operand): SymbolicTensor {
  return divide(relu6(add(toFloat(x), 3)), 6);
}

/** min(max(x / 5 + 1/2, 0), 1): the definition of Keras 1 and 2, and of TensorFlow.js. */
export function hardSigmoidKeras2(x: Operand): SymbolicTensor {
  return clip(add(multiply(toFloat(x), 0.2), 0.5), 0, 1);
}

/** min(max((x + 1) / 2, 0), 1). */
export function sparseSigmoid(x: Operand): SymbolicTensor {
  return clip(add(multiply(toFloat(x), 0.5), 0.5), 0, 1);
}

/** log(1 + eˣ), without overflow. */
export function softplus(x: Operand): SymbolicTensor {
  const value = toFloat(x);
  return add(maximum(value, 0), log1p(exp(negative(abs(value)))));
}

/** x / (1 + |x|). */
export function softsign(x: Operand): SymbolicTensor {
  const value = toFloat(x);
  return divide(value, add(abs(value), 1));
}

/** x moved towards 0 by the threshold, and 0 within it. */
export function softShrink(x: Operand, threshold = 0.5): SymbolicTensor {
  const value = toFloat(x);
  const lowered = where(greater(value, threshold), subtract(value, threshold), 0);
  return where(less(value, -threshold), add(value, threshold), lowered);
}

/** x where |x| is above the threshold, else 0. */
export function hardShrink(x: Operand, threshold = 0.5): SymbolicTensor {
  const value = toFloat(x);
  return where(greater(abs(value), threshold), value, 0);
}

/** x − tanh(x). */
export function tanhShrink(x: Operand): SymbolicTensor {
  const value = toFloat(x);
  return subtract(value, tanh(value));
}

/** min(max(x, −1), 1). */
export function hardTanh(x: Operand): SymbolicTensor {
  return clip(toFloat(x), -1, 1);
}

/** x above the threshold, else the default value. */
export function threshold(x: Operand, limit: number, defaultValue: number): SymbolicTensor {
  const value = toFloat(x);
  return where(greater(value, limit), value, defaultValue);
}

/** 0 below −1, x above 1, and the parabola (x + 1)² / 4 between. */
export function sparsePlus(x: Operand): SymbolicTensor {
  const value = toFloat(x);
  const parabola = multiply(square(add(value, 1)), 0.25);
  return where(lessEqual(value, -1), 0, where(greaterEqual(value, 1), value, parabola));
}

/** (x + √(x² + b)) / 2. */
export function squareplus(x: Operand, b = 4): SymbolicTensor {
  const value = toFloat(x);
  return multiply(add(value, sqrt(add(square(value), b))), 0.5);
}

/** x · sigmoid(x), also called swish. */
export function silu(x: Operand): SymbolicTensor {
  const value = toFloat(x);
  return multiply(value, sigmoid(value));
}

/** x · hardSigmoid(x), also called hard swish. */
export function hardSilu(x: Operand): SymbolicTensor {
  const value = toFloat(x);
  return multiply(value, hardSigmoid(value));
}

/** x · tanh(softplus(x)). */
export function mish(x: Operand): SymbolicTensor {
  const value = toFloat(x);
  return multiply(value, tanh(softplus(value)));
}

/** x where positive, α (eˣ − 1) elsewhere. */
export function elu(x: Operand, alpha = 1): SymbolicTensor {
  const value = toFloat(x);
  const below = multiply(expm1(minimum(value, 0)), alpha);
  return where(greater(value, 0), value, below);
}

/** The exponential linear unit whose outputs keep mean 0 and variance 1. */
export function selu(x: Operand): SymbolicTensor {
  return multiply(elu(x, SELU_ALPHA), SELU_SCALE);
}

/** max(x, 0) + min(α (e^(x/α) − 1), 0). */
export function celu(x: Operand, alpha = 1): SymbolicTensor {
  const value = toFloat(x);
  return add(maximum(value, 0), multiply(expm1(divide(minimum(value, 0), alpha)), alpha));
}

/** x · Φ(x), with the normal distribution Φ as such, or by its approximation with tanh. */
export function gelu(x: Operand, approximate = true): SymbolicTensor {
  const value = toFloat(x);
  if (approximate) {
    const cube = multiply(value, square(value));
    const inner = multiply(add(value, multiply(cube, 0.044715)), Math.sqrt(2 / Math.PI));
    return multiply(multiply(value, 0.5), add(tanh(inner), 1));
  }
  const distribution = add(apply('erf', [multiply(value, Math.SQRT1_2)], {}), 1);
  return multiply(multiply(value, 0.5), distribution);
}

/** The first half of an axis times the sigmoid of the second. */
export function glu(x: Operand, axis = -1): SymbolicTensor {
  const value = toFloat(x);
  const extent = value.shape[normalizeAxis(axis, value.shape.length)] as number;
  if (extent % 2 !== 0)
    throw new RangeError(`Cannot apply glu: axis ${axis} has ${extent} elements, expected an even number`);
  return multiply(between(value, axis, 0, extent / 2), sigmoid(between(value, axis, extent / 2, extent)));
}

/** eˣ / Σ eˣ over one axis, several, or all. */
export function softmax(x: Operand, axis: Axes = -1): SymbolicTensor {
  const value = toFloat(x);
  const powers = exp(subtract(value, stopGradient(max(value, axis, true))));
  return divide(powers, sum(powers, axis, true));
}

/** log(softmax(x)), without loss of small probabilities. */
export function logSoftmax(x: Operand, axis: Axes = -1): SymbolicTensor {
  const value = toFloat(x);
  const shifted = subtract(value, stopGradient(max(value, axis, true)));
  return subtract(shifted, log(sum(exp(shifted), axis, true)));
}

/**
 * Like softmax, but with exact zeros. The threshold is Keras': it adds up the running sums over the support, where the
 * published sparsemax takes the last of them, so that outputs sum to 1 only when the support is one element.
 */
export function sparsemax(x: Operand, axis = -1): SymbolicTensor {
  const value = toFloat(x);
  const place = normalizeAxis(axis, value.shape.length);
  const descending = negative(sort(negative(value), place));
  const sums = cumsum(descending, place);
  const extent = value.shape[place] as number;
  const counts = arange(1, extent + 1, 1, 'float32');
  const ranks = withShape(
    counts,
    value.shape.map((_, other) => (other === place ? extent : 1)),
  );
  const isSupport = greater(subtract(descending, divide(subtract(sums, 1), ranks)), 0);
  const supportSums = sum(where(isSupport, sums, 0), place, true);
  const tau = divide(subtract(supportSums, 1), sum(isSupport, place, true));
  return maximum(subtract(value, tau), 0);
}

/**
 * Keras' name of each activation. `hard_sigmoid` is that of Keras 3; files of Keras 1 and 2 and of TensorFlow.js mean
 * `hard_sigmoid_keras2`, which no file names.
 */
export const activations: { readonly [name: string]: Activation } = {
  celu: (x) => celu(x),
  elu: (x) => elu(x),
  exponential: exp,
  gelu: (x) => gelu(x, false),
  glu: (x) => glu(x),
  hard_shrink: (x) => hardShrink(x),
  hard_sigmoid: hardSigmoid,
  hard_sigmoid_keras2: hardSigmoidKeras2,
  hard_silu: hardSilu,
  hard_swish: hardSilu,
  hard_tanh: hardTanh,
  leaky_relu: (x) => leakyRelu(x),
  linear,
  log_sigmoid: logSigmoid,
  log_softmax: (x) => logSoftmax(x),
  mish,
  relu: (x) => relu(x),
  relu6,
  selu,
  sigmoid,
  silu,
  soft_shrink: (x) => softShrink(x),
  softmax: (x) => softmax(x),
  softplus,
  softsign,
  sparse_plus: sparsePlus,
  sparse_sigmoid: sparseSigmoid,
  sparsemax: (x) => sparsemax(x),
  squareplus: (x) => squareplus(x),
  swish: silu,
  tanh,
  tanh_shrink: tanhShrink,
};
