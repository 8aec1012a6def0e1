/**
 * TensorFlow's functions as models of Keras 2 call them: the layers TFOpLambda and SlicingOpLambda name a function such
 * as `math.multiply`, and give its arguments by TensorFlow's names.
 */
import type { SymbolicTensor } from '../graph/node.ts';
import {
  activations,
  elu,
  hardSigmoidKeras2,
  logSigmoid,
  relu,
  relu6,
  selu,
  sigmoid,
  softmax,
  softplus,
  softsign,
} from './activations.ts';
import * as compare from './compare.ts';
import * as math from './elementwise.ts';
import type { Axes, Operand } from './operand.ts';
import { type CallArguments, either, type OperationRow, type RawOperation, rawOperation } from './raw-operation.ts';
import * as reduce from './reduce.ts';
import * as special from './special.ts';
import { tfArrayOperations } from './tf-operations-arrays.ts';
import { tfNetworkOperations } from './tf-operations-networks.ts';

type Unary = (x: Operand) => SymbolicTensor;
type Binary = (x: Operand, y: Operand) => SymbolicTensor;

/** Functions of one tensor, under all the names that they have. */
const UNARY: readonly (readonly [names: string, Unary])[] = [
  ['abs math.abs __operators__.abs', math.abs],
  ['math.negative negative __operators__.neg', math.negative],
  ['math.sign sign', math.sign],
  ['math.exp exp', math.exp],
  ['math.expm1', math.expm1],
  ['math.log', math.log],
  ['math.log1p', math.log1p],
  ['math.sqrt sqrt', math.sqrt],
  ['math.rsqrt', math.rsqrt],
  ['math.square square', math.square],
  ['math.reciprocal', math.reciprocal],
  ['math.floor floor', math.floor],
  ['math.ceil', math.ceil],
  ['math.round round math.rint', math.round],
  ['math.sin sin', math.sin],
  ['math.cos cos', math.cos],
  ['math.tan tan', math.tan],
  ['math.asin asin', math.arcsin],
  ['math.acos acos', math.arccos],
  ['math.atan atan', math.arctan],
  ['math.sinh sinh', math.sinh],
  ['math.cosh cosh', math.cosh],
  ['math.tanh tanh nn.tanh', math.tanh],
  ['math.asinh asinh', math.arcsinh],
  ['math.acosh acosh', math.arccosh],
  ['math.atanh atanh', math.arctanh],
  ['math.erf', special.erf],
  ['math.erfc', special.erfc],
  ['math.erfinv', special.erfinv],
  ['math.sigmoid sigmoid nn.sigmoid', sigmoid],
  ['math.log_sigmoid', logSigmoid],
  ['math.is_nan', compare.isnan],
  ['math.is_inf', compare.isinf],
  ['math.is_finite', compare.isfinite],
  ['math.logical_not logical_not __operators__.invert', compare.logicalNot],
];

const FEATURES: readonly (readonly [names: string, Unary])[] = [
  ['nn.relu', (x) => relu(x)],
  ['nn.relu6', relu6],
  ['nn.elu', (x) => elu(x)],
  ['nn.selu', selu],
  ['math.softplus nn.softplus', softplus],
  ['nn.softsign', softsign],
];

const BINARY: readonly (readonly [names: string, Binary])[] = [
  ['math.add add __operators__.add', math.add],
  ['math.subtract subtract __operators__.sub', math.subtract],
  ['math.multiply multiply __operators__.mul', math.multiply],
  ['math.divide divide math.truediv truediv __operators__.truediv compat.v1.div realdiv', math.divide],
  ['math.divide_no_nan compat.v1.div_no_nan', math.divideNoNan],
  ['math.floordiv floordiv __operators__.floordiv', math.floorDivide],
  ['math.floormod math.mod mod __operators__.mod', math.mod],
  ['math.pow pow __operators__.pow', math.power],
  ['math.maximum maximum', math.maximum],
  ['math.minimum minimum', math.minimum],
  ['math.squared_difference', (x, y) => math.square(math.subtract(x, y))],
  ['math.equal equal __operators__.eq', compare.equal],
  ['math.not_equal not_equal __operators__.ne', compare.notEqual],
  ['math.less less __operators__.lt', compare.less],
  ['math.less_equal less_equal __operators__.le', compare.lessEqual],
  ['math.greater greater __operators__.gt', compare.greater],
  ['math.greater_equal greater_equal __operators__.ge', compare.greaterEqual],
  ['math.logical_and logical_and __operators__.and', compare.logicalAnd],
  ['math.logical_or logical_or __operators__.or', compare.logicalOr],
  ['math.logical_xor', compare.logicalXor],
  ['__operators__.radd', (x, y) => math.add(y, x)],
  ['__operators__.rsub', (x, y) => math.subtract(y, x)],
  ['__operators__.rmul', (x, y) => math.multiply(y, x)],
  ['__operators__.rtruediv', (x, y) => math.divide(y, x)],
  ['__operators__.rpow', (x, y) => math.power(y, x)],
];

type Reduce = (x: Operand, axis: Axes, keepdims: boolean) => SymbolicTensor;

const REDUCTIONS: readonly (readonly [names: string, Reduce])[] = [
  ['math.reduce_mean reduce_mean compat.v1.reduce_mean', reduce.mean],
  ['math.reduce_sum reduce_sum compat.v1.reduce_sum', reduce.sum],
  ['math.reduce_prod reduce_prod compat.v1.reduce_prod', reduce.prod],
  ['math.reduce_max reduce_max compat.v1.reduce_max', (x, axis, keepdims) => reduce.max(x, axis, keepdims)],
  ['math.reduce_min reduce_min compat.v1.reduce_min', (x, axis, keepdims) => reduce.min(x, axis, keepdims)],
  ['math.reduce_any reduce_any compat.v1.reduce_any', reduce.any],
  ['math.reduce_all reduce_all compat.v1.reduce_all', reduce.all],
  ['math.reduce_std', reduce.std],
  ['math.reduce_variance', reduce.variance],
  ['math.reduce_logsumexp reduce_logsumexp compat.v1.reduce_logsumexp', reduce.logsumexp],
  ['math.reduce_euclidean_norm', (x, axis, keepdims) => reduce.norm(x, 'fro', axis, keepdims)],
  ['math.count_nonzero', reduce.countNonzero],
];

const KERAS_REDUCTIONS: readonly (readonly [names: string, Reduce])[] = [
  ['keras.backend.mean', reduce.mean],
  ['keras.backend.sum', reduce.sum],
  ['keras.backend.max', (x, axis, keepdims) => reduce.max(x, axis, keepdims)],
  ['keras.backend.min', (x, axis, keepdims) => reduce.min(x, axis, keepdims)],
  ['keras.backend.prod', reduce.prod],
  ['keras.backend.std', reduce.std],
  ['keras.backend.var', reduce.variance],
  ['keras.backend.logsumexp', reduce.logsumexp],
];

const REDUCE_DEFAULTS = { axis: null, keepdims: false, keep_dims: null, reduction_indices: null };

const x = (call: CallArguments): Operand => call.tensor('x');

function keepdims(call: CallArguments): boolean {
  return call.boolean(either(call, 'keep_dims', 'keepdims'));
}

/** Functions of `keras.backend` that are those of TensorFlow. */
const KERAS_UNARY: { readonly [name: string]: Unary } = {
  abs: math.abs,
  exp: math.exp,
  log: math.log,
  round: math.round,
  sigmoid,
  sign: math.sign,
  softplus,
  softsign,
  sqrt: (value) => math.sqrt(math.maximum(value, 0)),
  square: math.square,
  tanh: math.tanh,
  hard_sigmoid: hardSigmoidKeras2,
  softmax: (value) => softmax(value),
  relu: (value) => relu(value),
};

function named(row: OperationRow): (readonly [string, RawOperation])[] {
  const [names, signature, defaults, run] = row;
  return names.split(' ').map((name) => [name, rawOperation(name, signature, defaults, run)] as const);
}

function reduction([names, run]: readonly [string, Reduce]): (readonly [string, RawOperation])[] {
  return named([
    names,
    'input_tensor axis keepdims',
    REDUCE_DEFAULTS,
    (call) => run(call.tensor('input_tensor'), call.axes(either(call, 'axis', 'reduction_indices')), keepdims(call)),
  ]);
}

/** By dotted name, such as `math.reduce_mean`, `nn.relu` or `compat.v1.transpose`; the prefix `tf.` is left out. */
export const tfOperations: ReadonlyMap<string, RawOperation> = new Map([
  ...UNARY.flatMap(([names, run]) => named([names, 'x', {}, (call) => run(x(call))])),
  ...FEATURES.flatMap(([names, run]) => named([names, 'features', {}, (call) => run(call.tensor('features'))])),
  ...BINARY.flatMap(([names, run]) => named([names, 'x y', {}, (call) => run(x(call), call.tensor('y'))])),
  ...REDUCTIONS.flatMap(reduction),
  ...KERAS_REDUCTIONS.flatMap(([names, run]) =>
    named([
      names,
      'x axis keepdims',
      { axis: null, keepdims: false },
      (call) => run(x(call), call.axes(), call.boolean('keepdims')),
    ]),
  ),
  ...Object.entries(activations).flatMap(([name, run]) =>
    named([
      `keras.activations.${name}`,
      'x',
      {},
      (call) => (name === 'hard_sigmoid' ? hardSigmoidKeras2 : run)(x(call)),
    ]),
  ),
  ...Object.entries(KERAS_UNARY).flatMap(([name, run]) =>
    named([`keras.backend.${name}`, 'x', {}, (call) => run(x(call))]),
  ),
  ...tfArrayOperations.flatMap(named),
  ...tfNetworkOperations.flatMap(named),
]);
