import type { PartialShape } from '../../array/shape.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { add } from '../../ops/elementwise.ts';
import { matmul } from '../../ops/matrix.ts';
import { type Fields, type Options, regularizer } from '../fields.ts';
import type { CallContext } from '../layer.ts';
import type { Regularizer } from '../regularizers.ts';
import { type CellStep, cellOptions, RNNCell, type UnitsConfig, unitsFields } from './cell.ts';
import { dropInputs, dropStates } from './gates.ts';
import { type RecurrentConfig, RecurrentLayer, recurrentFields } from './recurrent-layer.ts';

/** One step of `SimpleRNN`: `h = activation(x · kernel + h · recurrentKernel + bias)`, which is output and state. */
export class SimpleRNNCell extends RNNCell<UnitsConfig> {
  static readonly className = 'SimpleRNNCell';
  static readonly fields: Fields<UnitsConfig> = unitsFields;

  constructor(options: Options<UnitsConfig, 'units'>) {
    super(SimpleRNNCell.className, SimpleRNNCell.fields, options);
  }

  override get stateSizes(): readonly number[] {
    return [this.config.units];
  }

  protected override build([inputShape]: readonly PartialShape[]): void {
    const { units, useBias, kernelInitializer, recurrentInitializer, biasInitializer } = this.config;
    const features = inputShape?.at(-1) ?? Number.NaN;
    this.addWeight('kernel', [features, units], { initializer: kernelInitializer, channelAxes: [-1] });
    this.addWeight('recurrent_kernel', [units, units], { initializer: recurrentInitializer, channelAxes: [-1] });
    if (useBias) this.addWeight('bias', [units], { initializer: biasInitializer });
  }

  override project(steps: SymbolicTensor, context: CallContext): SymbolicTensor {
    const [inputs] = dropInputs(this, steps, 1, context);
    const product = matmul(inputs, this.weight('kernel'));
    return this.config.useBias ? add(product, this.weight('bias')) : product;
  }

  override step(projected: SymbolicTensor, states: readonly SymbolicTensor[], context: CallContext): CellStep {
    const [h] = dropStates(this, states[0] as SymbolicTensor, 1, context);
    const output = this.config.activation.call(add(projected, matmul(h, this.weight('recurrent_kernel'))));
    return { output, states: [output] };
  }
}

export interface SimpleRNNConfig extends UnitsConfig, RecurrentConfig {
  activityRegularizer: Regularizer | null;
}

/**
 * Fully connected recurrent layer: the output of a step is fed to the next.
 *
 * Sequences `[batch, steps, features]` give `[batch, units]`, or `[batch, steps, units]` with `returnSequences`.
 */
export class SimpleRNN extends RecurrentLayer<SimpleRNNConfig> {
  static readonly className = 'SimpleRNN';
  static readonly fields: Fields<SimpleRNNConfig> = {
    ...recurrentFields,
    ...unitsFields,
    activityRegularizer: regularizer(),
  };
  readonly cell: SimpleRNNCell;

  constructor(options: Options<SimpleRNNConfig, 'units'>) {
    super(SimpleRNN.className, SimpleRNN.fields, options);
    const { units } = this.config;
    this.cell = new SimpleRNNCell({ ...cellOptions(unitsFields, this.config), name: 'simple_rnn_cell', units });
  }
}
