import type { Shape } from '../../array/shape.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { expandDims, squeeze } from '../../ops/shape.ts';
import type { Activation } from '../activation.ts';
import type { Constraint } from '../constraints.ts';
import {
  activation,
  boolean,
  constraint,
  type Fields,
  initializer,
  integer,
  nullable,
  number,
  positiveInteger,
  regularizer,
} from '../fields.ts';
import type { Initializer } from '../initializers.ts';
import { type CallContext, Layer, type LayerConfig, layerFields } from '../layer.ts';
import type { Regularizer } from '../regularizers.ts';
import { symbolsIn } from './symbols.ts';

/** What a cell gives for one step: its output, and the states for the next step. */
export interface CellStep {
  readonly output: SymbolicTensor;
  readonly states: readonly SymbolicTensor[];
}

/** What a part of the sums in a cell decides; the candidate is what a state may become. */
export type Gate = 'input' | 'forget' | 'output' | 'update' | 'reset' | 'candidate';

/**
 * One step of a recurrent layer. `RNN` repeats it along a sequence.
 *
 * Inputs are a step `[batch, …]` and the states; outputs are the output of the step and the next states. What does not
 * depend on the states belongs into `project`, which a layer calls once for all steps.
 */
export abstract class RNNCell<C extends LayerConfig = LayerConfig> extends Layer<C> {
  /** The gates that lie side by side along the last axis of each weight; none for a cell without gates. */
  readonly gates: readonly Gate[] = [];

  /** Number of elements of each state of one sample. */
  abstract readonly stateSizes: readonly number[];

  /** Number of elements of the output of one sample. */
  get outputSize(): number {
    return this.stateSizes[0] as number;
  }

  /** Which state takes the place of the output at a step that a mask leaves out. */
  get outputState(): number {
    return 0;
  }

  /** Shapes of the states for steps of shape `[batch, …]`. */
  stateShapes(stepShape: Shape): readonly Shape[] {
    return this.stateSizes.map((size) => [stepShape[0] as number, size]);
  }

  /** From steps `[steps, batch, …]` to what `step` takes of each. */
  project(steps: SymbolicTensor, _context: CallContext): SymbolicTensor {
    return steps;
  }

  /** Computes one step from one projected input and the states. */
  abstract step(projected: SymbolicTensor, states: readonly SymbolicTensor[], context: CallContext): CellStep;

  override call([x, ...rest]: readonly SymbolicTensor[], context: CallContext): readonly SymbolicTensor[] {
    const projected = squeeze(this.project(expandDims(x as SymbolicTensor, 0), context), 0);
    const states = rest.length > 0 ? rest : symbolsIn(context.kwargs.states);
    const { output, states: next } = this.step(projected, states, context);
    return [output, ...next];
  }
}

/** Whether a layer is a cell. */
export const isCell = (layer: Layer): layer is RNNCell => layer instanceof RNNCell;

/** The options that convolutional and plain cells share. */
export interface GateConfig extends LayerConfig {
  activation: Activation;
  useBias: boolean;
  kernelInitializer: Initializer;
  recurrentInitializer: Initializer;
  biasInitializer: Initializer;
  kernelRegularizer: Regularizer | null;
  recurrentRegularizer: Regularizer | null;
  biasRegularizer: Regularizer | null;
  kernelConstraint: Constraint | null;
  recurrentConstraint: Constraint | null;
  biasConstraint: Constraint | null;
  /** Share of the inputs that training drops. */
  dropout: number;
  /** Share of the states that training drops. */
  recurrentDropout: number;
  seed: number | null;
}

export const gateFields: Fields<GateConfig> = {
  ...layerFields,
  activation: activation('tanh'),
  useBias: boolean(true),
  kernelInitializer: initializer('glorot_uniform'),
  recurrentInitializer: initializer('orthogonal'),
  biasInitializer: initializer('zeros'),
  kernelRegularizer: regularizer(),
  recurrentRegularizer: regularizer(),
  biasRegularizer: regularizer(),
  kernelConstraint: constraint(),
  recurrentConstraint: constraint(),
  biasConstraint: constraint(),
  dropout: number(0),
  recurrentDropout: number(0),
  seed: nullable(integer()),
};

export interface UnitsConfig extends GateConfig {
  units: number;
}

export const unitsFields: Fields<UnitsConfig> = { ...gateFields, units: positiveInteger() };

/** The entries of a layer's configuration that are options of its cell. */
export function cellOptions(fields: object, config: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config).filter(([key]): boolean => key !== 'name' && Object.hasOwn(fields, key)),
  );
}
