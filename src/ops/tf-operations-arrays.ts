/** TensorFlow's functions that rearrange, index, sort and multiply arrays, for `tfOperations`. */
import type { SymbolicTensor } from '../graph/node.ts';
import { gelu, leakyRelu, logSoftmax, sigmoid, silu, softmax } from './activations.ts';
import * as compare from './compare.ts';
import * as creation from './creation.ts';
import { einsum } from './einsum.ts';
import * as math from './elementwise.ts';
import * as indexing from './indexing.ts';
import * as matrix from './matrix.ts';
import { l2Normalize } from './normalization.ts';
import { cast, type Operand, toSymbol } from './operand.ts';
import { normOrder } from './operations-arrays.ts';
import { type PadWidth, pad } from './padding.ts';
import { type CallArguments, either, type OperationRow } from './raw-operation.ts';
import * as reduce from './reduce.ts';
import * as shape from './shape.ts';
import * as sorting from './sorting.ts';

const x = (call: CallArguments): Operand => call.tensor('x');
const input = (call: CallArguments): Operand => call.tensor('input');

function inDtype(result: SymbolicTensor, call: CallArguments, name = 'dtype'): SymbolicTensor {
  const dtype = call.dtypeOrNull(name);
  return dtype === null ? result : cast(result, dtype);
}

function matmul(call: CallArguments): SymbolicTensor {
  const [left, right] = [toSymbol(call.tensor('a')), toSymbol(call.tensor('b'))];
  const isTransposed = (side: 'a' | 'b'): boolean =>
    call.boolean(`transpose_${side}`) || call.boolean(`adjoint_${side}`);
  return matrix.matmul(
    isTransposed('a') ? shape.swapaxes(left, -1, -2) : left,
    isTransposed('b') ? shape.swapaxes(right, -1, -2) : right,
  );
}

/** Equal parts for a number, parts of these sizes for a list, of which one may be −1. */
function splitSizes(value: Operand, sizes: number | readonly number[], axis: number): SymbolicTensor[] {
  if (typeof sizes === 'number') return shape.split(value, sizes, axis);
  const symbol = toSymbol(value);
  const extent = symbol.shape.at(axis) as number;
  const known = sizes.reduce((total, size) => total + Math.max(size, 0), 0);
  const resolved = sizes.map((size) => (size === -1 ? extent - known : size));
  let end = 0;
  const ends = resolved.slice(0, -1).map((size) => {
    end += size;
    return end;
  });
  return shape.split(symbol, ends, axis);
}

/** Along an axis, after leading axes that both share. */
function gather(call: CallArguments): SymbolicTensor {
  const [params, indices] = [toSymbol(call.tensor('params')), call.tensor('indices')];
  const batchDims = call.number('batch_dims');
  const axis = call.numberOrNull('axis') ?? batchDims;
  if (batchDims === 0) return indexing.take(params, indices, axis);
  if (batchDims < 0) throw new RangeError(`Cannot gather: found batch_dims ${batchDims}, expected at least 0`);
  return gatherBatch(params, toSymbol(indices), axis < 0 ? axis + params.shape.length : axis, batchDims);
}

function gatherBatch(params: SymbolicTensor, indices: SymbolicTensor, axis: number, batchDims: number): SymbolicTensor {
  if (batchDims === 0) return indexing.take(params, indices, axis);
  const rows = shape.unstack(indices, 0);
  return shape.stack(
    shape
      .unstack(params, 0)
      .map((row, index) => gatherBatch(row, rows[index] as SymbolicTensor, axis - 1, batchDims - 1)),
    0,
  );
}

function stridedSlice(call: CallArguments): SymbolicTensor {
  const [begin, end] = [call.numbers('begin'), call.numbers('end')];
  const strides = call.numbersOrNull('strides') ?? begin.map(() => 1);
  const isSet = (mask: string, index: number): boolean => (call.number(mask) & (1 << index)) !== 0;
  const items = begin.map((start, index): indexing.IndexItem => {
    if (isSet('ellipsis_mask', index)) return '...';
    if (isSet('new_axis_mask', index)) return null;
    if (isSet('shrink_axis_mask', index)) return start;
    return {
      start: isSet('begin_mask', index) ? null : start,
      stop: isSet('end_mask', index) ? null : (end[index] as number),
      step: strides[index] as number,
    };
  });
  return indexing.getItem(call.tensor('input_'), items);
}

function slice(call: CallArguments): SymbolicTensor {
  return indexing.slice(call.tensor('input_'), call.tensor('begin'), call.numbers('size'));
}

function oneHot(call: CallArguments): SymbolicTensor {
  const dtype = call.dtypeOrNull() ?? 'float32';
  const axis = call.numberOrNull('axis') ?? -1;
  const hot = indexing.oneHot(call.tensor('indices'), call.number('depth'), axis, 'bool');
  const [on, off] = [call.tensorOrNull('on_value') ?? 1, call.tensorOrNull('off_value') ?? 0];
  return compare.where(hot, cast(on, dtype), cast(off, dtype));
}

/** Exclusive sums leave the element itself out: the sum of those before. */
function cumulate(
  call: CallArguments,
  run: (x: Operand, axis: number, reverse: boolean) => SymbolicTensor,
  neutral: number,
): SymbolicTensor {
  const axis = call.number('axis');
  const reverse = call.boolean('reverse');
  const result = run(x(call), axis, reverse);
  if (!call.boolean('exclusive')) return result;
  const place = axis < 0 ? axis + result.shape.length : axis;
  const extent = result.shape[place] as number;
  const widths = result.shape.map((_, other): [number, number] =>
    other !== place ? [0, 0] : reverse ? [0, 1] : [1, 0],
  );
  const kept = reverse ? shape.between(result, place, 1, extent) : shape.between(result, place, 0, extent - 1);
  return pad(kept, widths, 'constant', neutral);
}

const DIRECTIONS = ['ascending', 'descending'] as const;
const MODES = ['constant', 'reflect', 'symmetric'] as const;
const MATMUL_DEFAULTS = {
  transpose_a: false,
  transpose_b: false,
  adjoint_a: false,
  adjoint_b: false,
  a_is_sparse: null,
  b_is_sparse: null,
  output_type: null,
  grad_a: null,
  grad_b: null,
};
const MASKS = { begin_mask: 0, end_mask: 0, ellipsis_mask: 0, new_axis_mask: 0, shrink_axis_mask: 0, var: null };

/** Rows of `tfOperations`. */
export const tfArrayOperations: readonly OperationRow[] = [
  [
    '__operators__.getitem',
    'tensor slice_spec var',
    { var: null },
    (call) => indexing.getItem(call.tensor('tensor'), call.key('slice_spec')),
  ],
  [
    'reshape compat.v1.reshape',
    'tensor shape',
    {},
    (call) => shape.reshape(call.tensor('tensor'), call.numbers('shape')),
  ],
  [
    'transpose compat.v1.transpose',
    'a perm',
    { perm: null, conjugate: false },
    (call) => shape.transpose(call.tensor('a'), call.numbersOrNull('perm')),
  ],
  ['concat', '*values axis', { axis: 0 }, (call) => shape.concatenate(call.tensors('values'), call.number('axis'))],
  ['stack', '*values axis', { axis: 0 }, (call) => shape.stack(call.tensors('values'), call.number('axis'))],
  [
    'unstack',
    'value num axis',
    { num: null, axis: 0 },
    (call) => shape.unstack(call.tensor('value'), call.number('axis')),
  ],
  [
    'split',
    'value num_or_size_splits axis num',
    { axis: 0, num: null },
    (call) => splitSizes(call.tensor('value'), call.numberOrNumbers('num_or_size_splits'), call.number('axis')),
  ],
  [
    'squeeze compat.v1.squeeze',
    'input axis',
    { axis: null, squeeze_dims: null },
    (call) => shape.squeeze(input(call), call.axes(either(call, 'axis', 'squeeze_dims'))),
  ],
  [
    'expand_dims compat.v1.expand_dims',
    'input axis',
    { axis: null, dim: null },
    (call) => shape.expandDims(input(call), call.number(either(call, 'axis', 'dim'))),
  ],
  ['tile', 'input multiples', {}, (call) => shape.tile(input(call), call.numbers('multiples'))],
  [
    'repeat',
    'input repeats axis',
    { axis: null },
    (call) => shape.repeat(input(call), call.numberOrNumbers('repeats'), call.numberOrNull('axis')),
  ],
  [
    'pad compat.v1.pad',
    'tensor paddings mode constant_values',
    { mode: 'constant', constant_values: 0 },
    (call) =>
      pad(
        call.tensor('tensor'),
        call.nested('paddings') as PadWidth,
        call.choice('mode', MODES),
        call.number('constant_values'),
      ),
  ],
  ['broadcast_to', 'input shape', {}, (call) => shape.broadcastTo(input(call), call.numbers('shape'))],
  ['reverse', 'tensor axis', {}, (call) => shape.flip(call.tensor('tensor'), call.axes())],
  ['roll', 'input shift axis', {}, (call) => shape.roll(input(call), call.numberOrNumbers('shift'), call.axes())],
  ['identity', 'input', {}, (call) => toSymbol(input(call))],
  ['stop_gradient', 'input', {}, (call) => math.stopGradient(input(call))],
  ['cast', 'x dtype', {}, (call) => cast(x(call), call.string('dtype'))],
  [
    'convert_to_tensor',
    'value dtype',
    { dtype: null, dtype_hint: null },
    (call) => inDtype(toSymbol(call.tensor('value')), call),
  ],
  [
    'clip_by_value',
    't clip_value_min clip_value_max',
    {},
    (call) => math.clip(call.tensor('t'), call.tensor('clip_value_min'), call.tensor('clip_value_max')),
  ],
  [
    'where compat.v1.where',
    'condition x y',
    {},
    (call) => compare.where(call.tensor('condition'), x(call), call.tensor('y')),
  ],
  [
    'gather compat.v1.gather',
    'params indices validate_indices axis batch_dims',
    { validate_indices: null, axis: null, batch_dims: 0 },
    gather,
  ],
  [
    'gather_nd compat.v1.gather_nd',
    'params indices batch_dims',
    { batch_dims: 0 },
    (call) => indexing.gatherNd(call.tensor('params'), call.tensor('indices'), call.number('batch_dims')),
  ],
  ['slice', 'input_ begin size', {}, slice],
  ['strided_slice', 'input_ begin end strides', { strides: null, ...MASKS }, stridedSlice],
  [
    'one_hot',
    'indices depth on_value off_value axis dtype',
    { on_value: null, off_value: null, axis: null, dtype: null },
    oneHot,
  ],
  ['fill', 'dims value', {}, (call) => creation.full(call.numbers('dims'), call.tensor('value'))],
  [
    'zeros',
    'shape dtype',
    { dtype: null },
    (call) => creation.zeros(call.numbers('shape'), call.dtypeOrNull() ?? 'float32'),
  ],
  [
    'ones',
    'shape dtype',
    { dtype: null },
    (call) => creation.ones(call.numbers('shape'), call.dtypeOrNull() ?? 'float32'),
  ],
  [
    'zeros_like compat.v1.zeros_like',
    'input dtype',
    { dtype: null, tensor: null, optimize: null },
    (call) => creation.zerosLike(call.tensor(either(call, 'input', 'tensor')), call.dtypeOrNull()),
  ],
  [
    'ones_like compat.v1.ones_like',
    'input dtype',
    { dtype: null, tensor: null, optimize: null },
    (call) => creation.onesLike(call.tensor(either(call, 'input', 'tensor')), call.dtypeOrNull()),
  ],
  [
    'shape compat.v1.shape',
    'input out_type',
    { out_type: null, optimize: null },
    (call) => creation.shape(input(call)),
  ],
  ['size compat.v1.size', 'input out_type', { out_type: null, optimize: null }, (call) => creation.size(input(call))],
  ['rank', 'input', {}, (call) => creation.ndim(input(call))],
  [
    'range',
    'start limit delta',
    { limit: null, delta: 1, dtype: null },
    (call) =>
      creation.arange(call.number('start'), call.numberOrNull('limit'), call.number('delta'), call.dtypeOrNull()),
  ],
  [
    'eye',
    'num_rows num_columns',
    { num_columns: null, dtype: null },
    (call) =>
      creation.eye(call.number('num_rows'), call.numberOrNull('num_columns'), 0, call.dtypeOrNull() ?? 'float32'),
  ],

  ['linalg.matmul matmul', 'a b', MATMUL_DEFAULTS, matmul],
  [
    'tensordot',
    'a b axes',
    {},
    (call) =>
      matrix.tensordot(call.tensor('a'), call.tensor('b'), call.nested('axes') as number | [number[], number[]]),
  ],
  [
    'einsum linalg.einsum',
    'equation *inputs',
    {},
    (call) => einsum(call.string('equation'), ...call.tensors('inputs')),
  ],
  ['linalg.diag_part', 'input', {}, (call) => matrix.diagonal(input(call), 0, -2, -1)],
  ['linalg.trace', 'x', {}, (call) => matrix.trace(x(call), 0, -2, -1)],
  [
    'norm linalg.norm',
    'tensor ord axis keepdims',
    { ord: 'euclidean', axis: null, keepdims: false },
    (call) => {
      const order = call.raw('ord') === 'euclidean' ? 'fro' : normOrder(call, 'ord');
      return reduce.norm(call.tensor('tensor'), order, call.axes(), call.boolean('keepdims'));
    },
  ],
  [
    'math.l2_normalize nn.l2_normalize linalg.l2_normalize',
    'x axis epsilon',
    { axis: null, epsilon: 1e-12, dim: null },
    (call) => l2Normalize(x(call), call.axes(either(call, 'axis', 'dim')), call.number('epsilon')),
  ],
  [
    'math.add_n add_n',
    '*inputs',
    {},
    (call) =>
      call
        .tensors('inputs')
        .map(toSymbol)
        .reduce((sum, term) => math.add(sum, term)),
  ],
  [
    'math.accumulate_n',
    '*inputs',
    {},
    (call) =>
      call
        .tensors('inputs')
        .map(toSymbol)
        .reduce((sum, term) => math.add(sum, term)),
  ],
  ['math.atan2', 'y x', {}, (call) => math.arctan2(call.tensor('y'), x(call))],
  [
    'math.multiply_no_nan',
    'x y',
    {},
    (call) => {
      const factor = call.tensor('y');
      return compare.where(compare.equal(factor, 0), 0, math.multiply(x(call), factor));
    },
  ],
  [
    'math.cumsum cumsum',
    'x axis exclusive reverse',
    { axis: 0, exclusive: false, reverse: false },
    (call) => cumulate(call, reduce.cumsum, 0),
  ],
  [
    'math.cumprod',
    'x axis exclusive reverse',
    { axis: 0, exclusive: false, reverse: false },
    (call) => cumulate(call, reduce.cumprod, 1),
  ],
  [
    'argmax math.argmax compat.v1.argmax',
    'input axis output_type',
    { axis: 0, output_type: null, dimension: null },
    (call) => reduce.argmax(input(call), call.number(either(call, 'dimension', 'axis'))),
  ],
  [
    'argmin math.argmin compat.v1.argmin',
    'input axis output_type',
    { axis: 0, output_type: null, dimension: null },
    (call) => reduce.argmin(input(call), call.number(either(call, 'dimension', 'axis'))),
  ],
  [
    'math.top_k nn.top_k',
    'input k sorted',
    { k: 1, sorted: true, index_type: null },
    (call) => sorting.topK(input(call), call.number('k')),
  ],
  [
    'sort',
    'values axis direction',
    { axis: -1, direction: 'ASCENDING' },
    (call) => {
      const ascending = sorting.sort(call.tensor('values'), call.number('axis'));
      return call.choice('direction', DIRECTIONS) === 'ascending'
        ? ascending
        : shape.flip(ascending, call.number('axis'));
    },
  ],
  [
    'argsort',
    'values axis direction stable',
    { axis: -1, direction: 'ASCENDING', stable: false },
    (call) =>
      sorting.argsort(
        call.tensor('values'),
        call.number('axis'),
        call.choice('direction', DIRECTIONS) === 'descending',
      ),
  ],
  [
    'math.segment_sum math.unsorted_segment_sum',
    'data segment_ids num_segments',
    {},
    (call) => indexing.segmentSum(call.tensor('data'), call.tensor('segment_ids'), call.number('num_segments')),
  ],

  [
    'nn.leaky_relu',
    'features alpha',
    { alpha: 0.2 },
    (call) => leakyRelu(call.tensor('features'), call.number('alpha')),
  ],
  [
    'nn.silu nn.swish',
    'features beta',
    { beta: 1 },
    (call) => {
      const features = call.tensor('features');
      return call.number('beta') === 1
        ? silu(features)
        : math.multiply(features, sigmoid(math.multiply(features, call.number('beta'))));
    },
  ],
  [
    'nn.gelu',
    'features approximate',
    { approximate: false },
    (call) => gelu(call.tensor('features'), call.boolean('approximate')),
  ],
  [
    'nn.softmax compat.v1.nn.softmax math.softmax',
    'logits axis',
    { axis: null, dim: null },
    (call) => softmax(call.tensor('logits'), call.axes(either(call, 'axis', 'dim')) ?? -1),
  ],
  [
    'nn.log_softmax compat.v1.nn.log_softmax math.log_softmax',
    'logits axis',
    { axis: null, dim: null },
    (call) => logSoftmax(call.tensor('logits'), call.axes(either(call, 'axis', 'dim')) ?? -1),
  ],

  [
    'keras.backend.clip',
    'x min_value max_value',
    {},
    (call) => math.clip(x(call), call.tensorOrNull('min_value'), call.tensorOrNull('max_value')),
  ],
  [
    'keras.backend.concatenate',
    '*tensors axis',
    { axis: -1 },
    (call) => shape.concatenate(call.tensors('tensors'), call.number('axis')),
  ],
  ['keras.backend.permute_dimensions', 'x pattern', {}, (call) => shape.transpose(x(call), call.numbers('pattern'))],
  ['keras.backend.reshape', 'x shape', {}, (call) => shape.reshape(x(call), call.numbers('shape'))],
  ['keras.backend.expand_dims', 'x axis', { axis: -1 }, (call) => shape.expandDims(x(call), call.number('axis'))],
  ['keras.backend.squeeze', 'x axis', {}, (call) => shape.squeeze(x(call), call.number('axis'))],
  ['keras.backend.l2_normalize', 'x axis', { axis: null }, (call) => l2Normalize(x(call), call.axes())],
  ['keras.backend.cast', 'x dtype', {}, (call) => cast(x(call), call.string('dtype'))],
  ['keras.backend.pow', 'x a', {}, (call) => math.power(x(call), call.tensor('a'))],
];
