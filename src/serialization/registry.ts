/**
 * Every layer class that a file may name. The common ones come with the loader; the others are loaded when
 * a file names them.
 */
import { Activation } from '../layers/activations/activation.ts';
import { ELU, LeakyReLU, ReLU, ThresholdedReLU } from '../layers/activations/rectifiers.ts';
import { Softmax } from '../layers/activations/softmax.ts';
import { Conv1D, Conv2D, Conv3D } from '../layers/convolutional/conv.ts';
import { DepthwiseConv1D, DepthwiseConv2D } from '../layers/convolutional/depthwise-conv.ts';
import { Dense } from '../layers/core/dense.ts';
import { Identity } from '../layers/core/identity.ts';
import { InputLayer } from '../layers/input-layer.ts';
import { Concatenate } from '../layers/merging/concatenate.ts';
import { Add, Average, Maximum, Minimum, Multiply, Subtract } from '../layers/merging/merge.ts';
import { BatchNormalization } from '../layers/normalization/batch-normalization.ts';
import {
  GlobalAveragePooling1D,
  GlobalAveragePooling2D,
  GlobalAveragePooling3D,
  GlobalMaxPooling1D,
  GlobalMaxPooling2D,
  GlobalMaxPooling3D,
} from '../layers/pooling/global-pooling.ts';
import {
  AveragePooling1D,
  AveragePooling2D,
  AveragePooling3D,
  MaxPooling1D,
  MaxPooling2D,
  MaxPooling3D,
} from '../layers/pooling/pooling.ts';
import { Dropout } from '../layers/regularization/dropout.ts';
import { Flatten, Permute, RepeatVector, Reshape } from '../layers/reshaping/reshape.ts';
import type { LayerClass } from './custom-objects.ts';

const COMMON: readonly LayerClass[] = [
  Activation,
  ReLU,
  LeakyReLU,
  ELU,
  ThresholdedReLU,
  Softmax,
  Conv1D,
  Conv2D,
  Conv3D,
  DepthwiseConv1D,
  DepthwiseConv2D,
  Dense,
  Identity,
  InputLayer,
  Concatenate,
  Add,
  Subtract,
  Multiply,
  Average,
  Maximum,
  Minimum,
  BatchNormalization,
  GlobalAveragePooling1D,
  GlobalAveragePooling2D,
  GlobalAveragePooling3D,
  GlobalMaxPooling1D,
  GlobalMaxPooling2D,
  GlobalMaxPooling3D,
  MaxPooling1D,
  AveragePooling1D,
  MaxPooling2D,
  AveragePooling2D,
  MaxPooling3D,
  AveragePooling3D,
  Dropout,
  Flatten,
  Reshape,
  Permute,
  RepeatVector,
];

/** Modules by the names of the classes that they have. */
const OTHERS: readonly (readonly [classNames: string, load: () => Promise<Readonly<Record<string, unknown>>>])[] = [
  ['PReLU', () => import('../layers/activations/prelu.ts')],
  ['Attention AdditiveAttention', () => import('../layers/attention/attention.ts')],
  ['GroupQueryAttention', () => import('../layers/attention/grouped-query-attention.ts')],
  ['MultiHeadAttention', () => import('../layers/attention/multi-head-attention.ts')],
  ['Conv1DTranspose Conv2DTranspose Conv3DTranspose', () => import('../layers/convolutional/conv-transpose.ts')],
  ['LocallyConnected1D LocallyConnected2D', () => import('../layers/convolutional/locally-connected.ts')],
  ['SeparableConv1D SeparableConv2D', () => import('../layers/convolutional/separable-conv.ts')],
  ['EinsumDense', () => import('../layers/core/einsum-dense.ts')],
  ['Embedding ReversibleEmbedding', () => import('../layers/core/embedding.ts')],
  ['Masking', () => import('../layers/core/masking.ts')],
  ['Dot', () => import('../layers/merging/dot.ts')],
  ['GroupNormalization', () => import('../layers/normalization/group-normalization.ts')],
  [
    'LayerNormalization RMSNormalization UnitNormalization',
    () => import('../layers/normalization/layer-normalization.ts'),
  ],
  ['SpectralNormalization', () => import('../layers/normalization/spectral-normalization.ts')],
  [
    'AdaptiveMaxPooling1D AdaptiveAveragePooling1D AdaptiveMaxPooling2D AdaptiveAveragePooling2D AdaptiveMaxPooling3D AdaptiveAveragePooling3D',
    () => import('../layers/pooling/adaptive-pooling.ts'),
  ],
  [
    'AugMix CutMix Equalization MixUp RandAugment RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale RandomHeight RandomHue RandomInvert RandomPerspective RandomPosterization RandomRotation RandomSaturation RandomSharpness RandomShear RandomTranslation RandomWidth RandomZoom Solarization',
    () => import('../layers/preprocessing/augmentation.ts'),
  ],
  ['AutoContrast', () => import('../layers/preprocessing/auto-contrast.ts')],
  ['CategoryEncoding', () => import('../layers/preprocessing/category-encoding.ts')],
  ['ContrastLimitedAdaptiveHistogramEqualization', () => import('../layers/preprocessing/clahe.ts')],
  ['Discretization', () => import('../layers/preprocessing/discretization.ts')],
  ['Hashing HashedCrossing', () => import('../layers/preprocessing/hashing.ts')],
  ['IntegerLookup', () => import('../layers/preprocessing/integer-lookup.ts')],
  ['MaxNumBoundingBoxes', () => import('../layers/preprocessing/max-num-bounding-boxes.ts')],
  ['MelSpectrogram', () => import('../layers/preprocessing/mel-spectrogram.ts')],
  ['Normalization', () => import('../layers/preprocessing/normalization.ts')],
  ['Pipeline', () => import('../layers/preprocessing/pipeline.ts')],
  ['RandomCrop', () => import('../layers/preprocessing/random-crop.ts')],
  ['Rescaling', () => import('../layers/preprocessing/rescaling.ts')],
  ['Resizing CenterCrop', () => import('../layers/preprocessing/resizing.ts')],
  ['STFTSpectrogram', () => import('../layers/preprocessing/stft-spectrogram.ts')],
  ['StringLookup', () => import('../layers/preprocessing/string-lookup.ts')],
  ['TextVectorization', () => import('../layers/preprocessing/text-vectorization.ts')],
  ['ActivityRegularization', () => import('../layers/regularization/activity-regularization.ts')],
  [
    'AlphaDropout GaussianDropout GaussianNoise SpatialDropout1D SpatialDropout2D SpatialDropout3D',
    () => import('../layers/regularization/noise.ts'),
  ],
  ['Cropping1D Cropping2D Cropping3D', () => import('../layers/reshaping/cropping.ts')],
  ['UpSampling1D UpSampling2D UpSampling3D', () => import('../layers/reshaping/up-sampling.ts')],
  ['ZeroPadding1D ZeroPadding2D ZeroPadding3D', () => import('../layers/reshaping/zero-padding.ts')],
  ['Bidirectional', () => import('../layers/rnn/bidirectional.ts')],
  ['ConvLSTM2DCell', () => import('../layers/rnn/conv-lstm-cell.ts')],
  ['ConvLSTM1D ConvLSTM2D ConvLSTM3D', () => import('../layers/rnn/conv-lstm.ts')],
  ['CuDNNLSTM CuDNNGRU', () => import('../layers/rnn/cudnn.ts')],
  ['GRUCell GRU', () => import('../layers/rnn/gru.ts')],
  ['LSTMCell LSTM', () => import('../layers/rnn/lstm.ts')],
  ['RNN', () => import('../layers/rnn/rnn.ts')],
  ['SimpleRNNCell SimpleRNN', () => import('../layers/rnn/simple-rnn.ts')],
  ['StackedRNNCells', () => import('../layers/rnn/stacked-rnn-cells.ts')],
  ['TimeDistributed', () => import('../layers/rnn/time-distributed.ts')],
];

const common: ReadonlyMap<string, LayerClass> = new Map(COMMON.map((layerClass) => [layerClass.className, layerClass]));

const others: ReadonlyMap<string, () => Promise<Readonly<Record<string, unknown>>>> = new Map(
  OTHERS.flatMap(([classNames, load]) => classNames.split(' ').map((name) => [name, load] as const)),
);

/** Whether a name is that of one of Keras' layers. */
export function isLayerClassName(className: string): boolean {
  return common.has(className) || others.has(className);
}

/** The names of all layer classes, sorted. */
export function layerClassNames(): readonly string[] {
  return [...common.keys(), ...others.keys()].sort();
}

/** The classes of these names, by name; names of other things are left out. */
export async function loadLayerClasses(names: Iterable<string>): Promise<ReadonlyMap<string, LayerClass>> {
  const classes = new Map(common);
  await Promise.all(
    Array.from(names, async (name) => {
      const module = await others.get(name)?.();
      if (module !== undefined) classes.set(name, module[name] as LayerClass);
    }),
  );
  return classes;
}
