/** Convolutions by plain loops over one spatial index at a time: what the kernels are compared with. */
import { type Shape, sizeOf } from '../../src/array/shape.ts';
import type { WindowAttributes } from '../../src/graph/primitives.ts';
import { windowPositions } from '../../src/graph/window.ts';

/** The shape of `[batch, …positions, channels]`. */
export function outputShape(
  x: Shape,
  window: readonly number[],
  { strides, padding, dilation }: WindowAttributes,
  channels: number,
): number[] {
  const positions = window.map((extent, axis) =>
    windowPositions(
      x[axis + 1] as number,
      extent,
      strides[axis] as number,
      padding[axis] ?? [0, 0],
      dilation[axis] as number,
    ),
  );
  return [x[0] as number, ...positions, channels];
}

/** Visits each pair of an output position and a tap that lies in the input: flat positions without channels. */
export function forEachPlace(
  x: Shape,
  window: readonly number[],
  y: Shape,
  { strides, padding, dilation }: WindowAttributes,
  visit: (input: number, tap: number, output: number) => void,
): void {
  const spatial = window.length;
  const outputs = sizeOf(y.slice(0, -1));
  for (let output = 0; output < outputs; output++) {
    const outputIndex = unravel(output, y.slice(0, -1));
    for (let tap = 0; tap < sizeOf(window); tap++) {
      const tapIndex = unravel(tap, window);
      let input = outputIndex[0] as number;
      let inside = true;
      for (let axis = 0; axis < spatial; axis++) {
        const [low] = padding[axis] as readonly [number, number];
        const start = (outputIndex[axis + 1] as number) * (strides[axis] as number) - low;
        const at = start + (tapIndex[axis] as number) * (dilation[axis] as number);
        inside &&= at >= 0 && at < (x[axis + 1] as number);
        input = input * (x[axis + 1] as number) + at;
      }
      if (inside) visit(input, tap, output);
    }
  }
}

/** Visits each product of a convolution: offsets into x, the kernel and y. */
export function forEachProduct(
  x: Shape,
  kernel: Shape,
  y: Shape,
  attributes: WindowAttributes & { readonly groups: number },
  visit: (x: number, kernel: number, y: number) => void,
): void {
  const [inputs, outputs] = [x.at(-1) as number, y.at(-1) as number];
  const [depth, columns] = [inputs / attributes.groups, outputs / attributes.groups];
  forEachPlace(x, kernel.slice(0, -2), y, attributes, (input, tap, output) => {
    for (let column = 0; column < outputs; column++) {
      const group = Math.floor(column / columns);
      for (let step = 0; step < depth; step++) {
        const channel = group * depth + step;
        visit(input * inputs + channel, (tap * depth + step) * outputs + column, output * outputs + column);
      }
    }
  });
}

function unravel(flat: number, shape: readonly number[]): number[] {
  let rest = flat;
  return shape
    .toReversed()
    .map((extent) => {
      const index = rest % extent;
      rest = Math.floor(rest / extent);
      return index;
    })
    .toReversed();
}
