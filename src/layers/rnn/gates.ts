/**
 * Dropout in cells whose gates lie side by side in each weight.
 *
 * As in Keras, a pattern has no axis of steps: one that is drawn in a call holds for all its steps. Inputs are dropped by
 * one pattern for all gates; when states are dropped too, each gate has patterns of its own.
 */
import type { Shape } from '../../array/shape.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { between, concatenate } from '../../ops/shape.ts';
import type { CallContext } from '../layer.ts';
import { drawFor, drop } from '../regularization/drop.ts';
import type { GateConfig, RNNCell } from './cell.ts';

/** One tensor that all gates take, or one for each. */
export type GateInputs = readonly [SymbolicTensor, ...SymbolicTensor[]];

/** What the gates take of the inputs `[steps, batch, …]`. */
export function dropInputs(
  cell: RNNCell<GateConfig>,
  steps: SymbolicTensor,
  gateCount: number,
  context: CallContext,
): GateInputs {
  const { dropout, recurrentDropout } = cell.config;
  const count = recurrentDropout > 0 ? gateCount : 1;
  return dropTimes(cell, steps, dropout, [1, ...steps.shape.slice(1)], count, context);
}

/** What the gates take of the states `[batch, …]` of one step. */
export function dropStates(
  cell: RNNCell<GateConfig>,
  states: SymbolicTensor,
  gateCount: number,
  context: CallContext,
): GateInputs {
  return dropTimes(cell, states, cell.config.recurrentDropout, states.shape, gateCount, context);
}

function dropTimes(
  cell: RNNCell<GateConfig>,
  x: SymbolicTensor,
  share: number,
  shape: Shape,
  count: number,
  context: CallContext,
): GateInputs {
  if (!context.training || share <= 0) return [x];
  const draw = drawFor(cell, context, cell.config.seed);
  return Array.from({ length: count }, () => drop(x, share, shape, draw)) as unknown as GateInputs;
}

/** The products of what the gates take with their parts of a kernel, along the last axis of it, side by side. */
export function gateProduct(
  inputs: readonly SymbolicTensor[],
  kernel: SymbolicTensor,
  product: (x: SymbolicTensor, kernel: SymbolicTensor) => SymbolicTensor,
  axis = -1,
): SymbolicTensor {
  if (inputs.length === 1) return product(inputs[0] as SymbolicTensor, kernel);
  const last = kernel.shape.length - 1;
  const size = (kernel.shape[last] as number) / inputs.length;
  const products = inputs.map((x, gate) => product(x, between(kernel, last, gate * size, (gate + 1) * size)));
  return concatenate(products, axis);
}
