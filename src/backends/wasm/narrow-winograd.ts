/**
 * Kernels of 3 × 3 in a narrow form, for Winograd's algorithm: codes in the order in which they are transformed, four outputs
 * by four, each nine times four codes; behind them, for 8-bit integers, one scale for each output. Each run transforms them
 * anew, into a scratch that the layers share: transformed weights are floats, and four times as many.
 */
import { bytesPerElement } from '../../array/dtype.ts';
import type { NarrowArray } from '../../array/narrow-array.ts';
import type { NarrowForm } from '../../compiler/schedule.ts';
import type { Local } from './assembler-function.ts';
import { codesOf, loadFourNarrow } from './contract-narrow.ts';
import type { Packing } from './contract-plan.ts';
import type { WinogradGeometry } from './winograd-choice.ts';
import type { TapSource } from './winograd-kernel.ts';

/** Outputs whose taps lie together. */
const LANES = 4;

const TAPS = 9;

export interface NarrowKernelPlan {
  readonly packing: Packing;
  /**
   * @param base address of the packed kernel
   * @param factor address of one number for each output, by which its taps are multiplied
   */
  taps(base: number, factor: number | undefined): TapSource;
}

/** How a kernel stays narrow; undefined where its channels are not the outputs. */
export function planNarrowKernel(
  geometry: WinogradGeometry,
  { dtype, channels }: NarrowForm,
): NarrowKernelPlan | undefined {
  const { inputs, outputs, isGradient } = geometry;
  const isScaled = dtype === 'int8';
  const outputPitch = isGradient ? inputs : 1;
  if (isScaled && (channels.inner !== outputPitch || outputs % channels.count !== 0)) return undefined;
  const vectorBytes = LANES * bytesPerElement(dtype);
  const codeCount = TAPS * inputs * outputs;
  const scalesAt = Math.ceil((codeCount * bytesPerElement(dtype)) / 16) * 16;
  return {
    packing: {
      byteLength: scalesAt + (isScaled ? outputs * 4 : 0),
      key: `winograd:${dtype}:${inputs}:${outputs}:${isGradient}`,
      packNarrow: function* ({ codes, scales }: NarrowArray, target: Float32Array): Generator<void, void> {
        const ordered = codesOf(dtype, target, codeCount);
        for (let input = 0, at = 0; input < inputs; input++) {
          yield;
          at = forEachCode(geometry, input, at, (from, to) => {
            ordered[to] = codes[from] as number;
          });
        }
        if (!isScaled) return;
        for (let output = 0; output < outputs; output++) {
          target[scalesAt / 4 + output] = scales[output % channels.count] as number;
        }
      },
      unpackNarrow: (packed, codes) => {
        const ordered = codesOf(dtype, packed, codeCount);
        for (let input = 0, at = 0; input < inputs; input++) {
          at = forEachCode(geometry, input, at, (to, from) => {
            codes[to] = ordered[from] as number;
          });
        }
      },
    },
    taps: (base, factor) => (f, _, input) => {
      const [source, scale] = [f.local('i32'), f.local('v128')];
      const isMultiplied = isScaled && factor !== undefined;
      const factors = f.local('v128');
      return {
        at: (output: Local) => {
          f.sum(
            [
              [input, (outputs / LANES) * TAPS * vectorBytes],
              [output, (TAPS * vectorBytes) / LANES],
            ],
            base,
          ).set(source);
          if (isScaled)
            f.sum([[output, 4]], base + scalesAt)
              .load('v128.load')
              .set(scale);
          if (factor !== undefined)
            f.sum([[output, 4]], factor)
              .load('v128.load')
              .set(isMultiplied ? factors : scale);
          return (tap) => {
            loadFourNarrow(f, dtype, source, tap * vectorBytes);
            if (isScaled || factor !== undefined) f.get(scale).op('f32x4.mul');
            if (isMultiplied) f.get(factors).op('f32x4.mul');
          };
        },
        release: () => f.release(source, scale, factors),
      };
    },
  };
}

/** Visits the codes of an input in their order from a place on, with where they are in the kernel; gives the next place. */
function forEachCode(
  { inputs, outputs, isGradient }: WinogradGeometry,
  input: number,
  place: number,
  visit: (inKernel: number, place: number) => void,
): number {
  let at = place;
  for (let first = 0; first < outputs; first += LANES) {
    for (let tap = 0; tap < TAPS; tap++) {
      for (let output = first; output < first + LANES; output++) {
        // Taps of a gradient come from the last to the first.
        visit(
          isGradient
            ? ((TAPS - 1 - tap) * outputs + output) * inputs + input
            : (tap * inputs + input) * outputs + output,
          at++,
        );
      }
    }
  }
  return at;
}
