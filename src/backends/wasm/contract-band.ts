/**
 * Bands: what a unit of a spatial kernel reads. A unit computes some lines of the output, at one depth of one image;
 * its band is the part of the input that those lines see. Where that reaches into the padding, the band is copied to
 * the private scratch, with zeros around it, so that the inner loops know no edges.
 */
import type { FunctionBuilder, Local, Operand } from './assembler-function.ts';
import { divideInto } from './contract-plan.ts';
import { type Axes, product } from './contract-window.ts';

/** What is read at each position, in elements of the input: `extent` of them from `position · stride − low` on. */
export interface BandGeometry {
  readonly batch: number;
  readonly channels: number;
  readonly input: Axes;
  readonly positions: Axes;
  readonly stride: Axes;
  readonly low: Axes;
  readonly extent: Axes;
}

export interface BandPlan extends BandGeometry {
  /** Lines of positions in a unit; the last unit of an image may have fewer. */
  readonly lines: number;
  /** Positions of a line in a unit. */
  readonly columns: number;
  readonly lineBlocks: number;
  readonly columnBlocks: number;
  readonly units: number;
  /** Whether units copy their band. */
  readonly copies: boolean;
  /** Bytes of scratch for the copy. */
  readonly scratchBytes: number;
  /** Bytes between neighbours along each axis of the band. */
  readonly pitch: Axes;
}

/** A band and what is computed from it are to stay in the second cache. */
const CACHE_BYTES = 256 << 10;

/** Units to have, where the extents allow, so that threads can share them out. */
const WANTED_UNITS = 8;

/** Fewer positions than this in a unit are not worth fetching the weights for. */
const LEAST_POSITIONS = 24;

/** A line whose band is greater than this is cut into pieces. */
const LINE_BYTES = 512 << 10;

/** Cuts the positions into units; `outputChannels` is what one position gives. */
export function planBand(geometry: BandGeometry, outputChannels: number): BandPlan {
  const { batch, channels, input, positions, stride, low, extent } = geometry;
  const [, positionsY, positionsX] = positions;
  const reach = (count: number, axis: 1 | 2): number => (count - 1) * stride[axis] + extent[axis];
  const rowBytes = (columns: number): number => reach(columns, 2) * channels * 4;
  const lineBytes = extent[0] * extent[1] * rowBytes(positionsX);
  // Few lines, as those of sequences, are cut into as many pieces as there are units wanted.
  const wantedPieces = Math.ceil(WANTED_UNITS / Math.max(batch * positions[0] * positionsY, 1));
  const mostPieces = Math.max(1, Math.floor(positionsX / LEAST_POSITIONS));
  const pieces = Math.min(mostPieces, Math.max(wantedPieces, Math.ceil(lineBytes / LINE_BYTES)));
  const columns = pieces > 1 ? Math.max(LEAST_POSITIONS, Math.ceil(positionsX / pieces / 6) * 6) : positionsX;
  const perLine = extent[0] * stride[1] * rowBytes(columns) + columns * outputChannels * 4;
  const fitting = Math.floor(CACHE_BYTES / Math.max(perLine, 1));
  const shared = Math.floor((batch * positions[0] * positionsY) / WANTED_UNITS);
  const least = Math.ceil(LEAST_POSITIONS / Math.max(columns, 1));
  const wanted = Math.max(1, Math.min(positionsY, Math.max(least, Math.min(fitting, shared))));
  // Units of nearly equal size.
  const lineBlocks = Math.ceil(positionsY / wanted);
  const lines = Math.ceil(positionsY / Math.max(lineBlocks, 1));
  const columnBlocks = Math.ceil(positionsX / Math.max(columns, 1));
  const copies = ([0, 1, 2] as const).some(
    (axis) => low[axis] > 0 || (positions[axis] - 1) * stride[axis] - low[axis] + extent[axis] > input[axis],
  );
  const pixel = channels * 4;
  const width = copies ? reach(columns, 2) : input[2];
  const height = copies ? reach(lines, 1) : input[1];
  return {
    ...geometry,
    lines,
    columns,
    lineBlocks,
    columnBlocks,
    units: product(positions) === 0 ? 0 : batch * positions[0] * lineBlocks * columnBlocks,
    copies,
    scratchBytes: copies ? extent[0] * height * width * pixel : 0,
    pitch: [height * width * pixel, width * pixel, pixel],
  };
}

/** Offset in bytes of an element of the band. */
export function bandOffset({ pitch }: BandPlan, at: Axes): number {
  return pitch[0] * at[0] + pitch[1] * at[1] + pitch[2] * at[2];
}

/** Where a unit lies: its image, depth, first line and first column, how many lines it has, and its band. */
export interface BandPlace {
  readonly image: Local;
  readonly z: Local;
  readonly y: Local;
  readonly x: Local;
  readonly columnBlock: Local;
  readonly lines: Local;
  /** Address of the band's first element. */
  readonly base: Local;
}

/** Writes code that finds the place of a unit and, where the plan says so, copies its band to `scratch`. */
export function emitBand(f: FunctionBuilder, plan: BandPlan, unit: Local, input: number, scratch: Local): BandPlace {
  const [image, z, y, x, columnBlock, lines, base] = f.localsOf('i32', 7) as [
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
  ];
  divideInto(f, unit, plan.columnBlocks, image, columnBlock);
  divideInto(f, image, plan.lineBlocks, image, y);
  divideInto(f, image, plan.positions[0], image, z);
  f.scaled(columnBlock, plan.columns).set(x);
  f.scaled(y, plan.lines).set(y);
  // The last lines of an image may be fewer.
  f.i32(plan.lines).i32(plan.positions[1]).get(y).op('i32.sub').set(lines);
  f.get(lines).i32(plan.lines).get(lines).op('i32.lt_s', 'select').set(lines);
  const place: BandPlace = { image, z, y, x, columnBlock, lines, base };
  if (plan.copies) {
    emitCopy(f, plan, place, input, scratch);
    f.get(scratch).set(base);
  } else {
    const [depth, height, width] = plan.input;
    const { stride, low, pitch } = plan;
    f.sum(
      [
        [image, depth * height * width * pitch[2]],
        [z, stride[0] * pitch[0]],
        [y, stride[1] * pitch[1]],
        [x, stride[2] * pitch[2]],
      ],
      input - low[0] * pitch[0] - low[1] * pitch[1] - low[2] * pitch[2],
    ).set(base);
  }
  return place;
}

export function releaseBand(f: FunctionBuilder, place: BandPlace): void {
  f.release(place.image, place.z, place.y, place.x, place.columnBlock, place.lines, place.base);
}

function emitCopy(f: FunctionBuilder, plan: BandPlan, place: BandPlace, input: number, scratch: Local): void {
  const { stride, low, extent, pitch, input: inputExtents } = plan;
  const [depth, height, width] = inputExtents;
  const [slice, row, target, atZ, atY, source] = f.localsOf('i32', 6) as [Local, Local, Local, Local, Local, Local];
  const [rows, from, before, copied, after] = f.localsOf('i32', 5) as [Local, Local, Local, Local, Local];
  const pixel = pitch[2];
  f.sum([[place.lines, stride[1]]], extent[1] - stride[1]).set(rows);

  // Of each row: bytes of zeros before it, bytes copied from the pixel `from` on, bytes of zeros after it.
  f.sum([[place.x, stride[2]]], -low[2]).set(from);
  const clamp = (least: Operand, greatest: Operand): void => {
    const value = f.local('i32');
    f.set(value).get(value).push(least).get(value).push(least).op('i32.gt_s', 'select').set(value);
    f.get(value).push(greatest).get(value).push(greatest).op('i32.lt_s', 'select').release(value);
  };
  f.i32(0).get(from).op('i32.sub');
  clamp(0, pitch[1] / pixel);
  f.set(before);
  f.get(from);
  clamp(0, width);
  f.set(from);
  f.i32(pitch[1] / pixel)
    .get(before)
    .op('i32.sub')
    .set(after);
  f.i32(width).get(from).op('i32.sub');
  clamp(0, after);
  f.tee(copied).i32(pixel).op('i32.mul').set(copied);
  f.scaled(before, pixel).set(before);
  f.i32(pitch[1]).get(before).op('i32.sub').get(copied).op('i32.sub').set(after);

  const zeros = (offset: readonly Local[], count: Operand): void => {
    f.get(target);
    for (const local of offset) f.get(local).op('i32.add');
    f.i32(0).push(count).memoryFill();
  };
  const zerosIfAny = (offset: readonly Local[], count: Local): void => {
    f.get(count).if(() => zeros(offset, count));
  };
  f.get(scratch).set(target);
  f.for(slice, 0, extent[0], 1, () => {
    f.sum([[place.z, stride[0]], ...(extent[0] > 1 ? ([[slice, 1]] as const) : [])], -low[0]).set(atZ);
    f.for(row, 0, rows, 1, () => {
      f.sum(
        [
          [place.y, stride[1]],
          [row, 1],
        ],
        -low[1],
      ).set(atY);
      f.get(atZ).i32(depth).op('i32.lt_u').get(atY).i32(height).op('i32.lt_u', 'i32.and').get(copied);
      f.i32(0).op('i32.ne', 'i32.and');
      f.if(
        () => {
          zerosIfAny([], before);
          f.sum([
            [place.image, depth * height * width * pixel],
            [atZ, height * width * pixel],
            [atY, width * pixel],
            [from, pixel],
          ]);
          f.i32(input).op('i32.add').set(source);
          f.get(target).get(before).op('i32.add').get(source).get(copied).memoryCopy();
          zerosIfAny([before, copied], after);
        },
        () => zeros([], pitch[1]),
      );
      f.increment(target, pitch[1]);
    });
    // The next slice begins where a full band's would.
    if (extent[0] > 1) {
      f.get(scratch).get(slice).i32(1).op('i32.add').i32(pitch[0]).op('i32.mul', 'i32.add').set(target);
    }
  });
  f.release(slice, row, target, atZ, atY, source, rows, from, before, copied, after);
}
