/**
 * Depthwise convolution with one output channel for each input channel, and its input gradient: sums over taps, four
 * channels at a time (eight where the engine joins vectors), for up to four neighbouring positions, which share the
 * elements that their windows have in common.
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
import { type ContractPlaces, type ContractPlan, emitKernel, emitLast, emitNothing } from './contract-plan.ts';
import { splitEvenly } from './contract-product.ts';
import type { Phase } from './contract-spatial.ts';
import { storeLanes } from './contract-tile.ts';
import { emitUnitTail } from './contract-unit-tail.ts';
import { type Axes, product } from './contract-window.ts';
import { VectorConstants } from './vector-constants.ts';
import { forVectors } from './vector-loops.ts';

export interface DepthwiseGeometry {
  readonly band: BandGeometry;
  readonly output: Axes;
  readonly outputStride: Axes;
  /** The index of a tap is the row of the kernel `[taps, channels]`. */
  readonly phases: readonly Phase[];
}

/** Neighbouring positions that are computed together. */
const TILE_POSITIONS = 4;

/** So many elements of one line of a window are kept in registers; windows that see more read them again. */
const MOST_SHARED = 10;

/** Plans a depthwise convolution; the right operand is used as it lies. See `contract-plan.ts`. */
export function planDepthwise(geometry: DepthwiseGeometry): ContractPlan {
  const { channels, batch } = geometry.band;
  const band = planBand(geometry.band, channels);
  return {
    form: 'depthwise',
    finishes: true,
    sharedBytes: 0,
    privateBytes: band.scratchBytes,
    emit: (module, places) => {
      if (product(geometry.output) * channels * batch === 0) return emitNothing(module);
      const kernel = emitKernel(module, (f, unit, scratch) => {
        const place = emitBand(f, band, unit, places.left, scratch);
        const write = (isLastX: boolean): void => {
          for (const phase of geometry.phases) emitPhase(module, f, geometry, band, places, place, phase, isLastX);
          const { output, outputStride } = geometry;
          emitUnitTail(f, places, place, { band, output, outputStride, channels, isLastX });
        };
        emitLast(
          f,
          place.columnBlock,
          band.columnBlocks,
          () => write(false),
          1,
          () => write(true),
        );
        releaseBand(f, place);
      });
      return { kernel, units: band.units };
    },
  };
}

function emitPhase(
  module: ModuleBuilder,
  f: FunctionBuilder,
  geometry: DepthwiseGeometry,
  band: BandPlan,
  places: ContractPlaces,
  place: BandPlace,
  phase: Phase,
  isLastX: boolean,
): void {
  const { output: outputExtents, outputStride } = geometry;
  const columns = isLastX ? phase.positions[2] - (band.columnBlocks - 1) * band.columns : band.columns;
  if (columns <= 0) return;
  const pixel = band.channels * 4;
  const [, height, width] = outputExtents;
  const [startZ, startY, startX] = phase.offset;
  const [line, lines, tile, input, output] = f.localsOf('i32', 5) as [Local, Local, Local, Local, Local];
  const writeLines = (): void => {
    f.get(place.lines).set(lines);
    if (phase.positions[1] < band.positions[1]) {
      f.i32(phase.positions[1]).get(place.y).op('i32.sub').set(lines);
      f.get(lines).get(place.lines).get(lines).get(place.lines).op('i32.lt_s', 'select').set(lines);
    }
    f.for(line, 0, lines, 1, () => {
      f.sum([
        [place.base, 1],
        [line, band.stride[1] * band.pitch[1]],
      ]).set(input);
      f.sum(
        [
          [place.image, product(outputExtents) * pixel],
          [place.z, outputStride[0] * height * width * pixel],
          [place.y, outputStride[1] * width * pixel],
          [line, outputStride[1] * width * pixel],
          [place.x, outputStride[2] * pixel],
        ],
        places.output + ((startZ * height + startY) * width + startX) * pixel,
      ).set(output);
      for (const { size, count } of splitEvenly(columns, TILE_POSITIONS)) {
        const row = depthwiseTile(module, band, phase, places, size, outputStride[2] * pixel);
        f.for(tile, 0, count, 1, () => {
          f.get(input).get(output).call(row);
          f.increment(input, size * band.stride[2] * band.pitch[2]);
          f.increment(output, size * outputStride[2] * pixel);
        });
      }
    });
  };
  if (phase.positions[0] < band.positions[0]) {
    f.get(place.z).i32(phase.positions[0]).op('i32.lt_s').if(writeLines);
  } else writeLines();
  f.release(line, lines, tile, input, output);
}

/** A function of two addresses, of a window's first element and of the output, that runs over all channels. */
function depthwiseTile(
  module: ModuleBuilder,
  band: BandPlan,
  phase: Phase,
  places: ContractPlaces,
  positions: number,
  outputStep: number,
): number {
  const { channels } = band;
  return module.function(['i32', 'i32'], [], (f) => {
    const [input, output, channel] = [f.param(0), f.param(1), f.local('i32')];
    const { bias, lower, upper } = places;
    const bounds = new VectorConstants(
      f,
      [lower, upper].filter((bound) => bound !== undefined),
    );
    const write = (vectors: number, lanes: number): void => {
      const sums = Array.from({ length: positions }, () => f.localsOf('v128', vectors));
      emitWindowSums(f, band, phase, places, sums, input, channel);
      // The engine does not join stores between which there are loads.
      const terms = bias === undefined ? [] : f.localsOf('v128', vectors);
      for (const [index, term] of terms.entries()) {
        f.load('v128.load', channel, (bias as number) + index * 16).set(term);
      }
      for (const [position, neighbours] of sums.entries()) {
        for (const [index, sum] of neighbours.entries()) {
          f.get(sum);
          if (bias !== undefined) f.get(terms[index] as Local).op('f32x4.add');
          // pmax and pmin keep a NaN that is their first operand, as maximum and minimum do.
          if (lower !== undefined) f.get(bounds.get(lower)).op('f32x4.pmax');
          if (upper !== undefined) f.get(bounds.get(upper)).op('f32x4.pmin');
          f.set(sum);
          storeLanes(f, output, position * outputStep + index * 16, sum, lanes);
        }
      }
      f.increment(input, vectors * 16).increment(output, vectors * 16);
      f.release(...sums.flat(), ...terms);
    };
    const whole = forVectors(module, f, channel, channels, (vectors) => write(vectors, 4));
    if (whole < channels) {
      f.i32(whole * 4).set(channel);
      write(1, channels - whole);
    }
  });
}

/** Sets the sums of the window's taps, for each position those of neighbouring vectors of channels. */
function emitWindowSums(
  f: FunctionBuilder,
  band: BandPlan,
  { taps }: Phase,
  places: ContractPlaces,
  sums: readonly (readonly Local[])[],
  input: Local,
  channel: Local,
): void {
  for (const sum of sums.flat()) f.f32x4(0).set(sum);
  const weights = f.localsOf('v128', sums[0]?.length ?? 0);
  const step = band.stride[2];
  for (const line of new Set(taps.map(({ at }) => bandOffset(band, [at[0], at[1], 0])))) {
    const lineTaps = taps.filter(({ at }) => bandOffset(band, [at[0], at[1], 0]) === line);
    const seen = new Set(lineTaps.flatMap(({ at }) => sums.map((_, position) => position * step + at[2])));
    const shared = new Map<number, readonly Local[]>();
    if (seen.size <= MOST_SHARED) {
      for (const column of seen) {
        const locals = f.localsOf('v128', weights.length);
        for (const [vector, local] of locals.entries()) {
          f.load('v128.load', input, line + column * band.pitch[2] + vector * 16).set(local);
        }
        shared.set(column, locals);
      }
    }
    for (const { at, index } of lineTaps) {
      for (const [vector, weight] of weights.entries()) {
        f.load('v128.load', channel, places.right + index * band.channels * 4 + vector * 16).set(weight);
      }
      for (const [position, neighbours] of sums.entries()) {
        const column = position * step + at[2];
        const locals = shared.get(column);
        for (const [vector, sum] of neighbours.entries()) {
          f.multiplyAdd(sum, () => {
            if (locals) f.get(locals[vector] as Local);
            else f.load('v128.load', input, line + column * band.pitch[2] + vector * 16);
            f.get(weights[vector] as Local);
          });
        }
      }
    }
    f.release(...[...shared.values()].flat());
  }
  f.release(...weights);
}
