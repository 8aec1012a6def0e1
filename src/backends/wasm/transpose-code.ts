/**
 * Transpositions of 4-byte elements: copies whose source is contiguous along another axis than their target. Blocks of
 * 4 × 4 are turned in registers, and neighbouring blocks share the lines of the cache that they touch.
 */

import { collapseDomain } from '../../compiler/collapse.ts';
import type { Access, LoopKernel } from '../../compiler/schedule.ts';
import type { FunctionBuilder, Local } from './assembler-function.ts';
import { type EmittedKernel, emitRangeFunction, type KernelContext } from './kernel-context.ts';
import { countBy, setCoordinates } from './loop-code.ts';

/** Rows of the target in one unit: the lines of the source that they share stay in the first cache. */
const UNIT_ROWS = 16;

/** Below this many elements along either axis there are too few blocks. */
const LEAST_EXTENT = 8;

/** A copy over `domain`, all offsets and strides in bytes. */
interface Transposition {
  readonly domain: readonly number[];
  /** The axis along which the source is contiguous; the target is along the last one. */
  readonly rowAxis: number;
  readonly source: Place;
  readonly target: Place;
}

interface Place {
  readonly address: number;
  readonly strides: readonly number[];
}

/** Writes the kernel of a loop that only transposes; undefined for other loops. Its range is over units of rows. */
export function emitTransposition(context: KernelContext, loop: LoopKernel): EmittedKernel | undefined {
  const task = matchTransposition(context, loop);
  if (task === undefined) return undefined;
  const { domain, rowAxis } = task;
  const outer = domain.filter((_, axis) => axis !== rowAxis && axis !== domain.length - 1);
  const unitsInPlane = Math.ceil((domain[rowAxis] as number) / UNIT_ROWS);
  const planes = outer.reduce((product, extent) => product * extent, 1);
  return emitRangeFunction(context, planes * unitsInPlane, (f, first, last) => {
    const [unit, plane, row, rowEnd, from, to] = f.localsOf('i32', 6) as [Local, Local, Local, Local, Local, Local];
    const coordinates = f.localsOf('i32', outer.length);
    f.get(first).set(unit);
    countBy(f, unit, last, 1, () => {
      f.get(unit).i32(unitsInPlane).op('i32.div_u').set(plane);
      f.get(unit).i32(unitsInPlane).op('i32.rem_u').i32(UNIT_ROWS).op('i32.mul').set(row);
      f.get(row)
        .i32(UNIT_ROWS)
        .op('i32.add')
        .tee(rowEnd)
        .i32(domain[rowAxis] as number);
      f.get(rowEnd)
        .i32(domain[rowAxis] as number)
        .op('i32.lt_s', 'select')
        .set(rowEnd);
      setCoordinates(f, plane, outer, coordinates);
      const start = ({ address, strides }: Place): void => {
        const outerStrides = strides.filter((_, axis) => axis !== rowAxis && axis !== domain.length - 1);
        f.sum(
          coordinates.map((coordinate, axis) => [coordinate, outerStrides[axis] as number] as const),
          address,
        );
      };
      start(task.source);
      f.set(from);
      start(task.target);
      f.set(to);
      writeUnit(f, task, row, rowEnd, from, to);
    });
    f.release(unit, plane, row, rowEnd, from, to, ...coordinates);
  });
}

function matchTransposition(
  { addressOf }: KernelContext,
  { domain, store, value }: LoopKernel,
): Transposition | undefined {
  if (value.kind !== 'load' || value.dtype === 'bool') return undefined;
  const { access } = value;
  const collapsed = collapseDomain([domain], [access.strides, store.strides]);
  const [extents] = collapsed.groups as [readonly number[]];
  const place = ({ buffer, offset, strides }: Access): Place => ({
    address: addressOf(buffer) + offset * 4,
    strides: collapsed.strides(strides).map((stride) => stride * 4),
  });
  const [source, target] = [place(access), place(store)];
  const last = extents.length - 1;
  const rowAxis = source.strides.indexOf(4);
  const fits =
    rowAxis >= 0 &&
    rowAxis < last &&
    target.strides[last] === 4 &&
    (source.strides[last] as number) > 4 &&
    source.strides.every((stride) => stride >= 0) &&
    (extents[rowAxis] as number) >= LEAST_EXTENT &&
    (extents[last] as number) >= LEAST_EXTENT;
  return fits ? { domain: extents, rowAxis, source, target } : undefined;
}

/** Rows `row … rowEnd` of one plane: all columns by fours for four rows at a time, then what is left. */
function writeUnit(f: FunctionBuilder, task: Transposition, row: Local, rowEnd: Local, from: Local, to: Local): void {
  const { domain, rowAxis, source, target } = task;
  const columnAxis = domain.length - 1;
  const columns = domain[columnAxis] as number;
  const wholeColumns = columns - (columns % 4);
  const columnBytes = source.strides[columnAxis] as number;
  const rowBytes = target.strides[rowAxis] as number;
  const [column, at, rowAt, origin, place] = f.localsOf('i32', 5) as [Local, Local, Local, Local, Local];
  const vectors = f.localsOf('v128', 4) as [Local, Local, Local, Local];
  const copyOne = (): void => {
    // Element (rowAt, column).
    f.sum([
      [to, 1],
      [rowAt, rowBytes],
      [column, 4],
    ]);
    f.sum([
      [from, 1],
      [rowAt, 4],
      [column, columnBytes],
    ])
      .load('i32.load')
      .store('i32.store');
  };
  f.for(column, 0, wholeColumns, 4, () => {
    f.get(row).set(at);
    countBy(f, at, rowEnd, 4, () => {
      f.sum([
        [from, 1],
        [at, 4],
        [column, columnBytes],
      ]).set(origin);
      f.sum([
        [to, 1],
        [at, rowBytes],
        [column, 4],
      ]).set(place);
      for (const [index, vector] of vectors.entries()) f.load('v128.load', origin, index * columnBytes).set(vector);
      turn(f, vectors);
      for (const [index, vector] of vectors.entries()) {
        f.storeAt('v128.store', place, index * rowBytes, () => f.get(vector));
      }
    });
  });
  // Rows that make no group of four, then columns that make none.
  f.get(row).get(rowEnd).get(row).op('i32.sub').i32(-4).op('i32.and', 'i32.add').set(rowAt);
  countBy(f, rowAt, rowEnd, 1, () => f.for(column, 0, wholeColumns, 1, copyOne));
  f.for(column, wholeColumns, columns, 1, () => {
    f.get(row).set(rowAt);
    countBy(f, rowAt, rowEnd, 1, copyOne);
  });
  f.release(column, at, rowAt, origin, place, ...vectors);
}

/** Transposes four vectors in place. */
function turn(f: FunctionBuilder, [a, b, c, d]: readonly [Local, Local, Local, Local]): void {
  const [low, high, low2, high2] = f.localsOf('v128', 4) as [Local, Local, Local, Local];
  f.get(a).get(b).shuffle32(0, 4, 1, 5).set(low).get(a).get(b).shuffle32(2, 6, 3, 7).set(high);
  f.get(c).get(d).shuffle32(0, 4, 1, 5).set(low2).get(c).get(d).shuffle32(2, 6, 3, 7).set(high2);
  f.get(low).get(low2).shuffle32(0, 1, 4, 5).set(a).get(low).get(low2).shuffle32(2, 3, 6, 7).set(b);
  f.get(high).get(high2).shuffle32(0, 1, 4, 5).set(c).get(high).get(high2).shuffle32(2, 3, 6, 7).set(d);
  f.release(low, high, low2, high2);
}
