/** Arrays by path are matched by path, unless the caller asks for names: then each layer's arrays are put under its path. */
import { UnsupportedError } from '../../errors.ts';
import type { PathWeights, WeightGroup } from '../../formats/artifacts.ts';
import type { Layer } from '../../layers/layer.ts';
import type { LoadReport } from '../report.ts';
import type { MatchOptions } from './plan.ts';

/** A file whose groups have the paths of the model's layers of the same names, as far as there are such. */
export interface PlacedWeights {
  readonly weights: PathWeights;
  /** The path in the file of each group that was renamed to go to another. */
  readonly origins: ReadonlyMap<string, string>;
}

/** A layer of the model, of any level, by the names that lead to it (`base/conv`), and its path in files. */
export interface NamedPlace {
  readonly name: string;
  readonly path: string;
}

/**
 * Moves the groups of a file's layers to the paths of the model's layers of the same names. Layers of models inside go by
 * the names that lead to them, such as `base/conv`; with `byName` also by their own name, when both sides have it once,
 * so that a base finds its layers in a file in which it is inside of another model, and the other way round.
 *
 * With `byName`, layers without a partner are taken out and reported; without it they stay where they are, unless their
 * place was taken. What is inside of a layer that has a partner goes with it by its place, as in Keras, when none of it
 * has a partner of its own.
 *
 * @throws {UnsupportedError} when the file does not have the names: Keras writes them since 3.6.
 */
export function placeByName(
  weights: PathWeights,
  places: readonly NamedPlace[],
  options: MatchOptions,
  report: LoadReport,
): PlacedWeights {
  const targets = findTargets(weights, places, options);
  const taken = new Set(targets.values());
  const hasOwnTargets = new Set([...targets.keys()].flatMap((level) => levelsOf(level).slice(0, -1)));
  const groups = new Map<string, WeightGroup>();
  const origins = new Map<string, string>();
  for (const [path, group] of weights.groups) {
    const levels = levelsOf(path);
    const deepest = levels.at(-1) ?? '';
    const owner = levels.findLast((level) => targets.has(level));
    const isLost = owner === undefined || (owner !== deepest && hasOwnTargets.has(owner));
    if (!isLost) {
      const placed = (targets.get(owner) as string) + path.slice(owner.length);
      groups.set(placed, group);
      if (placed !== path && options.renames) origins.set(placed, path);
    } else if (path === '' || !(options.byName || levels.some((level) => taken.has(level)))) {
      groups.set(path, group);
    } else {
      for (const key of group.entries.keys()) report.unexpected.push(`${path}/vars/${key}`);
    }
  }
  return { weights: { kind: 'paths', groups }, origins };
}

/** The model's path for each layer of the file, of any level, that has a partner. */
function findTargets(
  weights: PathWeights,
  places: readonly NamedPlace[],
  { byName, rename, fileLayerNames }: MatchOptions,
): Map<string, string> {
  const byChain = new Map(places.map(({ name, path }) => [name, path]));
  const nameAt = (level: string): string | undefined =>
    weights.groups.get(level)?.layerName ?? fileLayerNames?.get(level);
  const levels = new Set([...weights.groups.keys()].flatMap(levelsOf));
  const targets = new Map<string, string>();
  for (const level of levels) {
    const names = levelsOf(level).map(nameAt);
    if (names.includes(undefined)) {
      const isOutermost = names.length === 1 && (weights.groups.get(level)?.entries.size ?? 0) > 0;
      if (isOutermost) throw withoutName(level);
      continue;
    }
    const chain = (names as string[]).join('/');
    const renamed = rename(chain);
    const target = byChain.get(renamed === chain ? (names as string[]).map(rename).join('/') : renamed);
    if (target !== undefined) targets.set(level, target);
  }
  if (!byName) return targets;
  const ownNames = uniqueBy(places, ({ name }) => name.split('/').at(-1) as string);
  const taken = new Set(targets.values());
  const lost = [...levels].filter((level) => !targets.has(level) && nameAt(level) !== undefined);
  for (const [name, level] of uniqueBy(lost, (each) => rename(nameAt(each) as string))) {
    const place = ownNames.get(name);
    if (place !== undefined && !taken.has(place.path)) targets.set(level, place.path);
  }
  return targets;
}

/** The layers that a path leads through: `layers/base`, then `layers/base/layers/conv2d`. */
function levelsOf(path: string): string[] {
  const segments = path.split('/');
  const levels: string[] = [];
  for (let end = 2; end <= segments.length && segments[end - 2] === 'layers'; end += 2) {
    levels.push(segments.slice(0, end).join('/'));
  }
  const isLayer = path !== '' && segments[0] !== 'layers';
  return levels.length === 0 && isLayer ? [segments[0] as string] : levels;
}

/** Those of which there is one, by name. */
function uniqueBy<T>(items: readonly T[], nameOf: (item: T) => string): ReadonlyMap<string, T> {
  const found = new Map<string, T>();
  const repeated = new Set<string>();
  for (const item of items) {
    const name = nameOf(item);
    if (found.has(name)) repeated.add(name);
    found.set(name, item);
  }
  for (const name of repeated) found.delete(name);
  return found;
}

function withoutName(path: string): UnsupportedError {
  const feature = 'matching by name without names';
  return new UnsupportedError(
    `Cannot match weights by name: the file does not have the name of the layer at "${path}", ` +
      'which Keras writes since 3.6; load without byName and rename',
    feature,
  );
}

/** The layers of a model and of the models inside it, with their first paths. */
export function namedPlaces(
  root: Layer,
  places: readonly { readonly layer: Layer; readonly paths: readonly string[] }[],
): readonly NamedPlace[] {
  const pathOf = new Map(places.map(({ layer, paths }) => [layer, paths[0] ?? '']));
  const found: NamedPlace[] = [];
  const visit = (layer: Layer, prefix: string): void => {
    for (const child of layer.children) {
      const path = pathOf.get(child);
      if (path === undefined) continue;
      found.push({ name: prefix + child.name, path });
      if ('layers' in child) visit(child, `${prefix}${child.name}/`);
    }
  };
  visit(root, '');
  return found;
}
