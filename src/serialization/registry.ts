/** Every layer class that a file may name: one row each. */
import { Activation } from '../layers/activations/activation.ts';
import { ELU, LeakyReLU, PReLU, ReLU, ThresholdedReLU } from '../layers/activations/rectifiers.ts';
import { Softmax } from '../layers/activations/softmax.ts';
import { AdditiveAttention, Attention } from '../layers/attention/attention.ts';
import { GroupQueryAttention } from '../layers/attention/grouped-query-attention.ts';
import { MultiHeadAttention } from '../layers/attention/multi-head-attention.ts';
import { Conv1D, Conv2D, Conv3D } from '../layers/convolutional/conv.ts';
import { Conv1DTranspose, Conv2DTranspose, Conv3DTranspose } from '../layers/convolutional/conv-transpose.ts';
import { DepthwiseConv1D, DepthwiseConv2D } from '../layers/convolutional/depthwise-conv.ts';
import { LocallyConnected1D, LocallyConnected2D } from '../layers/convolutional/locally-connected.ts';
import { SeparableConv1D, SeparableConv2D } from '../layers/convolutional/separable-conv.ts';
import { Dense } from '../layers/core/dense.ts';
import { EinsumDense } from '../layers/core/einsum-dense.ts';
import { Embedding, ReversibleEmbedding } from '../layers/core/embedding.ts';
import { Identity } from '../layers/core/identity.ts';
import { Masking } from '../layers/core/masking.ts';
import { InputLayer } from '../layers/input-layer.ts';
import { Concatenate } from '../layers/merging/concatenate.ts';
import { Dot } from '../layers/merging/dot.ts';
import { Add, Average, Maximum, Minimum, Multiply, Subtract } from '../layers/merging/merge.ts';
import { BatchNormalization } from '../layers/normalization/batch-normalization.ts';
import { GroupNormalization } from '../layers/normalization/group-normalization.ts';
import {
  LayerNormalization,
  RMSNormalization,
  UnitNormalization,
} from '../layers/normalization/layer-normalization.ts';
import { SpectralNormalization } from '../layers/normalization/spectral-normalization.ts';
import {
  AdaptiveAveragePooling1D,
  AdaptiveAveragePooling2D,
  AdaptiveAveragePooling3D,
  AdaptiveMaxPooling1D,
  AdaptiveMaxPooling2D,
  AdaptiveMaxPooling3D,
} from '../layers/pooling/adaptive-pooling.ts';
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
import { AutoContrast } from '../layers/preprocessing/auto-contrast.ts';
import { CategoryEncoding } from '../layers/preprocessing/category-encoding.ts';
import { ContrastLimitedAdaptiveHistogramEqualization } from '../layers/preprocessing/clahe.ts';
import { Discretization } from '../layers/preprocessing/discretization.ts';
import { HashedCrossing, Hashing } from '../layers/preprocessing/hashing.ts';
import { IntegerLookup } from '../layers/preprocessing/integer-lookup.ts';
import { MaxNumBoundingBoxes } from '../layers/preprocessing/max-num-bounding-boxes.ts';
import { Normalization } from '../layers/preprocessing/normalization.ts';
import { Pipeline } from '../layers/preprocessing/pipeline.ts';
import { RandomCrop } from '../layers/preprocessing/random-crop.ts';
import { Rescaling } from '../layers/preprocessing/rescaling.ts';
import { CenterCrop, Resizing } from '../layers/preprocessing/resizing.ts';
import { StringLookup } from '../layers/preprocessing/string-lookup.ts';
import { TextVectorization } from '../layers/preprocessing/text-vectorization.ts';
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
import { Cropping1D, Cropping2D, Cropping3D } from '../layers/reshaping/cropping.ts';
import { Flatten, Permute, RepeatVector, Reshape } from '../layers/reshaping/reshape.ts';
import { UpSampling1D, UpSampling2D, UpSampling3D } from '../layers/reshaping/up-sampling.ts';
import { ZeroPadding1D, ZeroPadding2D, ZeroPadding3D } from '../layers/reshaping/zero-padding.ts';
import { Bidirectional } from '../layers/rnn/bidirectional.ts';
import { ConvLSTM1D, ConvLSTM2D, ConvLSTM3D } from '../layers/rnn/conv-lstm.ts';
import { ConvLSTM2DCell } from '../layers/rnn/conv-lstm-cell.ts';
import { CuDNNGRU, CuDNNLSTM } from '../layers/rnn/cudnn.ts';
import { GRU, GRUCell } from '../layers/rnn/gru.ts';
import { LSTM, LSTMCell } from '../layers/rnn/lstm.ts';
import { RNN } from '../layers/rnn/rnn.ts';
import { SimpleRNN, SimpleRNNCell } from '../layers/rnn/simple-rnn.ts';
import { StackedRNNCells } from '../layers/rnn/stacked-rnn-cells.ts';
import { TimeDistributed } from '../layers/rnn/time-distributed.ts';
import type { LayerClass } from './custom-objects.ts';

const LAYER_CLASSES: readonly LayerClass[] = [
  Activation,
  ReLU,
  LeakyReLU,
  ELU,
  PReLU,
  ThresholdedReLU,
  Softmax,
  Attention,
  AdditiveAttention,
  GroupQueryAttention,
  MultiHeadAttention,
  Conv1DTranspose,
  Conv2DTranspose,
  Conv3DTranspose,
  Conv1D,
  Conv2D,
  Conv3D,
  DepthwiseConv1D,
  DepthwiseConv2D,
  LocallyConnected1D,
  LocallyConnected2D,
  SeparableConv1D,
  SeparableConv2D,
  Dense,
  EinsumDense,
  Embedding,
  ReversibleEmbedding,
  Identity,
  Masking,
  InputLayer,
  Concatenate,
  Dot,
  Add,
  Subtract,
  Multiply,
  Average,
  Maximum,
  Minimum,
  BatchNormalization,
  GroupNormalization,
  LayerNormalization,
  RMSNormalization,
  UnitNormalization,
  SpectralNormalization,
  AdaptiveMaxPooling1D,
  AdaptiveAveragePooling1D,
  AdaptiveMaxPooling2D,
  AdaptiveAveragePooling2D,
  AdaptiveMaxPooling3D,
  AdaptiveAveragePooling3D,
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
  AutoContrast,
  CategoryEncoding,
  ContrastLimitedAdaptiveHistogramEqualization,
  Discretization,
  Hashing,
  HashedCrossing,
  IntegerLookup,
  MaxNumBoundingBoxes,
  Normalization,
  Pipeline,
  RandomCrop,
  Rescaling,
  Resizing,
  CenterCrop,
  StringLookup,
  TextVectorization,
  ActivityRegularization,
  Dropout,
  AlphaDropout,
  SpatialDropout1D,
  GaussianDropout,
  SpatialDropout2D,
  SpatialDropout3D,
  GaussianNoise,
  Cropping1D,
  Cropping2D,
  Cropping3D,
  Flatten,
  Reshape,
  Permute,
  RepeatVector,
  UpSampling1D,
  UpSampling2D,
  UpSampling3D,
  ZeroPadding1D,
  ZeroPadding2D,
  ZeroPadding3D,
  Bidirectional,
  ConvLSTM2DCell,
  ConvLSTM1D,
  ConvLSTM2D,
  ConvLSTM3D,
  CuDNNLSTM,
  CuDNNGRU,
  GRUCell,
  GRU,
  LSTMCell,
  LSTM,
  RNN,
  SimpleRNNCell,
  SimpleRNN,
  StackedRNNCells,
  TimeDistributed,
];

/** Layer classes by the name that Keras gives them. */
export const layerRegistry: ReadonlyMap<string, LayerClass> = new Map(
  LAYER_CLASSES.map((layerClass) => [layerClass.className, layerClass]),
);
