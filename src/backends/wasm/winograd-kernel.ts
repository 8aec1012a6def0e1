/**
 * Kernels of 3 × 3 as Winograd's algorithm multiplies by them: 36 matrices in panels, see `winograd-transform.ts`. Weights
 * that stay are transformed once, as exactly as float32 can say; what only a run knows is transformed in the run.
 */
import type { FunctionBuilder, Local } from './assembler-function.ts';
import type { ModuleBuilder } from './assembler-module.ts';
import { emitKernel, type Packing } from './contract-plan.ts';
import { TILE_COLUMNS } from './contract-tile.ts';
import { VectorConstants } from './vector-constants.ts';
import type { WinogradGeometry } from './winograd-choice.ts';
import { pointStride } from './winograd-tiles.ts';
import {
  emitExactTransform,
  emitTransform,
  exactConstants,
  kernelTransform,
  TILE_INPUTS,
  TILE_POINTS,
} from './winograd-transform.ts';

/** Bytes of one of the 36 matrices of the transformed kernel, in panels. */
export function matrixBytes({ inputs, outputs }: WinogradGeometry): number {
  return pointStride(Math.ceil(outputs / TILE_COLUMNS) * inputs * TILE_COLUMNS);
}

/** How weights that stay are transformed. */
export function winogradPacking(geometry: WinogradGeometry): Packing {
  const { inputs, outputs, isGradient } = geometry;
  const name = `winograd${isGradient ? ' gradient' : ''}`;
  return {
    byteLength: TILE_POINTS * matrixBytes(geometry),
    key: `${name}:${inputs}:${outputs}`,
    call: (module, source, target) => {
      module.exportShared(name, ['i32', 'i32', 'i32', 'i32', 'i32'], (f) => emitPacking(f, isGradient));
      return { exportName: name, words: [inputs, outputs, matrixBytes(geometry), source, target] };
    },
  };
}

/** The body of a function of five i32: inputs, outputs, bytes of a matrix, from where, to where. */
function emitPacking(f: FunctionBuilder, isGradient: boolean): void {
  const [inputs, outputs, stride, source, target] = [0, 1, 2, 3, 4].map((index) => f.param(index)) as Locals5;
  const [input, output, tapBytes, tapAt, pointAt] = f.localsOf('i32', 5) as Locals5;
  const taps = f.localsOf('v128', 9);
  const constants = exactConstants(f);
  f.get(inputs).get(outputs).op('i32.mul').i32(4).op('i32.mul').set(tapBytes);
  f.for(input, 0, inputs, 1, () => {
    f.for(output, 0, outputs, 4, () => {
      // Taps of a gradient come from the last to the first, and outputs are not neighbours.
      if (isGradient) f.get(output).get(inputs).op('i32.mul').get(input);
      else f.get(input).get(outputs).op('i32.mul').get(output);
      f.op('i32.add').i32(4).op('i32.mul').get(source).op('i32.add');
      if (isGradient) f.get(tapBytes).i32(8).op('i32.mul', 'i32.add');
      f.set(tapAt);
      for (const tap of taps) {
        if (isGradient) emitGathered(f, tapAt, tap, () => f.get(inputs));
        else f.load('v128.load', tapAt).set(tap);
        f.get(tapAt)
          .get(tapBytes)
          .op(isGradient ? 'i32.sub' : 'i32.add')
          .set(tapAt);
      }
      emitPointPlace(f, input, output, () => f.get(inputs));
      f.get(target).op('i32.add').set(pointAt);
      emitExactTransform(f, taps, constants, (point) => {
        f.storeAt('v128.store', pointAt, 0, () => f.get(point)).increment(pointAt, stride);
      });
    });
  });
}

type Locals5 = [Local, Local, Local, Local, Local];

/** Pushes where the points of an input and four outputs are, counted from the first matrix: in panels of eight columns. */
function emitPointPlace(f: FunctionBuilder, input: Local, output: Local, pushInputs: () => unknown): void {
  f.get(output).i32(3).op('i32.shr_u');
  pushInputs();
  f.op('i32.mul').get(input).op('i32.add');
  f.i32(TILE_COLUMNS * 4).op('i32.mul');
  // An output's group of four is the first or the second half of a panel.
  f.get(output).i32(4).op('i32.and').i32(2).op('i32.shl', 'i32.add');
}

/** Reads four numbers that lie as many numbers apart as `pushPitch` says. */
function emitGathered(f: FunctionBuilder, address: Local, target: Local, pushPitch: () => unknown): void {
  const at = f.local('i32');
  f.load('v128.load32_zero', address).set(target).get(address).set(at);
  for (let lane = 1; lane < 4; lane++) {
    f.get(at);
    pushPitch();
    f.i32(4).op('i32.mul', 'i32.add').tee(at);
    f.get(target).laneMemory('v128.load32_lane', lane).set(target);
  }
  f.release(at);
}

/** Writes the reading of taps of an input. */
export type TapSource = (f: FunctionBuilder, geometry: WinogradGeometry, input: Local) => TapReader;

export interface TapReader {
  /** Turns to four outputs from one on; gives what pushes a tap of theirs, by the place in the window that it is multiplied with. */
  at(output: Local): (tap: number) => unknown;
  release(): void;
}

/** Taps that are floats, as the layer has them. */
export function floatTaps(base: number): TapSource {
  return (f, { inputs, outputs, isGradient }, input) => {
    const [source, gathered] = [f.local('i32'), f.local('v128')];
    return {
      at: (output) => {
        const [ofInput, ofOutput] = isGradient ? [4, inputs * 4] : [outputs * 4, 4];
        f.sum(
          [
            [input, ofInput],
            [output, ofOutput],
          ],
          base,
        ).set(source);
        return (tap) => {
          if (!isGradient) return f.load('v128.load', source, tap * inputs * outputs * 4);
          // The last tap comes first, and outputs are no neighbours.
          const at = (8 - tap) * inputs * outputs * 4;
          f.load('v128.load32_zero', source, at).set(gathered);
          for (let lane = 1; lane < 4; lane++) {
            f.get(source)
              .get(gathered)
              .laneMemory('v128.load32_lane', lane, at + lane * inputs * 4)
              .set(gathered);
          }
          return f.get(gathered);
        };
      },
      release: () => f.release(source, gathered),
    };
  };
}

/** Transforms the kernel in the run; a unit is a channel of the input. */
export function emitKernelTransform(
  module: ModuleBuilder,
  geometry: WinogradGeometry,
  target: number,
  taps: TapSource,
): { kernel: number; units: number } {
  const { inputs, outputs } = geometry;
  const stride = matrixBytes(geometry);
  const kernel = emitKernel(module, (f, input) => {
    const [output, pointAt] = f.localsOf('i32', 2) as [Local, Local];
    const constants = new VectorConstants(f, kernelTransform.constants);
    const reader = taps(f, geometry, input);
    f.for(output, 0, outputs, 4, () => {
      emitPointPlace(f, input, output, () => f.i32(inputs));
      f.i32(target).op('i32.add').set(pointAt);
      const load = reader.at(output);
      emitTransform(
        f,
        kernelTransform,
        3,
        constants,
        1,
        (row, column) => load(row * 3 + column),
        (row, column, [vector]) => {
          const at = (row * TILE_INPUTS + column) * stride;
          f.storeAt('v128.store', pointAt, at, () => f.get(vector as Local));
        },
      );
    });
    reader.release();
    constants.release();
    f.release(output, pointAt);
  });
  return { kernel, units: inputs };
}
