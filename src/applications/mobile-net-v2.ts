import { ReLU } from '../layers/activations/rectifiers.ts';
import { Conv2D } from '../layers/convolutional/conv.ts';
import { DepthwiseConv2D } from '../layers/convolutional/depthwise-conv.ts';
import { Dense } from '../layers/core/dense.ts';
import type { KerasTensor } from '../layers/keras-tensor.ts';
import { Add } from '../layers/merging/merge.ts';
import { BatchNormalization } from '../layers/normalization/batch-normalization.ts';
import { GlobalAveragePooling2D } from '../layers/pooling/global-pooling.ts';
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

export interface MobileNetV2Options extends ImageModelOptions {
  /** Factor of the number of filters, 1 unless given. Keras has files for 0.35, 0.5, 0.75, 1, 1.3 and 1.4. */
  readonly alpha?: number;
}

interface Stage {
  /** Filters before the width multiplier. */
  readonly filters: number;
  /** Strides of the first block; the others keep the extent. */
  readonly strides: 1 | 2;
  readonly blocks: number;
}

/** The stages after the first block; all expand their channels sixfold. */
const STAGES: readonly Stage[] = [
  { filters: 24, strides: 2, blocks: 2 },
  { filters: 32, strides: 2, blocks: 3 },
  { filters: 64, strides: 2, blocks: 4 },
  { filters: 96, strides: 1, blocks: 3 },
  { filters: 160, strides: 2, blocks: 3 },
  { filters: 320, strides: 1, blocks: 1 },
];
const EXPANSION = 6;

/**
 * MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381), as `keras.applications.MobileNetV2`: the same layers, names and
 * weights.
 *
 * It takes images `[batch, height, width, 3]` that `preprocessInput` has brought to −1 … 1 in the mode `tf`. Keras' own
 * files of weights load; theirs are called `mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5`, by alpha and
 * size of the input, and `…_no_top.h5`.
 *
 * ```ts
 * import { Dense, Model, mobileNetV2 } from 'hornet';
 *
 * const base = await mobileNetV2({ weights: null, includeTop: false, pooling: 'avg', inputShape: [96, 96, 3], alpha: 0.35 });
 * const classifier = new Dense({ units: 3, activation: 'softmax' });
 * const model = new Model({ inputs: base.inputs, outputs: classifier.apply(base.output) });
 *
 * expect(base.outputShape).toEqual([null, 1280]);
 * expect(model.weights.length).toBe(base.weights.length + 2);
 * ```
 *
 * @throws {LoadError} when the weights are those of another model.
 */
export async function mobileNetV2(options: MobileNetV2Options): Promise<Model> {
  const resolved = resolveImageOptions('MobileNetV2', options);
  const { includeTop, inputShape, pooling, classes, classifierActivation, weights } = resolved;
  const { alpha = 1 } = options;
  const image = imageInput(resolved);
  let x = new Conv2D({
    filters: roundFilters(32 * alpha),
    kernelSize: 3,
    strides: 2,
    padding: 'same',
    useBias: false,
    name: 'Conv1',
  }).apply(image);
  x = rectify(normalize(x, 'bn_Conv1'), 'Conv1_relu');
  x = depthwiseBlock(x, x, { filters: blockFilters(16, alpha), strides: 1, prefix: 'expanded_conv_' });
  let number = 0;
  for (const { filters, strides, blocks } of STAGES) {
    for (let block = 0; block < blocks; block++) {
      x = expandedBlock(x, {
        filters: blockFilters(filters, alpha),
        strides: block === 0 ? strides : 1,
        prefix: `block_${++number}_`,
      });
    }
  }
  // The features are not made fewer than 1280, only more.
  const features = alpha > 1 ? roundFilters(1280 * alpha) : 1280;
  x = new Conv2D({ filters: features, kernelSize: 1, useBias: false, name: 'Conv_1' }).apply(x);
  x = rectify(normalize(x, 'Conv_1_bn'), 'out_relu');
  if (includeTop) {
    x = new GlobalAveragePooling2D().apply(x);
    x = new Dense({ units: classes, activation: classifierActivation, name: 'predictions' }).apply(x);
  } else {
    x = poolFeatures(x, pooling);
  }
  return await finishModel(image, x, options.name ?? `mobilenetv2_${sizeSuffix(alpha, inputShape)}`, weights);
}

interface Block {
  readonly filters: number;
  readonly strides: 1 | 2;
  readonly prefix: string;
}

/** An inverted residual: more channels, a convolution of each, fewer channels. */
function expandedBlock(x: KerasTensor, block: Block): KerasTensor {
  const expanded = pointwise(x, EXPANSION * channelsOf(x), `${block.prefix}expand`);
  return depthwiseBlock(x, rectify(expanded, `${block.prefix}expand_relu`), block);
}

function depthwiseBlock(x: KerasTensor, expanded: KerasTensor, { filters, strides, prefix }: Block): KerasTensor {
  const padded =
    strides === 1
      ? expanded
      : new ZeroPadding2D({ padding: stridedPadding(expanded), name: `${prefix}pad` }).apply(expanded);
  const depthwise = new DepthwiseConv2D({
    kernelSize: 3,
    strides,
    padding: strides === 1 ? 'same' : 'valid',
    useBias: false,
    name: `${prefix}depthwise`,
  }).apply(padded);
  const filtered = rectify(normalize(depthwise, `${prefix}depthwise_BN`), `${prefix}depthwise_relu`);
  const projected = pointwise(filtered, filters, `${prefix}project`);
  if (strides !== 1 || channelsOf(x) !== filters) return projected;
  return new Add({ name: `${prefix}add` }).apply([x, projected]);
}

function pointwise(x: KerasTensor, filters: number, name: string): KerasTensor {
  const mixed = new Conv2D({ filters, kernelSize: 1, padding: 'same', useBias: false, name }).apply(x);
  return normalize(mixed, `${name}_BN`);
}

function normalize(x: KerasTensor, name: string): KerasTensor {
  return new BatchNormalization({ epsilon: 1e-3, momentum: 0.999, name }).apply(x);
}

function rectify(x: KerasTensor, name: string): KerasTensor {
  return new ReLU({ maxValue: 6, name }).apply(x);
}

/** Zeros that let the strided window of 3 fall on the same pixels as where the weights were trained. */
function stridedPadding({ shape }: KerasTensor): readonly (readonly [number, number])[] {
  const [, height = null, width = null] = shape;
  // Keras decides by the height alone whether the extents are known.
  const isOdd = (extent: number | null): number => (height === null ? 0 : (extent ?? 0) % 2);
  return [
    [isOdd(height), 1],
    [isOdd(width), 1],
  ];
}

function channelsOf({ shape }: KerasTensor): number {
  return shape.at(-1) as number;
}

function blockFilters(filters: number, alpha: number): number {
  return roundFilters(Math.trunc(filters * alpha));
}

/** The nearest multiple of 8, which is no less than 8 and no less than nine tenths of the number. */
function roundFilters(filters: number): number {
  const rounded = Math.max(8, Math.trunc((filters + 4) / 8) * 8);
  return rounded < 0.9 * filters ? rounded + 8 : rounded;
}
