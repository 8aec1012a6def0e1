/** How targets, predictions and weights whose ranks differ by an axis of extent 1 are brought together. */
import type { SymbolicTensor } from '../graph/node.ts';
import { expandDims, squeeze } from '../ops/shape.ts';

/**
 * Both tensors with one rank, where they differ by a last axis of extent 1; unchanged otherwise.
 *
 * The axis is dropped from the one of higher rank, or added to the other when that is a vector and `expandVectors`.
 */
export function alignRanks(
  first: SymbolicTensor,
  second: SymbolicTensor,
  expandVectors = true,
): [SymbolicTensor, SymbolicTensor] {
  if (first.shape.length === second.shape.length + 1) {
    const [higher, lower] = alignHigher(first, second, expandVectors);
    return [higher, lower];
  }
  if (second.shape.length === first.shape.length + 1) {
    const [higher, lower] = alignHigher(second, first, expandVectors);
    return [lower, higher];
  }
  return [first, second];
}

function alignHigher(
  higher: SymbolicTensor,
  lower: SymbolicTensor,
  expandVectors: boolean,
): [SymbolicTensor, SymbolicTensor] {
  if (higher.shape.at(-1) !== 1) return [higher, lower];
  if (lower.shape.length === 1 && expandVectors) return [higher, expandDims(lower, -1)];
  return [squeeze(higher, -1), lower];
}
