/** The weights of a model by name, as TensorFlow.js has them; the counterpart of `weights/match-names.ts`. */
import type { NamedWeights } from '../formats/artifacts.ts';
import type { Variable } from '../graph/variable.ts';
import type { Layer } from '../layers/layer.ts';
import { KerasModel } from '../model/keras-model.ts';
import { weightEntryOf } from './encode-model.ts';

/**
 * The weights of a model under the names that TensorFlow.js gives them: `layer/kernel`, without the names of nested
 * models, wrapped layers and cells. Where two weights would have one name, both have their whole path.
 *
 * @param names The names, where they are known already; see `tensorflowNames`.
 */
export function namedWeightsOf(
  model: KerasModel,
  { trainableOnly = false, names = tensorflowNames(model) }: NamedWeightsOptions = {},
): NamedWeights {
  const variables = trainableOnly ? model.trainableWeights : model.weights;
  const entries = variables.map((variable) => weightEntryOf(variable, model.name, names.get(variable)));
  return { kind: 'named', entries };
}

export interface NamedWeightsOptions {
  /** Leave out what training does not change, frozen layers among it; false unless given. */
  readonly trainableOnly?: boolean;
  readonly names?: ReadonlyMap<Variable, string>;
}

/** The names that TensorFlow.js itself gives the weights, which may have one in common. */
export function shortNamesOf(model: KerasModel): ReadonlyMap<Variable, string> {
  const names = new Map<Variable, string>();
  model.nameWeights();
  for (const layer of model.layers) nameBelow(layer, layer.name, names);
  // A layer of the user's own that stands for a model has weights that are no layer's.
  for (const variable of model.weights) if (!names.has(variable)) names.set(variable, variable.path);
  return names;
}

/** The name of each weight; all are different. */
export function tensorflowNames(model: KerasModel): ReadonlyMap<Variable, string> {
  const short = shortNamesOf(model);
  const counts = new Map<string, number>();
  for (const name of short.values()) counts.set(name, (counts.get(name) ?? 0) + 1);
  const taken = new Set<string>();
  const names = new Map<Variable, string>();
  for (const [variable, name] of short) {
    const base = counts.get(name) === 1 ? name : variable.path;
    let unique = base;
    for (let count = 1; taken.has(unique); count++) unique = `${base}_${count}`;
    taken.add(unique);
    names.set(variable, unique);
  }
  return names;
}

/** Names what is in a layer; `scope` is the layer's own, as TensorFlow.js nests it. */
function nameBelow(layer: Layer, scope: string, names: Map<Variable, string>): void {
  for (const variable of layer.ownWeights) {
    if (!names.has(variable)) names.set(variable, `${scope}/${variable.traits.oldName ?? variable.name}`);
  }
  if (layer instanceof KerasModel) {
    for (const child of layer.layers) nameBelow(child, child.name, names);
    return;
  }
  for (const [attribute, value] of Object.entries(layer.sublayers)) {
    for (const [index, child] of [value].flat().entries()) {
      nameBelow(child, child instanceof KerasModel ? child.name : scopeOf(child, attribute, index, scope), names);
    }
  }
}

function scopeOf(child: Layer, attribute: string, index: number, scope: string): string {
  if (attribute === 'cells') return `${scope}/RNNCell_${index}`;
  // The layer within a wrapper, or the cell, has no scope of its own.
  return attribute === 'layer' || attribute === 'cell' ? scope : `${scope}/${child.name}`;
}
