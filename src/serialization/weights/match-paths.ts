/** Arrays by path (`.keras`, `.weights.h5`) onto the layers of a model, by Keras 3's own walk. */
import { shapesEqual } from '../../array/shape.ts';
import type { PathWeights, WeightEntry, WeightGroup } from '../../formats/artifacts.ts';
import type { Variable } from '../../graph/variable.ts';
import { isAssetLayer } from '../../layers/asset-layer.ts';
import { snakeCaseOf } from '../../layers/keras-object.ts';
import type { Layer } from '../../layers/layer.ts';
import type { LoadReport } from '../report.ts';
import type { PlacedWeights } from './place-by-name.ts';
import type { PlanItem } from './plan.ts';

/** A layer and the paths under which a file may have it: of this version, then of others. */
export interface Place {
  readonly layer: Layer;
  readonly paths: readonly string[];
  /** What older releases have in the place of the last part of the path. */
  readonly oldName?: string | undefined;
}

/**
 * Plans which arrays go where; what has no partner goes to the report.
 *
 * @param placeByName puts the file's arrays under the paths of the model's layers, where names are to decide
 */
export function matchPaths(
  root: Layer,
  fileWeights: PathWeights,
  report: LoadReport,
  placeByName?: (places: readonly Place[]) => PlacedWeights,
): readonly PlanItem[] {
  const plan: PlanItem[] = [];
  const used = new Set<string>();
  const places = layerPlaces(root, fileWeights.groups);
  const { weights, origins } = placeByName?.(places) ?? { weights: fileWeights, origins: new Map<string, string>() };
  for (const { layer, paths } of places) {
    const variables = layer.ownWeights;
    // What such a layer has besides weights is read with its assets.
    if (isAssetLayer(layer)) for (const path of paths) used.add(path);
    if (variables.length === 0) continue;
    const present = paths.filter((candidate) => (weights.groups.get(candidate)?.entries.size ?? 0) > 0);
    const path = present.find((candidate) => fitsGroup(weights, candidate, variables, used)) ?? present[0];
    const group = path === undefined ? undefined : weights.groups.get(path);
    if (path === undefined || group === undefined) {
      report.missing.push(...variables.map((variable) => variable.path));
      continue;
    }
    used.add(path);
    const items = matchGroup(path, group, variables, report);
    const origin = origins.get(path);
    if (origin !== undefined) {
      for (const { variable, entries } of items) {
        report.renamed.push({ weight: variable.path, source: `${origin}/vars/${entries[0]?.name}` });
      }
    }
    plan.push(...items);
  }
  for (const [path, group] of weights.groups) {
    if (!used.has(path)) report.unexpected.push(...[...group.entries.keys()].map((key) => `${path}/vars/${key}`));
  }
  return plan;
}

/** Whether a group that is still free has arrays of the right shapes, for a layer that may be in several places. */
function fitsGroup(
  weights: PathWeights,
  path: string,
  variables: readonly Variable[],
  used: ReadonlySet<string>,
): boolean {
  const entries = weights.groups.get(path)?.entries;
  return (
    !used.has(path) &&
    entries?.size === variables.length &&
    variables.every((variable, index) => shapesEqual(entries.get(String(index))?.shape ?? [-1], variable.shape))
  );
}

function matchGroup(
  path: string,
  group: WeightGroup,
  variables: readonly Variable[],
  report: LoadReport,
): readonly PlanItem[] {
  const entries = [...group.entries].sort(([a], [b]) => Number(a) - Number(b));
  const plan: PlanItem[] = [];
  for (const [index, variable] of variables.entries()) {
    const entry: WeightEntry | undefined =
      group.entries.get(String(index)) ?? group.entries.get(variable.name) ?? entries[index]?.[1];
    if (entry === undefined) report.missing.push(variable.path);
    else plan.push({ variable, entries: [entry] });
  }
  for (const [key] of entries.slice(variables.length)) report.unexpected.push(`${path}/vars/${key}`);
  return plan;
}

/**
 * Every layer with its possible paths. A model's layers are `layers/<class>[_n]`, numbered by class; the layers inside
 * a layer go by their attributes, lists by `attribute/<class>[_n]`.
 */
export function layerPlaces(root: Layer, groups: PathWeights['groups'] = new Map()): readonly Place[] {
  const found: Place[] = [];
  const visited = new Set<Layer>();
  const names = new Map<string, string>();
  const nameOf = (className: string): string => {
    const name = names.get(className) ?? snakeCaseOf(className);
    names.set(className, name);
    return name;
  };
  const visit = (layer: Layer, paths: readonly string[], oldName?: string): void => {
    if (visited.has(layer)) return;
    visited.add(layer);
    found.push({ layer, paths, oldName });
    const listed = layer === root && !('layers' in layer) ? listedPaths(layer, groups) : new Map<Layer, string>();
    for (const [attribute, value] of Object.entries(layer.sublayers)) {
      const attributes = attributeNames(layer, attribute);
      const below = (name: string): string[] =>
        paths.flatMap((path) => attributes.map((own) => [path, own, name].filter((part) => part !== '').join('/')));
      const also = (child: Layer): string[] => (listed.has(child) ? [listed.get(child) as string] : []);
      if (!Array.isArray(value)) {
        visit(value as Layer, [...below(''), ...also(value as Layer)], attributes[1]);
        continue;
      }
      const counts = new Map<string, number>();
      for (const child of value as readonly Layer[]) {
        const name = nameOf(child.className);
        const count = counts.get(name) ?? 0;
        counts.set(name, count + 1);
        visit(child, [...below(numbered(name, count)), ...also(child)]);
      }
    }
  };
  visit(root, ['']);
  return found;
}

const numbered = (name: string, count: number): string => (count === 0 ? name : `${name}_${count}`);

/**
 * A subclassed model lists all its layers under `layers`, too. Keras 3 walks attributes by the alphabet and stores
 * there those that come later; tf.keras walked the other way and stored, and counted, those that come before.
 */
function listedPaths(root: Layer, groups: PathWeights['groups']): ReadonlyMap<Layer, string> {
  const before = Object.entries(root.sublayers).filter(([attribute]) => attribute < 'layers');
  const weighty = before.filter(([, layers]) => [layers].flat().some((layer) => layer.weights.length > 0));
  const stored = new Set(Array.from(groups.keys(), (path) => path.split('/')[0]));
  const isKeras3 =
    weighty.length === 0 ||
    weighty.some(([attribute]) => attributeNames(root, attribute).some((name) => stored.has(name)));
  const counts = new Map<string, number>();
  const found = new Map<Layer, string>();
  for (const child of isKeras3 ? root.children : before.flatMap(([, layers]) => layers)) {
    const name = snakeCaseOf(child.className);
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    found.set(child, `layers/${numbered(name, count)}`);
  }
  return found;
}

/** The name of an attribute in files, and the one that older files have. */
function attributeNames({ oldAttributes }: Layer, attribute: string): readonly string[] {
  const old = oldAttributes[attribute];
  return (old === undefined ? [attribute] : [attribute, old]).map((name) =>
    name.replace(/(?<=.)[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
  );
}
