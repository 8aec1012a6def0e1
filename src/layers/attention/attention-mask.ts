/** Which keys a query may look at: masks of the inputs, a given mask, causality, a sliding window, all at once. */
import { SymbolicTensor } from '../../graph/node.ts';
import { greaterEqual, less, logicalAnd } from '../../ops/compare.ts';
import { coordinates } from '../../ops/creation.ts';
import { abs, subtract } from '../../ops/elementwise.ts';
import { cast } from '../../ops/operand.ts';
import { expandDims } from '../../ops/shape.ts';
import { KerasTensor } from '../keras-tensor.ts';

export interface AttentionMasks {
  /** `[batch, queries]`. */
  readonly query?: SymbolicTensor | undefined;
  /** `[batch, keys]`. */
  readonly value?: SymbolicTensor | undefined;
  /** `[batch, keys]`. */
  readonly key?: SymbolicTensor | undefined;
  /** `[batch, queries, keys]`, or another shape that broadcasts to the scores. */
  readonly attention?: SymbolicTensor | undefined;
  readonly isCausal: boolean;
  /** Greatest distance of a key, plus 1. */
  readonly slidingWindow: number | null;
}

/** All masks joined: true where a query may look; `undefined` when nothing is masked. */
export function attentionMask(masks: AttentionMasks, queries: number, keys: number): SymbolicTensor | undefined {
  const rows = coordinates([1, queries, keys], 1);
  const columns = coordinates([1, queries, keys], 2);
  const all = [
    masks.attention && cast(masks.attention, 'bool'),
    masks.query && expandDims(cast(masks.query, 'bool'), -1),
    masks.value && expandDims(cast(masks.value, 'bool'), -2),
    masks.key && expandDims(cast(masks.key, 'bool'), -2),
    masks.isCausal ? greaterEqual(rows, columns) : undefined,
    masks.slidingWindow === null ? undefined : less(abs(subtract(rows, columns)), masks.slidingWindow),
  ];
  const present = all.filter((mask) => mask !== undefined);
  return present.length === 0 ? undefined : present.reduce((a, b) => logicalAnd(a, b));
}

/** The mask with so many axes, new ones before the last `kept`: the axes of the heads. */
export function withAxes(mask: SymbolicTensor, ndim: number, kept: number): SymbolicTensor {
  let result = mask;
  while (result.shape.length < ndim) result = expandDims(result, -kept - 1);
  return result;
}

/** An argument of a call that is a tensor. */
export function tensorArgument(value: unknown): SymbolicTensor | undefined {
  return value instanceof SymbolicTensor ? value : undefined;
}

/** Arguments of a call, with the query, the value and the key among the inputs, in this order, however they came. */
export function attentionInputs(
  inputs: KerasTensor | readonly KerasTensor[],
  kwargs: Readonly<Record<string, unknown>>,
): { readonly inputs: readonly KerasTensor[]; readonly kwargs: Readonly<Record<string, unknown>> } {
  const { query, value, key, ...rest } = kwargs;
  const named = [query, value, key].filter((tensor) => tensor instanceof KerasTensor);
  return { inputs: [...(inputs instanceof KerasTensor ? [inputs] : inputs), ...named], kwargs: rest };
}
