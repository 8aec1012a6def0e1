import { formatShape, shapesEqual } from '../array/shape.ts';
import { ShapeError } from '../errors.ts';
import type { Update } from './backend.ts';

/** @throws {ShapeError} when a variable would get a value of another shape or dtype. */
export function checkUpdates(updates: readonly Update[]): void {
  for (const [variable, value] of updates) {
    if (shapesEqual(variable.shape, value.shape) && variable.dtype === value.dtype) continue;
    throw new ShapeError(
      `Cannot compile the graph: weight "${variable.path}" is ${variable.dtype}${formatShape(variable.shape)}, ` +
        `its next value ${value.dtype}${formatShape(value.shape)}`,
    );
  }
}
