/** The weights of a model by layer, as `.h5` has them (see `weights/match-layers.ts`), and by their paths. */
import type { LayerWeights, WeightEntry } from '../formats/artifacts.ts';
import type { Layer } from '../layers/layer.ts';
import { weightEntryOf } from './encode-model.ts';

/**
 * Weights in the order that Keras expects there: trainable ones of a layer before others, by what is frozen now, those of
 * nested models and of layers inside layers with the outermost.
 *
 * Readers go by this order alone, and make the same one from the configuration, or from a model that is frozen alike.
 */
export function layerWeightsOf(root: Layer): LayerWeights {
  const layers = root.children.map((layer) => {
    const variables = [...layer.trainableWeights, ...layer.nonTrainableWeights];
    const names = uniqueNames(variables.map(({ path }) => path));
    const entries = variables.map((variable, index) => weightEntryOf(variable, root.name, names[index]));
    return { name: layer.name, entries };
  });
  const own = root.ownWeights.map((variable) => weightEntryOf(variable, root.name));
  return { kind: 'layers', layers, topLevel: own };
}

/** Weights by path, `dense/kernel`; where two have the same, by a number too. */
export function weightsByPath(model: Layer, trainableOnly = false): readonly WeightEntry[] {
  const names = uniqueNames(model.weights.map(({ path }) => path));
  const wanted = new Set(trainableOnly ? model.trainableWeights : model.weights);
  return model.weights.flatMap((variable, index) =>
    wanted.has(variable) ? [weightEntryOf(variable, model.name, names[index])] : [],
  );
}

/** Arrays under names of which none is twice, nor the beginning of another's path. */
export function withUniqueNames(entries: readonly WeightEntry[]): readonly WeightEntry[] {
  const names = uniqueNames(entries.map(({ name }) => name));
  return entries.map((entry, index) => ({ ...entry, name: names[index] as string }));
}

/** Names that are paths of a tree: none twice, and none below another. */
function uniqueNames(paths: readonly string[]): readonly string[] {
  const names = new Set<string>();
  const folders = new Set<string>();
  return paths.map((path) => {
    const foldersOf = (name: string): string[] =>
      name.split('/').flatMap((_, index, parts) => (index === 0 ? [] : [parts.slice(0, index).join('/')]));
    const isFree = (name: string): boolean =>
      !names.has(name) && !folders.has(name) && foldersOf(name).every((folder) => !names.has(folder));
    let name = path;
    for (let count = 1; !isFree(name); count++) name = `${path}_${count}`;
    names.add(name);
    for (const folder of foldersOf(name)) folders.add(folder);
    return name;
  });
}
