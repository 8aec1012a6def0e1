/**
 * Right matrices that stay in a narrow form: panels as in `contract-pack.ts`, of codes in place of floats, and behind
 * them, for 8-bit integers, one scale for each column. A kernel widens one panel at a time into its private scratch,
 * where tiles find the floats that they know; a panel serves all rows of a unit. There is never a whole matrix of floats.
 *
 * What is widened has the bits of the floats that the form stands for. A single row, which shares a panel with none, is
 * multiplied by the codes.
 */
import { bytesPerElement } from '../../array/dtype.ts';
import type { NarrowArray, NarrowCodes, WeightDtype } from '../../array/narrow-array.ts';
import type { NarrowForm } from '../../compiler/schedule.ts';
import type { FunctionBuilder, Local, Term } from './assembler-function.ts';
import type { ModuleBuilder } from './assembler-module.ts';
import { type MatrixLayout, packedBytes, packMatrices, panelBytes, unpackMatrices } from './contract-pack.ts';
import type { Packing } from './contract-plan.ts';
import type { NarrowPanels } from './contract-product.ts';
import { type Finish, storeLanes, TILE_COLUMNS, WIDE_COLUMNS } from './contract-tile.ts';

/** Bytes of eight floats. */
const LANES_BYTES = TILE_COLUMNS * 4;

/** Panels that are widened at once at the most. */
const MOST_PANELS: number = WIDE_COLUMNS / TILE_COLUMNS;

export interface NarrowPlan {
  readonly dtype: WeightDtype;
  readonly packing: Packing;
  /** What the kernel needs in its private scratch. */
  readonly scratchBytes: number;
  /** From one packed panel to the next, from one matrix to the next, and from one step of the depth to the next. */
  readonly panelStride: number;
  readonly matrixStride: number;
  readonly stepBytes: number;
  /** From the first scale of a matrix to that of the next. */
  readonly scaleStride: number;
  /** Where the scales begin. */
  readonly scalesAt: number;
}

/**
 * How a kernel takes matrices in a narrow form; undefined where the columns of the matrices are not its channels.
 *
 * @param steps the greatest part of the depth that is multiplied at once
 */
export function planNarrow(layout: MatrixLayout, form: NarrowForm, steps: number): NarrowPlan | undefined {
  const isScaled = form.dtype === 'int8';
  if (isScaled && !areColumnsChannels(layout, form)) return undefined;
  const { dtype } = form;
  const elementBytes = bytesPerElement(dtype);
  const matrixStride = packedBytes(layout, elementBytes);
  const scalesAt = Math.ceil((layout.count * matrixStride) / 16) * 16;
  const scaleStride = Math.ceil(layout.columns / TILE_COLUMNS) * LANES_BYTES;
  const codesIn = (target: Float32Array): NarrowCodes =>
    codesOf(dtype, target, (layout.count * matrixStride) / elementBytes);
  const pack = function* (source: NarrowArray, target: Float32Array): Generator<void, void> {
    yield* packMatrices(layout, source.codes, codesIn(target));
    if (isScaled) packScales(layout, source, target.subarray(scalesAt / 4));
  };
  return {
    dtype,
    packing: {
      byteLength: scalesAt + (isScaled ? layout.count * scaleStride : 0),
      key: `${dtype}:${Object.values(layout).join(':')}`,
      packNarrow: pack,
      unpackNarrow: (packed, codes) => unpackMatrices(layout, codesIn(packed), codes),
    },
    scratchBytes: MOST_PANELS * steps * LANES_BYTES,
    panelStride: panelBytes(layout, elementBytes),
    matrixStride,
    stepBytes: TILE_COLUMNS * elementBytes,
    scaleStride,
    scalesAt,
  };
}

/** The codes at the beginning of a buffer. */
export function codesOf(dtype: WeightDtype, { buffer, byteOffset }: Float32Array, count: number): NarrowCodes {
  return new (dtype === 'int8' ? Int8Array : Uint16Array)(buffer as ArrayBuffer, byteOffset, count);
}

/** Whether all elements of a column are of one channel. */
function areColumnsChannels(layout: MatrixLayout, { channels: { count, inner } }: NarrowForm): boolean {
  const { depth, taps, tapLength, transposed, rowLength } = layout;
  const period = count * inner;
  const isWhole = taps === 1 || tapLength % period === 0;
  if (!transposed) return isWhole && (depth === 1 || rowLength % period === 0) && inner === 1;
  return isWhole && inner === rowLength && depth <= inner;
}

function packScales(layout: MatrixLayout, { channels, scales }: NarrowArray, target: Float32Array): void {
  const { count, countLength, columns, transposed, rowLength } = layout;
  const stride = Math.ceil(columns / TILE_COLUMNS) * TILE_COLUMNS;
  for (let matrix = 0; matrix < count; matrix++) {
    for (let column = 0; column < columns; column++) {
      const element = matrix * countLength + column * (transposed ? rowLength : 1);
      const channel = Math.floor(element / channels.inner) % channels.count;
      target[matrix * stride + column] = scales[channel] as number;
    }
  }
}

/** As `new PanelWidener`, for code that has this module only when it needs it. */
export function panelWidener(...given: ConstructorParameters<typeof PanelWidener>): PanelWidener {
  return new PanelWidener(...given);
}

/** Writes the widening of a kernel's panels. */
class PanelWidener {
  readonly #module: ModuleBuilder;
  readonly #f: FunctionBuilder;
  readonly #plan: NarrowPlan;
  readonly #base: number;
  readonly #factor: number | undefined;
  /** Where widened panels are. */
  readonly #scratch: Local;
  readonly #scales: Local;
  readonly #factors: Local;

  /**
   * @param base address of the packed matrices
   * @param scratch address of the piece of the private scratch
   * @param factor address of numbers by which columns are multiplied, one for each
   */
  constructor(
    module: ModuleBuilder,
    f: FunctionBuilder,
    plan: NarrowPlan,
    base: number,
    scratch: Local,
    factor: number | undefined,
  ) {
    this.#module = module;
    this.#f = f;
    this.#plan = plan;
    this.#base = base;
    this.#scratch = scratch;
    this.#factor = factor;
    [this.#scales, this.#factors] = f.localsOf('i32', 2) as [Local, Local];
  }

  /**
   * What a product needs that begins at some column.
   *
   * @param matrix counts matrices
   * @param columns counts columns from the first of the matrix
   * @param outputs counts columns from the first of the output
   * @param skip bytes of a widened panel before the first that tiles read
   */
  panels(
    matrix: readonly Term[],
    columns: readonly Term[],
    outputs: readonly Term[],
    steps: number,
    skip = 0,
  ): NarrowPanels {
    const f = this.#f;
    const { dtype, panelStride, scaleStride, scalesAt, stepBytes } = this.#plan;
    const scaled = (terms: readonly Term[], by: number): Term[] => terms.map(([local, scale]) => [local, scale * by]);
    if (dtype === 'int8') {
      f.sum([...scaled(matrix, scaleStride), ...scaled(columns, 4)], this.#base + scalesAt).set(this.#scales);
    }
    if (this.#factor !== undefined) f.sum(scaled(outputs, 4), this.#factor).set(this.#factors);
    return {
      stride: panelStride,
      widen: (right, panels) => {
        for (let panel = 0; panel < panels; panel++) this.#widen(right, panel, steps);
        const at = f.local('i32');
        f.get(this.#scratch).i32(skip).op('i32.add').set(at);
        return at;
      },
      multiplyRow: ({ depth, left, finish }, width, { right, outputColumn, biasAt }) => {
        f.get(left.base).push(depth);
        f.sum([[right, 1]], (skip / LANES_BYTES) * stepBytes);
        f.get(outputColumn).get(this.#scales).get(this.#factors).get(biasAt);
        f.call(rowFunction(this.#module, dtype, this.#factor !== undefined, finish, width));
        f.increment(this.#scales, LANES_BYTES).increment(this.#factors, LANES_BYTES);
      },
    };
  }

  release(): void {
    this.#f.release(this.#scales, this.#factors);
  }

  #widen(right: Local, panel: number, steps: number): void {
    const f = this.#f;
    const { dtype, panelStride } = this.#plan;
    f.sum([[right, 1]], panel * panelStride);
    f.sum([[this.#scratch, 1]], panel * steps * LANES_BYTES);
    f.i32(steps).get(this.#scales).get(this.#factors);
    f.call(widenFunction(this.#module, dtype, this.#factor !== undefined));
    f.increment(this.#scales, LANES_BYTES).increment(this.#factors, LANES_BYTES);
  }
}

/** A function that widens a panel: from, to, steps, address of the scales, address of the factors. */
function widenFunction(module: ModuleBuilder, dtype: WeightDtype, hasFactor: boolean): number {
  return module.shared(`widen:${dtype}:${hasFactor}`, ['i32', 'i32', 'i32', 'i32', 'i32'], [], (f) => {
    const [from, to, steps, scales, factors] = [0, 1, 2, 3, 4].map((index) => f.param(index)) as Locals5;
    const [count, ...vectors] = [f.local('i32'), ...f.localsOf('v128', 6)] as [Local, ...Locals6];
    const [low, high, ...perColumn] = vectors;
    const scaleLanes = perColumn.slice(0, 2) as [Local, Local];
    const factorLanes = perColumn.slice(2) as [Local, Local];
    for (const index of [0, 1] as const) {
      if (dtype === 'int8') f.load('v128.load', scales, index * 16).set(scaleLanes[index]);
      if (hasFactor) f.load('v128.load', factors, index * 16).set(factorLanes[index]);
    }
    const stepBytes = TILE_COLUMNS * bytesPerElement(dtype);
    const write = (unroll: number): void => {
      for (let step = 0; step < unroll; step++) {
        loadNarrow(f, dtype, from, step * stepBytes, [low, high]);
        for (const [index, lanes] of [low, high].entries()) {
          f.storeAt('v128.store', to, step * LANES_BYTES + index * 16, () => {
            f.get(lanes);
            if (dtype === 'int8') f.get(scaleLanes[index] as Local).op('f32x4.mul');
            if (hasFactor) f.get(factorLanes[index] as Local).op('f32x4.mul');
          });
        }
      }
      f.increment(from, unroll * stepBytes).increment(to, unroll * LANES_BYTES);
    };
    const whole = f.local('i32');
    f.get(steps).i32(-UNROLL).op('i32.and').set(whole);
    f.for(count, 0, whole, UNROLL, () => write(UNROLL));
    f.for(count, whole, steps, 1, () => write(1));
  });
}

/**
 * A function that multiplies a row by a panel: left, depth, panel, output, addresses of the scales, the factors and the
 * bias. Panels are read once, so that what counts is how few bytes they are; sums are scaled when they are complete.
 */
function rowFunction(
  module: ModuleBuilder,
  dtype: WeightDtype,
  hasFactor: boolean,
  finish: Finish,
  columns: number,
): number {
  const { accumulate = false, bias = false, lower, upper } = finish;
  const key = ['row', dtype, hasFactor, accumulate, bias, lower, upper, columns].join(':');
  return module.shared(key, ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'], [], (f) => {
    const [left, depth, panel, output, scales, factors, biases] = [0, 1, 2, 3, 4, 5, 6].map((index) => {
      return f.param(index);
    }) as Locals7;
    const [count, whole] = f.localsOf('i32', 2) as [Local, Local];
    const sums = Array.from({ length: UNROLL }, () => f.localsOf('v128', 2));
    const lanes = f.localsOf('v128', 2) as [Local, Local];
    const element = f.local('v128');
    const stepBytes = TILE_COLUMNS * bytesPerElement(dtype);
    const steps = (unroll: number): void => {
      for (let step = 0; step < unroll; step++) {
        f.load('v128.load32_splat', left, step * 4).set(element);
        loadNarrow(f, dtype, panel, step * stepBytes, lanes);
        for (const [index, sum] of (sums[step] as Local[]).entries()) {
          f.multiplyAdd(sum, () => f.get(element).get(lanes[index] as Local));
        }
      }
      f.increment(left, unroll * 4).increment(panel, unroll * stepBytes);
    };
    f.get(depth).i32(-UNROLL).op('i32.and').set(whole);
    f.for(count, 0, whole, UNROLL, () => steps(UNROLL));
    f.for(count, whole, depth, 1, () => steps(1));
    for (let index = 0; index * 4 < columns; index++) {
      const [first, ...others] = sums.map((set) => set[index]) as [Local, ...Local[]];
      f.get(first);
      for (const other of others) f.get(other).op('f32x4.add');
      if (dtype === 'int8') f.load('v128.load', scales, index * 16).op('f32x4.mul');
      if (hasFactor) f.load('v128.load', factors, index * 16).op('f32x4.mul');
      if (accumulate) f.load('v128.load', output, index * 16).op('f32x4.add');
      if (bias) f.load('v128.load', biases, index * 16).op('f32x4.add');
      // As in a tile, NaN stays.
      if (lower !== undefined) f.f32x4(lower).op('f32x4.pmax');
      if (upper !== undefined) f.f32x4(upper).op('f32x4.pmin');
      f.set(first);
      storeLanes(f, output, index * 16, first, Math.min(4, columns - index * 4));
    }
  });
}

type Locals7 = [Local, Local, Local, Local, Local, Local, Local];
type Locals5 = [Local, Local, Local, Local, Local];
type Locals6 = [Local, Local, Local, Local, Local, Local];

/** Steps of the depth that one turn of the loop takes. */
const UNROLL = 4;

/** 2¹¹², which takes the exponent of a half to that of a float, also where the half is subnormal. */
const HALF_EXPONENT = 2 ** 112;

/** Where a float has the bits of a half: the sign, and 15 others from the 13th on. */
const HALF_BITS = 0x8fffe000 | 0;

/** Widens eight neighbours to two vectors of floats, without their scales. */
export function loadNarrow(
  f: FunctionBuilder,
  dtype: WeightDtype,
  address: Local,
  offset: number,
  [low, high]: readonly [Local, Local],
): void {
  if (dtype === 'int8') {
    f.load('v128.load8x8_s', address, offset).set(high);
    f.get(high).op('i32x4.extend_low_i16x8_s', 'f32x4.convert_i32x4_s').set(low);
    f.get(high).op('i32x4.extend_high_i16x8_s', 'f32x4.convert_i32x4_s').set(high);
    return;
  }
  for (const [index, vector] of [low, high].entries()) {
    loadFourNarrow(f, dtype, address, offset + index * 8);
    f.set(vector);
  }
}

/** Widens four neighbours to a vector of floats, which is pushed, without their scales. */
export function loadFourNarrow(f: FunctionBuilder, dtype: WeightDtype, address: Local, offset: number): void {
  if (dtype === 'int8') {
    f.load('v128.load32_zero', address, offset);
    f.op('i16x8.extend_low_i8x16_s', 'i32x4.extend_low_i16x8_s', 'f32x4.convert_i32x4_s');
    return;
  }
  // Copies of the sign are masked away. Infinities are not kept in this form.
  f.load('v128.load16x4_s', address, offset).i32(13).op('i32x4.shl');
  f.i32x4(HALF_BITS).op('v128.and').f32x4(HALF_EXPONENT).op('f32x4.mul');
}
