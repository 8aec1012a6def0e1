/**
 * Reductions. Two ways to use four lanes: along the innermost reduced axis, when the operand is contiguous there (the
 * lanes are joined at the end), or along the innermost kept axis (each lane is a result of its own).
 *
 * Sums run in chunks whose totals are added, so that the error grows with the length of a chunk and the number of
 * chunks, not with their product.
 */
import { sizeOf, stridesOf } from '../../array/shape.ts';
import { collapseDomain, stridesIn, withStrides } from '../../compiler/collapse.ts';
import type { Access, Expression, Fold, NumericDtype, ReduceKernel } from '../../compiler/schedule.ts';
import { loadsOf } from '../../compiler/schedule.ts';
import type { FunctionBuilder, Local } from './assembler-function.ts';
import type { PlainOpcode } from './assembler-opcodes.ts';
import { ExpressionCode, type Lanes, pushImmediate, type Walk } from './expression-code.ts';
import { type EmittedKernel, elementBytes, emitRangeFunction, type KernelContext } from './kernel-context.ts';
import { countBy, forEachRow, setCoordinates } from './loop-code.ts';

interface FoldCode {
  readonly start: number;
  readonly op: PlainOpcode;
}

const FOLDS: { readonly [D in NumericDtype]: { readonly [F in Fold]: FoldCode } } = {
  float32: {
    sum: { start: 0, op: 'f32x4.add' },
    product: { start: 1, op: 'f32x4.mul' },
    max: { start: Number.NEGATIVE_INFINITY, op: 'f32x4.max' },
    min: { start: Number.POSITIVE_INFINITY, op: 'f32x4.min' },
  },
  int32: {
    sum: { start: 0, op: 'i32x4.add' },
    product: { start: 1, op: 'i32x4.mul' },
    max: { start: -(2 ** 31), op: 'i32x4.max_s' },
    min: { start: 2 ** 31 - 1, op: 'i32x4.min_s' },
  },
  bool: {
    sum: { start: 0, op: 'v128.or' },
    product: { start: 1, op: 'v128.and' },
    max: { start: 0, op: 'v128.or' },
    min: { start: 1, op: 'v128.and' },
  },
};

/** Vectors that are accumulated side by side, so that one addition need not wait for the last. */
const ACCUMULATORS = 4;

/** Steps of the innermost loop whose sum is formed before it is added to the total. */
const CHUNK_STEPS = 64;

/** What both ways work with: the collapsed domain, kept axes first. */
interface Task {
  readonly context: KernelContext;
  readonly f: FunctionBuilder;
  readonly kept: readonly number[];
  readonly reduced: readonly number[];
  readonly value: Expression;
  readonly store: Access;
  readonly code: FoldCode;
}

/** Writes the function of a reduction; its range is over the results. The tail is not included. */
export function emitReduce(context: KernelContext, kernel: ReduceKernel): EmittedKernel {
  const { output, fold } = kernel;
  const count = sizeOf(kernel.kept);
  const strides = [...stridesOf(kernel.kept), ...kernel.reduced.map(() => 0)];
  const code = FOLDS[output.dtype][fold];
  if (sizeOf(kernel.reduced) === 0) {
    return emitRangeFunction(context, count, (f, first, last) => fillRange(context, f, output, code, first, last));
  }
  const ordered = orderReduced(kernel);
  const collapsed = collapseDomain([kernel.kept, ordered.reduced], [...stridesIn([ordered.value]), strides]);
  const [kept, reduced] = collapsed.groups as [readonly number[], readonly number[]];
  const [value] = withStrides([ordered.value], collapsed.strides) as [Expression];
  const store: Access = { buffer: output, offset: 0, strides: collapsed.strides(strides) };
  return emitRangeFunction(context, count, (f, first, last) => {
    if (count === 0) return;
    const task: Task = { context, f, kept, reduced, value, store, code };
    if (lanesAlongKept(task)) reduceColumns(task, first, last);
    else reduceRows(task, first, last);
  });
}

/** Puts the reduced axis along which most operands are contiguous last. The order of a fold is free. */
function orderReduced({ kept, reduced, value }: ReduceKernel): { reduced: number[]; value: Expression } {
  const score = (axis: number): number =>
    loadsOf(value).filter(({ strides }) => strides[kept.length + axis] === 1).length * 2 +
    Number(axis === reduced.length - 1);
  const axes = reduced.map((_, axis) => axis).sort((a, b) => score(a) - score(b) || a - b);
  const reorder = (strides: readonly number[]): number[] => [
    ...strides.slice(0, kept.length),
    ...axes.map((axis) => strides[kept.length + axis] as number),
  ];
  const [reordered] = withStrides([value], reorder) as [Expression];
  return { reduced: axes.map((axis) => reduced[axis] as number), value: reordered };
}

function lanesAlongKept({ kept, reduced, value }: Task): boolean {
  if (kept.length === 0 || (kept.at(-1) as number) < 4) return false;
  const loads = loadsOf(value);
  const contiguousAlong = (axis: number): number => loads.filter(({ strides }) => strides[axis] === 1).length;
  return reduced.length === 0 || contiguousAlong(kept.length - 1) > contiguousAlong(kept.length + reduced.length - 1);
}

function fillRange(
  { addressOf }: KernelContext,
  f: FunctionBuilder,
  output: Access['buffer'],
  { start }: FoldCode,
  first: Local,
  last: Local,
): void {
  const [index, at] = f.localsOf('i32', 2) as [Local, Local];
  f.get(first).set(index);
  countBy(f, index, last, 1, () => {
    f.scaled(index, elementBytes(output.dtype)).set(at);
    if (output.dtype === 'float32') f.storeAt('f32.store', at, addressOf(output), () => f.f32(start));
    else f.storeAt(output.dtype === 'int32' ? 'i32.store' : 'i32.store8', at, addressOf(output), () => f.i32(start));
  });
  f.release(index, at);
}

/** Each lane is a result: blocks of 16 and 4 columns, then single ones. */
function reduceColumns(task: Task, first: Local, last: Local): void {
  const { f, kept, reduced } = task;
  const domain = [...kept, ...reduced];
  const vectorAxis = kept.length - 1;
  forEachRow(f, kept, first, last, (keptCoordinates, start, stop) => {
    const column = keptCoordinates[vectorAxis] as Local;
    const reducedCoordinates = f.localsOf('i32', Math.max(reduced.length, 1));
    const coordinates = [...keptCoordinates, ...reducedCoordinates.slice(0, reduced.length)];
    const walk: Walk = { domain, vectorAxis, innerAxis: domain.length - 1, coordinates };
    f.get(start).set(column);
    const block = (lanes: Lanes, vectors: number): void => {
      countBy(f, column, stop, lanes * vectors, () => {
        const totals = accumulate(task, walk, reducedCoordinates, lanes, vectors);
        const code = new ExpressionCode(task.context, f, { ...walk, innerAxis: vectorAxis }, lanes);
        code.prepare([], [task.store]);
        for (const [index, total] of totals.entries()) code.store(task.store, () => f.get(total), index * lanes);
        code.release();
        f.release(...totals);
      });
    };
    block(4, 2 * ACCUMULATORS);
    block(4, ACCUMULATORS);
    block(4, 1);
    block(1, 1);
    f.release(...reducedCoordinates);
  });
}

/** Folds over all reduced axes, `vectors` groups of lanes side by side along the vector axis. */
function accumulate(
  { context, f, reduced, value, code }: Task,
  walk: Walk,
  reducedCoordinates: readonly Local[],
  lanes: Lanes,
  vectors: number,
): Local[] {
  const totals = f.localsOf('v128', vectors);
  for (const total of totals) startFold(f, value.dtype, code, total);
  forEachChunk(f, reduced, reducedCoordinates, CHUNK_STEPS, (inner, stop) => {
    const sums = f.localsOf('v128', vectors);
    for (const sum of sums) startFold(f, value.dtype, code, sum);
    const expression = new ExpressionCode(context, f, walk, lanes);
    expression.prepare([value], [], vectors);
    const step = (): void => {
      for (const [index, sum] of sums.entries()) {
        f.get(sum);
        expression.push(value, index * lanes);
        f.op(code.op).set(sum);
      }
    };
    if (inner === undefined) step();
    else countBy(f, inner, stop as Local, 1, step);
    expression.release();
    for (const [index, sum] of sums.entries()) {
      f.get(totals[index] as Local)
        .get(sum)
        .op(code.op)
        .set(totals[index] as Local);
    }
    f.release(...sums);
  });
  return totals;
}

/** The lanes lie along the innermost reduced axis; four vectors at a time, then one, then single elements. */
function reduceRows(task: Task, first: Local, last: Local): void {
  const { context, f, kept, reduced, value, store, code } = task;
  const domain = [...kept, ...reduced];
  const innerAxis = domain.length - 1;
  const row = f.local('i32');
  const keptCoordinates = f.localsOf('i32', kept.length);
  const reducedCoordinates = f.localsOf('i32', Math.max(reduced.length, 1));
  const coordinates = [...keptCoordinates, ...reducedCoordinates.slice(0, reduced.length)];
  const walk: Walk = { domain, vectorAxis: innerAxis, innerAxis, coordinates };
  const total = f.local('v128');
  const extent = reduced.at(-1) ?? 0;
  f.get(first).set(row);
  countBy(f, row, last, 1, () => {
    setCoordinates(f, row, kept, keptCoordinates);
    startFold(f, value.dtype, code, total);
    forEachChunk(f, reduced, reducedCoordinates, CHUNK_STEPS * 4 * ACCUMULATORS, (inner, stop) => {
      if (inner === undefined || stop === undefined) {
        const single = new ExpressionCode(context, f, walk, 1);
        single.prepare([value]);
        f.get(total);
        single.push(value);
        f.op(code.op).set(total);
        single.release();
        return;
      }
      const sums = f.localsOf('v128', ACCUMULATORS);
      for (const sum of sums) startFold(f, value.dtype, code, sum);
      const vector = new ExpressionCode(context, f, walk, 4);
      vector.prepare([value]);
      const groups = (count: number): void => {
        countBy(f, inner, stop, 4 * count, () => {
          for (const [index, sum] of sums.slice(0, count).entries()) {
            f.get(sum);
            vector.push(value, index * 4);
            f.op(code.op).set(sum);
          }
        });
      };
      if (extent >= 4 * ACCUMULATORS) groups(ACCUMULATORS);
      if (extent % (4 * ACCUMULATORS) >= 4) groups(1);
      vector.release();
      joinLanes(f, code, sums);
      const sum = sums[0] as Local;
      if (extent % 4 > 0) {
        const single = new ExpressionCode(context, f, walk, 1);
        single.prepare([value]);
        countBy(f, inner, stop, 1, () => {
          f.get(sum);
          single.push(value);
          f.op(code.op).set(sum);
        });
        single.release();
      }
      f.get(total)
        .get(sum)
        .op(code.op)
        .set(total)
        .release(...sums);
    });
    const target = new ExpressionCode(context, f, { ...walk, vectorAxis: domain.length, innerAxis: domain.length }, 1);
    target.prepare([], [store]);
    target.store(store, () => f.get(total));
    target.release();
  });
  f.release(row, total, ...keptCoordinates, ...reducedCoordinates);
}

/** Leaves the fold of all lanes of all vectors in each lane of the first. */
function joinLanes(f: FunctionBuilder, { op }: FoldCode, sums: readonly Local[]): void {
  const [sum, ...others] = sums as [Local, ...Local[]];
  for (const other of others) f.get(sum).get(other).op(op).set(sum);
  f.get(sum).get(sum).get(sum).shuffle32(2, 3, 0, 1).op(op).set(sum);
  f.get(sum).get(sum).get(sum).shuffle32(1, 0, 3, 2).op(op).set(sum);
}

function startFold(f: FunctionBuilder, dtype: NumericDtype, { start }: FoldCode, target: Local): void {
  pushImmediate(f, dtype, start);
  f.set(target);
}

/**
 * Loops over the reduced axes, the innermost one in chunks. The body gets the innermost coordinate, set to the start
 * of the chunk, and the chunk's end; neither when there is no axis.
 */
function forEachChunk(
  f: FunctionBuilder,
  reduced: readonly number[],
  coordinates: readonly Local[],
  chunk: number,
  body: (inner: Local | undefined, stop: Local | undefined) => void,
): void {
  const extent = reduced.at(-1);
  if (extent === undefined) {
    body(undefined, undefined);
    return;
  }
  const nest = (axis: number): void => {
    if (axis < reduced.length - 1) {
      f.for(coordinates[axis] as Local, 0, reduced[axis] as number, 1, () => nest(axis + 1));
      return;
    }
    const inner = coordinates[axis] as Local;
    const stop = f.local('i32');
    if (extent <= chunk) {
      f.i32(extent).set(stop).i32(0).set(inner);
      body(inner, stop);
    } else {
      const start = f.local('i32');
      f.for(start, 0, extent, chunk, () => {
        f.get(start).tee(inner).i32(chunk).op('i32.add').set(stop);
        f.get(stop).i32(extent).get(stop).i32(extent).op('i32.lt_s', 'select').set(stop);
        body(inner, stop);
      });
      f.release(start);
    }
    f.release(stop);
  };
  nest(0);
}
