/** What all layers with sliding windows share: fields, the bias of each channel, and the check that a window fits. */
import { formatShape, type Shape } from '../../array/shape.ts';
import { ShapeError } from '../../errors.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import type { Padding } from '../../ops/convolution.ts';
import { reshape } from '../../ops/shape.ts';
import { channelsOf, type DataFormat } from '../data-format.ts';
import { anything, extents, type Field } from '../fields.ts';

/** The field `padding`, in any case, as Keras 2 took it. */
export function padding<P extends Padding>(names: readonly P[]): Field<P> {
  const parse = (value: unknown): P | undefined =>
    typeof value === 'string' ? names.find((name) => name === value.toLowerCase()) : undefined;
  const expected = names.map((name) => `"${name}"`).join(' or ');
  return { ...anything<P>(expected, () => true, 'valid' as P), parse };
}

/** One extent above 0 for each of `rank` spatial axes; a single number stands for all. */
export function windowExtents(rank: number, ...fallback: [number] | []): Field<readonly number[]> {
  const field = extents(rank, ...fallback);
  const parse = (value: unknown): readonly number[] | undefined =>
    field.parse(value)?.every((extent) => extent > 0) ? field.parse(value) : undefined;
  return { ...field, expected: `${rank} integers above 0, or one for all`, parse };
}

/** A bias of one number for each channel, in a shape that broadcasts along them. */
export function channelBias(bias: SymbolicTensor, ndim: number, format: DataFormat): SymbolicTensor {
  const count = bias.shape[0] as number;
  const ones = new Array<number>(ndim - 2).fill(1);
  return reshape(bias, format === 'channels_last' ? [1, ...ones, count] : [1, count, ...ones]);
}

/** @throws {ShapeError} when the output has no elements though the input has some: the window does not fit. */
export function checkWindowFits(layer: string, input: Shape, output: Shape): void {
  if (!output.includes(0) || input.includes(0)) return;
  throw new ShapeError(
    `Cannot apply layer "${layer}": found an input of shape ${formatShape(input)}, which is smaller than the window`,
  );
}

/** @throws {ShapeError} when a layer that was built for other channels gets this input. */
export function checkChannels(layer: string, shape: Shape, expected: number, format: DataFormat): void {
  if (channelsOf(shape, format) === expected) return;
  throw new ShapeError(
    `Cannot apply layer "${layer}": found an input of shape ${formatShape(shape)}, ` +
      `expected ${expected} channels, for which it was built`,
  );
}
