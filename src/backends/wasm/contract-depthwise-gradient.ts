/**
 * The gradient of the kernel of a depthwise convolution: for each tap and channel the sum of x · dy over all positions at
 * which the tap lies in the input. A unit is a line of taps of some channels: its sums stay in registers from the first
 * position to the last, and dy is read once for all taps of the line.
 */
import type { FunctionBuilder, Local } from './assembler-function.ts';
import type { ModuleBuilder } from './assembler-module.ts';
import { type ContractPlaces, divideInto, emitKernel, emitLast, emitTail, type KernelCode } from './contract-plan.ts';
import { storeLanes } from './contract-tile.ts';
import { product, type WindowGeometry } from './contract-window.ts';
import { emitTap, releaseTap } from './tap-place.ts';

/** Taps and vectors of channels in a unit: twelve sums, the vectors of a cache line. */
const UNIT_TAPS = 3;
const UNIT_VECTORS = 4;
const UNIT_CHANNELS: number = 4 * UNIT_VECTORS;

/** Positions along a line, from `first` to `last`, at which the tap with a number lies in the input. */
interface TapRange {
  readonly tap: number;
  readonly first: number;
  readonly last: number;
}

export function emitDepthwiseGradient(
  module: ModuleBuilder,
  geometry: WindowGeometry,
  places: ContractPlaces,
): KernelCode {
  const { channels, window } = geometry;
  const width = window[2];
  const chunks = Math.ceil(width / UNIT_TAPS);
  const blocks = Math.ceil(channels / UNIT_CHANNELS);
  const ranges = tapRanges(geometry);
  const kernel = emitKernel(module, (f, unit) => {
    const [line, chunk, block, tap] = f.localsOf('i32', 4) as [Local, Local, Local, Local];
    divideInto(f, unit, window[0] * window[1] * chunks, block, line);
    divideInto(f, line, chunks, line, chunk);
    f.scaled(line, width).set(tap);
    const writeChunk = (number: number): void => {
      const taps = ranges.slice(number * UNIT_TAPS, (number + 1) * UNIT_TAPS);
      const write = (count: number): void => emitUnit(f, geometry, places, { tap, block, taps, channels: count });
      emitLast(f, block, blocks, () => write(UNIT_CHANNELS), channels % UNIT_CHANNELS, write);
    };
    const choose = (number: number): void => {
      if (number === chunks - 1) writeChunk(number);
      else {
        f.get(chunk).i32(number).op('i32.eq');
        f.if(
          () => writeChunk(number),
          () => choose(number + 1),
        );
      }
    };
    choose(0);
    f.release(line, chunk, block, tap);
  });
  return { kernel, units: window[0] * window[1] * chunks * blocks };
}

function tapRanges({ input, window, positions, strides, dilation, low }: WindowGeometry): TapRange[] {
  return Array.from({ length: window[2] }, (_, tap) => {
    // The tap sees the element position · stride − before.
    const before = low[2] - tap * dilation[2];
    const first = Math.min(Math.max(Math.ceil(before / strides[2]), 0), positions[2]);
    const end = Math.min(Math.ceil((input[2] + before) / strides[2]), positions[2]);
    return { tap, first, last: Math.max(end, first) };
  });
}

interface UnitShape {
  /** The number of the line's first tap. */
  readonly tap: Local;
  readonly block: Local;
  readonly taps: readonly TapRange[];
  readonly channels: number;
}

function emitUnit(f: FunctionBuilder, geometry: WindowGeometry, places: ContractPlaces, unit: UnitShape): void {
  const { batch, channels, input, positions, strides } = geometry;
  const { tap, block, taps } = unit;
  const pixel = channels * 4;
  const vectors = Math.ceil(unit.channels / 4);
  const [image, z, y, x, dy, output] = f.localsOf('i32', 6) as [Local, Local, Local, Local, Local, Local];
  const sums = taps.map(() => f.localsOf('v128', vectors));
  for (const sum of sums.flat()) f.f32x4(0).set(sum);
  const place = emitTap(f, geometry, tap);
  f.for(image, 0, batch, 1, () => {
    f.for(z, place.firsts[0], place.ends[0], 1, () => {
      f.for(y, place.firsts[1], place.ends[1], 1, () => {
        // Where the line's first tap lies for position 0; maybe before the input, where nothing is read.
        f.sum(
          [
            [image, product(input) * pixel],
            [z, strides[0] * input[1] * input[2] * pixel],
            [y, strides[1] * input[2] * pixel],
            [place.shift, pixel],
            [block, UNIT_CHANNELS * 4],
          ],
          places.left,
        ).set(x);
        f.sum(
          [
            [image, product(positions) * pixel],
            [z, positions[1] * positions[2] * pixel],
            [y, positions[2] * pixel],
            [block, UNIT_CHANNELS * 4],
          ],
          places.right,
        ).set(dy);
        emitLine(f, geometry, taps, sums, { x, dy });
      });
    });
  });
  f.sum(
    [
      [tap, pixel],
      [block, UNIT_CHANNELS * 4],
    ],
    places.output + (taps[0] as TapRange).tap * pixel,
  ).set(output);
  for (const tapSums of sums) {
    for (const [index, sum] of tapSums.entries()) {
      storeLanes(f, output, index * 16, sum, Math.min(4, unit.channels - index * 4));
    }
    emitTail(f, places, output, unit.channels);
    f.increment(output, pixel);
  }
  releaseTap(f, place);
  f.release(image, z, y, x, dy, output, ...sums.flat());
}

/** Adds the products of a line to the sums: positions that all taps see together, those at its ends tap by tap. */
function emitLine(
  f: FunctionBuilder,
  { channels, strides, dilation }: WindowGeometry,
  taps: readonly TapRange[],
  sums: readonly (readonly Local[])[],
  line: { readonly x: Local; readonly dy: Local },
): void {
  const pixel = channels * 4;
  const [count, x, dy, given] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('v128')];
  const emitPositions = (seen: readonly TapRange[], start: number, end: number): void => {
    if (start >= end) return;
    const head = (seen[0] as TapRange).tap;
    f.sum([[line.x, 1]], (start * strides[2] + head * dilation[2]) * pixel).set(x);
    f.sum([[line.dy, 1]], start * pixel).set(dy);
    f.for(count, start, end, 1, () => {
      for (const index of (sums[0] as readonly Local[]).keys()) {
        f.load('v128.load', dy, index * 16).set(given);
        for (const range of seen) {
          const at = (range.tap - head) * dilation[2] * pixel + index * 16;
          f.multiplyAdd(sums[taps.indexOf(range)]?.[index] as Local, () => f.load('v128.load', x, at).get(given));
        }
      }
      f.increment(x, strides[2] * pixel).increment(dy, pixel);
    });
  };
  const start = Math.max(...taps.map(({ first }) => first));
  const end = Math.max(start, Math.min(...taps.map(({ last }) => last)));
  for (const range of taps) emitPositions([range], range.first, Math.min(start, range.last));
  emitPositions(taps, start, end);
  for (const range of taps) emitPositions([range], Math.max(end, range.first), range.last);
  f.release(count, x, dy, given);
}
