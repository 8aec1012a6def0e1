/** Arrays of a nested model onto its weights: by the ends of their names, or in the order of their time. */
import { shapesEqual } from '../../array/shape.ts';
import type { WeightEntry } from '../../formats/artifacts.ts';
import type { Variable } from '../../graph/variable.ts';
import type { Layer } from '../../layers/layer.ts';
import { withoutOutputIndex } from './plan.ts';

/**
 * The weight for each array, or `undefined` when their numbers differ.
 *
 * Names decide when each array's name ends in the path of one weight alone. Otherwise the order does: trainable
 * weights before others, by the flags that the model was loaded with, which is how files order nested models.
 */
export function matchWithin(model: Layer, entries: readonly WeightEntry[]): readonly Variable[] | undefined {
  const variables = model.weights;
  if (variables.length !== entries.length) return undefined;
  const named = matchBySuffix(variables, entries);
  if (named !== undefined) return named;
  const orders = [[...model.trainableWeights, ...model.nonTrainableWeights], frozenLast(variables), variables];
  return orders.find((order) => fitsInOrder(order, entries)) ?? orders[0];
}

function frozenLast(variables: readonly Variable[]): readonly Variable[] {
  return [...variables.filter(({ trainable }) => trainable), ...variables.filter(({ trainable }) => !trainable)];
}

function fitsInOrder(variables: readonly Variable[], entries: readonly WeightEntry[]): boolean {
  return variables.every((variable, index) => shapesEqual(variable.shape, (entries[index] as WeightEntry).shape));
}

/** One weight for each array, when the names tell: the longest common end of their paths, which must be unique. */
export function matchBySuffix(
  variables: readonly Variable[],
  entries: readonly { readonly name: string; readonly shape: readonly number[] }[],
): readonly Variable[] | undefined {
  const free = new Set(variables);
  const found: Variable[] = [];
  const byName = new Map<string, Variable[]>();
  for (const variable of variables) {
    const same = byName.get(variable.name);
    if (same === undefined) byName.set(variable.name, [variable]);
    else same.push(variable);
  }
  for (const entry of entries) {
    const segments = withoutOutputIndex(entry.name).split('/');
    const candidates = byName.get(segments.at(-1) ?? '') ?? [];
    let best: Variable | undefined;
    let bestLength = 1;
    let isUnique = true;
    for (const variable of candidates) {
      const length = commonEnd(segments, variable.path.split('/'));
      if (length > bestLength) {
        best = variable;
        bestLength = length;
        isUnique = true;
      } else if (length === bestLength) {
        isUnique = false;
      }
    }
    if (best === undefined || !isUnique || !free.delete(best)) return undefined;
    found.push(best);
  }
  return found;
}

/** Number of equal segments at the end of two paths. */
function commonEnd(a: readonly string[], b: readonly string[]): number {
  let length = 0;
  while (length < a.length && length < b.length && a.at(-1 - length) === b.at(-1 - length)) length++;
  return length;
}
