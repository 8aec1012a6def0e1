/** Recurrent, attention and preprocessing layers against Keras' numbers. */
import { describe, test } from 'vitest';
import { AdditiveAttention, Attention } from '../../src/layers/attention/attention.ts';
import { GroupQueryAttention } from '../../src/layers/attention/grouped-query-attention.ts';
import { MultiHeadAttention } from '../../src/layers/attention/multi-head-attention.ts';
import { Dense } from '../../src/layers/core/dense.ts';
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
};

for (const [family, classes] of Object.entries(FAMILIES)) {
  describe(family, () => {
    for (const layerCase of readLayerCases(`sequence/${family}.json`)) {
      test(`${layerCase.class_name}: ${layerCase.name}`, () => checkLayerCase(layerCase, classes));
    }
  });
}
