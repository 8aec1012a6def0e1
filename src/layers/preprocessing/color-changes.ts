/** What training makes of the colours of images: for each image of a batch, numbers are drawn that say how. */

import { tensor } from '../../array/tensor.ts';
import { constant } from '../../graph/apply.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { greater, less, where } from '../../ops/compare.ts';
import { depthwiseConv } from '../../ops/convolution.ts';
import { add, clip, divide, floor, multiply, power, subtract } from '../../ops/elementwise.ts';
import { hsvToRgb, rgbToGrayscale, rgbToHsv } from '../../ops/image.ts';
import { reshape, stack, swapaxes, unstack } from '../../ops/shape.ts';
import type { Factor } from './augmentation.ts';
import {
  alongImages,
  between,
  brightenImages,
  type Change,
  contrastImages,
  rangeOf,
  type Valued,
} from './random-changes.ts';

/** What Keras adds to a divisor. */
const EPSILON = 1e-7;

type Values = readonly number[];

/** Values of one range as those of another. */
function inRange(
  images: SymbolicTensor,
  [from = 0, to = 255]: Values,
  [least = 0, greatest = 255]: Values,
): SymbolicTensor {
  if (from === least && to === greatest) return images;
  return add(multiply(divide(subtract(images, from), to - from), greatest - least), least);
}

/** Makes some images grey. */
export const greyImages: Change<{ readonly factor: Factor }> = (images, { factor, dataFormat }, draw) => {
  const isGrey = less(alongImages(images, between(images, [0, 1], draw)), Number(factor));
  return where(isGrey, rgbToGrayscale(images, dataFormat), images);
};

/** Takes part of the colour away. */
export const degenerateColors: Change<Valued> = (images, { factor, valueRange, dataFormat }, draw) => {
  const part = alongImages(images, between(images, rangeOf(factor), draw));
  const grey = rgbToGrayscale(images, dataFormat);
  return clip(add(images, multiply(part, subtract(grey, images))), ...rangeOf(valueRange));
};

/** Inverts some images: how many is drawn for each, too. */
export const invertImages: Change<Valued> = (images, { factor, valueRange }, draw) => {
  const chance = between(images, rangeOf(factor, 0), draw);
  const isInverted = alongImages(images, less(between(images, [0, 1], draw), chance));
  return where(isInverted, subtract(valueRange[1] ?? 255, images), images);
};

/** Keeps the highest bits of each value. */
export const posterizeImages: Change<Valued> = (images, { factor, valueRange }, draw) => {
  const bits = floor(between(images, rangeOf(factor, 1), draw));
  const step = alongImages(images, power(2, subtract(8, bits)));
  const bytes = floor(inRange(images, valueRange, [0, 255]));
  return inRange(multiply(floor(divide(bytes, step)), step), [0, 255], valueRange);
};

/** Moves values away from, or towards, those of a smoothed image. */
export const sharpenImages: Change<Valued> = (images, { factor, valueRange, dataFormat }, draw) => {
  const strength = multiply(alongImages(images, between(images, rangeOf(factor, 0), draw)), 2);
  const last = dataFormat === 'channels_first' ? swapaxes(images, -3, -1) : images;
  const batch = last.shape.length === 4 ? last : reshape(last, [1, ...last.shape]);
  const channels = batch.shape[3] as number;
  const weights = Array.from({ length: 9 * channels }, (_, index) => (Math.floor(index / channels) === 4 ? 5 : 1) / 13);
  const kernel = constant(tensor(weights, [3, 3, channels, 1]));
  const smooth = reshape(depthwiseConv(batch, kernel, { padding: 'same' }), last.shape);
  const sharp = clip(add(last, multiply(subtract(1, strength), subtract(smooth, last))), ...rangeOf(valueRange));
  return dataFormat === 'channels_first' ? swapaxes(sharp, -3, -1) : sharp;
};

/** Hue, saturation and value of images as training changes them. */
function throughHsv(
  images: SymbolicTensor,
  dataFormat: 'channels_first' | 'channels_last',
  change: (planes: readonly SymbolicTensor[]) => readonly SymbolicTensor[],
): SymbolicTensor {
  const axis = dataFormat === 'channels_first' ? -3 : -1;
  return hsvToRgb(stack(change(unstack(rgbToHsv(images, dataFormat), axis)), axis), dataFormat);
}

/** A number for each image, for one plane of it. */
const alongPlanes = (images: SymbolicTensor, numbers: SymbolicTensor): SymbolicTensor =>
  reshape(numbers, images.shape.length === 4 ? [-1, 1, 1] : [1, 1]);

/** Turns colours one way or the other. */
export const turnHues: Change<Valued> = (images, { factor, valueRange, dataFormat }, draw) => {
  const sign = where(greater(between(images, [0, 1], draw), 0.5), -0.5, 0.5);
  const turn = alongPlanes(images, multiply(sign, between(images, rangeOf(factor, 0), draw)));
  const turned = throughHsv(inRange(images, valueRange, [0, 1]), dataFormat, ([hue, ...rest]) => {
    const moved = add(hue as SymbolicTensor, turn);
    const below = where(greater(moved, 1), subtract(moved, 1), moved);
    return [where(less(below, 0), add(below, 1), below), ...rest];
  });
  return inRange(clip(turned, 0, 1), [0, 1], valueRange);
};

/** Multiplies the saturation: a factor below 0.5 takes some away. */
export const saturateImages: Change<Valued> = (images, { factor, valueRange, dataFormat }, draw) => {
  const drawn = between(images, rangeOf(factor), draw);
  const times = alongPlanes(images, divide(drawn, add(subtract(1, drawn), EPSILON)));
  return throughHsv(images, dataFormat, ([hue, saturation, value]) => [
    hue as SymbolicTensor,
    clip(multiply(saturation as SymbolicTensor, times), ...rangeOf(valueRange)),
    value as SymbolicTensor,
  ]);
};

interface Jitter {
  readonly valueRange: Values;
  readonly brightnessFactor: Factor;
  readonly contrastFactor: Factor;
  readonly saturationFactor: Factor;
  readonly hueFactor: Factor;
}

/** Changes brightness, contrast, saturation and hue, one after the other, as far as they have a factor. */
export const jitterColors: Change<Jitter> = (images, config, draw) => {
  const changes: readonly (readonly [Factor, Change<Valued>])[] = [
    [config.brightnessFactor, brightenImages],
    [config.contrastFactor, contrastImages],
    [config.saturationFactor, saturateImages],
    [config.hueFactor, turnHues],
  ];
  return changes.reduce(
    (current, [factor, change]) => (factor === null ? current : change(current, { ...config, factor }, draw)),
    images,
  );
};

interface Solarized {
  readonly valueRange: Values;
  readonly additionFactor: Factor;
  readonly thresholdFactor: Factor;
}

/** Adds to the values and inverts those that reach a threshold. */
export const solarizeImages: Change<Solarized> = (images, { valueRange, additionFactor, thresholdFactor }, draw) => {
  const drawn = (factor: Factor): SymbolicTensor => {
    const [lower, upper] = rangeOf(typeof factor === 'number' ? [0, factor] : factor);
    // The lower end is not scaled, as in Keras.
    return alongImages(images, between(images, [lower, upper * 255], draw));
  };
  const [addition, threshold] = [drawn(additionFactor), drawn(thresholdFactor)];
  const sum = clip(add(inRange(images, valueRange, [0, 255]), addition), 0, 255);
  return inRange(where(less(sum, threshold), sum, subtract(255, sum)), [0, 255], valueRange);
};
