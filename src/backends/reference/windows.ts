import type { Shape } from '../../array/shape.ts';
import type { PaddingPair, WindowAttributes } from '../../graph/primitives.ts';

/**
 * Visits each pair of an output position and a window element (a tap) that lies in the input.
 *
 * Positions are numbered over batch and spatial axes in row-major order, so that channel `c` of one lies at
 * `position · channels + c`; taps are numbered over the window. Outputs come in order, and the taps of each in order.
 */
export function forEachTap(
  inputShape: Shape,
  outputShape: Shape,
  window: readonly number[],
  attributes: WindowAttributes,
  visit: (input: number, tap: number, output: number) => void,
): void {
  // Fewer than three spatial axes are completed by axes of extent 1, which change nothing.
  const missing = 3 - window.length;
  const complete = <T>(list: readonly T[], filler: T): T[] => [...new Array<T>(missing).fill(filler), ...list];
  const [inDepth, inHeight, inWidth] = complete(inputShape.slice(1, -1), 1) as [number, number, number];
  const [outDepth, outHeight, outWidth] = complete(outputShape.slice(1, -1), 1) as [number, number, number];
  const [depth, height, width] = complete(window, 1) as [number, number, number];
  const [strideZ, strideY, strideX] = complete(attributes.strides, 1) as [number, number, number];
  const [stepZ, stepY, stepX] = complete(attributes.dilation, 1) as [number, number, number];
  const [[frontPad], [topPad], [leftPad]] = complete<PaddingPair>(attributes.padding, [0, 0]) as [
    PaddingPair,
    PaddingPair,
    PaddingPair,
  ];
  let output = 0;
  for (let batch = 0; batch < (inputShape[0] as number); batch++) {
    for (let outZ = 0; outZ < outDepth; outZ++) {
      for (let outY = 0; outY < outHeight; outY++) {
        for (let outX = 0; outX < outWidth; outX++, output++) {
          for (let tap = 0; tap < depth * height * width; tap++) {
            const inZ = outZ * strideZ - frontPad + Math.floor(tap / (height * width)) * stepZ;
            const inY = outY * strideY - topPad + (Math.floor(tap / width) % height) * stepY;
            const inX = outX * strideX - leftPad + (tap % width) * stepX;
            const inside = inZ >= 0 && inZ < inDepth && inY >= 0 && inY < inHeight && inX >= 0 && inX < inWidth;
            if (inside) visit(((batch * inDepth + inZ) * inHeight + inY) * inWidth + inX, tap, output);
          }
        }
      }
    }
  }
}
