/**
 * Keras 2's recurrent layers for cuDNN. Their mathematics are those of `LSTM` and of `GRU` with `resetAfter`, and so is
 * the layout of the weights here: `cell` holds `kernel`, `recurrent_kernel` and `bias`. A reader converts the file's.
 */

import type { Constraint } from '../constraints.ts';
import {
  boolean,
  constraint,
  type Fields,
  initializer,
  type Options,
  positiveInteger,
  regularizer,
} from '../fields.ts';
import type { Initializer } from '../initializers.ts';
import type { Regularizer } from '../regularizers.ts';
import { cellOptions } from './cell.ts';
import { GRUCell } from './gru.ts';
import { LSTMCell } from './lstm.ts';
import { type RecurrentConfig, RecurrentLayer, recurrentFields } from './recurrent-layer.ts';

export interface CuDNNGRUConfig extends RecurrentConfig {
  units: number;
  kernelInitializer: Initializer;
  recurrentInitializer: Initializer;
  biasInitializer: Initializer;
  kernelRegularizer: Regularizer | null;
  recurrentRegularizer: Regularizer | null;
  biasRegularizer: Regularizer | null;
  activityRegularizer: Regularizer | null;
  kernelConstraint: Constraint | null;
  recurrentConstraint: Constraint | null;
  biasConstraint: Constraint | null;
}

export interface CuDNNLSTMConfig extends CuDNNGRUConfig {
  unitForgetBias: boolean;
}

const cudnnFields: Fields<CuDNNGRUConfig> = {
  ...recurrentFields,
  units: positiveInteger(),
  kernelInitializer: initializer('glorot_uniform'),
  recurrentInitializer: initializer('orthogonal'),
  biasInitializer: initializer('zeros'),
  kernelRegularizer: regularizer(),
  recurrentRegularizer: regularizer(),
  biasRegularizer: regularizer(),
  activityRegularizer: regularizer(),
  kernelConstraint: constraint(),
  recurrentConstraint: constraint(),
  biasConstraint: constraint(),
};

/** `LSTM` with the activations that cuDNN has: tanh and sigmoid. */
export class CuDNNLSTM extends RecurrentLayer<CuDNNLSTMConfig> {
  static readonly className = 'CuDNNLSTM';
  static readonly fields: Fields<CuDNNLSTMConfig> = { ...cudnnFields, unitForgetBias: boolean(true) };
  readonly cell: LSTMCell;

  constructor(options: Options<CuDNNLSTMConfig, 'units'>) {
    super(CuDNNLSTM.className, CuDNNLSTM.fields, options);
    const { units } = this.config;
    this.cell = new LSTMCell({ ...cellOptions(LSTMCell.fields, this.config), name: 'lstm_cell', units });
  }
}

/** `GRU` with `resetAfter` and the activations that cuDNN has: tanh and sigmoid. */
export class CuDNNGRU extends RecurrentLayer<CuDNNGRUConfig> {
  static readonly className = 'CuDNNGRU';
  static readonly fields: Fields<CuDNNGRUConfig> = cudnnFields;
  readonly cell: GRUCell;

  constructor(options: Options<CuDNNGRUConfig, 'units'>) {
    super(CuDNNGRU.className, CuDNNGRU.fields, options);
    const { units } = this.config;
    this.cell = new GRUCell({ ...cellOptions(GRUCell.fields, this.config), name: 'gru_cell', units });
  }
}
