import { type Fields, integer, nullable, type Options, regularizer } from '../fields.ts';
import { Layer } from '../layer.ts';
import { layer } from '../layer-field.ts';
import type { Regularizer } from '../regularizers.ts';
import { isCell, type RNNCell } from './cell.ts';
import { type RecurrentConfig, RecurrentLayer, recurrentFields } from './recurrent-layer.ts';
import { StackedRNNCells } from './stacked-rnn-cells.ts';

export interface RNNConfig extends RecurrentConfig {
  /** A cell, or several that are stacked. */
  cell: RNNCell | readonly RNNCell[];
  activityRegularizer: Regularizer | null;
  /** How many of the inputs are constants for the cell (Keras 2 and TensorFlow.js). */
  numConstants: number | null;
}

const isCellList = (value: unknown): value is readonly RNNCell[] =>
  Array.isArray(value) && value.length > 0 && value.every((element) => element instanceof Layer && isCell(element));

/** Repeats any cell along sequences `[batch, steps, …]`. A list of cells is stacked. */
export class RNN extends RecurrentLayer<RNNConfig> {
  static readonly className = 'RNN';
  static readonly fields: Fields<RNNConfig> = {
    ...recurrentFields,
    cell: {
      kind: 'layer',
      expected: 'a cell or a list of cells',
      parse: (value) => (isCellList(value) ? value : layer('a cell', isCell).parse(value)),
    },
    activityRegularizer: regularizer(),
    numConstants: nullable(integer()),
  };
  readonly cell: RNNCell;

  constructor(options: Options<RNNConfig, 'cell'>) {
    super(RNN.className, RNN.fields, options);
    const { cell } = this.config;
    this.cell = isCellList(cell) ? new StackedRNNCells({ cells: cell }) : (cell as RNNCell);
  }

  protected override get constantCount(): number {
    return this.config.numConstants ?? 0;
  }
}
