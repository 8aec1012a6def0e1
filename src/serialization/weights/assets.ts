/** What an archive holds for layers besides numbered weights: vocabularies, and values that have names. */
import type { Tensor } from '../../array/tensor.ts';
import { FormatError } from '../../errors.ts';
import type { ModelArtifacts } from '../../formats/artifacts.ts';
import { isAssetLayer } from '../../layers/asset-layer.ts';
import type { Layer } from '../../layers/layer.ts';
import { layerPlaces } from './match-paths.ts';

/**
 * Reads what layers have besides numbered weights, and gives a function that hands every layer its own: nothing changes
 * before that. The function throws a `FormatError` when an asset is not what its layer needs.
 */
export async function readAssets(root: Layer, artifacts: ModelArtifacts): Promise<() => void> {
  const steps: (() => void)[] = [];
  const groups = artifacts.weights?.kind === 'paths' ? artifacts.weights.groups : undefined;
  for (const { layer, paths } of layerPlaces(root, groups)) {
    if (!isAssetLayer(layer)) continue;
    const files = await readFiles(artifacts, paths);
    if (files.size > 0) steps.push(() => layer.loadAssets(files));
    const values = await readValues(artifacts, paths);
    if (values.size > 0) steps.push(() => layer.loadValues(values));
  }
  return () => {
    try {
      for (const step of steps) step();
    } catch (cause) {
      if (!(cause instanceof TypeError || cause instanceof RangeError)) throw cause;
      const file = artifacts.source;
      throw new FormatError(`Cannot load "${file}": ${cause.message}`, { file, cause });
    }
  };
}

/** What layers still lack, as paths for a report: a vocabulary that legacy files do not hold. */
export function missingAssets(root: Layer): readonly { readonly layer: Layer; readonly path: string }[] {
  const inner = new Set<Layer>();
  const missing: { layer: Layer; path: string }[] = [];
  for (const { layer } of layerPlaces(root)) {
    if (!isAssetLayer(layer)) continue;
    for (const child of layer.children) inner.add(child);
    if (!layer.hasAssets && !inner.has(layer)) missing.push({ layer, path: `${layer.name}/vocabulary` });
  }
  return missing;
}

/** The files directly below a layer's path, by name. */
async function readFiles({ assets }: ModelArtifacts, paths: readonly string[]): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const [path, read] of assets ?? []) {
    const slash = path.lastIndexOf('/');
    if (paths.includes(path.slice(0, slash))) files.set(path.slice(slash + 1), await read());
  }
  return files;
}

/** Arrays whose key is a name in place of a number. */
async function readValues({ weights }: ModelArtifacts, paths: readonly string[]): Promise<Map<string, Tensor>> {
  const values = new Map<string, Tensor>();
  if (weights?.kind !== 'paths') return values;
  for (const path of paths) {
    for (const [key, entry] of weights.groups.get(path)?.entries ?? []) {
      if (!/^\d+$/.test(key)) values.set(key, await entry.read());
    }
  }
  return values;
}
