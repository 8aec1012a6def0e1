import { Activation } from '../layers/activations/activation.ts';
import { Conv2D } from '../layers/convolutional/conv.ts';
import { Dense } from '../layers/core/dense.ts';
import type { KerasTensor } from '../layers/keras-tensor.ts';
import { Add } from '../layers/merging/merge.ts';
import { BatchNormalization } from '../layers/normalization/batch-normalization.ts';
import { GlobalAveragePooling2D } from '../layers/pooling/global-pooling.ts';
import { MaxPooling2D } from '../layers/pooling/pooling.ts';
import { ZeroPadding2D } from '../layers/reshaping/zero-padding.ts';
import type { Model } from '../model/model.ts';
import { finishModel, type ImageModelOptions, imageInput, poolFeatures, resolveImageOptions } from './image-model.ts';

interface Stage {
  readonly name: string;
  /** Channels within a block; four times as many leave it. */
  readonly filters: number;
  readonly blocks: number;
  /** Strides of the first block; the others keep the extent. */
  readonly strides: 1 | 2;
}

const STAGES: readonly Stage[] = [
  { name: 'conv2', filters: 64, blocks: 3, strides: 1 },
  { name: 'conv3', filters: 128, blocks: 4, strides: 2 },
  { name: 'conv4', filters: 256, blocks: 6, strides: 2 },
  { name: 'conv5', filters: 512, blocks: 3, strides: 2 },
];

/** As where the weights were trained. */
const EPSILON = 1.001e-5;

/**
 * ResNet-50 (He et al. 2015, arXiv:1512.03385), as `keras.applications.ResNet50`: the same layers, names and weights.
 *
 * It takes images `[batch, height, width, 3]` that `preprocessInput` has prepared in the mode `caffe`. Keras' own files of
 * weights load; theirs are called `resnet50_weights_tf_dim_ordering_tf_kernels.h5` and `…_notop.h5`.
 *
 * ```ts
 * import { resNet50 } from 'hornet';
 *
 * const model = await resNet50({ weights: null, classes: 10, inputShape: [64, 64, 3] });
 *
 * expect(model.outputShape).toEqual([null, 10]);
 * expect(model.getLayer('conv4_block6_out').output.shape).toEqual([null, 4, 4, 1024]);
 * ```
 *
 * @throws {LoadError} when the weights are those of another model.
 */
export async function resNet50(options: ImageModelOptions): Promise<Model> {
  const resolved = resolveImageOptions('ResNet50', options);
  const { includeTop, pooling, classes, classifierActivation, weights } = resolved;
  const image = imageInput(resolved);
  let x = new ZeroPadding2D({ padding: 3, name: 'conv1_pad' }).apply(image);
  x = rectify(convolve(x, 'conv1', { filters: 64, kernelSize: 7, strides: 2 }), 'conv1_relu');
  x = new ZeroPadding2D({ padding: 1, name: 'pool1_pad' }).apply(x);
  x = new MaxPooling2D({ poolSize: 3, strides: 2, name: 'pool1_pool' }).apply(x);
  for (const { name, filters, blocks, strides } of STAGES) {
    for (let block = 1; block <= blocks; block++) {
      x = residualBlock(x, `${name}_block${block}`, filters, block === 1 ? strides : undefined);
    }
  }
  if (includeTop) {
    x = new GlobalAveragePooling2D({ name: 'avg_pool' }).apply(x);
    x = new Dense({ units: classes, activation: classifierActivation, name: 'predictions' }).apply(x);
  } else {
    x = poolFeatures(x, pooling, { avg: 'avg_pool', max: 'max_pool' });
  }
  return await finishModel(image, x, options.name ?? 'resnet50', weights);
}

/** A bottleneck of three convolutions beside a shortcut; the shortcut is a convolution where the shape changes. */
function residualBlock(x: KerasTensor, name: string, filters: number, strides: 1 | 2 | undefined): KerasTensor {
  const shortcut =
    strides === undefined ? x : convolve(x, `${name}_0`, { filters: 4 * filters, kernelSize: 1, strides });
  const narrow = convolve(x, `${name}_1`, { filters, kernelSize: 1, strides: strides ?? 1 });
  const middle = rectify(narrow, `${name}_1_relu`);
  const wide = convolve(middle, `${name}_2`, { filters, kernelSize: 3, padding: 'same' });
  const last = convolve(rectify(wide, `${name}_2_relu`), `${name}_3`, { filters: 4 * filters, kernelSize: 1 });
  return rectify(new Add({ name: `${name}_add` }).apply([shortcut, last]), `${name}_out`);
}

interface Convolution {
  readonly filters: number;
  readonly kernelSize: number;
  readonly strides?: number;
  readonly padding?: 'valid' | 'same';
}

/** A convolution, `…_conv`, and its normalization, `…_bn`. */
function convolve(x: KerasTensor, name: string, convolution: Convolution): KerasTensor {
  const convolved = new Conv2D({ ...convolution, name: `${name}_conv` }).apply(x);
  return new BatchNormalization({ axis: 3, epsilon: EPSILON, name: `${name}_bn` }).apply(convolved);
}

function rectify(x: KerasTensor, name: string): KerasTensor {
  return new Activation({ activation: 'relu', name }).apply(x);
}
