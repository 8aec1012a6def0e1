/** Geometry of sliding windows, shared by the shape rules, the interpreter and the kernels. */
import { formatShape, type Shape } from '../array/shape.ts';
import { ShapeError } from '../errors.ts';
import type { ConvolveAttributes, PaddingPair, PoolAttributes } from './primitives.ts';

/** Extent that a window of `extent` elements covers when its elements lie `dilation` apart. */
export function dilatedExtent(extent: number, dilation: number): number {
  return (extent - 1) * dilation + 1;
}

/** Number of positions of a window along one axis; 0 when it does not fit. */
export function windowPositions(
  input: number,
  window: number,
  stride: number,
  [low, high]: PaddingPair,
  dilation: number,
): number {
  return Math.max(0, Math.floor((input + low + high - dilatedExtent(window, dilation)) / stride) + 1);
}

/** Padding of one axis for Keras' `same`: the output has ⌈input / stride⌉ positions, the odd element goes high. */
export function samePadding(input: number, window: number, stride: number, dilation: number): PaddingPair {
  const positions = Math.ceil(input / stride);
  const total = Math.max(0, (positions - 1) * stride + dilatedExtent(window, dilation) - input);
  return [Math.floor(total / 2), total - Math.floor(total / 2)];
}

/** @throws {ShapeError} when kernel, groups and input do not fit. */
export function convolveShape(x: Shape, kernel: Shape, attributes: ConvolveAttributes): Shape {
  const spatial = x.length - 2;
  const { strides, padding, dilation, groups } = attributes;
  const channels = x.at(-1) as number;
  const [inPerGroup, outputs] = kernel.slice(-2) as [number, number];
  const fits =
    spatial >= 1 &&
    spatial <= 3 &&
    kernel.length === x.length &&
    [strides, padding, dilation].every((list) => list.length === spatial) &&
    inPerGroup * groups === channels &&
    outputs % groups === 0;
  if (!fits) {
    throw new ShapeError(
      `Cannot convolve: found an input of shape ${formatShape(x)} and a kernel of shape ${formatShape(kernel)} ` +
        `in ${groups} groups, expected a kernel [...spatial, ${channels} / groups, outputs]`,
    );
  }
  const extents = windowExtents(x, kernel.slice(0, spatial), attributes);
  return [x[0] as number, ...extents, outputs];
}

/** @throws {ShapeError} when the window has not the rank of the input. */
export function poolShape(x: Shape, attributes: PoolAttributes): Shape {
  const spatial = x.length - 2;
  const { window, strides, padding, dilation } = attributes;
  if (spatial < 1 || [window, strides, padding, dilation].some((list) => list.length !== spatial)) {
    throw new ShapeError(
      `Cannot pool: found an input of shape ${formatShape(x)} and a window ${formatShape(window)}, ` +
        `expected a window over ${Math.max(spatial, 1)} spatial axes`,
    );
  }
  return [x[0] as number, ...windowExtents(x, window, attributes), x.at(-1) as number];
}

function windowExtents(
  x: Shape,
  window: Shape,
  { strides, padding, dilation }: Pick<PoolAttributes, 'strides' | 'padding' | 'dilation'>,
): number[] {
  return window.map((extent, axis) =>
    windowPositions(
      x[axis + 1] as number,
      extent,
      strides[axis] as number,
      padding[axis] as PaddingPair,
      dilation[axis] as number,
    ),
  );
}
