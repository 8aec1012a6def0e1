/** Recurrent, attention and preprocessing layers against Keras' numbers. */
import { describe, test } from 'vitest';
import { ReLU } from '../../src/layers/activations/rectifiers.ts';
import { AdditiveAttention, Attention } from '../../src/layers/attention/attention.ts';
import { GroupQueryAttention } from '../../src/layers/attention/grouped-query-attention.ts';
import { MultiHeadAttention } from '../../src/layers/attention/multi-head-attention.ts';
import { Dense } from '../../src/layers/core/dense.ts';
import * as augmentation from '../../src/layers/preprocessing/augmentation.ts';
import { AutoContrast } from '../../src/layers/preprocessing/auto-contrast.ts';
import { CategoryEncoding } from '../../src/layers/preprocessing/category-encoding.ts';
import { ContrastLimitedAdaptiveHistogramEqualization } from '../../src/layers/preprocessing/clahe.ts';
import { Discretization } from '../../src/layers/preprocessing/discretization.ts';
import { HashedCrossing, Hashing } from '../../src/layers/preprocessing/hashing.ts';
import { IntegerLookup } from '../../src/layers/preprocessing/integer-lookup.ts';
import { MaxNumBoundingBoxes } from '../../src/layers/preprocessing/max-num-bounding-boxes.ts';
import { MelSpectrogram } from '../../src/layers/preprocessing/mel-spectrogram.ts';
import { Normalization } from '../../src/layers/preprocessing/normalization.ts';
import { Pipeline } from '../../src/layers/preprocessing/pipeline.ts';
import { RandomCrop } from '../../src/layers/preprocessing/random-crop.ts';
import { Rescaling } from '../../src/layers/preprocessing/rescaling.ts';
import { CenterCrop, Resizing } from '../../src/layers/preprocessing/resizing.ts';
import { STFTSpectrogram } from '../../src/layers/preprocessing/stft-spectrogram.ts';
import { StringLookup } from '../../src/layers/preprocessing/string-lookup.ts';
import { TextVectorization } from '../../src/layers/preprocessing/text-vectorization.ts';
import { Bidirectional } from '../../src/layers/rnn/bidirectional.ts';
import { ConvLSTM1D, ConvLSTM2D, ConvLSTM3D } from '../../src/layers/rnn/conv-lstm.ts';
import { GRU, GRUCell } from '../../src/layers/rnn/gru.ts';
import { LSTM, LSTMCell } from '../../src/layers/rnn/lstm.ts';
import { RNN } from '../../src/layers/rnn/rnn.ts';
import { SimpleRNN, SimpleRNNCell } from '../../src/layers/rnn/simple-rnn.ts';
import { StackedRNNCells } from '../../src/layers/rnn/stacked-rnn-cells.ts';
import { TimeDistributed } from '../../src/layers/rnn/time-distributed.ts';
import { checkLayerCase, type LayerClass, readLayerCases } from '../support/layer-case.ts';

const CELLS: readonly LayerClass[] = [SimpleRNNCell, LSTMCell, GRUCell, StackedRNNCells];

const AUGMENTATIONS: readonly LayerClass[] = Object.values(augmentation).filter((value) => 'className' in value);

/** The files of fixtures, and the classes that each needs. */
const FAMILIES: Readonly<Record<string, readonly LayerClass[]>> = {
  'simple-rnn': [SimpleRNN],
  lstm: [LSTM],
  gru: [GRU],
  rnn: [RNN, ...CELLS],
  bidirectional: [Bidirectional, RNN, SimpleRNN, LSTM, GRU, ...CELLS],
  'time-distributed': [TimeDistributed, Dense, GRU],
  'conv-lstm': [ConvLSTM1D, ConvLSTM2D, ConvLSTM3D],
  attention: [Attention, AdditiveAttention],
  'multi-head-attention': [MultiHeadAttention],
  'grouped-query-attention': [GroupQueryAttention],
  numbers: [Rescaling, Normalization, CategoryEncoding, Discretization, Pipeline, Dense, ReLU],
  images: [Resizing, CenterCrop, AutoContrast, ContrastLimitedAdaptiveHistogramEqualization],
  spectrograms: [STFTSpectrogram, MelSpectrogram],
  lookup: [StringLookup, IntegerLookup],
  text: [TextVectorization],
  hashing: [Hashing, HashedCrossing],
  augmentation: [...AUGMENTATIONS, RandomCrop, MaxNumBoundingBoxes],
};

for (const [family, classes] of Object.entries(FAMILIES)) {
  describe(family, () => {
    for (const layerCase of readLayerCases(`sequence/${family}.json`)) {
      test(`${layerCase.class_name}: ${layerCase.name}`, () => checkLayerCase(layerCase, classes));
    }
  });
}
