import { applyAll } from '../graph/apply.ts';
import { type AnyNode, type SymbolicTensor, topologicalOrder } from '../graph/node.ts';
import type { Variable } from '../graph/variable.ts';

/** What the symbols will be once the variables have been assigned: each variable is replaced by its next value. */
export function afterUpdates(
  symbols: readonly SymbolicTensor[],
  updates: ReadonlyMap<Variable, SymbolicTensor>,
): SymbolicTensor[] {
  const replaced = new Map<AnyNode, readonly SymbolicTensor[]>();
  const nextOf = (symbol: SymbolicTensor): SymbolicTensor => replaced.get(symbol.node)?.[symbol.index] ?? symbol;
  for (const node of topologicalOrder(symbols)) {
    if (node.primitive === 'parameter') {
      const next = updates.get(node.attributes.variable);
      if (next !== undefined) replaced.set(node, [next]);
    } else if (node.inputs.some((input) => replaced.has(input.node))) {
      replaced.set(node, applyAll(node.primitive, node.inputs.map(nextOf), node.attributes));
    }
  }
  return symbols.map(nextOf);
}
