/** Long short-term memory over images: sequences `[batch, steps, …spatial, channels]`. */
import { type Fields, type Options, regularizer } from '../fields.ts';
import { snakeCaseOf } from '../keras-object.ts';
import type { Regularizer } from '../regularizers.ts';
import { cellOptions } from './cell.ts';
import { ConvLSTMCell, type ConvLSTMCellConfig, convLSTMCellFields } from './conv-lstm-cell.ts';
import { type RecurrentConfig, RecurrentLayer, recurrentFields } from './recurrent-layer.ts';

export interface ConvLSTMConfig extends ConvLSTMCellConfig, RecurrentConfig {
  activityRegularizer: Regularizer | null;
}

export type ConvLSTMOptions = Options<ConvLSTMConfig, 'filters' | 'kernelSize'>;

function convLSTMFields(ndim: number): Fields<ConvLSTMConfig> {
  return { ...recurrentFields, ...convLSTMCellFields(ndim), activityRegularizer: regularizer() };
}

abstract class ConvLSTM extends RecurrentLayer<ConvLSTMConfig> {
  readonly cell: ConvLSTMCell;

  constructor(className: string, ndim: number, fields: Fields<ConvLSTMConfig>, options: ConvLSTMOptions) {
    super(className, fields, options);
    const cellFields = convLSTMCellFields(ndim);
    const name = `${snakeCaseOf(className)}_cell`;
    const cell = { ...cellOptions(cellFields, this.config), name };
    this.cell = new ConvLSTMCell(`${className}Cell`, ndim, cellFields, cell);
  }
}

const fields1D = convLSTMFields(1);
const fields2D = convLSTMFields(2);
const fields3D = convLSTMFields(3);

/** Over one spatial axis: `[batch, steps, extent, channels]`. */
export class ConvLSTM1D extends ConvLSTM {
  static readonly className = 'ConvLSTM1D';
  static readonly fields: Fields<ConvLSTMConfig> = fields1D;

  constructor(options: ConvLSTMOptions) {
    super(ConvLSTM1D.className, 1, ConvLSTM1D.fields, options);
  }
}

/** Over two spatial axes: `[batch, steps, height, width, channels]`. */
export class ConvLSTM2D extends ConvLSTM {
  static readonly className = 'ConvLSTM2D';
  static readonly fields: Fields<ConvLSTMConfig> = fields2D;

  constructor(options: ConvLSTMOptions) {
    super(ConvLSTM2D.className, 2, ConvLSTM2D.fields, options);
  }
}

/** Over three spatial axes: `[batch, steps, depth, height, width, channels]`. */
export class ConvLSTM3D extends ConvLSTM {
  static readonly className = 'ConvLSTM3D';
  static readonly fields: Fields<ConvLSTMConfig> = fields3D;

  constructor(options: ConvLSTMOptions) {
    super(ConvLSTM3D.className, 3, ConvLSTM3D.fields, options);
  }
}
