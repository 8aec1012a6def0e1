import { Activation } from '../layers/activations/activation.ts';
import { ReLU } from '../layers/activations/rectifiers.ts';
import { Conv2D } from '../layers/convolutional/conv.ts';
import { DepthwiseConv2D } from '../layers/convolutional/depthwise-conv.ts';
import type { KerasTensor } from '../layers/keras-tensor.ts';
import { BatchNormalization } from '../layers/normalization/batch-normalization.ts';
import { GlobalAveragePooling2D } from '../layers/pooling/global-pooling.ts';
import { Dropout } from '../layers/regularization/dropout.ts';
import { Reshape } from '../layers/reshaping/reshape.ts';
import { ZeroPadding2D } from '../layers/reshaping/zero-padding.ts';
import type { Model } from '../model/model.ts';
import {
  finishModel,
  type ImageModelOptions,
  imageInput,
  poolFeatures,
  resolveImageOptions,
  sizeSuffix,
} from './image-model.ts';

export interface MobileNetOptions extends ImageModelOptions {
  /** Factor of the number of filters of every layer, 1 unless given. Keras has files for 0.25, 0.5, 0.75 and 1. */
  readonly alpha?: number;
  /** Number of depthwise filters for each channel, 1 unless given. */
  readonly depthMultiplier?: number;
  /** Rate of the dropout before the classifier, 0.001 unless given. */
  readonly dropout?: number;
}

/** Filters, before the width multiplier, and strides of the blocks 1, 2, … */
const BLOCKS: readonly (readonly [filters: number, strides: 1 | 2])[] = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [1024, 2],
  [1024, 1],
];

/**
 * MobileNet (Howard et al. 2017, arXiv:1704.04861), as `keras.applications.MobileNet`: the same layers, names and weights.
 *
 * It takes images `[batch, height, width, 3]` that `preprocessInput` has brought to −1 … 1 in the mode `tf`. Keras' own
 * files of weights load; theirs are called `mobilenet_1_0_224_tf.h5`, by alpha and size of the input, and
 * `mobilenet_1_0_224_tf_no_top.h5`.
 *
 * ```ts
 * import { mobileNet } from 'hornet';
 *
 * const features = await mobileNet({ weights: null, includeTop: false, pooling: 'avg', alpha: 0.25 });
 *
 * expect(features.outputShape).toEqual([null, 256]);
 * expect(features.name).toBe('mobilenet_0.25_None');
 * ```
 *
 * @throws {LoadError} when the weights are those of another model.
 */
export async function mobileNet(options: MobileNetOptions): Promise<Model> {
  const resolved = resolveImageOptions('MobileNet', options);
  const { includeTop, inputShape, pooling, classes, classifierActivation, weights } = resolved;
  const { alpha = 1, depthMultiplier = 1, dropout = 1e-3 } = options;
  const image = imageInput(resolved);
  let x = new Conv2D({
    filters: Math.trunc(32 * alpha),
    kernelSize: 3,
    strides: 2,
    padding: 'same',
    useBias: false,
    name: 'conv1',
  }).apply(image);
  x = normalize(x, 'conv1');
  for (const [index, [filters, strides]] of BLOCKS.entries()) {
    x = separableBlock(x, { filters: Math.trunc(filters * alpha), strides, depthMultiplier, number: index + 1 });
  }
  if (includeTop) {
    x = new GlobalAveragePooling2D({ keepdims: true }).apply(x);
    x = new Dropout({ rate: dropout, name: 'dropout' }).apply(x);
    x = new Conv2D({ filters: classes, kernelSize: 1, padding: 'same', name: 'conv_preds' }).apply(x);
    x = new Reshape({ targetShape: [classes], name: 'reshape_2' }).apply(x);
    x = new Activation({ activation: classifierActivation, name: 'predictions' }).apply(x);
  } else {
    x = poolFeatures(x, pooling);
  }
  return await finishModel(image, x, options.name ?? `mobilenet_${sizeSuffix(alpha, inputShape)}`, weights);
}

interface SeparableBlock {
  readonly filters: number;
  readonly strides: 1 | 2;
  readonly depthMultiplier: number;
  readonly number: number;
}

/** A convolution of each channel, then one that mixes the channels. */
function separableBlock(x: KerasTensor, { filters, strides, depthMultiplier, number }: SeparableBlock): KerasTensor {
  // With a stride, `same` would pad by the extent of the image; the weights were trained with zeros below and right.
  const padded =
    strides === 1
      ? x
      : new ZeroPadding2D({
          padding: [
            [0, 1],
            [0, 1],
          ],
          name: `conv_pad_${number}`,
        }).apply(x);
  const depthwise = new DepthwiseConv2D({
    kernelSize: 3,
    strides,
    padding: strides === 1 ? 'same' : 'valid',
    depthMultiplier,
    useBias: false,
    name: `conv_dw_${number}`,
  }).apply(padded);
  const pointwise = new Conv2D({ filters, kernelSize: 1, padding: 'same', useBias: false, name: `conv_pw_${number}` });
  return normalize(pointwise.apply(normalize(depthwise, `conv_dw_${number}`)), `conv_pw_${number}`);
}

function normalize(x: KerasTensor, name: string): KerasTensor {
  const normalized = new BatchNormalization({ name: `${name}_bn` }).apply(x);
  return new ReLU({ maxValue: 6, name: `${name}_relu` }).apply(normalized);
}
