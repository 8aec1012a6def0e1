/** Which layers a training leaves alone. */
import type { Variable } from '../graph/variable.ts';
import { type Layer, trainedWeights } from '../layers/layer.ts';

/** The layers that are not trainable: as in Keras each says so for itself, whatever it is inside of. */
export function frozenLayers(layer: Layer): ReadonlySet<Layer> {
  const frozen = new Set<Layer>();
  const visit = (each: Layer): void => {
    if (!each.trainable) frozen.add(each);
    each.children.forEach(visit);
  };
  visit(layer);
  return frozen;
}

/** The weights that a training changes, in Keras' order, when it leaves some layers alone; none of a frozen model. */
export function weightsToTrain(layer: Layer, frozen: ReadonlySet<Layer>): readonly Variable[] {
  return frozen.has(layer) ? [] : trainedWeights(layer, (each) => frozen.has(each));
}
