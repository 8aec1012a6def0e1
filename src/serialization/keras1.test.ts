import { describe, expect, test } from 'vitest';
import { fromKeras1 } from './keras1.ts';

describe('fromKeras1()', () => {
  test('translates a convolution', () => {
    const config = {
      name: 'c',
      nb_filter: 32,
      nb_row: 3,
      nb_col: 5,
      border_mode: 'same',
      subsample: [1, 2],
      dim_ordering: 'th',
      bias: true,
      init: 'glorot_uniform',
      W_regularizer: { name: 'WeightRegularizer', l1: 0, l2: 0.1 },
    };
    expect(fromKeras1({ className: 'Convolution2D', config })).toEqual({
      className: 'Conv2D',
      config: {
        name: 'c',
        filters: 32,
        kernel_size: [3, 5],
        padding: 'same',
        strides: [1, 2],
        data_format: 'channels_first',
        use_bias: true,
        kernel_initializer: 'glorot_uniform',
        kernel_regularizer: { class_name: 'L1L2', config: { l1: 0, l2: 0.1 } },
      },
    });
  });

  test('translates recurrent layers, whose output_dim is the number of units', () => {
    const config = {
      output_dim: 6,
      input_dim: 3,
      inner_activation: 'hard_sigmoid',
      forget_bias_init: 'one',
      dropout_U: 0.5,
    };
    expect(fromKeras1({ className: 'LSTM', config }).config).toEqual({
      units: 6,
      recurrent_activation: 'hard_sigmoid',
      unit_forget_bias: true,
      recurrent_dropout: 0.5,
    });
  });

  test('keeps input_dim and output_dim of an embedding', () => {
    const config = { input_dim: 100, output_dim: 8, init: 'uniform', dropout: 0.2, input_length: null };
    expect(fromKeras1({ className: 'Embedding', config }).config).toEqual({
      input_dim: 100,
      output_dim: 8,
      embeddings_initializer: 'uniform',
    });
  });

  test('tells the merging layers apart by their mode', () => {
    expect(fromKeras1({ className: 'Merge', config: { name: 'm', mode: 'concat', concat_axis: 1 } })).toEqual({
      className: 'Concatenate',
      config: { name: 'm', axis: 1 },
    });
    expect(fromKeras1({ className: 'Merge', config: { name: 'm', mode: 'ave' } }).className).toBe('Average');
    expect(() => fromKeras1({ className: 'Merge', config: { name: 'm', mode: 'x', mode_type: 'lambda' } })).toThrow(
      'Merge of Keras 1 with a Python function',
    );
  });
});
