/** Where the taps of a convolution lie in its input. */
import type { FunctionBuilder, Local } from './assembler-function.ts';
import { divideInto } from './contract-plan.ts';
import type { WindowGeometry } from './contract-window.ts';

/** The positions at which a tap lies in the input, and where x and dy begin for the first of them. */
export interface TapPlace {
  readonly firsts: readonly [z: Local, y: Local, x: Local];
  readonly ends: readonly [z: Local, y: Local, x: Local];
  /** What a tap adds to a position times stride, in pixels of x. */
  readonly shift: Local;
}

/** Writes code that finds the place of the tap whose number a local holds. */
export function emitTap(f: FunctionBuilder, geometry: WindowGeometry, tap: Local): TapPlace {
  const { input, window, positions, strides, dilation, low } = geometry;
  const firsts = f.localsOf('i32', 3) as [Local, Local, Local];
  const ends = f.localsOf('i32', 3) as [Local, Local, Local];
  const [shift, rest, index, before] = f.localsOf('i32', 4) as [Local, Local, Local, Local];
  const pixels = [input[1] * input[2], input[2], 1] as const;
  f.i32(0).set(shift).get(tap).set(rest);
  for (const axis of [2, 1, 0] as const) {
    divideInto(f, rest, window[axis], rest, index);
    const stride = strides[axis];
    // before = low − index · dilation: the tap sees position · stride − before.
    f.sum([[index, -dilation[axis]]], low[axis]).set(before);
    // From ⌈before / stride⌉ (not below 0) …
    f.sum([[before, 1]], stride - 1)
      .i32(stride)
      .op('i32.div_s')
      .set(firsts[axis]);
    f.get(firsts[axis]).i32(0).get(before).i32(0).op('i32.gt_s', 'select').set(firsts[axis]);
    // … up to ⌈(extent + before) / stride⌉, at most all.
    f.sum([[before, 1]], input[axis] + stride - 1)
      .i32(stride)
      .op('i32.div_s')
      .set(ends[axis]);
    f.get(ends[axis]).i32(0).get(before).i32(-input[axis]).op('i32.gt_s', 'select').set(ends[axis]);
    f.get(ends[axis]).i32(positions[axis]).get(ends[axis]).i32(positions[axis]).op('i32.lt_s', 'select');
    f.set(ends[axis]);
    f.sum([
      [shift, 1],
      [before, -pixels[axis]],
    ]).set(shift);
  }
  f.release(rest, index, before);
  return { firsts, ends, shift };
}

export function releaseTap(f: FunctionBuilder, { firsts, ends, shift }: TapPlace): void {
  f.release(...firsts, ...ends, shift);
}
