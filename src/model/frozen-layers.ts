/** Which layers a training leaves alone. */
import type { Variable } from '../graph/variable.ts';
import type { Layer } from '../layers/layer.ts';

/** The layers that are not trainable, and all that are inside such. */
export function frozenLayers(layer: Layer): ReadonlySet<Layer> {
  const frozen = new Set<Layer>();
  const visit = (each: Layer, isInside: boolean): void => {
    const isFrozen = isInside || !each.trainable;
    if (isFrozen) frozen.add(each);
    for (const child of each.children) visit(child, isFrozen);
  };
  visit(layer, false);
  return frozen;
}

/** The weights that a training changes, in Keras' order, when it leaves some layers alone. */
export function weightsToTrain(layer: Layer, frozen: ReadonlySet<Layer>): readonly Variable[] {
  if (frozen.has(layer)) return [];
  const own = layer.ownWeights.filter((variable) => variable.trainable);
  return [...new Set([...own, ...layer.children.flatMap((child) => weightsToTrain(child, frozen))])];
}
