import { type AnyNode, type Graph, type SymbolicTensor, topologicalOrder } from '../graph/node.ts';
import type { Variable } from '../graph/variable.ts';
import type { Update } from './backend.ts';
import { isElementwise } from './cluster.ts';

/**
 * The values of a training step in an order in which they are well computed: what they depend on comes before each.
 *
 * The weights of the last layers come first. So the gradient of an activation is used for the kernel of its layer right
 * after it was used for the layer before, while caches still have it, and its memory is free for the next one.
 */
export function backwards({ outputs }: Graph, updates: readonly Update[]): SymbolicTensor[] {
  const readers = new Map<Variable, AnyNode[]>(updates.map(([variable]) => [variable, []]));
  const users = new Map<AnyNode, Set<AnyNode>>();
  for (const user of topologicalOrder([...outputs, ...updates.map(([, value]) => value)])) {
    for (const { node } of user.inputs) {
      if (node.primitive === 'parameter') readers.get(node.attributes.variable)?.push(user);
      else users.set(node, (users.get(node) ?? new Set()).add(user));
    }
  }
  /** What is computed together with a node, when that is only followed by element-wise work. */
  const completed = (node: AnyNode): SymbolicTensor[] => {
    const [user, ...others] = users.get(node) ?? [];
    if (user !== undefined && others.length === 0 && isElementwise(user.primitive)) return completed(user);
    return node.outputs.slice(0, 1);
  };
  // An optimizer's slots are computed for the weight, together with it.
  const last = updates.filter(([, value]) => !users.has(value.node)).reverse();
  // Nobody may read a variable later than its next value is there, which can take its place then.
  return [
    ...outputs,
    ...last.flatMap(([variable, value]) => [...(readers.get(variable) ?? []).flatMap(completed), value]),
  ];
}
