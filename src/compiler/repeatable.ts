import { sizeOf } from '../array/shape.ts';
import { type AnyNode, type SymbolicTensor, topologicalOrder } from '../graph/node.ts';
import type { PrimitiveName } from '../graph/primitives.ts';
import { isElementwise } from './cluster.ts';

/** Operations that take less time than reading their result from memory. */
const CHEAP: ReadonlySet<PrimitiveName> = new Set<PrimitiveName>([
  ...(['add', 'subtract', 'multiply', 'negate', 'absolute', 'maximum', 'minimum', 'relu', 'select', 'cast'] as const),
  ...(['equal', 'notEqual', 'less', 'lessEqual', 'greater', 'greaterEqual'] as const),
  ...(['logicalAnd', 'logicalOr', 'logicalNot'] as const),
]);

/** Operations that are computed again at the most. */
const MOST_OPERATIONS = 6;

/** Values so many times smaller stay in the caches. */
const SMALL = 16;

/** What it takes to compute a value again: operations, and the one large value that is read. */
interface Recipe {
  readonly operations: number;
  readonly source: SymbolicTensor | undefined;
}

/**
 * Says of which nodes several kernels better compute the value again than store and read it: element-wise work on one
 * large value that others need as well, and on small ones. Of a training, that is much of what batch normalisations
 * compute from the output of a convolution, forward and backward.
 */
export function repeatableNodes(outputs: readonly SymbolicTensor[]): (node: AnyNode) => boolean {
  const users = new Map<AnyNode, Set<AnyNode>>();
  for (const user of topologicalOrder(outputs)) {
    for (const { node } of user.inputs) users.set(node, (users.get(node) ?? new Set()).add(user));
  }
  const isShared = (node: AnyNode): boolean => (users.get(node)?.size ?? 0) > 1;
  const recipes = new Map<SymbolicTensor, Recipe | undefined>();

  const recipeOf = (symbol: SymbolicTensor, size: number): Recipe | undefined => {
    if (sizeOf(symbol.shape) * SMALL <= size) return { operations: 0, source: undefined };
    const { node } = symbol;
    if (node.primitive === 'broadcast' || node.primitive === 'reshape') {
      const input = recipeOf(node.inputs[0] as SymbolicTensor, size);
      return input?.source === undefined ? input : undefined;
    }
    if (isElementwise(node.primitive)) {
      if (!recipes.has(symbol)) recipes.set(symbol, elementwiseRecipe(node, size));
      const recipe = recipes.get(symbol);
      if (recipe !== undefined) return recipe;
    }
    // It has a place of its own, when several want it.
    return isShared(node) ? { operations: 0, source: symbol } : undefined;
  };
  const elementwiseRecipe = (node: AnyNode, size: number): Recipe | undefined => {
    if (!CHEAP.has(node.primitive)) return undefined;
    let operations = 1;
    let source: SymbolicTensor | undefined;
    for (const input of node.inputs) {
      const recipe = recipeOf(input, size);
      if (recipe === undefined) return undefined;
      operations += recipe.operations;
      if (recipe.source !== undefined && source !== undefined && recipe.source !== source) return undefined;
      source ??= recipe.source;
    }
    return operations <= MOST_OPERATIONS ? { operations, source } : undefined;
  };

  return (node) => {
    const [symbol] = node.outputs;
    if (symbol === undefined) return false;
    return recipeOf(symbol, sizeOf(symbol.shape))?.source !== undefined && recipes.get(symbol) !== undefined;
  };
}
