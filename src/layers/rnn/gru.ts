import type { PartialShape } from '../../array/shape.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { add, multiply, subtract } from '../../ops/elementwise.ts';
import { matmul } from '../../ops/matrix.ts';
import { withShape } from '../../ops/operand.ts';
import { between, split } from '../../ops/shape.ts';
import type { Activation } from '../activation.ts';
import { activation, boolean, type Fields, type Options, regularizer } from '../fields.ts';
import type { CallContext } from '../layer.ts';
import type { Regularizer } from '../regularizers.ts';
import { type CellStep, cellOptions, type Gate, RNNCell, type UnitsConfig, unitsFields } from './cell.ts';
import { dropInputs, dropStates, gateProduct } from './gates.ts';
import { type RecurrentConfig, RecurrentLayer, recurrentFields } from './recurrent-layer.ts';

export interface GRUCellConfig extends UnitsConfig {
  recurrentActivation: Activation;
  /** Whether the reset gate acts after the product with the recurrent kernel, as in cuDNN, or before it. */
  resetAfter: boolean;
}

const gruCellFields: Fields<GRUCellConfig> = {
  ...unitsFields,
  recurrentActivation: activation('sigmoid'),
  resetAfter: boolean(true),
};

/**
 * One step of `GRU`.
 *
 * With `resetAfter` the bias is `[2, 3 · units]`: a row for the inputs and one for the states.
 */
export class GRUCell extends RNNCell<GRUCellConfig> {
  static readonly className = 'GRUCell';
  static readonly fields: Fields<GRUCellConfig> = gruCellFields;
  override readonly gates: readonly Gate[] = ['update', 'reset', 'candidate'];

  constructor(options: Options<GRUCellConfig, 'units'>) {
    super(GRUCell.className, GRUCell.fields, options);
  }

  override get stateSizes(): readonly number[] {
    return [this.config.units];
  }

  protected override build([inputShape]: readonly PartialShape[]): void {
    const { units, useBias, kernelInitializer, recurrentInitializer, biasInitializer, resetAfter } = this.config;
    const features = inputShape?.at(-1) ?? Number.NaN;
    this.addWeight('kernel', [features, 3 * units], { initializer: kernelInitializer, channelAxes: [-1] });
    this.addWeight('recurrent_kernel', [units, 3 * units], { initializer: recurrentInitializer, channelAxes: [-1] });
    if (useBias) this.addWeight('bias', resetAfter ? [2, 3 * units] : [3 * units], { initializer: biasInitializer });
  }

  override project(steps: SymbolicTensor, context: CallContext): SymbolicTensor {
    const product = gateProduct(dropInputs(this, steps, 3, context), this.weight('kernel'), matmul);
    return this.config.useBias ? add(product, this.#bias(0)) : product;
  }

  /** A row of the bias, of which there is one without `resetAfter`. */
  #bias(row: 0 | 1): SymbolicTensor {
    const bias = this.weight('bias');
    return this.config.resetAfter ? withShape(between(bias, 0, row, row + 1), [3 * this.config.units]) : bias;
  }

  override step(projected: SymbolicTensor, states: readonly SymbolicTensor[], context: CallContext): CellStep {
    const { units, activation: squash, recurrentActivation: gate, resetAfter, useBias } = this.config;
    const [h] = states as readonly [SymbolicTensor];
    const [inputZ, inputR, inputH] = split(projected, 3, -1) as [SymbolicTensor, SymbolicTensor, SymbolicTensor];
    const kernel = this.weight('recurrent_kernel');
    const dropped = dropStates(this, h, 3, context);
    const inner = resetAfter
      ? gateProduct(dropped, kernel, matmul)
      : gateProduct(dropped.slice(0, 2), between(kernel, 1, 0, 2 * units), matmul);
    const recurrent = resetAfter && useBias ? add(inner, this.#bias(1)) : inner;
    const [stateZ, stateR, stateH] = split(recurrent, resetAfter ? 3 : 2, -1) as [
      SymbolicTensor,
      SymbolicTensor,
      SymbolicTensor?,
    ];
    const z = gate.call(add(inputZ, stateZ));
    const r = gate.call(add(inputR, stateR));
    const memory =
      stateH === undefined
        ? matmul(multiply(r, dropped.at(-1) as SymbolicTensor), between(kernel, 1, 2 * units, 3 * units))
        : multiply(r, stateH);
    const candidate = squash.call(add(inputH, memory));
    const output = add(multiply(z, h), multiply(subtract(1, z), candidate));
    return { output, states: [output] };
  }
}

export interface GRUConfig extends GRUCellConfig, RecurrentConfig {
  activityRegularizer: Regularizer | null;
}

/**
 * Gated recurrent unit.
 *
 * Sequences `[batch, steps, features]` give `[batch, units]`, or `[batch, steps, units]` with `returnSequences`.
 */
export class GRU extends RecurrentLayer<GRUConfig> {
  static readonly className = 'GRU';
  static readonly fields: Fields<GRUConfig> = {
    ...recurrentFields,
    ...gruCellFields,
    activityRegularizer: regularizer(),
  };
  readonly cell: GRUCell;

  constructor(options: Options<GRUConfig, 'units'>) {
    super(GRU.className, GRU.fields, options);
    const { units } = this.config;
    this.cell = new GRUCell({ ...cellOptions(gruCellFields, this.config), name: 'gru_cell', units });
  }
}
