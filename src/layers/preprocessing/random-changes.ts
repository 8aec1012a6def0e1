/** What training makes of images: for each image of a batch, numbers are drawn that say how it is changed. */
import type { SymbolicTensor } from '../../graph/node.ts';
import { lessEqual, where } from '../../ops/compare.ts';
import { add, clip, cos, multiply, negative, sin, subtract } from '../../ops/elementwise.ts';
import { affineTransform, type FillMode } from '../../ops/image.ts';
import { type DrawBits, uniform } from '../../ops/random.ts';
import { mean } from '../../ops/reduce.ts';
import { concatenate, flip, reshape } from '../../ops/shape.ts';
import type { DataFormat } from '../data-format.ts';
import type { Factor } from './augmentation.ts';
import { imageAxes } from './image-layer.ts';

/** Changes float32 images as a configuration says. */
export type Change<C> = (images: SymbolicTensor, config: C & Images, draw: DrawBits) => SymbolicTensor;

interface Images {
  readonly dataFormat: DataFormat;
}

interface Filled {
  readonly fillMode: string;
  readonly interpolation: string;
  readonly fillValue: number;
}

type Range = readonly [lower: number, upper: number];

/** From −factor to factor, but not below `least`, or between two numbers. */
export function rangeOf(factor: Factor, least = -1): Range {
  if (typeof factor === 'number') return [Math.max(-Math.abs(factor), least), Math.abs(factor)];
  const [first = 0, second = first] = factor ?? [];
  return [Math.min(first, second), Math.max(first, second)];
}

/** A number for each image, as `[images, 1]`. */
export function between(images: SymbolicTensor, [lower, upper]: Range, draw: DrawBits): SymbolicTensor {
  const count = images.shape.length === 4 ? (images.shape[0] as number) : 1;
  return add(multiply(uniform([count, 1], draw), upper - lower), lower);
}

/** Numbers of images in a shape that broadcasts to them. */
export function alongImages(images: SymbolicTensor, numbers: SymbolicTensor): SymbolicTensor {
  return reshape(numbers, images.shape.length === 4 ? [-1, 1, 1, 1] : [1, 1, 1]);
}

/** Takes each pixel from where `x' = a · (x, y, 1)` and `y' = b · (x, y, 1)` say. */
function transformed(
  images: SymbolicTensor,
  { dataFormat, fillMode, interpolation, fillValue }: Images & Filled,
  coefficients: readonly SymbolicTensor[],
): SymbolicTensor {
  const zero = multiply(coefficients[0] as SymbolicTensor, 0);
  const matrix = concatenate([...coefficients, zero, zero], 1);
  const how = interpolation === 'nearest' ? 'nearest' : 'bilinear';
  return affineTransform(images, matrix, how, fillMode as FillMode, fillValue, dataFormat);
}

function extents(images: SymbolicTensor, { dataFormat }: Images): readonly [height: number, width: number] {
  const [rows, columns] = imageAxes(images.shape, dataFormat);
  return [images.shape[rows] as number, images.shape[columns] as number];
}

/** Mirrors about half of the images: in both directions at once, where the mode has both. */
export const flipImages: Change<{ readonly mode: string }> = (images, config, draw) => {
  const isFlipped = lessEqual(alongImages(images, between(images, [0, 1], draw)), 0.5);
  const [rows, columns] = imageAxes(images.shape, config.dataFormat);
  const axes = [
    ...(config.mode.includes('vertical') ? [rows] : []),
    ...(config.mode.includes('horizontal') ? [columns] : []),
  ];
  return where(isFlipped, flip(images, axes), images);
};

/** Turns by parts of a full turn around the middle. */
export const rotateImages: Change<Filled & { readonly factor: Factor }> = (images, config, draw) => {
  const angle = multiply(between(images, rangeOf(config.factor), draw), 2 * Math.PI);
  const [cosine, sine] = [cos(angle), sin(angle)];
  const [height, width] = extents(images, config);
  const [x, y] = [(width - 1) / 2, (height - 1) / 2];
  const offsetX = subtract(x, subtract(multiply(cosine, x), multiply(sine, y)));
  const offsetY = subtract(y, add(multiply(sine, x), multiply(cosine, y)));
  return transformed(images, config, [cosine, negative(sine), offsetX, sine, cosine, offsetY]);
};

/** Shows more, where the factor is above 0, or less of what is around the middle. */
export const zoomImages: Change<Filled & { readonly heightFactor: Factor; readonly widthFactor: Factor }> = (
  images,
  config,
  draw,
) => {
  const vertical = add(between(images, rangeOf(config.heightFactor), draw), 1);
  const horizontal =
    config.widthFactor === null ? vertical : add(between(images, rangeOf(config.widthFactor), draw), 1);
  const zero = multiply(vertical, 0);
  const [height, width] = extents(images, config);
  const offset = (zoom: SymbolicTensor, extent: number): SymbolicTensor =>
    multiply(subtract(1, zoom), (extent - 1) / 2);
  return transformed(images, config, [
    ...[horizontal, zero, offset(horizontal, width)],
    ...[zero, vertical, offset(vertical, height)],
  ]);
};

/** Shifts by parts of height and width. */
export const translateImages: Change<Filled & { readonly heightFactor: Factor; readonly widthFactor: Factor }> = (
  images,
  config,
  draw,
) => {
  const [height, width] = extents(images, config);
  const down = multiply(between(images, rangeOf(config.heightFactor), draw), height);
  const right = multiply(between(images, rangeOf(config.widthFactor), draw), width);
  const zero = multiply(down, 0);
  const one = add(zero, 1);
  return transformed(images, config, [one, zero, negative(right), zero, one, negative(down)]);
};

/** Shears by parts of height and width, one way or the other. */
export const shearImages: Change<Filled & { readonly xFactor: Factor; readonly yFactor: Factor }> = (
  images,
  config,
  draw,
) => {
  const sign = where(lessEqual(between(images, [0, 1], draw), 0.5), 1, -1);
  const down = multiply(between(images, rangeOf(config.yFactor), draw), sign);
  const right = multiply(between(images, rangeOf(config.xFactor), draw), sign);
  const zero = multiply(down, 0);
  const one = add(zero, 1);
  return transformed(images, config, [one, right, zero, down, one, zero]);
};

/** The options of a change of values. */
export interface Valued {
  readonly factor: Factor;
  readonly valueRange: readonly number[];
}

/** Adds parts of the range of values. */
export const brightenImages: Change<Valued> = (images, { factor, valueRange }, draw) => {
  const [least, greatest] = rangeOf(valueRange);
  const change = multiply(between(images, rangeOf(factor), draw), greatest - least);
  return clip(add(images, alongImages(images, change)), least, greatest);
};

/** Moves values away from, or towards, the mean of their channel. A single factor adds contrast only, as in Keras 3. */
export const contrastImages: Change<Valued> = (images, config, draw) => {
  const [lower, upper] = rangeOf(config.factor, 0);
  const factor = alongImages(images, between(images, [1 - lower, 1 + upper], draw));
  const middle = mean(images, imageAxes(images.shape, config.dataFormat), true);
  const [least = 0, greatest = 255] = config.valueRange;
  return clip(add(multiply(subtract(images, middle), factor), middle), least, greatest);
};
