import type { PartialShape } from '../../array/shape.ts';
import { Tensor } from '../../array/tensor.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { add, multiply } from '../../ops/elementwise.ts';
import { matmul } from '../../ops/matrix.ts';
import { split } from '../../ops/shape.ts';
import type { Activation } from '../activation.ts';
import { activation, boolean, type Fields, type Options, regularizer } from '../fields.ts';
import type { Initializer } from '../initializers.ts';
import type { CallContext } from '../layer.ts';
import type { Regularizer } from '../regularizers.ts';
import { type CellStep, cellOptions, type Gate, RNNCell, type UnitsConfig, unitsFields } from './cell.ts';
import { dropInputs, dropStates, gateProduct } from './gates.ts';
import { type RecurrentConfig, RecurrentLayer, recurrentFields } from './recurrent-layer.ts';

export interface LSTMCellConfig extends UnitsConfig {
  recurrentActivation: Activation;
  /** Whether the bias of the forget gate begins at 1. */
  unitForgetBias: boolean;
}

const lstmCellFields: Fields<LSTMCellConfig> = {
  ...unitsFields,
  recurrentActivation: activation('sigmoid'),
  unitForgetBias: boolean(true),
};

/** In the order of the weights of every cell that computes as an `LSTM` does. */
export const LSTM_GATES: readonly Gate[] = ['input', 'forget', 'candidate', 'output'];

/**
 * One step of `LSTM`.
 *
 * The states are the output `h` and the carry `c`, both `[batch, units]`.
 */
export class LSTMCell extends RNNCell<LSTMCellConfig> {
  static readonly className = 'LSTMCell';
  static readonly fields: Fields<LSTMCellConfig> = lstmCellFields;
  override readonly gates: readonly Gate[] = LSTM_GATES;

  constructor(options: Options<LSTMCellConfig, 'units'>) {
    super(LSTMCell.className, LSTMCell.fields, options);
  }

  override get stateSizes(): readonly number[] {
    return [this.config.units, this.config.units];
  }

  protected override build([inputShape]: readonly PartialShape[]): void {
    const { units, useBias, kernelInitializer, recurrentInitializer, biasInitializer, unitForgetBias } = this.config;
    const features = inputShape?.at(-1) ?? Number.NaN;
    this.addWeight('kernel', [features, 4 * units], { initializer: kernelInitializer, channelAxes: [-1] });
    this.addWeight('recurrent_kernel', [units, 4 * units], { initializer: recurrentInitializer, channelAxes: [-1] });
    if (!useBias) return;
    const initializer = unitForgetBias ? withForgetBias(biasInitializer) : biasInitializer;
    this.addWeight('bias', [4 * units], { initializer });
  }

  override project(steps: SymbolicTensor, context: CallContext): SymbolicTensor {
    const product = gateProduct(dropInputs(this, steps, 4, context), this.weight('kernel'), matmul);
    return this.config.useBias ? add(product, this.weight('bias')) : product;
  }

  override step(projected: SymbolicTensor, states: readonly SymbolicTensor[], context: CallContext): CellStep {
    const [h, c] = states as readonly [SymbolicTensor, SymbolicTensor];
    const product = gateProduct(dropStates(this, h, 4, context), this.weight('recurrent_kernel'), matmul);
    const gates = add(projected, product);
    return lstmStep(split(gates, 4, -1), c, this.config);
  }
}

/** Output and states from the sums that go into the gates: input, forget, candidate, output. */
export function lstmStep(
  gates: readonly SymbolicTensor[],
  c: SymbolicTensor,
  config: { readonly activation: Activation; readonly recurrentActivation: Activation },
): CellStep {
  const [inputGate, forgetGate, candidate, outputGate] = gates as [
    SymbolicTensor,
    SymbolicTensor,
    SymbolicTensor,
    SymbolicTensor,
  ];
  const gate = config.recurrentActivation.call;
  const carry = add(multiply(gate(forgetGate), c), multiply(gate(inputGate), config.activation.call(candidate)));
  const output = multiply(gate(outputGate), config.activation.call(carry));
  return { output, states: [output, carry] };
}

/** The initializer with 1 in the second quarter of the bias, that of the forget gate. */
export function withForgetBias(initializer: Initializer): Initializer {
  return {
    ...initializer,
    initialize: (shape, dtype) => {
      const units = (shape[0] as number) / 4;
      const before = initializer.initialize([units], dtype);
      const after = initializer.initialize([2 * units], dtype);
      const data = new Float32Array(4 * units).fill(1);
      data.set(before.data as Float32Array, 0);
      data.set(after.data as Float32Array, 2 * units);
      return new Tensor(shape, 'float32', data);
    },
  };
}

export interface LSTMConfig extends LSTMCellConfig, RecurrentConfig {
  activityRegularizer: Regularizer | null;
}

/**
 * Long short-term memory.
 *
 * Sequences `[batch, steps, features]` give `[batch, units]`, or `[batch, steps, units]` with `returnSequences`; the
 * states are `h` and `c`.
 */
export class LSTM extends RecurrentLayer<LSTMConfig> {
  static readonly className = 'LSTM';
  static readonly fields: Fields<LSTMConfig> = {
    ...recurrentFields,
    ...lstmCellFields,
    activityRegularizer: regularizer(),
  };
  readonly cell: LSTMCell;

  constructor(options: Options<LSTMConfig, 'units'>) {
    super(LSTM.className, LSTM.fields, options);
    const { units } = this.config;
    this.cell = new LSTMCell({ ...cellOptions(lstmCellFields, this.config), name: 'lstm_cell', units });
  }
}
