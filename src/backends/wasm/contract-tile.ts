/**
 * The tile: the small function in which all products are computed. It multiplies up to 6 rows of the left matrix by
 * up to 8 columns of the right one, with the sums in registers (12 of the 16 that x64 has; two hold the right matrix,
 * one an element of the left one), and writes each sum once.
 *
 * Tiles are shared by all kernels of a module: strides and depths are parameters, so that the engine sees few, hot
 * functions and optimises them within milliseconds.
 *
 * A tile may read up to `READ_SLACK_BYTES` beyond the end of a buffer; lanes that hold such elements are not stored.
 */
import type { FunctionBuilder, Label, Local, ValueType } from './assembler-function.ts';
import type { ModuleBuilder } from './assembler-module.ts';

/** Bytes that must be readable after the last buffer of a program's memory. */
export const READ_SLACK_BYTES = 64;

/** Rows of the greatest tile. */
export const TILE_ROWS = 6;

/** Columns of the greatest tile, and of a panel of a packed right matrix. */
export const TILE_COLUMNS = 8;

/**
 * Columns of the greatest tile where the engine joins pairs of vectors: two panels. Its 24 sums take 12 registers then.
 */
export const WIDE_COLUMNS: number = 2 * TILE_COLUMNS;

/**
 * Columns of a tile of a single row: four panels, since in fewer there would be too few sums on their way, and since each
 * element of the row is read once for all of them.
 */
export const ROW_COLUMNS: number = 4 * TILE_COLUMNS;

/** Rows of a tile of one panel where the engine joins pairs of vectors. */
export const WIDE_PANEL_ROWS = 8;

/** What happens to a sum before it is stored. */
export interface Finish {
  /** Adds what the output holds already. */
  readonly accumulate?: boolean;
  /** Adds one of as many numbers as there are columns. */
  readonly bias?: boolean;
  readonly lower?: number | undefined;
  readonly upper?: number | undefined;
}

export interface TileShape {
  readonly rows: number;
  readonly columns: number;
  /** Which elements of the left matrix lie side by side: those of a row (`rows`) or of a column (`columns`). */
  readonly left: 'rows' | 'columns';
  /** `packed`: panels, each 8 columns wide. `strided`: rows of any distance. */
  readonly right: 'packed' | 'strided';
  /** Whether the depth comes in segments, whose places a table gives. */
  readonly segmented: boolean;
  readonly finish: Finish;
}

/**
 * Parameters of a tile, in order; distances in bytes. `left`, `right`, `output` and `bias` are addresses of the first
 * element. `leftStride` lies between rows (`left: 'rows'`) or between steps of the depth (`left: 'columns'`).
 * `panelStride` lies between two panels. With `segmented`, `depth` is that of one segment, and the table holds two i32 a segment: what to add to `left` and
 * to `right`.
 */
const PARAMETERS = [
  'left',
  'leftStride',
  'right',
  'rightStride',
  'panelStride',
  'depth',
  'output',
  'outputStride',
  'bias',
  'table',
  'segments',
] as const;
export type TileParameter = (typeof PARAMETERS)[number];

/** Calls a tile, where `push` pushes the parameter that it is asked for. */
export function callTile(
  module: ModuleBuilder,
  f: FunctionBuilder,
  shape: TileShape,
  push: { readonly [K in TileParameter]: () => unknown },
): void {
  for (const name of parametersOf(shape)) push[name]();
  f.call(tileFunction(module, shape));
}

function parametersOf(shape: TileShape): TileParameter[] {
  return PARAMETERS.filter((name) => {
    if (name === 'rightStride') return shape.right === 'strided';
    if (name === 'panelStride') return panelsOf(shape) > 1;
    if (name === 'bias') return shape.finish.bias === true;
    if (name === 'table' || name === 'segments') return shape.segmented;
    return true;
  });
}

function panelsOf({ columns, right }: TileShape): number {
  return right === 'packed' ? Math.ceil(columns / TILE_COLUMNS) : 1;
}

function tileFunction(module: ModuleBuilder, shape: TileShape): number {
  const { finish } = shape;
  const key = [
    'tile',
    shape.rows,
    shape.columns,
    shape.left,
    shape.right,
    shape.segmented,
    finish.accumulate === true,
    finish.bias === true,
    finish.lower,
    finish.upper,
  ].join(':');
  const parameters = parametersOf(shape);
  const types = parameters.map((): ValueType => 'i32');
  return module.shared(key, types, [], (f) => {
    const locals = Object.fromEntries(parameters.map((name, index) => [name, f.param(index)]));
    new TileWriter(f, shape, locals as Record<TileParameter, Local>).write();
  });
}

/** Steps of the depth that one turn of the inner loop takes; fewer where a step is long. */
const UNROLL = 4;
const ROW_UNROLL = 2;

class TileWriter {
  readonly #f: FunctionBuilder;
  readonly #shape: TileShape;
  readonly #at: Record<TileParameter, Local>;
  readonly #vectors: number;
  /** Two sets of sums where one would leave the processor waiting for the last addition. */
  readonly #sums: readonly (readonly Local[])[][];
  readonly #rightLanes: readonly Local[];
  readonly #leftElement: Local;
  /** Left pointers: one a row, or one in all. */
  readonly #left: readonly Local[];
  /** Right pointers: one a panel. */
  readonly #right: readonly [Local, ...Local[]];
  readonly #count: Local;

  constructor(f: FunctionBuilder, shape: TileShape, at: Record<TileParameter, Local>) {
    this.#f = f;
    this.#shape = shape;
    this.#at = at;
    this.#vectors = Math.ceil(shape.columns / 4);
    // The same number in tiles of one panel and of two: it decides on the bits of the sums.
    const sets = shape.columns < ROW_COLUMNS && shape.rows * Math.min(this.#vectors, 2) <= 6 ? 2 : 1;
    this.#sums = Array.from({ length: sets }, () =>
      Array.from({ length: shape.rows }, () => f.localsOf('v128', this.#vectors)),
    );
    this.#rightLanes = f.localsOf('v128', this.#vectors);
    this.#leftElement = f.local('v128');
    this.#left = f.localsOf('i32', shape.left === 'rows' ? shape.rows : 1);
    this.#right = f.localsOf('i32', panelsOf(shape)) as [Local, ...Local[]];
    this.#count = f.local('i32');
  }

  write(): void {
    if (this.#shape.segmented) this.#writeSegments();
    else {
      this.#startPanels(() => this.#f.get(this.#at.right));
      this.#startRows(() => this.#f.get(this.#at.left));
      this.#writeDepth();
    }
    this.#writeFinish();
  }

  #writeSegments(): void {
    const f = this.#f;
    const { table, segments, left, right } = this.#at;
    f.block((exit) => {
      f.get(segments).op('i32.eqz').brIf(exit);
      f.loop((again) => {
        this.#startRows(() => f.get(left).load('i32.load', table).op('i32.add'));
        this.#startPanels(() => f.get(right).load('i32.load', table, 4).op('i32.add'));
        this.#writeDepth();
        f.increment(table, 8).get(segments).i32(1).op('i32.sub').tee(segments).brIf(again);
      });
    });
  }

  /** Sets the left pointers to the rows that begin at the address that `first` pushes. */
  #startRows(first: () => unknown): void {
    const f = this.#f;
    const [head, ...others] = this.#left as [Local, ...Local[]];
    first();
    f.set(head);
    let previous = head;
    for (const row of others) {
      f.get(previous).get(this.#at.leftStride).op('i32.add').set(row);
      previous = row;
    }
  }

  /** Sets the right pointers to the panels that begin at the address that `first` pushes. */
  #startPanels(first: () => unknown): void {
    const f = this.#f;
    const [head, ...others] = this.#right;
    first();
    f.set(head);
    let previous = head;
    for (const panel of others) {
      f.get(previous).get(this.#at.panelStride).op('i32.add').set(panel);
      previous = panel;
    }
  }

  #writeDepth(): void {
    const f = this.#f;
    const count = this.#count;
    f.get(this.#at.depth).set(count);
    const turns = (steps: number, exit: Label): void => {
      f.get(count).i32(steps).op('i32.lt_s').brIf(exit);
      f.loop((again) => {
        for (let step = 0; step < steps; step++) this.#writeStep(step);
        this.#advance(steps);
        f.get(count).i32(steps).op('i32.sub').tee(count).i32(steps).op('i32.ge_s').brIf(again);
      });
    };
    f.block((exit) => turns(this.#shape.columns === ROW_COLUMNS ? ROW_UNROLL : UNROLL, exit));
    f.block((exit) => turns(1, exit));
  }

  /** Sums += one column of the left tile times one row of the right tile. */
  #writeStep(step: number): void {
    const f = this.#f;
    const { left, right } = this.#shape;
    const sums = this.#sums[step % this.#sums.length] as (readonly Local[])[];
    const rightOffset = right === 'packed' ? step * TILE_COLUMNS * 4 : 0;
    const [first] = this.#right;
    const loadLanes = (index: number): FunctionBuilder => {
      const panel = this.#right[Math.floor(index / 2)] ?? first;
      return f.load('v128.load', panel, rightOffset + (panel === first ? index : index % 2) * 16);
    };
    const isRow = sums.length === 1;
    if (!isRow) for (const [index, lanes] of this.#rightLanes.entries()) loadLanes(index).set(lanes);
    for (const [row, rowSums] of sums.entries()) {
      if (left === 'rows') f.load('v128.load32_splat', this.#left[row] as Local, step * 4);
      else f.load('v128.load32_splat', this.#left[0] as Local, row * 4);
      f.set(this.#leftElement);
      for (const [index, sum] of rowSums.entries()) {
        f.multiplyAdd(sum, () => {
          f.get(this.#leftElement);
          // Of a single row each vector is used once: no register has to hold it.
          if (isRow) loadLanes(index);
          else f.get(this.#rightLanes[index] as Local);
        });
      }
    }
    if (right === 'strided') f.increment(first, this.#at.rightStride);
    if (left === 'columns') f.increment(this.#left[0] as Local, this.#at.leftStride);
  }

  #advance(steps: number): void {
    const f = this.#f;
    if (this.#shape.right === 'packed') {
      for (const panel of this.#right) f.increment(panel, steps * TILE_COLUMNS * 4);
    }
    if (this.#shape.left === 'rows') for (const row of this.#left) f.increment(row, steps * 4);
  }

  #writeFinish(): void {
    const f = this.#f;
    const { rows, columns, finish } = this.#shape;
    const { output, outputStride, bias } = this.#at;
    // The right lanes are free now and hold the bias.
    if (finish.bias) {
      for (const [index, lanes] of this.#rightLanes.entries()) f.load('v128.load', bias, index * 16).set(lanes);
    }
    for (let row = 0; row < rows; row++) {
      for (let index = 0; index < this.#vectors; index++) {
        const [sum, second] = this.#sums.map((set) => set[row]?.[index] as Local) as [Local, Local?];
        f.get(sum);
        if (second) f.get(second).op('f32x4.add');
        if (finish.accumulate) f.load('v128.load', output, index * 16).op('f32x4.add');
        if (finish.bias) f.get(this.#rightLanes[index] as Local).op('f32x4.add');
        // pmax and pmin keep a NaN that is their first operand, as maximum and minimum do.
        if (finish.lower !== undefined) f.f32x4(finish.lower).op('f32x4.pmax');
        if (finish.upper !== undefined) f.f32x4(finish.upper).op('f32x4.pmin');
        f.set(sum);
      }
      // All of a row is read before any of it is written: engines join no loads between which they see a store.
      for (const [index, sum] of (this.#sums[0]?.[row] ?? []).entries()) {
        storeLanes(f, output, index * 16, sum, Math.min(4, columns - index * 4));
      }
      if (row + 1 < rows) f.increment(output, outputStride);
    }
  }
}

/** Stores the first 1 to 4 lanes of a vector. */
export function storeLanes(f: FunctionBuilder, address: Local, offset: number, vector: Local, lanes: number): void {
  if (lanes === 4) {
    f.get(address).get(vector).store('v128.store', offset);
    return;
  }
  if (lanes >= 2) f.get(address).get(vector).laneMemory('v128.store64_lane', 0, offset);
  if (lanes !== 2) {
    const lane = lanes - 1;
    f.get(address)
      .get(vector)
      .laneMemory('v128.store32_lane', lane, offset + lane * 4);
  }
}
