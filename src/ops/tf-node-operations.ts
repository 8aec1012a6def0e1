/**
 * Nodes of TensorFlow graphs, as the layer TensorFlowOpLayer of early Keras 2 holds them: an operation by its name in the
 * graph, attributes of the node, and inputs by position, constants among them.
 */
import type { SymbolicTensor } from '../graph/node.ts';
import * as math from './elementwise.ts';
import { cast, type Operand, toSymbol } from './operand.ts';
import { type CallArguments, type OperationRow, type RawOperation, rawOperation } from './raw-operation.ts';
import * as shape from './shape.ts';
import { tfOperations } from './tf-operations.ts';

/** Attributes that say how a node was computed, or the types of what it got, and nothing of the result. */
const WITHOUT_MEANING = {
  T: null,
  TI: null,
  Tidx: null,
  Tindices: null,
  Tparams: null,
  Taxis: null,
  Tperm: null,
  Tshape: null,
  Tdim: null,
  Tlen: null,
  Tblock_shape: null,
  Tmultiples: null,
  Tpaddings: null,
  Index: null,
  N: null,
  SrcT: null,
  Truncate: null,
  _output_shapes: null,
  _XlaHasReferenceVars: null,
  use_cudnn_on_gpu: null,
  explicit_paddings: null,
};

/** Nodes whose inputs are those of a function, in its order, and whose attributes change nothing. */
const SAME_AS: { readonly [name: string]: string } = {
  Abs: 'math.abs',
  Add: 'math.add',
  AddV2: 'math.add',
  Sub: 'math.subtract',
  Mul: 'math.multiply',
  RealDiv: 'math.truediv',
  Div: 'math.truediv',
  DivNoNan: 'math.divide_no_nan',
  FloorDiv: 'math.floordiv',
  FloorMod: 'math.floormod',
  Pow: 'math.pow',
  Maximum: 'math.maximum',
  Minimum: 'math.minimum',
  SquaredDifference: 'math.squared_difference',
  Neg: 'math.negative',
  Sign: 'math.sign',
  Exp: 'math.exp',
  Expm1: 'math.expm1',
  Log: 'math.log',
  Log1p: 'math.log1p',
  Sqrt: 'math.sqrt',
  Rsqrt: 'math.rsqrt',
  Square: 'math.square',
  Reciprocal: 'math.reciprocal',
  Floor: 'math.floor',
  Ceil: 'math.ceil',
  Round: 'math.round',
  Sin: 'math.sin',
  Cos: 'math.cos',
  Tan: 'math.tan',
  Asin: 'math.asin',
  Acos: 'math.acos',
  Atan: 'math.atan',
  Atan2: 'math.atan2',
  Sinh: 'math.sinh',
  Cosh: 'math.cosh',
  Tanh: 'math.tanh',
  Erf: 'math.erf',
  Sigmoid: 'math.sigmoid',
  Relu: 'nn.relu',
  Relu6: 'nn.relu6',
  Elu: 'nn.elu',
  Selu: 'nn.selu',
  Softplus: 'math.softplus',
  Softsign: 'nn.softsign',
  Softmax: 'nn.softmax',
  LogSoftmax: 'nn.log_softmax',
  Equal: 'math.equal',
  NotEqual: 'math.not_equal',
  Less: 'math.less',
  LessEqual: 'math.less_equal',
  Greater: 'math.greater',
  GreaterEqual: 'math.greater_equal',
  LogicalAnd: 'math.logical_and',
  LogicalOr: 'math.logical_or',
  LogicalNot: 'math.logical_not',
  IsNan: 'math.is_nan',
  Select: 'where',
  SelectV2: 'where',
  Identity: 'identity',
  StopGradient: 'stop_gradient',
  Reshape: 'reshape',
  Transpose: 'transpose',
  ExpandDims: 'expand_dims',
  Tile: 'tile',
  BroadcastTo: 'broadcast_to',
  ReverseV2: 'reverse',
  Roll: 'roll',
  Pad: 'pad',
  Slice: 'slice',
  Fill: 'fill',
  ZerosLike: 'zeros_like',
  OnesLike: 'ones_like',
  Shape: 'shape',
  Size: 'size',
  Rank: 'rank',
  Range: 'range',
  GatherNd: 'gather_nd',
  ClipByValue: 'clip_by_value',
};

const REDUCTIONS: { readonly [name: string]: string } = {
  Mean: 'compat.v1.reduce_mean',
  Sum: 'compat.v1.reduce_sum',
  Prod: 'compat.v1.reduce_prod',
  Max: 'compat.v1.reduce_max',
  Min: 'compat.v1.reduce_min',
  Any: 'compat.v1.reduce_any',
  All: 'compat.v1.reduce_all',
};

/** Calls a function with the node's inputs and some attributes as keywords. */
function forward(name: string, call: CallArguments, keywords: readonly string[]): SymbolicTensor | SymbolicTensor[] {
  const kwargs = Object.fromEntries(keywords.filter((key) => call.has(key)).map((key) => [key, call.raw(key)]));
  return (tfOperations.get(name) as RawOperation).call({ args: call.tensors('inputs'), kwargs }, {});
}

/** The last input names the axis, the others are joined. */
function concatenate(call: CallArguments): SymbolicTensor {
  const inputs = call.raw('inputs') as readonly unknown[];
  return forwardRaw('concat', [inputs.slice(0, -1)], { axis: inputs.at(-1) });
}

function forwardRaw(name: string, args: readonly unknown[], kwargs: Readonly<Record<string, unknown>>): SymbolicTensor {
  return (tfOperations.get(name) as RawOperation).call({ args, kwargs }, {}) as SymbolicTensor;
}

function matmul(call: CallArguments, [first, second]: readonly [string, string]): SymbolicTensor {
  const [left, right] = call.tensors('inputs').map(toSymbol) as [SymbolicTensor, SymbolicTensor];
  const kwargs = { transpose_a: call.boolean(first), transpose_b: call.boolean(second) };
  return forwardRaw('linalg.matmul', [left, right], kwargs);
}

const WINDOW = { strides: null, padding: 'VALID', data_format: 'NHWC', dilations: null };
const KEYS = ['strides', 'padding', 'data_format', 'dilations'];
const POOL_KEYS = ['ksize', 'strides', 'padding', 'data_format'];
const MASKS = { begin_mask: 0, end_mask: 0, ellipsis_mask: 0, new_axis_mask: 0, shrink_axis_mask: 0 };
const LEGACY = { align_corners: false, half_pixel_centers: false };

const ROWS: readonly OperationRow[] = [
  ['ConcatV2', '', {}, concatenate],
  ['Pack', '', { axis: 0 }, (call) => shape.stack(call.tensors('inputs'), call.number('axis'))],
  [
    'Unpack',
    '',
    { axis: 0, num: null },
    (call) => shape.unstack(call.tensors('inputs')[0] as Operand, call.number('axis')),
  ],
  [
    'AddN',
    '',
    {},
    (call) =>
      call
        .tensors('inputs')
        .map(toSymbol)
        .reduce((sum, term) => math.add(sum, term)),
  ],
  ['BiasAdd', '', { data_format: 'NHWC' }, (call) => forward('nn.bias_add', call, ['data_format'])],
  ['LeakyRelu', '', { alpha: 0.2 }, (call) => forward('nn.leaky_relu', call, ['alpha'])],
  ['Cast', '', { DstT: 'float32' }, (call) => cast(call.tensors('inputs')[0] as Operand, call.string('DstT'))],
  [
    'Squeeze',
    '',
    { squeeze_dims: null },
    (call) => {
      const axes = call.numbersOrNull('squeeze_dims');
      return shape.squeeze(call.tensors('inputs')[0] as Operand, axes?.length === 0 ? null : axes);
    },
  ],
  ['StridedSlice', '', MASKS, (call) => forward('strided_slice', call, Object.keys(MASKS))],
  [
    'GatherV2',
    '',
    { batch_dims: 0 },
    (call) => {
      const [params, indices, axis] = call.tensors('inputs');
      return forwardRaw('gather', [params, indices], { axis, batch_dims: call.raw('batch_dims') });
    },
  ],
  [
    'Split',
    '',
    { num_split: 1 },
    (call) => {
      const [axis, value] = call.tensors('inputs');
      return (tfOperations.get('split') as RawOperation).call(
        { args: [value, call.raw('num_split'), axis], kwargs: {} },
        {},
      );
    },
  ],
  ['SplitV', '', { num_split: 1 }, (call) => forward('split', call, [])],
  [
    'PadV2',
    '',
    {},
    (call) => {
      const [value, paddings, constant] = call.tensors('inputs');
      return forwardRaw('pad', [value, paddings], { constant_values: constant });
    },
  ],
  ['MirrorPad', '', { mode: 'REFLECT' }, (call) => forward('pad', call, ['mode'])],
  ['OneHot', '', { axis: -1 }, (call) => forward('one_hot', call, ['axis'])],
  ['ArgMax', '', { output_type: null }, (call) => forward('argmax', call, [])],
  ['ArgMin', '', { output_type: null }, (call) => forward('argmin', call, [])],
  [
    'Cumsum',
    '',
    { exclusive: false, reverse: false },
    (call) => forward('math.cumsum', call, ['exclusive', 'reverse']),
  ],
  ['TopKV2', '', { sorted: true }, (call) => forward('math.top_k', call, [])],
  ['MatMul', '', { transpose_a: false, transpose_b: false }, (call) => matmul(call, ['transpose_a', 'transpose_b'])],
  ['BatchMatMul BatchMatMulV2', '', { adj_x: false, adj_y: false }, (call) => matmul(call, ['adj_x', 'adj_y'])],
  [
    'Einsum',
    '',
    { equation: '' },
    (call) => forwardRaw('einsum', [call.string('equation'), ...call.tensors('inputs')], {}),
  ],
  ['Conv2D', '', WINDOW, (call) => forward('nn.conv2d', call, KEYS)],
  ['Conv3D', '', { ...WINDOW, data_format: 'NDHWC' }, (call) => forward('nn.conv3d', call, KEYS)],
  ['DepthwiseConv2dNative', '', WINDOW, (call) => forward('nn.depthwise_conv2d', call, KEYS)],
  ['MaxPool', '', { ...WINDOW, ksize: null }, (call) => forward('nn.max_pool2d', call, POOL_KEYS)],
  ['AvgPool', '', { ...WINDOW, ksize: null }, (call) => forward('nn.avg_pool2d', call, POOL_KEYS)],
  [
    'DepthToSpace',
    '',
    { block_size: 1, data_format: 'NHWC' },
    (call) => forward('nn.depth_to_space', call, ['block_size', 'data_format']),
  ],
  [
    'SpaceToDepth',
    '',
    { block_size: 1, data_format: 'NHWC' },
    (call) => forward('nn.space_to_depth', call, ['block_size', 'data_format']),
  ],
  ['ResizeBilinear', '', LEGACY, (call) => forward('compat.v1.image.resize_bilinear', call, Object.keys(LEGACY))],
  [
    'ResizeNearestNeighbor',
    '',
    LEGACY,
    (call) => forward('compat.v1.image.resize_nearest_neighbor', call, Object.keys(LEGACY)),
  ],
];

function node(
  name: string,
  defaults: Readonly<Record<string, unknown>>,
  run: OperationRow[3],
): readonly [string, RawOperation] {
  const operation = rawOperation(name, '*inputs', { ...WITHOUT_MEANING, ...defaults }, run);
  return [name, { ...operation, call: (inputs, config) => operation.call({ ...inputs, args: [inputs.args] }, config) }];
}

/** By the name of the operation in the graph, such as `AddV2`. The config is the node's attributes, decoded. */
export const tfNodeOperations: ReadonlyMap<string, RawOperation> = new Map([
  ...Object.entries(SAME_AS).map(([name, same]) => node(name, {}, (call) => forward(same, call, []))),
  ...Object.entries(REDUCTIONS).map(([name, same]) =>
    node(name, { keep_dims: false }, (call) => forward(same, call, ['keep_dims'])),
  ),
  ...ROWS.flatMap(([names, , defaults, run]) => names.split(' ').map((name) => node(name, defaults, run))),
]);

const DTYPES: { readonly [name: string]: string } = {
  DT_FLOAT: 'float32',
  DT_DOUBLE: 'float64',
  DT_HALF: 'float16',
  DT_BFLOAT16: 'bfloat16',
  DT_INT8: 'int8',
  DT_INT16: 'int16',
  DT_INT32: 'int32',
  DT_INT64: 'int64',
  DT_UINT8: 'uint8',
  DT_BOOL: 'bool',
  DT_STRING: 'string',
};

/**
 * Attributes of a node as plain values: the JSON of a protocol buffer wraps each in its kind, writes integers as strings
 * and bytes in base64.
 */
export function decodeNodeAttributes(attributes: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, decodeAttribute(value)]));
}

function decodeAttribute(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const [kind, content] = Object.entries(value)[0] ?? [];
  switch (kind) {
    case 'i':
    case 'f':
      return Number(content);
    case 's':
      return atob(String(content));
    case 'type':
      return DTYPES[String(content)] ?? content;
    case 'list':
      return decodeList(content as Readonly<Record<string, readonly unknown[]>>);
    default:
      return content;
  }
}

function decodeList(content: Readonly<Record<string, readonly unknown[]>>): unknown[] {
  const [kind, elements] = Object.entries(content)[0] ?? [];
  return (elements ?? []).map((element) => decodeAttribute({ [kind as string]: element }));
}
