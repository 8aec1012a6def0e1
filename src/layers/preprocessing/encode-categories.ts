import type { SymbolicTensor } from '../../graph/node.ts';
import { multiply } from '../../ops/elementwise.ts';
import { multiHot, oneHot } from '../../ops/indexing.ts';
import { withShape } from '../../ops/operand.ts';
import { sum } from '../../ops/reduce.ts';
import { expandDims } from '../../ops/shape.ts';

export type CategoryMode = 'one_hot' | 'multi_hot' | 'count';

/**
 * Indices as vectors of 0 and 1, or as counts, over so many categories; an index out of range is left out.
 *
 * `one_hot` encodes each index, in place of a last axis of extent 1; the others sum up the first axis after the batch,
 * or all of a vector.
 */
export function encodeCategories(
  indices: SymbolicTensor,
  mode: CategoryMode,
  depth: number,
  weights?: SymbolicTensor,
): SymbolicTensor {
  const samples = indices.shape.length === 0 ? withShape(indices, [1]) : indices;
  const { shape } = samples;
  switch (mode) {
    case 'one_hot':
      return oneHot(shape.length > 1 && shape.at(-1) === 1 ? withShape(samples, shape.slice(0, -1)) : samples, depth);
    case 'multi_hot':
      return multiHot(samples, depth);
    case 'count': {
      const hits = oneHot(samples, depth);
      return sum(weights === undefined ? hits : multiply(hits, expandDims(weights, -1)), shape.length > 1 ? 1 : 0);
    }
    default:
      return mode satisfies never;
  }
}
