/** Windows over three spatial axes; fewer are completed in front by axes of extent 1, which change nothing. */
import type { Shape } from '../../array/shape.ts';
import type { WindowAttributes } from '../../graph/primitives.ts';
import { windowPositions } from '../../graph/window.ts';

export type Axes = readonly [z: number, y: number, x: number];

/** What a window sees: `[batch, …input, channels]` at `[batch, …positions]`. */
export interface WindowGeometry {
  readonly batch: number;
  readonly channels: number;
  readonly input: Axes;
  readonly positions: Axes;
  /** Elements of the window. */
  readonly window: Axes;
  readonly strides: Axes;
  readonly dilation: Axes;
  /** Padding in front: the first position begins at −low. */
  readonly low: Axes;
}

/** The geometry of a window over an input of shape `[batch, …spatial, channels]`. */
export function windowGeometry(
  inputShape: Shape,
  window: readonly number[],
  { strides, padding, dilation }: WindowAttributes,
): WindowGeometry {
  const spatial = inputShape.slice(1, -1);
  const positions = spatial.map((extent, axis) =>
    windowPositions(
      extent,
      window[axis] as number,
      strides[axis] as number,
      padding[axis] ?? [0, 0],
      dilation[axis] as number,
    ),
  );
  return {
    batch: inputShape[0] as number,
    channels: inputShape.at(-1) as number,
    input: complete(spatial, 1),
    positions: complete(positions, 1),
    window: complete(window, 1),
    strides: complete(strides, 1),
    dilation: complete(dilation, 1),
    low: complete(
      padding.map(([low]) => low),
      0,
    ),
  };
}

function complete(extents: readonly number[], filler: number): Axes {
  return [...new Array<number>(3 - extents.length).fill(filler), ...extents] as [number, number, number];
}

/** A number for each axis. */
export function mapAxes(compute: (axis: 0 | 1 | 2) => number): Axes {
  return [compute(0), compute(1), compute(2)];
}

export function product([z, y, x]: Axes): number {
  return z * y * x;
}
