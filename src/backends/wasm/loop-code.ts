/** Loops over a domain that compute an expression at each point. */
import { sizeOf, stridesOf } from '../../array/shape.ts';
import { collapseDomain, stridesIn, withStrides } from '../../compiler/collapse.ts';
import type { Access, Buffer, Expression, LoopKernel, Tail } from '../../compiler/schedule.ts';
import type { FunctionBuilder, Local } from './assembler-function.ts';
import { ExpressionCode, type Lanes, type Walk } from './expression-code.ts';
import { type EmittedKernel, emitRangeFunction, type KernelContext } from './kernel-context.ts';
import { expressionCost } from './kernel-cost.ts';

/** Nanoseconds of an element below which loading and storing take longer than computing: it gains nothing from wide vectors. */
const LEAST_JOINED_COST = 0.9;

/** Writes the function of a loop; its range is over the points of the domain in row-major order. */
export function emitLoop(context: KernelContext, { domain, store, value }: LoopKernel): EmittedKernel {
  const count = sizeOf(domain);
  return emitRangeFunction(context, count, (f, first, last) => {
    if (count > 0) writeLoop(context, f.keepConstants(), domain, store, value, first, last);
  });
}

/** Writes a function `(first, last)` that applies a tail in place to a range of the elements of `output`. */
export function emitTail(context: KernelContext, output: Buffer, { domain, value }: Tail): EmittedKernel {
  const store: Access = { buffer: output, offset: 0, strides: stridesOf(domain) };
  return emitLoop(context, { kind: 'loop', name: 'tail', domain, store, value });
}

function writeLoop(
  context: KernelContext,
  f: FunctionBuilder,
  domain: readonly number[],
  store: Access,
  value: Expression,
  first: Local,
  last: Local,
): void {
  const collapsed = collapseDomain([domain], [...stridesIn([value]), store.strides]);
  const [extents] = collapsed.groups as [readonly number[]];
  // A single point is a row of one element.
  const axes = extents.length === 0 ? [1] : extents;
  const change = (strides: readonly number[]): number[] => (extents.length === 0 ? [0] : collapsed.strides(strides));
  const [collapsedValue] = withStrides([value], change) as [Expression];
  const target: Access = { ...store, strides: change(store.strides) };
  forEachRow(f, axes, first, last, (coordinates, start, stop) => {
    const innerAxis = axes.length - 1;
    const walk: Walk = { domain: axes, vectorAxis: innerAxis, innerAxis, coordinates };
    writeRow(context, f, walk, target, collapsedValue, start, stop);
  });
}

/** Elements from `start` to `stop` of the innermost axis: by eights where the engine joins vectors, by fours, one by one. */
export function writeRow(
  context: KernelContext,
  f: FunctionBuilder,
  walk: Walk,
  store: Access,
  value: Expression,
  start: Local,
  stop: Local,
): void {
  const index = walk.coordinates[walk.innerAxis] as Local;
  f.get(start).set(index);
  const write = (lanes: Lanes): ExpressionCode => new ExpressionCode(context, f, walk, lanes);
  if (context.module.wide && expressionCost(1, value) >= LEAST_JOINED_COST) {
    const pair = write(4);
    pair.prepare([value], [store], 2);
    const values = f.localsOf('v128', 2);
    countBy(f, index, stop, 8, () => {
      pair.keepAddresses();
      // What is to be joined is stored one after the other, when all has been read.
      for (const [group, local] of values.entries()) {
        pair.push(value, group * 4);
        f.set(local);
      }
      for (const [group, local] of values.entries()) pair.store(store, () => f.get(local), group * 4);
    });
    f.release(...values);
    pair.release();
  }
  const vector = write(4);
  vector.prepare([value], [store]);
  countBy(f, index, stop, 4, () => vector.store(store, () => vector.push(value)));
  vector.release();
  f.get(index).get(stop).op('i32.lt_s');
  f.if(() => {
    const single = write(1);
    single.prepare([value], [store]);
    countBy(f, index, stop, 1, () => single.store(store, () => single.push(value)));
    single.release();
  });
}

/** Repeats the body while `index + step` ≤ `stop`, and steps on. */
export function countBy(f: FunctionBuilder, index: Local, stop: Local, step: number, body: () => void): void {
  f.block((exit) => {
    f.loop((again) => {
      f.get(index).i32(step).op('i32.add').get(stop).op('i32.gt_s').brIf(exit);
      body();
      f.increment(index, step).br(again);
    });
  });
}

/**
 * Cuts the range `first … last` of a domain into rows along its last axis. The body gets the coordinates, those
 * before the last set, and where in the row to start and to stop; it may use the last coordinate as it likes.
 */
export function forEachRow(
  f: FunctionBuilder,
  domain: readonly number[],
  first: Local,
  last: Local,
  body: (coordinates: readonly Local[], start: Local, stop: Local) => void,
): void {
  const coordinates = domain.length === 0 ? [f.local('i32')] : f.localsOf('i32', domain.length);
  const outer = domain.slice(0, -1);
  if (outer.length === 0) {
    body(coordinates, first, last);
    f.release(...coordinates);
    return;
  }
  const inner = domain.at(-1) as number;
  const [row, start, stop, position] = f.localsOf('i32', 4) as [Local, Local, Local, Local];
  f.get(first).tee(position).i32(inner).op('i32.div_u').set(row);
  f.get(first).i32(inner).op('i32.rem_u').set(start);
  f.block((exit) => {
    f.loop((again) => {
      f.get(position).get(last).op('i32.ge_s').brIf(exit);
      // stop = min(inner, start + last − position)
      f.get(start).get(last).op('i32.add').get(position).op('i32.sub').tee(stop);
      f.i32(inner).get(stop).i32(inner).op('i32.lt_s', 'select').set(stop);
      setCoordinates(f, row, outer, coordinates);
      body(coordinates, start, stop);
      f.get(position).get(stop).op('i32.add').get(start).op('i32.sub').set(position);
      f.i32(0).set(start).increment(row, 1).br(again);
    });
  });
  f.release(row, start, stop, position, ...coordinates);
}

/** Splits a row number into coordinates along the axes. */
export function setCoordinates(
  f: FunctionBuilder,
  row: Local,
  axes: readonly number[],
  coordinates: readonly Local[],
): void {
  if (axes.length === 0) return;
  const rest = f.local('i32');
  f.get(row).set(rest);
  for (let axis = axes.length - 1; axis > 0; axis--) {
    const extent = axes[axis] as number;
    f.get(rest)
      .i32(extent)
      .op('i32.rem_u')
      .set(coordinates[axis] as Local);
    f.get(rest).i32(extent).op('i32.div_u').set(rest);
  }
  f.get(rest)
    .set(coordinates[0] as Local)
    .release(rest);
}
