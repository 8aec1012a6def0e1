import type { Graph } from '../graph/node.ts';
import type { Update } from './backend.ts';
import type { LowerAdvice } from './lower.ts';
import { repeatableNodes } from './repeatable.ts';
import { backwards } from './update-order.ts';

/** What makes the kernels of a training step fewer, and their data nearer. */
export function trainingAdvice(graph: Graph, updates: readonly Update[]): LowerAdvice {
  return {
    roots: backwards(graph, updates),
    isRepeatable: repeatableNodes([...graph.outputs, ...updates.map(([, value]) => value)]),
  };
}

export { splitFolds } from './split-folds.ts';
