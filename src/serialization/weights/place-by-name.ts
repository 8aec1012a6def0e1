/** Arrays by path are matched by path, unless the caller asks for names: then each layer's arrays are put under its path. */
import { UnsupportedError } from '../../errors.ts';
import type { PathWeights, WeightGroup } from '../../formats/artifacts.ts';
import type { Layer } from '../../layers/layer.ts';
import type { LoadReport } from '../report.ts';
import type { MatchOptions } from './plan.ts';

/** A file whose groups have the paths of the model's layers of the same names, as far as there are such. */
export interface PlacedWeights {
  readonly weights: PathWeights;
  /** The path in the file of each group that was moved to another. */
  readonly origins: ReadonlyMap<string, string>;
}

/**
 * Moves the groups of a file's layers to the paths of the model's layers of the same names. With `byName`, layers without
 * a partner are taken out and reported; without it they stay where they are, unless their place was taken.
 *
 * @param modelPaths the paths of the model's layers, of the outermost level
 * @throws {UnsupportedError} when the file does not have the names: Keras writes them since 3.6.
 */
export function placeByName(
  weights: PathWeights,
  modelPaths: ReadonlyMap<string, string>,
  options: MatchOptions,
  report: LoadReport,
): PlacedWeights {
  const targets = new Map<string, string>();
  for (const [path, { layerName = options.fileLayerNames?.get(path), entries }] of weights.groups) {
    const isLayer = /^(?:(?:layers|_layer_checkpoint_dependencies)\/)?[^/]+$/.test(path);
    if (!isLayer) continue;
    if (layerName === undefined) {
      if (entries.size === 0) continue;
      const feature = 'matching by name without names';
      throw new UnsupportedError(
        `Cannot match weights by name: the file does not have the name of the layer at "${path}", ` +
          'which Keras writes since 3.6; load without byName and rename',
        feature,
      );
    }
    const target = modelPaths.get(options.rename(layerName));
    if (target !== undefined) targets.set(path, target);
  }
  const taken = new Set(targets.values());
  const groups = new Map<string, WeightGroup>();
  const origins = new Map<string, string>();
  for (const [path, group] of weights.groups) {
    const depth = /^(?:layers|_layer_checkpoint_dependencies)\//.test(path) ? 2 : 1;
    const owner = path.split('/').slice(0, depth).join('/');
    const target = targets.get(owner);
    if (target !== undefined) {
      const placed = target + path.slice(owner.length);
      groups.set(placed, group);
      if (placed !== path) origins.set(placed, path);
    } else if (path === '' || !(options.byName || taken.has(owner))) {
      groups.set(path, group);
    } else {
      for (const key of group.entries.keys()) report.unexpected.push(`${path}/vars/${key}`);
    }
  }
  return { weights: { kind: 'paths', groups }, origins };
}

/** The name of each layer of the outermost level, and its first path. */
export function pathsByName(
  root: Layer,
  places: readonly { readonly layer: Layer; readonly paths: readonly string[] }[],
): ReadonlyMap<string, string> {
  const children = new Set(root.children);
  return new Map(
    places.filter(({ layer }) => children.has(layer)).map(({ layer, paths }) => [layer.name, paths[0] ?? '']),
  );
}
