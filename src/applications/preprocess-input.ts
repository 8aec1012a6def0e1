import { formatShape } from '../array/shape.ts';
import { Tensor } from '../array/tensor.ts';

/**
 * What the weights of a model expect of pixels from 0 to 255:
 * - `tf`, the MobileNets: scaled to −1 … 1;
 * - `caffe`, ResNet50: blue, green and red in this order, each less its mean over ImageNet;
 * - `torch`: scaled to 0 … 1, then each channel to mean 0 and deviation 1 over ImageNet.
 */
export type PreprocessMode = 'tf' | 'caffe' | 'torch';

export interface PreprocessInputOptions {
  /** Has no default: the wrong one makes a model guess badly, and nothing else would show it. */
  readonly mode: PreprocessMode;
  /** `channels_last` unless given. */
  readonly dataFormat?: 'channels_last' | 'channels_first';
}

/** `(pixels[source] · scale − mean) / deviation` for each channel. */
interface Recipe {
  /** Which channel of the image becomes this one. */
  readonly source: readonly [number, number, number];
  readonly divisor: number;
  readonly mean: readonly [number, number, number];
  readonly deviation: readonly [number, number, number];
}

const RECIPES: Readonly<Record<Exclude<PreprocessMode, 'tf'>, Recipe>> = {
  caffe: { source: [2, 1, 0], divisor: 1, mean: [103.939, 116.779, 123.68], deviation: [1, 1, 1] },
  torch: { source: [0, 1, 2], divisor: 255, mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] },
};

/**
 * Prepares images for a model of the applications, as Keras' `preprocess_input` does. What is given is left as it is.
 *
 * Images are one, `[height, width, channels]`, or many, `[batch, height, width, channels]`, with pixels from 0 to 255;
 * the result has their shape and is float32. Inside a model, a `Rescaling` layer with `scale: 1 / 127.5, offset: -1` does
 * what the mode `tf` does.
 *
 * ```ts
 * import { preprocessInput, tensor } from 'hornet';
 *
 * const image = tensor([[[0, 127.5, 255]]]);
 *
 * expect(preprocessInput(image, { mode: 'tf' }).toArray()).toEqual([[[-1, 0, 1]]]);
 * ```
 *
 * @throws {RangeError} when the mode is unknown, or the images have other axes or, but for `tf`, other than 3 channels.
 */
export function preprocessInput(images: Tensor, { mode, dataFormat }: PreprocessInputOptions): Tensor<'float32'> {
  const { shape } = images;
  if (images.dtype === 'string' || (shape.length !== 3 && shape.length !== 4)) {
    throw new RangeError(
      `Cannot preprocess images: found ${images.dtype}${formatShape(shape)}, expected numbers with 3 or 4 axes`,
    );
  }
  const pixels = Float32Array.from(images.data as ArrayLike<number>);
  if (mode === 'tf') {
    for (let index = 0; index < pixels.length; index++) {
      pixels[index] = Math.fround((pixels[index] as number) / 127.5) - 1;
    }
    return new Tensor(shape, 'float32', pixels);
  }
  const recipe = Object.hasOwn(RECIPES, mode) ? RECIPES[mode] : undefined;
  if (recipe === undefined) {
    throw new RangeError(`Cannot preprocess images: found the mode "${mode}", expected "tf", "caffe" or "torch"`);
  }
  const axis = dataFormat === 'channels_first' ? shape.length - 3 : shape.length - 1;
  if (shape[axis] !== 3) {
    throw new RangeError(
      `Cannot preprocess images of shape ${formatShape(shape)}: found ${shape[axis]} channels along axis ${axis}, expected 3`,
    );
  }
  const stride = shape.slice(axis + 1).reduce((product, extent) => product * extent, 1);
  return new Tensor(shape, 'float32', applyRecipe(pixels, recipe, stride));
}

/** `stride` is the distance between the channels of a pixel. Each step is rounded to float32, as Keras does it. */
function applyRecipe(pixels: Float32Array, recipe: Recipe, stride: number): Float32Array<ArrayBuffer> {
  const result = new Float32Array(pixels.length);
  const mean = Float32Array.from(recipe.mean);
  const deviation = Float32Array.from(recipe.deviation);
  for (let index = 0; index < pixels.length; index++) {
    const channel = Math.trunc(index / stride) % 3;
    const source = index + ((recipe.source[channel] as number) - channel) * stride;
    const scaled = Math.fround((pixels[source] as number) / recipe.divisor);
    result[index] = Math.fround(scaled - (mean[channel] as number)) / (deviation[channel] as number);
  }
  return result;
}
