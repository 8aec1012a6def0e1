import type { FunctionBuilder, Local, Term } from './assembler-function.ts';
import type { ModuleBuilder } from './assembler-module.ts';
import type { NarrowPlan } from './contract-narrow.ts';
import {
  emitPacking,
  emitPanels,
  emitTransposedPanel,
  type MatrixLayout,
  packedBytes,
  packingOf,
} from './contract-pack.ts';
import {
  type ContractPlaces,
  type ContractPlan,
  divideInto,
  emitKernel,
  emitLast,
  emitNothing,
  emitTail,
  type KernelCode,
  type Packed,
} from './contract-plan.ts';
import { emitProduct } from './contract-product.ts';
import { type Finish, TILE_COLUMNS, TILE_ROWS } from './contract-tile.ts';
import { rareCode } from './rare-code.ts';

/** The shapes of a matrix product, `[batch, m, k] · [batch, k, n]`. */
export interface DotGeometry {
  readonly batch: number;
  readonly m: number;
  readonly k: number;
  readonly n: number;
  /** Left is `[batch, k, m]`. */
  readonly transposeLeft: boolean;
  /** Right is `[batch, n, k]`. */
  readonly transposeRight: boolean;
  /** The right operand is packed already, by the plan's `packing`. */
  readonly packed: Packed;
}

/** Below this many rows, packing the right matrix in every run costs more than it gains. */
const LEAST_ROWS_TO_PACK = 8 * TILE_ROWS;

/** A right matrix up to this size stays in the first cache, packed or not. */
const SMALL_MATRIX_BYTES = 16 << 10;

/** Bytes of left and output rows in one unit: what the second cache holds beside a panel. */
const BLOCK_BYTES = 256 << 10;

/**
 * A transposed left matrix is read six neighbours at a time, each from another row: of this many rows the cache still
 * holds the lines when the next six are read.
 */
const TRANSPOSED_DEPTH_BLOCK = 192;

/** Sums of deeper products are added up in blocks, so that rounding errors grow less than with the depth. */
const DEPTH_BLOCK = 1024;

/** Of so many rows of a right matrix that is not packed, the first cache holds the columns of a unit. */
const STRIDED_DEPTH_BLOCK = 128;

/** Of so many rows of a right matrix the caches hold the columns that a unit packs for itself. */
const OWN_DEPTH_BLOCK = 256;

/** With fewer rows a unit reads its columns where they are. */
const LEAST_ROWS_TO_PACK_OWN = 2 * TILE_ROWS;

/** Rows of a right matrix that lie a multiple of this apart fall into one set of the first cache. */
const SET_BYTES = 4096;

/** With fewer columns a transposed left matrix is read too seldom to be copied. */
const LEAST_COLUMNS_TO_COPY = 8 * TILE_COLUMNS;

/** With fewer rows, units are groups of columns: of so few rows there are too few units to share out. */
const LEAST_ROWS_TO_SPLIT = 12 * TILE_ROWS;

/** Rows in a unit at the least, for which the right matrix is read. */
const LEAST_UNIT_ROWS = 4 * TILE_ROWS;

/** Columns in a unit when units are groups of columns. */
const UNIT_COLUMNS = 4 * TILE_COLUMNS;

/** Plans a matrix product; see `contract-plan.ts`. */
export function planDot(geometry: DotGeometry): ContractPlan {
  const { batch, m, k, n, packed } = geometry;
  const narrow = narrowPlan(geometry);
  const packsAtRun = isPackedAtRun(geometry);
  const layout = dotLayout(geometry);
  const matrixBytes = packedBytes(layout);
  return {
    ...(narrow === undefined && { form: `packed: ${packed}` }),
    finishes: true,
    scales: narrow !== undefined,
    packing: narrow?.packing ?? packingOf(layout),
    sharedBytes: packsAtRun ? batch * matrixBytes : 0,
    privateBytes: narrow?.scratchBytes ?? ownLeftBytes(geometry) + ownRightBytes(geometry),
    emit: (module, places) => {
      if (batch * m * n === 0) return emitNothing(module);
      const isPacked = packed !== false || packsAtRun;
      const base = packsAtRun ? places.sharedScratch : places.right;
      const code = emitDot(module, geometry, places, isPacked, base, narrow);
      return packsAtRun && k > 0
        ? { ...code, prepare: emitPacking(module, layout, places.right, places.sharedScratch) }
        : code;
    },
  };
}

/** How the right matrices are taken in a narrow form, if they are in one. */
function narrowPlan(geometry: DotGeometry): NarrowPlan | undefined {
  const { packed } = geometry;
  if (typeof packed === 'boolean') return undefined;
  return rareCode('narrow').planNarrow(dotLayout(geometry), packed, greatestDepth(geometry));
}

/** Steps of the depth of one block of it. */
function depthBlockOf(geometry: DotGeometry): number {
  const { k, n, transposeLeft, packed } = geometry;
  if (transposeLeft) return TRANSPOSED_DEPTH_BLOCK;
  if (packsOwnColumns(geometry)) return OWN_DEPTH_BLOCK;
  const isStrided = !packed && !isPackedAtRun(geometry) && k * n * 4 > SMALL_MATRIX_BYTES;
  return isStrided ? STRIDED_DEPTH_BLOCK : DEPTH_BLOCK;
}

/** Whether all of the right matrix is packed before the product begins. */
function isPackedAtRun(geometry: DotGeometry): boolean {
  const { m, k, n, transposeRight, packed } = geometry;
  const isSmall = m < LEAST_ROWS_TO_PACK || k * n * 4 <= SMALL_MATRIX_BYTES;
  return !packed && !packsOwnColumns(geometry) && (transposeRight || !isSmall);
}

/** Whether units are groups of columns. */
function splitsIntoColumns({ m, n }: DotGeometry): boolean {
  return m < LEAST_ROWS_TO_SPLIT && n > UNIT_COLUMNS;
}

/**
 * Whether each unit packs the columns that it alone reads: since the cache would not hold them where they are, or since
 * they lie as rows.
 */
function packsOwnColumns(geometry: DotGeometry): boolean {
  const { m, k, n, transposeRight, packed } = geometry;
  if (packed !== false || k * n * 4 <= SMALL_MATRIX_BYTES) return false;
  if (transposeRight) return splitsIntoColumns(geometry);
  return (n * 4) % SET_BYTES === 0 && m >= LEAST_ROWS_TO_PACK_OWN && m < LEAST_ROWS_TO_PACK;
}

function ownRightBytes(geometry: DotGeometry): number {
  return packsOwnColumns(geometry) ? greatestDepth(geometry) * UNIT_COLUMNS * 4 : 0;
}

/** Whether each unit copies its part of a transposed left matrix, whose lines may fall into a few sets of the cache. */
function copiesOwnRows({ n, transposeLeft, packed }: DotGeometry): boolean {
  return transposeLeft && n >= LEAST_COLUMNS_TO_COPY && typeof packed === 'boolean';
}

/** Bytes of one step of the rows that a unit copies. */
function ownLeftPitch(geometry: DotGeometry): number {
  return unitRows(geometry) * 4;
}

function ownLeftBytes(geometry: DotGeometry): number {
  return copiesOwnRows(geometry) ? greatestDepth(geometry) * ownLeftPitch(geometry) : 0;
}

/** Steps of the depth that are multiplied at once. */
function greatestDepth(geometry: DotGeometry): number {
  const block = depthBlockOf(geometry);
  return geometry.k > block * (geometry.transposeLeft ? 1 : 2) ? block : geometry.k;
}

function dotLayout({ batch, k, n, transposeRight }: DotGeometry): MatrixLayout {
  return {
    count: batch,
    countLength: k * n,
    taps: 1,
    tapLength: 0,
    reversed: false,
    depth: k,
    columns: n,
    transposed: transposeRight,
    rowLength: transposeRight ? k : n,
  };
}

function emitDot(
  module: ModuleBuilder,
  geometry: DotGeometry,
  places: ContractPlaces,
  isPacked: boolean,
  rightBase: number,
  narrow: NarrowPlan | undefined,
): KernelCode {
  const { batch, m, k, n, transposeLeft, transposeRight } = geometry;
  const splitsColumns = splitsIntoColumns(geometry);
  const rowsInUnit = unitRows(geometry);
  const columnsInUnit = splitsColumns ? UNIT_COLUMNS : n;
  const rowUnits = Math.ceil(m / rowsInUnit);
  const columnUnits = Math.ceil(n / columnsInUnit);
  const leftRow = transposeLeft ? 4 : k * 4;
  const leftStride = transposeLeft ? m * 4 : k * 4;
  const panelStride = narrow?.panelStride ?? (isPacked || transposeRight ? k * TILE_COLUMNS * 4 : TILE_COLUMNS * 4);
  const matrixStride = narrow?.matrixStride ?? (isPacked ? packedBytes(dotLayout(geometry)) : k * n * 4);

  const kernel = emitKernel(module, (f, unit, scratch) => {
    const [index, row, column] = f.localsOf('i32', 3) as [Local, Local, Local];
    const [left, right, output, bias] = f.localsOf('i32', 4) as [Local, Local, Local, Local];
    divideInto(f, unit, rowUnits * columnUnits, index, row);
    // At most one of the two is split.
    if (splitsColumns) f.get(row).set(column).i32(0).set(row);
    else f.i32(0).set(column);
    f.sum(
      [
        [index, m * k * 4],
        [row, rowsInUnit * leftRow],
      ],
      places.left,
    ).set(left);
    f.sum(
      [
        [index, matrixStride],
        [column, (columnsInUnit / TILE_COLUMNS) * panelStride],
      ],
      rightBase,
    ).set(right);
    f.sum(
      [
        [index, m * n * 4],
        [row, rowsInUnit * n * 4],
        [column, columnsInUnit * 4],
      ],
      places.output,
    ).set(output);
    if (places.bias !== undefined) f.sum([[column, columnsInUnit * 4]], places.bias).set(bias);
    const widener = narrow && rareCode('narrow').panelWidener(module, f, narrow, rightBase, scratch, places.factor);
    const block = (rows: number, columns: number): void => {
      const multiply = (depth: number, finish: Finish): void => {
        const columnTerms: Term[] = [[column, columnsInUnit]];
        const panels = widener?.panels([[index, 1]], columnTerms, columnTerms, depth);
        const own = emitOwnOperands(f, geometry, { left, right, scratch }, { depth, rows, columns });
        emitProduct(module, f, {
          depth,
          columns,
          rows,
          groups: 1,
          left: {
            base: own.left ?? left,
            kind: transposeLeft ? 'columns' : 'rows',
            stride: own.left === undefined ? leftStride : ownLeftPitch(geometry),
            groupStride: 0,
          },
          right: {
            base: own.right ?? right,
            panelStride: panels === undefined && own.right === undefined ? panelStride : depth * TILE_COLUMNS * 4,
            narrow: panels,
            ...(isPacked || own.right !== undefined ? {} : { stride: n * 4 }),
          },
          output: { base: output, rowStride: n * 4, groupStride: 0 },
          bias: finish.bias ? bias : undefined,
          finish,
        });
        for (const local of [own.left, own.right]) if (local !== undefined) f.release(local);
      };
      const finish: Finish = { bias: places.bias !== undefined, lower: places.lower, upper: places.upper };
      const advance = (depth: number): void => {
        const leftStep = transposeLeft ? leftStride : 4;
        const rightStep = narrow?.stepBytes ?? (isPacked ? TILE_COLUMNS : transposeRight ? 1 : n) * 4;
        f.increment(left, depth * leftStep).increment(right, depth * rightStep);
      };
      if (greatestDepth(geometry) < k) emitDepthBlocks(f, k, depthBlockOf(geometry), finish, multiply, advance);
      else multiply(k, finish);
      emitBlockTail(f, places, output, rows, columns, n);
    };
    if (splitsColumns) {
      emitLast(
        f,
        column,
        columnUnits,
        () => block(m, columnsInUnit),
        n % columnsInUnit,
        (rest) => block(m, rest),
      );
    } else {
      emitLast(
        f,
        row,
        rowUnits,
        () => block(rowsInUnit, n),
        m % rowsInUnit,
        (rest) => block(rest, n),
      );
    }
    widener?.release();
    f.release(index, row, column, left, right, output, bias);
  });
  return { kernel, units: batch * rowUnits * columnUnits };
}

/** Writes the copies that a unit makes of its operands; gives where they are, in locals to be released. */
function emitOwnOperands(
  f: FunctionBuilder,
  geometry: DotGeometry,
  { left, right, scratch }: { left: Local; right: Local; scratch: Local },
  { depth, rows, columns }: { depth: number; rows: number; columns: number },
): { left?: Local; right?: Local } {
  const { m, k, n, transposeRight } = geometry;
  const copy = (offset: number, from: Local, write: (source: Local, target: Local) => void): Local => {
    const [base, source, target] = f.localsOf('i32', 3) as [Local, Local, Local];
    f.get(from).set(source).get(scratch).i32(offset).op('i32.add').tee(base).set(target);
    write(source, target);
    f.release(source, target);
    return base;
  };
  return {
    ...(copiesOwnRows(geometry) && {
      left: copy(0, left, (source, target) => {
        const step = f.local('i32');
        f.for(step, 0, depth, 1, () => {
          f.get(target)
            .get(source)
            .i32(rows * 4)
            .memoryCopy();
          f.increment(source, m * 4).increment(target, ownLeftPitch(geometry));
        });
        f.release(step);
      }),
    }),
    ...(packsOwnColumns(geometry) && {
      right: copy(ownLeftBytes(geometry), right, (source, target) => {
        if (!transposeRight) return emitPanels(f, depth, columns, n * 4, source, target);
        const panel = f.local('i32');
        const pack = (width: number): void => {
          emitTransposedPanel(f, depth, width, k * 4, source, target);
          f.increment(source, (TILE_COLUMNS * k - depth) * 4);
        };
        f.for(panel, 0, Math.floor(columns / TILE_COLUMNS), 1, () => pack(TILE_COLUMNS));
        if (columns % TILE_COLUMNS > 0) pack(columns % TILE_COLUMNS);
        f.release(panel);
      }),
    }),
  };
}

/** Sums are stored after each block of depth and added to in the next; the last one finishes them. */
function emitDepthBlocks(
  f: FunctionBuilder,
  k: number,
  depthBlock: number,
  finish: Finish,
  multiply: (depth: number, finish: Finish) => void,
  advance: (depth: number) => void,
): void {
  const block = f.local('i32');
  multiply(depthBlock, {});
  advance(depthBlock);
  f.for(block, 1, Math.ceil(k / depthBlock) - 1, 1, () => {
    multiply(depthBlock, { accumulate: true });
    advance(depthBlock);
  });
  multiply(k % depthBlock || depthBlock, { ...finish, accumulate: true });
  f.release(block);
}

/** Calls the tail for a block: in one run when its rows are whole, else row by row. */
function emitBlockTail(
  f: FunctionBuilder,
  places: ContractPlaces,
  output: Local,
  rows: number,
  columns: number,
  n: number,
): void {
  if (places.tail === undefined) return;
  if (columns === n || rows === 1) {
    emitTail(f, places, output, rows * columns);
    return;
  }
  const row = f.local('i32');
  f.for(row, 0, rows, 1, () => {
    emitTail(f, places, output, columns);
    f.increment(output, n * 4);
  });
  f.release(row);
}

/** Rows in a unit. */
function unitRows(geometry: DotGeometry): number {
  const { m, k, n } = geometry;
  return splitsIntoColumns(geometry) ? m : blockRows(m, k, n);
}

/** As many rows as the cache holds, in whole tiles, and few enough that there are units to share out. */
function blockRows(m: number, k: number, n: number): number {
  const fitting = Math.floor(BLOCK_BYTES / ((k + n) * 4 || 1));
  const shared = Math.ceil(m / 8);
  const rows = Math.max(LEAST_UNIT_ROWS, Math.min(fitting, shared));
  return Math.min(m, Math.ceil(rows / TILE_ROWS) * TILE_ROWS);
}
