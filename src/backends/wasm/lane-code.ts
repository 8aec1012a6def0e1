/** Work along one axis, one lane after the other: positions of extremes, running results, sorting. */
import { sizeOf } from '../../array/shape.ts';
import type { Buffer, NodeKernel, NumericDtype } from '../../compiler/schedule.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import type { CumulativeName } from '../../graph/primitives.ts';
import type { FunctionBuilder, Local } from './assembler-function.ts';
import type { LoadOpcode, PlainOpcode } from './assembler-opcodes.ts';
import { type EmittedKernel, elementBytes, emitRangeFunction, type KernelContext } from './kernel-context.ts';
import { countBy } from './loop-code.ts';

/** The lanes of a tensor along an axis: `outer · inner` of them, whose elements lie `inner` apart. */
interface Lanes {
  readonly count: number;
  readonly extent: number;
  readonly inner: number;
}

function lanesOf({ shape }: SymbolicTensor, axis: number): Lanes {
  const inner = sizeOf(shape.slice(axis + 1));
  return { count: sizeOf(shape.slice(0, axis)) * inner, extent: shape[axis] as number, inner };
}

/** Pushes the number of the first element of a lane. */
function pushLaneStart(f: FunctionBuilder, lane: Local, { extent, inner }: Lanes): void {
  f.get(lane)
    .i32(inner)
    .op('i32.div_u')
    .i32(extent * inner)
    .op('i32.mul');
  f.get(lane).i32(inner).op('i32.rem_u', 'i32.add');
}

const LOADS: { readonly [D in NumericDtype]: LoadOpcode } = {
  float32: 'f32.load',
  int32: 'i32.load',
  bool: 'i32.load8_u',
};

/** int32 positions of the first greatest or least element of each lane; the first NaN wins. */
export function emitArgReduce(context: KernelContext, kernel: NodeKernel, axis: number, isMax: boolean): EmittedKernel {
  const lanes = lanesOf(kernel.node.inputs[0] as SymbolicTensor, axis);
  const [x, output] = [kernel.inputs[0] as Buffer, kernel.outputs[0] as Buffer];
  const isFloat = x.dtype === 'float32';
  const bytes = elementBytes(x.dtype);
  const better: PlainOpcode = isFloat ? (isMax ? 'f32.gt' : 'f32.lt') : isMax ? 'i32.gt_s' : 'i32.lt_s';
  return emitRangeFunction(context, lanes.count, (f, first, last) => {
    const [lane, start, position, bestPosition] = f.localsOf('i32', 4) as [Local, Local, Local, Local];
    const [best, candidate] = f.localsOf(isFloat ? 'f32' : 'i32', 2) as [Local, Local];
    f.get(first).set(lane);
    countBy(f, lane, last, 1, () => {
      pushLaneStart(f, lane, lanes);
      f.i32(bytes).op('i32.mul').tee(start);
      f.load(LOADS[x.dtype], 'stack', context.addressOf(x)).set(best);
      f.i32(0).set(bestPosition);
      f.block((exit) => {
        f.for(position, 1, lanes.extent, 1, () => {
          if (isFloat) f.get(best).get(best).op('f32.ne').brIf(exit);
          f.increment(start, lanes.inner * bytes);
          f.load(LOADS[x.dtype], start, context.addressOf(x)).tee(candidate).get(best).op(better);
          if (isFloat) f.get(candidate).get(candidate).op('f32.ne', 'i32.or');
          f.if(() => f.get(candidate).set(best).get(position).set(bestPosition));
        });
      });
      f.scaled(lane, 4).get(bestPosition).store('i32.store', context.addressOf(output));
    });
    f.release(lane, start, position, bestPosition, best, candidate);
  });
}

interface Running {
  readonly start: number;
  readonly float: PlainOpcode;
  /** Undefined: the greater (or lesser) by comparison. */
  readonly integer: PlainOpcode | undefined;
  readonly integerStart: number;
}

/** Floats run in double precision. */
const RUNNING: { readonly [K in CumulativeName]: Running } = {
  cumulativeSum: { start: 0, float: 'f64.add', integer: 'i32.add', integerStart: 0 },
  cumulativeProduct: { start: 1, float: 'f64.mul', integer: 'i32.mul', integerStart: 1 },
  cumulativeMax: {
    start: Number.NEGATIVE_INFINITY,
    float: 'f64.max',
    integer: undefined,
    integerStart: -(2 ** 31),
  },
  cumulativeMin: { start: Number.POSITIVE_INFINITY, float: 'f64.min', integer: undefined, integerStart: 2 ** 31 - 1 },
};

/** Running results along each lane. */
export function emitCumulative(
  context: KernelContext,
  kernel: NodeKernel,
  name: CumulativeName,
  axis: number,
  reverse: boolean,
): EmittedKernel {
  const lanes = lanesOf(kernel.node.inputs[0] as SymbolicTensor, axis);
  const [x, output] = [kernel.inputs[0] as Buffer, kernel.outputs[0] as Buffer];
  const { start, float, integer, integerStart } = RUNNING[name];
  const isFloat = x.dtype === 'float32';
  const count = lanes.extent === 0 ? 0 : lanes.count;
  return emitRangeFunction(context, count, (f, first, last) => {
    if (count === 0) return;
    const [lane, address, step] = f.localsOf('i32', 3) as [Local, Local, Local];
    const result = f.local(isFloat ? 'f64' : 'i32');
    const element = f.local('i32');
    f.get(first).set(lane);
    countBy(f, lane, last, 1, () => {
      pushLaneStart(f, lane, lanes);
      if (reverse) f.i32((lanes.extent - 1) * lanes.inner).op('i32.add');
      f.i32(4).op('i32.mul').set(address);
      if (isFloat) f.f64(start).set(result);
      else f.i32(integerStart).set(result);
      f.for(step, 0, lanes.extent, 1, () => {
        if (isFloat) {
          f.get(result).load('f32.load', address, context.addressOf(x)).op('f64.promote_f32', float).set(result);
        } else if (integer !== undefined) {
          f.get(result).load('i32.load', address, context.addressOf(x)).op(integer).set(result);
        } else {
          f.load('i32.load', address, context.addressOf(x)).tee(element).get(result);
          f.get(element)
            .get(result)
            .op(name === 'cumulativeMax' ? 'i32.gt_s' : 'i32.lt_s', 'select')
            .set(result);
        }
        f.get(address).get(result);
        if (isFloat) f.op('f32.demote_f64').store('f32.store', context.addressOf(output));
        else f.store('i32.store', context.addressOf(output));
        f.increment(address, (reverse ? -4 : 4) * lanes.inner);
      });
    });
    f.release(lane, address, step, result, element);
  });
}

/** Bytes of scratch for sorting along an axis: two lists of keys with positions. */
export function argSortScratchBytes(symbol: SymbolicTensor, axis: number): number {
  return 2 * 8 * (symbol.shape[axis] as number);
}

/**
 * Positions that sort each lane: a merge sort of 64-bit entries, the key above the position. Positions differ, so
 * equal keys keep their order.
 */
export function emitArgSort(
  context: KernelContext,
  kernel: NodeKernel,
  axis: number,
  descending: boolean,
  scratch: number,
): EmittedKernel {
  const lanes = lanesOf(kernel.node.inputs[0] as SymbolicTensor, axis);
  const [x, output] = [kernel.inputs[0] as Buffer, kernel.outputs[0] as Buffer];
  const { extent, inner } = lanes;
  const count = extent === 0 ? 0 : lanes.count;
  return emitRangeFunction(context, count, (f, first, last) => {
    if (count === 0) return;
    const [lane, start, position, address] = f.localsOf('i32', 4) as [Local, Local, Local, Local];
    const [source, target, width, swap] = f.localsOf('i32', 4) as [Local, Local, Local, Local];
    f.get(first).set(lane);
    countBy(f, lane, last, 1, () => {
      pushLaneStart(f, lane, lanes);
      f.set(start);
      f.i32(scratch).set(source);
      f.i32(scratch + extent * 8).set(target);
      f.for(position, 0, extent, 1, () => {
        f.scaled(position, 8).get(source).op('i32.add');
        f.get(start).get(position).i32(inner).op('i32.mul', 'i32.add').i32(elementBytes(x.dtype)).op('i32.mul');
        pushKey(f, x.dtype, context.addressOf(x), descending);
        f.op('i64.extend_i32_s').i64(32).op('i64.shl').get(position).op('i64.extend_i32_u', 'i64.or');
        f.store('i64.store');
      });
      f.i32(1).set(width);
      f.block((exit) => {
        f.loop((again) => {
          f.get(width).i32(extent).op('i32.ge_s').brIf(exit);
          mergeRuns(f, source, target, width, extent);
          f.get(source).set(swap).get(target).set(source).get(swap).set(target);
          f.get(width).i32(1).op('i32.shl').set(width).br(again);
        });
      });
      f.for(position, 0, extent, 1, () => {
        f.get(start).get(position).i32(inner).op('i32.mul', 'i32.add').i32(4).op('i32.mul').set(address);
        f.get(address);
        f.scaled(position, 8).get(source).op('i32.add').load('i32.load');
        f.store('i32.store', context.addressOf(output));
      });
    });
    f.release(lane, start, position, address, source, target, width, swap);
  });
}

/** Address offset on the stack: leaves an i32 whose signed order is the order of the elements. */
function pushKey(f: FunctionBuilder, dtype: NumericDtype, base: number, descending: boolean): void {
  f.load(LOADS[dtype], 'stack', base);
  if (dtype === 'float32') {
    const value = f.local('f32');
    const bits = f.local('i32');
    // −0 becomes 0, so that both are equal. The bits of negative floats fall as the floats grow.
    f.f32(0).op('f32.add').tee(value).op('i32.reinterpret_f32').set(bits);
    f.get(bits)
      .get(bits)
      .i32(31)
      .op('i32.shr_s')
      .i32(2 ** 31 - 1)
      .op('i32.and', 'i32.xor');
    // All NaN are equal, and greater than any number.
    f.i32(2 ** 31 - 1)
      .get(value)
      .get(value)
      .op('f32.eq', 'select');
    f.release(value, bits);
  }
  if (descending) f.i32(-1).op('i32.xor');
}

/** Merges neighbouring runs of `width` entries from `source` into runs of twice the width in `target`. */
function mergeRuns(f: FunctionBuilder, source: Local, target: Local, width: Local, extent: number): void {
  const [begin, left, leftEnd, right, rightEnd, to] = f.localsOf('i32', 6) as [
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
  ];
  const [a, b] = f.localsOf('i64', 2) as [Local, Local];
  const takesLeft = f.local('i32');
  const clampToEnd = (position: Local): void => {
    f.get(position).i32(extent).get(position).i32(extent).op('i32.lt_s', 'select').set(position);
  };
  f.i32(0).set(begin);
  f.block((done) => {
    f.loop((next) => {
      f.get(begin).i32(extent).op('i32.ge_s').brIf(done);
      f.get(begin).tee(left).tee(to).get(width).op('i32.add').set(leftEnd);
      clampToEnd(leftEnd);
      f.get(leftEnd).tee(right).get(width).op('i32.add').set(rightEnd);
      clampToEnd(rightEnd);
      f.block((exit) => {
        f.loop((again) => {
          f.get(to).get(rightEnd).op('i32.ge_s').brIf(exit);
          loadEntry(f, source, left, a);
          loadEntry(f, source, right, b);
          // The left entry where the right run is used up, or where the left run is not and its entry is not greater.
          f.get(left).get(leftEnd).op('i32.lt_s');
          f.get(right).get(rightEnd).op('i32.ge_s').get(a).get(b).op('i64.le_s', 'i32.or', 'i32.and').set(takesLeft);
          f.scaled(to, 8).get(target).op('i32.add').get(a).get(b).get(takesLeft).op('select').store('i64.store');
          f.get(left).get(takesLeft).op('i32.add').set(left);
          f.get(right).i32(1).get(takesLeft).op('i32.sub', 'i32.add').set(right);
          f.increment(to, 1).br(again);
        });
      });
      f.get(rightEnd).set(begin).br(next);
    });
  });
  f.release(begin, left, leftEnd, right, rightEnd, to, a, b, takesLeft);
}

/** An entry beyond the end of its run may be read, but is not used; the memory goes on after the scratch. */
function loadEntry(f: FunctionBuilder, base: Local, position: Local, entry: Local): void {
  f.scaled(position, 8).get(base).op('i32.add').load('i64.load').set(entry);
}
