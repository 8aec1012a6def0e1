/** Shapes: lists of extents, outermost first, in row-major order. */

export type Shape = readonly number[];

/** A shape whose unknown extents, the batch above all, are `null`. */
export type PartialShape = readonly (number | null)[];

/** Number of elements; 1 for a scalar. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** Elements to step for one step along each axis. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis] as number;
  }
  return strides;
}

export function shapesEqual(a: PartialShape, b: PartialShape): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}

/** `[null, 28, 28]`, as error messages print it. */
export function formatShape(shape: PartialShape): string {
  return `[${shape.map(String).join(', ')}]`;
}

/** The axis counted from 0, for one that may count from the end. */
export function normalizeAxis(axis: number, ndim: number): number {
  const normalized = axis < 0 ? axis + ndim : axis;
  if (!Number.isInteger(axis) || normalized < 0 || normalized >= ndim) {
    throw new RangeError(`Cannot use axis ${axis}: the tensor has ${ndim} axes`);
  }
  return normalized;
}
