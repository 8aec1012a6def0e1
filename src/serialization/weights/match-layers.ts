/** Arrays grouped by layer (legacy HDF5) onto the layers of a model. */
import type { LayerWeights, WeightEntry } from '../../formats/artifacts.ts';
import type { Variable } from '../../graph/variable.ts';
import type { Layer } from '../../layers/layer.ts';
import type { Dialect } from '../dialect.ts';
import type { LoadReport } from '../report.ts';
import { convertLayer } from './conversions.ts';
import { matchWithin } from './match-within.ts';
import type { MatchOptions, PlanItem } from './plan.ts';

type FileLayer = LayerWeights['layers'][number];

/** Plans which arrays go where; what has no partner goes to the report. */
export function matchLayers(
  model: Layer,
  weights: LayerWeights,
  dialect: Dialect,
  options: MatchOptions,
  report: LoadReport,
): readonly PlanItem[] {
  const fileLayers = weights.layers
    .filter(({ entries }) => entries.length > 0)
    .map((layer) => ({ ...layer, name: options.rename(layer.name) }));
  const layers = model.children.filter((layer) => layer.weights.length > 0);
  const plan: PlanItem[] = [];
  const done = new Set<Layer>();
  for (const [fileLayer, layer] of pairLayers(fileLayers, layers, options, report)) {
    done.add(layer);
    plan.push(...matchLayer(layer, fileLayer, dialect, report));
  }
  for (const layer of layers) {
    if (!done.has(layer)) report.missing.push(...layer.weights.map((variable) => variable.path));
  }
  return plan;
}

/** By name where every name of the file is one of the model's, else in order, as Keras does. */
function pairLayers(
  fileLayers: readonly FileLayer[],
  layers: readonly Layer[],
  options: MatchOptions,
  report: LoadReport,
): readonly (readonly [FileLayer, Layer])[] {
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  const named = fileLayers.filter((fileLayer) => byName.has(fileLayer.name));
  const inOrder = !options.byName && named.length < fileLayers.length && fileLayers.length === layers.length;
  if (inOrder) {
    return fileLayers.map((fileLayer, index) => [fileLayer, layers[index] as Layer] as const);
  }
  for (const fileLayer of fileLayers) {
    if (byName.has(fileLayer.name)) continue;
    report.unexpected.push(...fileLayer.entries.map((entry) => qualified(fileLayer, entry)));
  }
  return named.map((fileLayer) => [fileLayer, byName.get(fileLayer.name) as Layer] as const);
}

/** `dense_1/kernel:0`, whether or not the array's own name begins with its layer's. */
function qualified(fileLayer: FileLayer, entry: WeightEntry): string {
  return entry.name.startsWith(`${fileLayer.name}/`) ? entry.name : `${fileLayer.name}/${entry.name}`;
}

function matchLayer(layer: Layer, fileLayer: FileLayer, dialect: Dialect, report: LoadReport): readonly PlanItem[] {
  const plan = planLayer(layer, fileLayer.entries, dialect);
  if (plan === undefined) {
    report.missing.push(...layer.weights.map((variable) => variable.path));
    report.unexpected.push(...fileLayer.entries.map((entry) => qualified(fileLayer, entry)));
    return [];
  }
  if (fileLayer.name !== layer.name) {
    report.renamed.push(
      ...plan.map(({ variable, entries }) => ({
        weight: variable.path,
        source: qualified(fileLayer, entries[0] as WeightEntry),
      })),
    );
  }
  return plan;
}

function planLayer(layer: Layer, entries: readonly WeightEntry[], dialect: Dialect): readonly PlanItem[] | undefined {
  if ('layers' in layer) {
    // The order in a nested model depends on what was frozen when it was saved, so names come first.
    const variables = matchWithin(layer, entries);
    if (variables === undefined) return undefined;
    return planParts(layer, variables, entries, dialect);
  }
  const parts = partsOf(layer, entries);
  if (parts === undefined) return convertLayer(layer, layer.weights, entries, dialect);
  const plans = parts.map(([part, partEntries]) => planLayer(part, partEntries, dialect));
  return plans.every((plan) => plan !== undefined) ? plans.flat() : undefined;
}

/** The layers of which another is only made up, of as many weights each, with their share of the arrays. */
function partsOf(
  layer: Layer,
  entries: readonly WeightEntry[],
): readonly (readonly [Layer, readonly WeightEntry[]])[] | undefined {
  const parts = [...new Set(layer.children)].filter(({ weights }) => weights.length > 0);
  const share = entries.length / parts.length;
  const areAlike = parts.every(({ weights }) => weights.length * parts.length === layer.weights.length);
  if (parts.length === 0 || !areAlike || !Number.isInteger(share)) return undefined;
  return parts.map((part, index) => [part, entries.slice(index * share, (index + 1) * share)]);
}

/** Conversions for a nested model: each of its layers gets the arrays that were matched to its weights. */
function planParts(
  model: Layer,
  variables: readonly Variable[],
  entries: readonly WeightEntry[],
  dialect: Dialect,
): readonly PlanItem[] | undefined {
  const entryOf = new Map(variables.map((variable, index) => [variable, entries[index] as WeightEntry]));
  const plan: PlanItem[] = [];
  const visit = (layer: Layer): boolean => {
    if ('layers' in layer) return layer.children.every(visit);
    const own = layer.weights;
    if (own.length === 0) return true;
    const part = planLayer(
      layer,
      own.map((variable) => entryOf.get(variable) as WeightEntry),
      dialect,
    );
    plan.push(...(part ?? []));
    return part !== undefined;
  };
  return visit(model) ? plan : undefined;
}
