import { SymbolicTensor } from '../../graph/node.ts';

/** The symbolic tensors of an argument of a call: one, a list, or lists of lists, flattened in order. */
export function symbolsIn(value: unknown): readonly SymbolicTensor[] {
  if (value instanceof SymbolicTensor) return [value];
  return Array.isArray(value) ? value.flatMap(symbolsIn) : [];
}
