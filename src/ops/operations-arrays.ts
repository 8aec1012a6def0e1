/** Keras' operations that reduce, rearrange, index, sort and multiply arrays. */
import type { SymbolicTensor } from '../graph/node.ts';
import * as creation from './creation.ts';
import { einsum } from './einsum.ts';
import * as indexing from './indexing.ts';
import * as matrix from './matrix.ts';
import { type Axes, cast, type Operand } from './operand.ts';
import { type PadWidth, pad } from './padding.ts';
import { CallArguments, type OperationRow, type RawOperation, rawOperation } from './raw-operation.ts';
import { rearrange } from './rearrange.ts';
import * as reduce from './reduce.ts';
import * as shape from './shape.ts';
import * as sorting from './sorting.ts';
import * as statistics from './statistics.ts';

type Reduce = (x: Operand, axis: Axes, keepdims: boolean) => SymbolicTensor;
type ArgReduce = (x: Operand, axis: number | null, keepdims: boolean) => SymbolicTensor;
const REDUCTIONS: { readonly [name: string]: Reduce } = {
  All: reduce.all,
  Amax: (x, axis, keepdims) => reduce.max(x, axis, keepdims),
  Amin: (x, axis, keepdims) => reduce.min(x, axis, keepdims),
  Any: reduce.any,
  CountNonzero: (x, axis) => reduce.countNonzero(x, axis),
  Logsumexp: reduce.logsumexp,
  Mean: reduce.mean,
  Median: statistics.median,
  Nanmax: statistics.nanmax,
  Nanmean: statistics.nanmean,
  Nanmin: statistics.nanmin,
  Nanprod: statistics.nanprod,
  Nanstd: statistics.nanstd,
  Nansum: statistics.nansum,
  Nanvar: statistics.nanvar,
  Ptp: reduce.ptp,
  Std: reduce.std,
  Sum: reduce.sum,
  Var: reduce.variance,
};

const ARG_REDUCTIONS: { readonly [name: string]: ArgReduce } = {
  Argmax: reduce.argmax,
  Argmin: reduce.argmin,
  Nanargmax: statistics.nanargmax,
  Nanargmin: statistics.nanargmin,
};

const CUMULATIVE: { readonly [name: string]: (x: Operand, axis: number | null) => SymbolicTensor } = {
  Cumprod: reduce.cumprod,
  Cumsum: reduce.cumsum,
  Nancumprod: statistics.nancumprod,
  Nancumsum: statistics.nancumsum,
};

const SEGMENTS: { readonly [name: string]: (data: Operand, ids: Operand, count: number) => SymbolicTensor } = {
  SegmentMax: indexing.segmentMax,
  SegmentMin: indexing.segmentMin,
  SegmentProd: indexing.segmentProd,
  SegmentSum: indexing.segmentSum,
};

const PRODUCTS: { readonly [name: string]: (x: Operand, y: Operand) => SymbolicTensor } = {
  Dot: matrix.dot,
  Inner: matrix.inner,
  Kron: matrix.kron,
  Matmul: matrix.matmul,
  Outer: matrix.outer,
  Vdot: matrix.vdot,
};

const x = (call: CallArguments): Operand => call.tensor('x');
const pair = (call: CallArguments): [Operand, Operand] => [call.tensor('x1'), call.tensor('x2')];

/** A result in the dtype that the config asks for, if it does. */
function inDtype(result: SymbolicTensor, call: CallArguments): SymbolicTensor {
  const dtype = call.dtypeOrNull();
  return dtype === null ? result : cast(result, dtype);
}

type AxesPair = readonly [number | readonly number[], number | readonly number[]];

function sections(call: CallArguments): number | number[] {
  return call.numberOrNumbers('indices_or_sections');
}

const ROWS: readonly OperationRow[] = [
  [
    'Max',
    'x',
    { axis: null, keepdims: false, initial: null },
    (call) => reduce.max(x(call), call.axes(), call.boolean('keepdims'), call.numberOrNull('initial')),
  ],
  [
    'Min',
    'x',
    { axis: null, keepdims: false, initial: null },
    (call) => reduce.min(x(call), call.axes(), call.boolean('keepdims'), call.numberOrNull('initial')),
  ],
  [
    'Prod',
    'x',
    { axis: null, keepdims: false, dtype: null },
    (call) => inDtype(reduce.prod(x(call), call.axes(), call.boolean('keepdims')), call),
  ],
  [
    'Average',
    'x weights',
    { axis: null, weights: null },
    (call) => reduce.average(x(call), call.axes(), call.tensorOrNull('weights')),
  ],
  [
    'Norm',
    'x',
    { ord: null, axis: null, keepdims: false },
    (call) => reduce.norm(x(call), normOrder(call, 'ord'), call.axes(), call.boolean('keepdims')),
  ],
  [
    'Moments',
    'x',
    { axes: null, keepdims: false, synchronized: false },
    (call) => {
      call.require('synchronized', false);
      return reduce.moments(x(call), call.axes('axes'), call.boolean('keepdims'));
    },
  ],
  [
    'Quantile',
    'x q',
    { axis: null, method: 'linear', keepdims: false },
    (call) => quantiles(call, statistics.quantile),
  ],
  [
    'Percentile',
    'x q',
    { axis: null, method: 'linear', keepdims: false },
    (call) => quantiles(call, statistics.percentile),
  ],
  [
    'Histogram',
    'x',
    { bins: 10, range: null },
    (call) =>
      statistics.histogram(x(call), call.number('bins'), call.numbersOrNull('range') as [number, number] | null),
  ],
  ['Corrcoef', 'x', {}, (call) => statistics.corrcoef(x(call))],
  [
    'Correlate',
    'x1 x2',
    { mode: 'valid' },
    (call) => statistics.correlate(...pair(call), call.choice('mode', ['valid', 'same', 'full'])),
  ],
  ['Diff', 'a', { n: 1, axis: -1 }, (call) => statistics.diff(call.tensor('a'), call.number('n'), call.number('axis'))],
  [
    'Trapezoid',
    'y',
    { x: null, dx: 1, axis: -1 },
    (call) => statistics.trapezoid(call.tensor('y'), call.tensorOrNull('x'), call.tensor('dx'), call.number('axis')),
  ],
  [
    'Vander',
    'x',
    { N: null, increasing: false },
    (call) => statistics.vander(x(call), call.numberOrNull('N'), call.boolean('increasing')),
  ],
  ['CDist', 'x y', {}, (call) => statistics.cdist(x(call), call.tensor('y'))],

  ['Reshape', 'x newshape', {}, (call) => shape.reshape(x(call), call.numbers('newshape'))],
  ['Ravel', 'x', {}, (call) => shape.ravel(x(call))],
  ['Transpose', 'x', { axes: null }, (call) => shape.transpose(x(call), call.numbersOrNull('axes'))],
  ['Swapaxes', 'x axis1 axis2', {}, (call) => shape.swapaxes(x(call), call.number('axis1'), call.number('axis2'))],
  [
    'Moveaxis',
    'x source destination',
    {},
    (call) => shape.moveaxis(x(call), call.numberOrNumbers('source'), call.numberOrNumbers('destination')),
  ],
  ['ExpandDims', 'x axis', {}, (call) => shape.expandDims(x(call), call.numberOrNumbers('axis'))],
  ['Squeeze', 'x', { axis: null }, (call) => shape.squeeze(x(call), call.axes())],
  ['BroadcastTo', 'x shape', {}, (call) => shape.broadcastTo(x(call), call.numbers('shape'))],
  ['Concatenate', '*xs', { axis: 0 }, (call) => shape.concatenate(call.tensors('xs'), call.number('axis'))],
  ['Append', 'x1 x2', { axis: null }, (call) => shape.append(...pair(call), call.numberOrNull('axis'))],
  ['Stack', '*x', { axis: 0 }, (call) => shape.stack(call.tensors('x'), call.number('axis'))],
  ['Unstack', 'x', { num: null, axis: 0 }, (call) => shape.unstack(x(call), call.number('axis'))],
  [
    'Split',
    'x',
    { indices_or_sections: null, axis: 0 },
    (call) => shape.split(x(call), sections(call), call.number('axis')),
  ],
  [
    'ArraySplit',
    'x',
    { indices_or_sections: null, axis: 0 },
    (call) => shape.arraySplit(x(call), sections(call), call.number('axis')),
  ],
  ['Hsplit', 'x', { indices_or_sections: null }, (call) => shape.hsplit(x(call), sections(call))],
  ['Vsplit', 'x', { indices_or_sections: null }, (call) => shape.vsplit(x(call), sections(call))],
  ['Dsplit', 'x', { indices_or_sections: null }, (call) => shape.dsplit(x(call), sections(call))],
  ['Hstack', '*xs', {}, (call) => shape.hstack(call.tensors('xs'))],
  ['Vstack', '*xs', {}, (call) => shape.vstack(call.tensors('xs'))],
  ['Dstack', '*xs', {}, (call) => shape.dstack(call.tensors('xs'))],
  [
    'Meshgrid',
    '*x',
    { indexing: 'xy' },
    (call) => shape.meshgrid(call.tensors('x'), call.choice('indexing', ['xy', 'ij'])),
  ],
  ['Tile', 'x repeats', {}, (call) => shape.tile(x(call), call.numberOrNumbers('repeats'))],
  [
    'Repeat',
    'x repeats',
    { axis: null },
    (call) => shape.repeat(x(call), call.numberOrNumbers('repeats'), call.numberOrNull('axis')),
  ],
  ['Flip', 'x', { axis: null }, (call) => shape.flip(x(call), call.axes())],
  ['Fliplr', 'x', {}, (call) => shape.flip(x(call), 1)],
  ['Flipud', 'x', {}, (call) => shape.flip(x(call), 0)],
  ['Roll', 'x shift', { axis: null }, (call) => shape.roll(x(call), call.numberOrNumbers('shift'), call.axes())],
  [
    'Rot90',
    'array',
    { k: 1, axes: [0, 1] },
    (call) => shape.rot90(call.tensor('array'), call.number('k'), call.numbers('axes')),
  ],
  [
    'Pad',
    'x constant_values',
    { pad_width: 0, mode: 'constant', constant_values: null },
    (call) =>
      pad(
        x(call),
        call.nested('pad_width') as PadWidth,
        call.choice('mode', PAD_MODES),
        call.numberOrNull('constant_values') ?? 0,
      ),
  ],

  ['GetItem', 'x key', {}, (call) => indexing.getItem(x(call), call.key('key'))],
  [
    'Take',
    'x indices',
    { axis: null },
    (call) => indexing.take(x(call), call.tensor('indices'), call.numberOrNull('axis')),
  ],
  [
    'TakeAlongAxis',
    'x indices',
    { axis: null },
    (call) => indexing.takeAlongAxis(x(call), call.tensor('indices'), call.numberOrNull('axis')),
  ],
  [
    'Slice',
    'inputs start_indices shape',
    {},
    (call) => indexing.slice(call.tensor('inputs'), call.tensor('start_indices'), call.numbers('shape')),
  ],
  [
    'SliceUpdate',
    'inputs start_indices updates',
    {},
    (call) => indexing.sliceUpdate(call.tensor('inputs'), call.tensor('start_indices'), call.tensor('updates')),
  ],
  [
    'Scatter',
    'indices values shape',
    {},
    (call) => indexing.scatter(call.tensor('indices'), call.tensor('values'), call.numbers('shape')),
  ],
  [
    'ScatterUpdate',
    'inputs indices updates',
    { reduction: null },
    (call) =>
      indexing.scatterUpdate(
        call.tensor('inputs'),
        call.tensor('indices'),
        call.tensor('updates'),
        call.has('reduction') ? call.choice('reduction', ['add', 'max', 'min', 'mul']) : null,
      ),
  ],
  ['UnravelIndex', 'indices shape', {}, (call) => indexing.unravelIndex(call.tensor('indices'), call.numbers('shape'))],
  [
    'OneHot',
    'x',
    { num_classes: null, axis: -1, dtype: null, sparse: false },
    (call) => {
      call.require('sparse', false);
      return indexing.oneHot(x(call), call.number('num_classes'), call.number('axis'), call.dtypeOrNull() ?? 'float32');
    },
  ],
  [
    'MultiHot',
    'inputs',
    { num_classes: null, axis: -1, dtype: null, sparse: false },
    (call) => {
      call.require('sparse', false);
      return indexing.multiHot(
        call.tensor('inputs'),
        call.number('num_classes'),
        call.number('axis'),
        call.dtypeOrNull() ?? 'float32',
      );
    },
  ],

  ['Argsort', 'x', { axis: -1 }, (call) => sorting.argsort(x(call), call.numberOrNull('axis'))],
  [
    'Argpartition',
    'x',
    { kth: 0, axis: -1 },
    (call) => sorting.argpartition(x(call), call.number('kth'), call.numberOrNull('axis')),
  ],
  ['Sort', 'x', { axis: -1 }, (call) => sorting.sort(x(call), call.numberOrNull('axis'))],
  ['TopK', 'x', { k: 1, sorted: true }, (call) => sorting.topK(x(call), call.number('k'))],
  [
    'InTopK',
    'targets predictions',
    { k: 1 },
    (call) => sorting.inTopK(call.tensor('targets'), call.tensor('predictions'), call.number('k')),
  ],
  [
    'SearchSorted',
    'sorted_sequence values',
    { side: 'left' },
    (call) =>
      sorting.searchsorted(
        call.tensor('sorted_sequence'),
        call.tensor('values'),
        call.choice('side', ['left', 'right']),
      ),
  ],
  ['Digitize', 'x bins', {}, (call) => sorting.digitize(x(call), call.tensor('bins'))],
  [
    'IsIn',
    'x1 x2',
    { assume_unique: false, invert: false },
    (call) => sorting.isin(...pair(call), call.boolean('invert')),
  ],

  [
    'Tensordot',
    'x1 x2',
    { axes: 2 },
    (call) => matrix.tensordot(...pair(call), call.nested('axes') as number | AxesPair),
  ],
  [
    'Cross',
    'x1 x2',
    { axisa: -1, axisb: -1, axisc: -1, axis: null },
    (call) =>
      matrix.cross(
        ...pair(call),
        call.number('axisa'),
        call.number('axisb'),
        call.number('axisc'),
        call.numberOrNull('axis'),
      ),
  ],
  ['Einsum', '*operands', { subscripts: '' }, (call) => einsum(call.string('subscripts'), ...call.tensors('operands'))],
  ['Diag', 'x', { k: 0 }, (call) => matrix.diag(x(call), call.number('k'))],
  ['Diagflat', 'x', { k: 0 }, (call) => matrix.diagflat(x(call), call.number('k'))],
  [
    'Diagonal',
    'x',
    { offset: 0, axis1: 0, axis2: 1 },
    (call) => matrix.diagonal(x(call), call.number('offset'), call.number('axis1'), call.number('axis2')),
  ],
  [
    'Trace',
    'x',
    { offset: 0, axis1: 0, axis2: 1 },
    (call) => matrix.trace(x(call), call.number('offset'), call.number('axis1'), call.number('axis2')),
  ],
  ['Tril', 'x', { k: 0 }, (call) => matrix.tril(x(call), call.number('k'))],
  ['Triu', 'x', { k: 0 }, (call) => matrix.triu(x(call), call.number('k'))],

  [
    'Arange',
    'start stop step',
    { stop: null, step: null, dtype: null },
    (call) =>
      creation.arange(call.number('start'), call.numberOrNull('stop'), call.numberOrNull('step'), call.dtypeOrNull()),
  ],
  [
    'Linspace',
    'start stop',
    { num: 50, endpoint: true, retstep: false, dtype: null, axis: 0 },
    (call) => {
      call.require('retstep', false);
      return creation.linspace(
        call.number('start'),
        call.number('stop'),
        call.number('num'),
        call.boolean('endpoint'),
        call.dtypeOrNull(),
      );
    },
  ],
  [
    'Logspace',
    'start stop',
    { num: 50, endpoint: true, base: 10, dtype: null, axis: 0 },
    (call) =>
      creation.logspace(
        call.number('start'),
        call.number('stop'),
        call.number('num'),
        call.boolean('endpoint'),
        call.number('base'),
        call.dtypeOrNull(),
      ),
  ],
  [
    'Geomspace',
    'start stop',
    { num: 50, endpoint: true, dtype: null, axis: 0 },
    (call) =>
      creation.geomspace(
        call.number('start'),
        call.number('stop'),
        call.number('num'),
        call.boolean('endpoint'),
        call.dtypeOrNull(),
      ),
  ],
  [
    'Full',
    'fill_value',
    { shape: [], dtype: null },
    (call) => creation.full(call.numbers('shape'), call.tensor('fill_value'), call.dtypeOrNull()),
  ],
  [
    'FullLike',
    'x fill_value',
    { dtype: null },
    (call) => creation.fullLike(x(call), call.tensor('fill_value'), call.dtypeOrNull()),
  ],
  ['EmptyLike', 'x', { dtype: null }, (call) => creation.zerosLike(x(call), call.dtypeOrNull())],
  ['ZerosLike', 'x', { dtype: null }, (call) => creation.zerosLike(x(call), call.dtypeOrNull())],
  ['OnesLike', 'x', { dtype: null }, (call) => creation.onesLike(x(call), call.dtypeOrNull())],
  ['Ndim', 'x', {}, (call) => creation.ndim(x(call))],
  ['Size', 'x', {}, (call) => creation.size(x(call))],
];

const PAD_MODES = ['constant', 'edge', 'reflect', 'symmetric', 'wrap'] as const;

/** The order of a norm: a number, `fro`, `nuc`, or Python's infinities, which JSON may hold as strings. */
export function normOrder(call: CallArguments, name: string): reduce.NormOrder {
  const value = call.raw(name);
  if (value === null || value === undefined) return null;
  if (value === 'fro' || value === 'nuc') return value;
  if (value === 'inf' || value === 'Infinity') return Number.POSITIVE_INFINITY;
  if (value === '-inf' || value === '-Infinity') return Number.NEGATIVE_INFINITY;
  return call.number(name);
}

type Quantiles = typeof statistics.quantile;

function quantiles(call: CallArguments, compute: Quantiles): SymbolicTensor {
  const methods = ['linear', 'lower', 'higher', 'midpoint', 'nearest'] as const;
  return compute(x(call), call.tensor('q'), call.axes(), call.choice('method', methods), call.boolean('keepdims'));
}

/** The one operation whose keywords have names of the caller's own: the extents of axes. */
const rearrangement: RawOperation = {
  keys: [],
  call: ({ args, kwargs }) => {
    const { tensor: value, pattern, ...extents } = { tensor: args[0], pattern: args[1], ...kwargs };
    const call = new CallArguments('Rearrange', { ...extents, tensor: value, pattern });
    const lengths = Object.keys(extents).map((name) => [name, call.number(name)] as const);
    return rearrange(call.tensor('tensor'), call.string('pattern'), Object.fromEntries(lengths));
  },
};

/** By class name. */
export const arrayOperations: readonly (readonly [string, RawOperation])[] = [
  ['Rearrange', rearrangement],
  ...Object.entries(REDUCTIONS).map(
    ([name, run]) =>
      [
        name,
        rawOperation(name, 'x', { axis: null, keepdims: false }, (call) =>
          run(x(call), call.axes(), call.boolean('keepdims')),
        ),
      ] as const,
  ),
  ...Object.entries(ARG_REDUCTIONS).map(
    ([name, run]) =>
      [
        name,
        rawOperation(name, 'x', { axis: null, keepdims: false }, (call) =>
          run(x(call), call.numberOrNull('axis'), call.boolean('keepdims')),
        ),
      ] as const,
  ),
  ...Object.entries(CUMULATIVE).map(
    ([name, run]) =>
      [
        name,
        rawOperation(name, 'x', { axis: null, dtype: null }, (call) => {
          const dtype = call.dtypeOrNull();
          return run(dtype === null ? x(call) : cast(x(call), dtype), call.numberOrNull('axis'));
        }),
      ] as const,
  ),
  ...Object.entries(SEGMENTS).map(
    ([name, run]) =>
      [
        name,
        rawOperation(name, 'data segment_ids', { num_segments: null, sorted: false }, (call) =>
          run(call.tensor('data'), call.tensor('segment_ids'), call.number('num_segments')),
        ),
      ] as const,
  ),
  ...Object.entries(PRODUCTS).map(
    ([name, run]) => [name, rawOperation(name, 'x1 x2', {}, (call) => run(...pair(call)))] as const,
  ),
  ...ROWS.map(([name, signature, defaults, run]) => [name, rawOperation(name, signature, defaults, run)] as const),
];
