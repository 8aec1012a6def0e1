/**
 * Every layer class that a file may name, one row each. The common ones come with the loader; the others are loaded when
 * a file names them.
 */
import { Activation } from '../layers/activations/activation.ts';
import { ELU, LeakyReLU, PReLU, ReLU, ThresholdedReLU } from '../layers/activations/rectifiers.ts';
import { Softmax } from '../layers/activations/softmax.ts';
import { Conv1D, Conv2D, Conv3D } from '../layers/convolutional/conv.ts';
import { DepthwiseConv1D, DepthwiseConv2D } from '../layers/convolutional/depthwise-conv.ts';
import { SeparableConv1D, SeparableConv2D } from '../layers/convolutional/separable-conv.ts';
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
import { Rescaling } from '../layers/preprocessing/rescaling.ts';
import { ActivityRegularization } from '../layers/regularization/activity-regularization.ts';
import {
  AlphaDropout,
  Dropout,
  GaussianDropout,
  GaussianNoise,
  SpatialDropout1D,
  SpatialDropout2D,
  SpatialDropout3D,
} from '../layers/regularization/dropout.ts';
import { Flatten, Permute, RepeatVector, Reshape } from '../layers/reshaping/reshape.ts';
import { ZeroPadding1D, ZeroPadding2D, ZeroPadding3D } from '../layers/reshaping/zero-padding.ts';
import type { LayerClass } from './custom-objects.ts';

const COMMON: readonly LayerClass[] = [
  Activation,
  ReLU,
  LeakyReLU,
  ELU,
  PReLU,
  ThresholdedReLU,
  Softmax,
  Conv1D,
  Conv2D,
  Conv3D,
  DepthwiseConv1D,
  DepthwiseConv2D,
  SeparableConv1D,
  SeparableConv2D,
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
  Rescaling,
  ActivityRegularization,
  Dropout,
  AlphaDropout,
  SpatialDropout1D,
  GaussianDropout,
  SpatialDropout2D,
  SpatialDropout3D,
  GaussianNoise,
  Flatten,
  Reshape,
  Permute,
  RepeatVector,
  ZeroPadding1D,
  ZeroPadding2D,
  ZeroPadding3D,
];

const OTHERS: { readonly [className: string]: () => Promise<LayerClass> } = {
  Attention: async () => (await import('../layers/attention/attention.ts')).Attention,
  AdditiveAttention: async () => (await import('../layers/attention/attention.ts')).AdditiveAttention,
  GroupQueryAttention: async () => (await import('../layers/attention/grouped-query-attention.ts')).GroupQueryAttention,
  MultiHeadAttention: async () => (await import('../layers/attention/multi-head-attention.ts')).MultiHeadAttention,
  Conv1DTranspose: async () => (await import('../layers/convolutional/conv-transpose.ts')).Conv1DTranspose,
  Conv2DTranspose: async () => (await import('../layers/convolutional/conv-transpose.ts')).Conv2DTranspose,
  Conv3DTranspose: async () => (await import('../layers/convolutional/conv-transpose.ts')).Conv3DTranspose,
  LocallyConnected1D: async () => (await import('../layers/convolutional/locally-connected.ts')).LocallyConnected1D,
  LocallyConnected2D: async () => (await import('../layers/convolutional/locally-connected.ts')).LocallyConnected2D,
  EinsumDense: async () => (await import('../layers/core/einsum-dense.ts')).EinsumDense,
  Embedding: async () => (await import('../layers/core/embedding.ts')).Embedding,
  ReversibleEmbedding: async () => (await import('../layers/core/embedding.ts')).ReversibleEmbedding,
  Masking: async () => (await import('../layers/core/masking.ts')).Masking,
  Dot: async () => (await import('../layers/merging/dot.ts')).Dot,
  GroupNormalization: async () => (await import('../layers/normalization/group-normalization.ts')).GroupNormalization,
  LayerNormalization: async () => (await import('../layers/normalization/layer-normalization.ts')).LayerNormalization,
  RMSNormalization: async () => (await import('../layers/normalization/layer-normalization.ts')).RMSNormalization,
  UnitNormalization: async () => (await import('../layers/normalization/layer-normalization.ts')).UnitNormalization,
  SpectralNormalization: async () =>
    (await import('../layers/normalization/spectral-normalization.ts')).SpectralNormalization,
  AdaptiveMaxPooling1D: async () => (await import('../layers/pooling/adaptive-pooling.ts')).AdaptiveMaxPooling1D,
  AdaptiveAveragePooling1D: async () =>
    (await import('../layers/pooling/adaptive-pooling.ts')).AdaptiveAveragePooling1D,
  AdaptiveMaxPooling2D: async () => (await import('../layers/pooling/adaptive-pooling.ts')).AdaptiveMaxPooling2D,
  AdaptiveAveragePooling2D: async () =>
    (await import('../layers/pooling/adaptive-pooling.ts')).AdaptiveAveragePooling2D,
  AdaptiveMaxPooling3D: async () => (await import('../layers/pooling/adaptive-pooling.ts')).AdaptiveMaxPooling3D,
  AdaptiveAveragePooling3D: async () =>
    (await import('../layers/pooling/adaptive-pooling.ts')).AdaptiveAveragePooling3D,
  AugMix: async () => (await import('../layers/preprocessing/augmentation.ts')).AugMix,
  CutMix: async () => (await import('../layers/preprocessing/augmentation.ts')).CutMix,
  Equalization: async () => (await import('../layers/preprocessing/augmentation.ts')).Equalization,
  MixUp: async () => (await import('../layers/preprocessing/augmentation.ts')).MixUp,
  RandAugment: async () => (await import('../layers/preprocessing/augmentation.ts')).RandAugment,
  RandomBrightness: async () => (await import('../layers/preprocessing/augmentation.ts')).RandomBrightness,
  RandomColorDegeneration: async () =>
    (await import('../layers/preprocessing/augmentation.ts')).RandomColorDegeneration,
  RandomColorJitter: async () => (await import('../layers/preprocessing/augmentation.ts')).RandomColorJitter,
  RandomContrast: async () => (await import('../layers/preprocessing/augmentation.ts')).RandomContrast,
  RandomElasticTransform: async () => (await import('../layers/preprocessing/augmentation.ts')).RandomElasticTransform,
  RandomErasing: async () => (await import('../layers/preprocessing/augmentation.ts')).RandomErasing,
  RandomFlip: async () => (await import('../layers/preprocessing/augmentation.ts')).RandomFlip,
  RandomGaussianBlur: async () => (await import('../layers/preprocessing/augmentation.ts')).RandomGaussianBlur,
  RandomGrayscale: async () => (await import('../layers/preprocessing/augmentation.ts')).RandomGrayscale,
  RandomHeight: async () => (await import('../layers/preprocessing/augmentation.ts')).RandomHeight,
  RandomHue: async () => (await import('../layers/preprocessing/augmentation.ts')).RandomHue,
  RandomInvert: async () => (await import('../layers/preprocessing/augmentation.ts')).RandomInvert,
  RandomPerspective: async () => (await import('../layers/preprocessing/augmentation.ts')).RandomPerspective,
  RandomPosterization: async () => (await import('../layers/preprocessing/augmentation.ts')).RandomPosterization,
  RandomRotation: async () => (await import('../layers/preprocessing/augmentation.ts')).RandomRotation,
  RandomSaturation: async () => (await import('../layers/preprocessing/augmentation.ts')).RandomSaturation,
  RandomSharpness: async () => (await import('../layers/preprocessing/augmentation.ts')).RandomSharpness,
  RandomShear: async () => (await import('../layers/preprocessing/augmentation.ts')).RandomShear,
  RandomTranslation: async () => (await import('../layers/preprocessing/augmentation.ts')).RandomTranslation,
  RandomWidth: async () => (await import('../layers/preprocessing/augmentation.ts')).RandomWidth,
  RandomZoom: async () => (await import('../layers/preprocessing/augmentation.ts')).RandomZoom,
  Solarization: async () => (await import('../layers/preprocessing/augmentation.ts')).Solarization,
  AutoContrast: async () => (await import('../layers/preprocessing/auto-contrast.ts')).AutoContrast,
  CategoryEncoding: async () => (await import('../layers/preprocessing/category-encoding.ts')).CategoryEncoding,
  ContrastLimitedAdaptiveHistogramEqualization: async () =>
    (await import('../layers/preprocessing/clahe.ts')).ContrastLimitedAdaptiveHistogramEqualization,
  Discretization: async () => (await import('../layers/preprocessing/discretization.ts')).Discretization,
  Hashing: async () => (await import('../layers/preprocessing/hashing.ts')).Hashing,
  HashedCrossing: async () => (await import('../layers/preprocessing/hashing.ts')).HashedCrossing,
  IntegerLookup: async () => (await import('../layers/preprocessing/integer-lookup.ts')).IntegerLookup,
  MaxNumBoundingBoxes: async () =>
    (await import('../layers/preprocessing/max-num-bounding-boxes.ts')).MaxNumBoundingBoxes,
  MelSpectrogram: async () => (await import('../layers/preprocessing/mel-spectrogram.ts')).MelSpectrogram,
  Normalization: async () => (await import('../layers/preprocessing/normalization.ts')).Normalization,
  Pipeline: async () => (await import('../layers/preprocessing/pipeline.ts')).Pipeline,
  RandomCrop: async () => (await import('../layers/preprocessing/random-crop.ts')).RandomCrop,
  Resizing: async () => (await import('../layers/preprocessing/resizing.ts')).Resizing,
  CenterCrop: async () => (await import('../layers/preprocessing/resizing.ts')).CenterCrop,
  STFTSpectrogram: async () => (await import('../layers/preprocessing/stft-spectrogram.ts')).STFTSpectrogram,
  StringLookup: async () => (await import('../layers/preprocessing/string-lookup.ts')).StringLookup,
  TextVectorization: async () => (await import('../layers/preprocessing/text-vectorization.ts')).TextVectorization,
  Cropping1D: async () => (await import('../layers/reshaping/cropping.ts')).Cropping1D,
  Cropping2D: async () => (await import('../layers/reshaping/cropping.ts')).Cropping2D,
  Cropping3D: async () => (await import('../layers/reshaping/cropping.ts')).Cropping3D,
  UpSampling1D: async () => (await import('../layers/reshaping/up-sampling.ts')).UpSampling1D,
  UpSampling2D: async () => (await import('../layers/reshaping/up-sampling.ts')).UpSampling2D,
  UpSampling3D: async () => (await import('../layers/reshaping/up-sampling.ts')).UpSampling3D,
  Bidirectional: async () => (await import('../layers/rnn/bidirectional.ts')).Bidirectional,
  ConvLSTM2DCell: async () => (await import('../layers/rnn/conv-lstm-cell.ts')).ConvLSTM2DCell,
  ConvLSTM1D: async () => (await import('../layers/rnn/conv-lstm.ts')).ConvLSTM1D,
  ConvLSTM2D: async () => (await import('../layers/rnn/conv-lstm.ts')).ConvLSTM2D,
  ConvLSTM3D: async () => (await import('../layers/rnn/conv-lstm.ts')).ConvLSTM3D,
  CuDNNLSTM: async () => (await import('../layers/rnn/cudnn.ts')).CuDNNLSTM,
  CuDNNGRU: async () => (await import('../layers/rnn/cudnn.ts')).CuDNNGRU,
  GRUCell: async () => (await import('../layers/rnn/gru.ts')).GRUCell,
  GRU: async () => (await import('../layers/rnn/gru.ts')).GRU,
  LSTMCell: async () => (await import('../layers/rnn/lstm.ts')).LSTMCell,
  LSTM: async () => (await import('../layers/rnn/lstm.ts')).LSTM,
  RNN: async () => (await import('../layers/rnn/rnn.ts')).RNN,
  SimpleRNNCell: async () => (await import('../layers/rnn/simple-rnn.ts')).SimpleRNNCell,
  SimpleRNN: async () => (await import('../layers/rnn/simple-rnn.ts')).SimpleRNN,
  StackedRNNCells: async () => (await import('../layers/rnn/stacked-rnn-cells.ts')).StackedRNNCells,
  TimeDistributed: async () => (await import('../layers/rnn/time-distributed.ts')).TimeDistributed,
};

const common: ReadonlyMap<string, LayerClass> = new Map(COMMON.map((layerClass) => [layerClass.className, layerClass]));

/** Whether a name is that of one of Keras' layers. */
export function isLayerClassName(className: string): boolean {
  return common.has(className) || Object.hasOwn(OTHERS, className);
}

/** The names of all layer classes, sorted. */
export function layerClassNames(): readonly string[] {
  return [...common.keys(), ...Object.keys(OTHERS)].sort();
}

/** The classes of these names, by name; names of other things are left out. */
export async function loadLayerClasses(names: Iterable<string>): Promise<ReadonlyMap<string, LayerClass>> {
  const classes = new Map(common);
  await Promise.all(
    Array.from(names, async (name) => {
      const load = Object.hasOwn(OTHERS, name) ? OTHERS[name] : undefined;
      if (load !== undefined) classes.set(name, await load());
    }),
  );
  return classes;
}
