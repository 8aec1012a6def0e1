/** What the image models of `keras.applications` have in common: their options, their input, their end, their weights. */

import { formatShape, type PartialShape } from '../array/shape.ts';
import type { ModelSource } from '../io/source.ts';
import type { Activation } from '../layers/activation.ts';
import type { OptionInput } from '../layers/fields.ts';
import { input } from '../layers/input-layer.ts';
import type { KerasTensor } from '../layers/keras-tensor.ts';
import { GlobalAveragePooling2D, GlobalMaxPooling2D } from '../layers/pooling/global-pooling.ts';
import { Model } from '../model/model.ts';

/** What every function of the applications takes; names and defaults are Keras', but for `weights`. */
export interface ImageModelOptions {
  /**
   * Where the weights are: anything that `loadWeights` takes; `null` leaves the model with random ones. Keras would
   * download a file of its own unless told otherwise, so this has no default here.
   */
  readonly weights: ModelSource | null;
  /** Whether the model ends in its classifier; true unless given. */
  readonly includeTop?: boolean;
  /**
   * Height, width and channels, the first two at least 32; `null` for an extent that may vary, without the classifier
   * only. Unless given `[224, 224, 3]`, and without the classifier `[null, null, 3]`.
   */
  readonly inputShape?: PartialShape;
  /** How a model without its classifier ends: in one vector, of means or maxima, or, unless given, in a map of features. */
  readonly pooling?: 'avg' | 'max' | null;
  /** Number of classes of the classifier, 1000 unless given. */
  readonly classes?: number;
  /** Activation of the classifier, `softmax` unless given; `null` gives logits. */
  readonly classifierActivation?: OptionInput<Activation>;
  readonly name?: string;
}

/** Options that every model needs, with what they are when they are not given. */
export interface ResolvedImageOptions {
  readonly weights: ModelSource | null;
  readonly includeTop: boolean;
  readonly inputShape: PartialShape;
  readonly pooling: 'avg' | 'max' | null;
  readonly classes: number;
  readonly classifierActivation: OptionInput<Activation>;
}

const DEFAULT_EXTENT = 224;

/** Smaller images would end in maps of no extent. */
const MIN_EXTENT = 32;

/**
 * Puts the defaults in place.
 *
 * @param model how the model is called in messages
 * @throws {TypeError} when weights are asked for by a name of Keras, or not at all.
 * @throws {RangeError} when the shape of the input or the pooling will not do.
 */
export function resolveImageOptions(model: string, options: ImageModelOptions): ResolvedImageOptions {
  const { weights, includeTop = true, pooling = null, classes = 1000, classifierActivation = 'softmax' } = options;
  if (weights === undefined || weights === 'imagenet') {
    throw new TypeError(
      `Cannot create ${model}: found weights ${weights === undefined ? 'undefined' : `"${weights}"`}, expected null or a ` +
        "source, such as the path or address of Keras' file of weights; nothing is downloaded by name",
    );
  }
  if (pooling !== null && pooling !== 'avg' && pooling !== 'max') {
    throw new RangeError(`Cannot create ${model}: found pooling "${String(pooling)}", expected "avg", "max" or null`);
  }
  const extent = includeTop ? DEFAULT_EXTENT : null;
  const inputShape = options.inputShape ?? [extent, extent, 3];
  checkShape(model, inputShape, includeTop);
  return { weights, includeTop, inputShape, pooling, classes, classifierActivation };
}

/** The input of an image model, named as Keras names it: `input_layer`, `input_layer_1`, … */
export function imageInput(options: ResolvedImageOptions): KerasTensor {
  return input({ shape: options.inputShape });
}

/** The end of a model without its classifier. */
export function poolFeatures(
  features: KerasTensor,
  pooling: ResolvedImageOptions['pooling'],
  names: { readonly avg?: string; readonly max?: string } = {},
): KerasTensor {
  if (pooling === 'avg') return new GlobalAveragePooling2D(named(names.avg)).apply(features);
  if (pooling === 'max') return new GlobalMaxPooling2D(named(names.max)).apply(features);
  return features;
}

/**
 * Makes the model and loads its weights, if there are any.
 *
 * @throws {LoadError} when anything does not fit.
 */
export async function finishModel(
  inputs: KerasTensor,
  outputs: KerasTensor,
  name: string,
  weights: ModelSource | null,
): Promise<Model> {
  const model = new Model({ inputs, outputs, name });
  if (weights !== null) await model.loadWeights(weights);
  return model;
}

/** Width multiplier and height of the input, as Keras' names of the MobileNets end. */
export function sizeSuffix(alpha: number, [height]: PartialShape): string {
  return `${alpha.toFixed(2)}_${height ?? 'None'}`;
}

function checkShape(model: string, shape: PartialShape, includeTop: boolean): void {
  const fail = (expected: string): RangeError =>
    new RangeError(`Cannot create ${model}: found the input shape ${formatShape(shape)}, expected ${expected}`);
  if (shape.length !== 3) throw fail('height, width and channels');
  const extents = shape.slice(0, 2);
  if (extents.some((extent) => extent !== null && extent < MIN_EXTENT)) {
    throw fail(`a height and width of at least ${MIN_EXTENT}`);
  }
  if (includeTop && extents.includes(null)) throw fail('a known height and width, or includeTop: false');
  if (shape[2] === null) throw fail('a known number of channels');
}

function named(name: string | undefined): { readonly name?: string } {
  return name === undefined ? {} : { name };
}
