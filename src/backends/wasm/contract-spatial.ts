/**
 * Convolutions as products: what `convolve` and `convolveInputGradient` share.
 *
 * Each output element is a sum over taps: places of the band, and the part of the kernel that belongs to each. All
 * elements of a phase have the same taps. A convolution has one phase; the gradient of a strided one has as many as
 * there are positions within a stride, for each of which only some taps count.
 */
import type { FunctionBuilder, Local } from './assembler-function.ts';
import type { ModuleBuilder } from './assembler-module.ts';
import {
  type BandGeometry,
  type BandPlace,
  type BandPlan,
  bandOffset,
  emitBand,
  planBand,
  releaseBand,
} from './contract-band.ts';
import type { NarrowPlan } from './contract-narrow.ts';
import { emitPacking, type MatrixLayout, packedBytes, packingOf, panelBytes } from './contract-pack.ts';
import {
  type ContractPlaces,
  type ContractPlan,
  divideInto,
  emitKernel,
  emitLast,
  emitNothing,
  type KernelCode,
  type Packed,
} from './contract-plan.ts';
import { emitProduct } from './contract-product.ts';
import { TILE_COLUMNS } from './contract-tile.ts';
import { emitUnitTail } from './contract-unit-tail.ts';
import { type Axes, product } from './contract-window.ts';
import { rareCode } from './rare-code.ts';

export interface Tap {
  /** Element of the band, counted from the position's first. */
  readonly at: Axes;
  /** Number of the kernel's part, in the order in which parts are packed. */
  readonly index: number;
}

export interface Phase {
  /** The output element of position 0. */
  readonly offset: Axes;
  /** Positions that lie in the output. */
  readonly positions: Axes;
  readonly taps: readonly Tap[];
}

export interface SpatialGeometry {
  readonly band: BandGeometry;
  readonly output: Axes;
  /** Output elements from one position to the next. */
  readonly outputStride: Axes;
  readonly groups: number;
  readonly phases: readonly Phase[];
  /** The kernel: one matrix a group, one tap for each element of the window. */
  readonly matrices: MatrixLayout;
  /** The kernel is packed already, by the plan's `packing`. */
  readonly packed: Packed;
}

/** Weights of this size are fetched once for every unit; rather than that, units of few positions share the columns. */
const LARGE_WEIGHT_BYTES = 512 << 10;

/** Columns of a unit that has not all of them. */
const UNIT_COLUMNS = 8 * TILE_COLUMNS;

export function planSpatial(geometry: SpatialGeometry): ContractPlan {
  const { matrices, packed, groups } = geometry;
  const channels = groups * matrices.columns;
  const band = planBand(geometry.band, channels);
  const tableBytes = geometry.phases.reduce(
    (sum, phase) => sum + segmentsOf(geometry, band, phase).table.length * 4,
    0,
  );
  const weightBytes = groups * packedBytes(matrices);
  const narrow =
    typeof packed === 'boolean'
      ? undefined
      : rareCode('narrow').planNarrow(matrices, packed, matrices.taps * matrices.depth);
  return {
    ...(narrow === undefined && { form: `packed: ${packed}` }),
    finishes: true,
    scales: narrow !== undefined,
    packing: narrow?.packing ?? packingOf(matrices),
    sharedBytes: packed ? 0 : weightBytes,
    privateBytes: alignUp(tableBytes) + alignUp(band.scratchBytes) + (narrow?.scratchBytes ?? 0),
    emit: (module, places) => {
      if (product(geometry.output) * channels * band.batch === 0) return emitNothing(module);
      const writer = new SpatialWriter(module, geometry, band, places, alignUp(tableBytes), narrow);
      const code = writer.write();
      const packs = !packed && matrices.taps * matrices.depth > 0;
      return packs ? { ...code, prepare: emitPacking(module, matrices, places.right, places.sharedScratch) } : code;
    },
  };
}

interface Segments {
  /** Steps of depth in each. */
  readonly depth: number;
  readonly count: number;
  /** Byte offsets in the band and in a panel, by turns. */
  readonly table: readonly number[];
}

/** Taps whose elements follow each other, in the band and in the kernel, are one segment. */
function segmentsOf({ groups, matrices }: SpatialGeometry, band: BandPlan, { taps }: Phase): Segments {
  const runs: Tap[][] = [];
  for (const tap of taps) {
    const run = runs.at(-1);
    const last = run?.at(-1);
    const continues =
      last !== undefined &&
      groups === 1 &&
      tap.index === last.index + 1 &&
      bandOffset(band, tap.at) === bandOffset(band, last.at) + band.pitch[2];
    if (continues) run?.push(tap);
    else runs.push([tap]);
  }
  const length = runs[0]?.length ?? 1;
  const uniform = runs.every((run) => run.length === length);
  const starts = uniform ? runs.map((run) => run[0] as Tap) : taps;
  return {
    depth: (uniform ? length : 1) * matrices.depth,
    count: starts.length,
    table: starts.flatMap((tap) => [bandOffset(band, tap.at), tap.index * matrices.depth * TILE_COLUMNS * 4]),
  };
}

function alignUp(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}

class SpatialWriter {
  readonly #module: ModuleBuilder;
  readonly #geometry: SpatialGeometry;
  readonly #band: BandPlan;
  readonly #places: ContractPlaces;
  readonly #tableBytes: number;
  readonly #channels: number;
  readonly #rightBase: number;
  readonly #columnUnits: number;
  readonly #columnsInUnit: number;
  readonly #narrow: NarrowPlan | undefined;

  constructor(
    module: ModuleBuilder,
    geometry: SpatialGeometry,
    band: BandPlan,
    places: ContractPlaces,
    tableBytes: number,
    narrow: NarrowPlan | undefined,
  ) {
    this.#module = module;
    this.#narrow = narrow;
    this.#geometry = geometry;
    this.#band = band;
    this.#places = places;
    this.#tableBytes = tableBytes;
    const { matrices, groups, packed } = geometry;
    this.#channels = groups * matrices.columns;
    this.#rightBase = packed ? places.right : places.sharedScratch;
    const splits = groups === 1 && band.units < 4 && packedBytes(matrices) > LARGE_WEIGHT_BYTES;
    this.#columnsInUnit = splits ? Math.min(UNIT_COLUMNS, matrices.columns) : matrices.columns;
    this.#columnUnits = Math.ceil(matrices.columns / this.#columnsInUnit);
  }

  write(): KernelCode {
    const band = this.#band;
    const kernel = emitKernel(
      this.#module,
      (f, unit, scratch) => {
        const [bandUnit, columnUnit, bandScratch] = f.localsOf('i32', 3) as [Local, Local, Local];
        divideInto(f, unit, this.#columnUnits, bandUnit, columnUnit);
        f.get(scratch).i32(this.#tableBytes).op('i32.add').set(bandScratch);
        const place = emitBand(f, band, bandUnit, this.#places.left, bandScratch);
        const restX = band.positions[2] % band.columns;
        const restColumns = this.#geometry.matrices.columns % this.#columnsInUnit;
        const block = (columns: number, isLastX: boolean): void => {
          this.#writeBlock(f, place, scratch, columnUnit, columns, isLastX);
        };
        const columnBlock = (isLastX: boolean): void => {
          const full = (): void => block(this.#columnsInUnit, isLastX);
          emitLast(f, columnUnit, this.#columnUnits, full, restColumns, (rest) => block(rest, isLastX));
        };
        if (restX === 0 && this.#geometry.phases.length === 1) columnBlock(band.columnBlocks === 1);
        else
          emitLast(
            f,
            place.columnBlock,
            band.columnBlocks,
            () => columnBlock(false),
            1,
            () => columnBlock(true),
          );
        releaseBand(f, place);
        f.release(bandUnit, columnUnit, bandScratch);
      },
      (f, scratch) => this.#writeTable(f, scratch),
    );
    return { kernel, units: band.units * this.#columnUnits };
  }

  #writeTable(f: FunctionBuilder, scratch: Local): void {
    let at = 0;
    for (const phase of this.#geometry.phases) {
      const { table } = segmentsOf(this.#geometry, this.#band, phase);
      for (const offset of table) {
        f.storeAt('i32.store', scratch, at, () => f.i32(offset));
        at += 4;
      }
    }
  }

  #writeBlock(
    f: FunctionBuilder,
    place: BandPlace,
    scratch: Local,
    columnUnit: Local,
    columns: number,
    isLastX: boolean,
  ): void {
    let tableAt = 0;
    for (const phase of this.#geometry.phases) {
      const segments = segmentsOf(this.#geometry, this.#band, phase);
      const write = (): void => {
        this.#writePhase(f, place, scratch, columnUnit, columns, isLastX, phase, segments, tableAt);
      };
      // At the end of the axis a phase may have one position less than others.
      if (phase.positions[0] < this.#band.positions[0]) {
        f.get(place.z).i32(phase.positions[0]).op('i32.lt_s').if(write);
      } else write();
      tableAt += segments.table.length * 4;
    }
    emitUnitTail(f, this.#places, place, {
      band: this.#band,
      output: this.#geometry.output,
      outputStride: this.#geometry.outputStride,
      channels: this.#channels,
      isLastX,
      ...(this.#columnUnits > 1 ? { columns: { unit: columnUnit, count: columns, inUnit: this.#columnsInUnit } } : {}),
    });
  }

  #writePhase(
    f: FunctionBuilder,
    place: BandPlace,
    scratch: Local,
    columnUnit: Local,
    columns: number,
    isLastX: boolean,
    phase: Phase,
    { depth, count, table }: Segments,
    tableAt: number,
  ): void {
    const { groups, matrices, outputStride, output: outputExtents } = this.#geometry;
    const band = this.#band;
    const places = this.#places;
    const rows = isLastX ? phase.positions[2] - (band.columnBlocks - 1) * band.columns : band.columns;
    if (rows <= 0) return;
    const [group, lines, left, right, output, bias] = f.localsOf('i32', 6) as [
      Local,
      Local,
      Local,
      Local,
      Local,
      Local,
    ];
    const [tablePlace, narrowScratch] = f.localsOf('i32', 2) as [Local, Local];
    f.get(scratch)
      .i32(this.#tableBytes + alignUp(band.scratchBytes))
      .op('i32.add')
      .set(narrowScratch);
    f.get(place.lines).set(lines);
    if (phase.positions[1] < band.positions[1]) {
      f.i32(phase.positions[1]).get(place.y).op('i32.sub').set(lines);
      f.get(lines).get(place.lines).get(lines).get(place.lines).op('i32.lt_s', 'select').set(lines);
    }
    const isSegmented = count !== 1;
    const [leftOffset, rightOffset] = isSegmented ? [0, 0] : (table as [number, number]);
    const pixel = this.#channels * 4;
    f.for(group, 0, groups, 1, () => {
      const grouped = (scale: number): [Local, number][] => (groups > 1 ? [[group, scale]] : []);
      const split = (scale: number): [Local, number][] => (this.#columnUnits > 1 ? [[columnUnit, scale]] : []);
      f.sum([[place.base, 1], ...grouped(matrices.depth * 4)], leftOffset).set(left);
      const narrow = this.#narrow;
      const panelStride = narrow?.panelStride ?? panelBytes(matrices);
      const matrixStride = narrow?.matrixStride ?? packedBytes(matrices);
      f.sum(
        [...grouped(matrixStride), ...split((this.#columnsInUnit / TILE_COLUMNS) * panelStride)],
        this.#rightBase + (narrow === undefined ? rightOffset : 0),
      ).set(right);
      const columnTerms = [...grouped(matrices.columns * 4), ...split(this.#columnsInUnit * 4)];
      const [startZ, startY, startX] = phase.offset;
      const [, height, width] = outputExtents;
      f.sum(
        [
          [place.image, product(outputExtents) * pixel],
          [place.z, outputStride[0] * height * width * pixel],
          [place.y, outputStride[1] * width * pixel],
          [place.x, outputStride[2] * pixel],
          ...columnTerms,
        ],
        places.output + ((startZ * height + startY) * width + startX) * pixel,
      ).set(output);
      if (places.bias !== undefined) f.sum(columnTerms, places.bias).set(bias);
      if (isSegmented) f.get(scratch).i32(tableAt).op('i32.add').set(tablePlace);
      const widener =
        narrow &&
        rareCode('narrow').panelWidener(this.#module, f, narrow, this.#rightBase, narrowScratch, places.factor);
      const columnsBefore = split(this.#columnsInUnit);
      const outputsBefore = [...grouped(matrices.columns), ...columnsBefore];
      const steps = matrices.taps * matrices.depth;
      emitProduct(this.#module, f, {
        depth,
        columns,
        rows,
        groups: lines,
        left: {
          base: left,
          kind: 'rows',
          stride: band.stride[2] * band.pitch[2],
          groupStride: band.stride[1] * band.pitch[1],
        },
        right: {
          base: right,
          panelStride: panelBytes(matrices),
          narrow: widener?.panels(grouped(1), columnsBefore, outputsBefore, steps, rightOffset),
        },
        output: { base: output, rowStride: outputStride[2] * pixel, groupStride: outputStride[1] * width * pixel },
        bias: places.bias === undefined ? undefined : bias,
        finish: { bias: places.bias !== undefined, lower: places.lower, upper: places.upper },
        ...(isSegmented ? { segments: { table: tablePlace, count } } : {}),
      });
      widener?.release();
    });
    f.release(group, lines, left, right, output, bias, tablePlace, narrowScratch);
  }
}
