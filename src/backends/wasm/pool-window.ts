/** What the pooling kernels share: positions, the part of their window that lies in the input, and loops over it. */
import type { FunctionBuilder, Local } from './assembler-function.ts';
import { type Axes, product, type WindowGeometry } from './contract-window.ts';

/** The part of a window that lies in the input: the address of its first element, and its extents. */
export interface ClippedWindow {
  readonly base: Local;
  readonly counts: readonly [z: Local, y: Local, x: Local];
}

/**
 * Writes loops over the positions of one image from line `firstLine` to `lastLine`, where lines count over depth and
 * height, and calls `body` with the clipped window of each.
 */
export function emitPositions(
  f: FunctionBuilder,
  geometry: WindowGeometry,
  { input, image, firstLine, lastLine }: { input: number; image: Local; firstLine: Local; lastLine: Local },
  body: (window: ClippedWindow) => void,
): void {
  const [z, y, x, line, base] = f.localsOf('i32', 5) as [Local, Local, Local, Local, Local];
  const counts = f.localsOf('i32', 3) as [Local, Local, Local];
  const firsts = f.localsOf('i32', 3) as [Local, Local, Local];
  const [depth, height, width] = geometry.input;
  const pixel = geometry.channels * 4;
  f.for(line, firstLine, lastLine, 1, () => {
    f.get(line).i32(geometry.positions[1]).op('i32.div_u').set(z);
    f.get(line).get(z).i32(geometry.positions[1]).op('i32.mul', 'i32.sub').set(y);
    emitClip(f, geometry, 0, z, firsts[0], counts[0]);
    emitClip(f, geometry, 1, y, firsts[1], counts[1]);
    f.for(x, 0, geometry.positions[2], 1, () => {
      emitClip(f, geometry, 2, x, firsts[2], counts[2]);
      f.sum(
        [
          [image, depth * height * width * pixel],
          [firsts[0], height * width * pixel],
          [firsts[1], width * pixel],
          [firsts[2], pixel],
        ],
        input,
      ).set(base);
      body({ base, counts });
    });
  });
  f.release(z, y, x, line, base, ...counts, ...firsts);
}

/** Whether no window reaches beyond the input along an axis. */
export function liesWithin(
  { input, window, positions, strides, dilation, low }: WindowGeometry,
  axis: 0 | 1 | 2,
): boolean {
  const end = (positions[axis] - 1) * strides[axis] + (window[axis] - 1) * dilation[axis] + 1;
  return low[axis] === 0 && end <= input[axis];
}

/** Sets the first input index that the window sees along an axis, and how many of its elements lie in the input. */
function emitClip(
  f: FunctionBuilder,
  geometry: WindowGeometry,
  axis: 0 | 1 | 2,
  position: Local,
  first: Local,
  count: Local,
): void {
  const { input, window, strides, dilation, low } = geometry;
  if (liesWithin(geometry, axis)) {
    f.scaled(position, strides[axis]).set(first).i32(window[axis]).set(count);
    return;
  }
  const step = dilation[axis];
  const [start, skipped] = [f.local('i32'), f.local('i32')];
  f.sum([[position, strides[axis]]], -low[axis]).set(start);
  // Elements before the input: ⌈−start / dilation⌉, or none.
  f.i32(step - 1)
    .get(start)
    .op('i32.sub')
    .i32(step)
    .op('i32.div_s')
    .tee(skipped);
  f.i32(0).get(skipped).i32(0).op('i32.gt_s', 'select').set(skipped);
  // Elements up to the end of the input: ⌈(extent − start) / dilation⌉, at most the whole window.
  f.i32(input[axis] + step - 1)
    .get(start)
    .op('i32.sub')
    .i32(step)
    .op('i32.div_s')
    .tee(count);
  f.i32(window[axis]).get(count).i32(window[axis]).op('i32.lt_s', 'select').get(skipped).op('i32.sub').tee(count);
  f.i32(0).get(count).i32(0).op('i32.gt_s', 'select').set(count);
  f.sum([
    [start, 1],
    [skipped, step],
  ]).set(first);
  f.release(start, skipped);
}

/** Parameters of a function that works on one window: its address, its three extents; others follow. */
export const WINDOW_PARAMS = ['i32', 'i32', 'i32', 'i32'] as const;

/** With more elements than this, code for each is longer than a loop is slow. */
const MOST_UNROLLED = 9;

/** Offsets in bytes of a window's elements, where they are the same for all windows; undefined where there are many. */
export function fixedElements(geometry: WindowGeometry): number[] | undefined {
  const { input, window, dilation, channels } = geometry;
  const isFixed = ([0, 1, 2] as const).every((axis) => liesWithin(geometry, axis));
  if (!isFixed || product(window) > MOST_UNROLLED) return undefined;
  const [, height, width] = window;
  return Array.from({ length: product(window) }, (_, index) => {
    const [z, y, x] = [Math.floor(index / (height * width)), Math.floor(index / width) % height, index % width];
    return ((z * dilation[0] * input[1] + y * dilation[1]) * input[2] + x * dilation[2]) * channels * 4;
  });
}

/**
 * Writes loops over the elements of the window that the first four parameters tell: their addresses are `offset` from
 * `element`.
 */
export function emitElements(
  f: FunctionBuilder,
  geometry: WindowGeometry,
  channelOffset: Local,
  body: (element: Local, offset: number) => void,
): void {
  const { input, dilation, channels } = geometry;
  const fixed = fixedElements(geometry);
  if (fixed !== undefined) {
    const first = f.local('i32');
    f.get(f.param(0)).get(channelOffset).op('i32.add').set(first);
    for (const offset of fixed) body(first, offset);
    f.release(first);
    return;
  }
  const pixel = channels * 4;
  const [element, row, slice, x, y, z] = f.localsOf('i32', 6) as [Local, Local, Local, Local, Local, Local];
  const pitch: Axes = [input[1] * input[2] * pixel * dilation[0], input[2] * pixel * dilation[1], pixel * dilation[2]];
  f.get(f.param(0)).get(channelOffset).op('i32.add').set(slice);
  f.for(z, 0, f.param(1), 1, () => {
    f.get(slice).set(row);
    f.for(y, 0, f.param(2), 1, () => {
      f.get(row).set(element);
      f.for(x, 0, f.param(3), 1, () => {
        body(element, 0);
        f.increment(element, pitch[2]);
      });
      f.increment(row, pitch[1]);
    });
    f.increment(slice, pitch[0]);
  });
  f.release(element, row, slice, x, y, z);
}

/** Writes a loop over the bytes of the channels, in blocks of up to `vectors` vectors; the last lanes come last. */
export function emitChannels(
  f: FunctionBuilder,
  channels: number,
  vectors: number,
  body: (offset: Local, vectors: number, lanes: number) => void,
): void {
  const offset = f.local('i32');
  const blocks = Math.floor(channels / (vectors * 4)) * vectors * 4;
  const whole = channels - (channels % 4);
  f.for(offset, 0, blocks * 4, vectors * 16, () => body(offset, vectors, 4));
  if (vectors > 1) f.for(offset, blocks * 4, whole * 4, 16, () => body(offset, 1, 4));
  if (channels % 4 > 0) {
    f.i32(whole * 4).set(offset);
    body(offset, 1, channels % 4);
  }
  f.release(offset);
}

/** Elements of one image of the input, with its channels. */
export function imageLength({ input, channels }: WindowGeometry): number {
  return product(input) * channels;
}
