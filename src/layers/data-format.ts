/** Where channels stand: a field, and what layers ask of it. */
import { formatShape, type PartialShape } from '../array/shape.ts';
import { ShapeError } from '../errors.ts';
import type { DataFormat } from '../ops/convolution.ts';
import { anything, type Field } from './fields.ts';

export type { DataFormat } from '../ops/convolution.ts';

/** The field `dataFormat`; `null`, which old files have, is Keras' default `channels_last`. */
export function dataFormat(): Field<DataFormat> {
  const field = anything<DataFormat>(
    '"channels_last" or "channels_first"',
    (value) => value === 'channels_last' || value === 'channels_first',
    'channels_last',
  );
  return { ...field, parse: (value) => (value === null ? 'channels_last' : field.parse(value)) };
}

/** Number of channels of `[batch, …]`; NaN when it is not known. */
export function channelsOf(shape: PartialShape | undefined, format: DataFormat): number {
  return shape?.at(format === 'channels_last' ? -1 : 1) ?? Number.NaN;
}

/** The axes that are neither batch nor channels. */
export function spatialAxes(ndim: number, format: DataFormat): number[] {
  const first = format === 'channels_last' ? 1 : 2;
  return Array.from({ length: ndim - 2 }, (_, index) => first + index);
}

/**
 * The spatial axes of the input of a layer that works on `rank` of them.
 *
 * @throws {ShapeError} when the input has others.
 */
export function spatialAxesOf(layer: string, shape: PartialShape, rank: number, format: DataFormat): number[] {
  checkRank(layer, shape, rank + 2);
  return spatialAxes(shape.length, format);
}

/** @throws {ShapeError} when the input of a layer has not `ndim` axes. */
export function checkRank(layer: string, shape: PartialShape, ndim: number): void {
  if (shape.length === ndim) return;
  throw new ShapeError(
    `Cannot apply layer "${layer}": found an input of shape ${formatShape(shape)}, expected ${ndim} axes`,
  );
}
