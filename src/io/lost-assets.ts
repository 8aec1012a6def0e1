import { isAssetLayer } from '../layers/asset-layer.ts';
import type { Layer } from '../layers/layer.ts';
import { layerPlaces } from '../serialization/weights/match-paths.ts';

export interface LostAssetsOptions {
  /** Whether arrays have names in the format, so that those which are no weights have a place; false unless given. */
  readonly keepsValues?: boolean;
}

/** What layers keep beside their weights, in words, for formats that have no room for it. */
export function lostAssets(
  root: Layer,
  format: string,
  { keepsValues = false }: LostAssetsOptions = {},
): readonly string[] {
  return layerPlaces(root).flatMap(({ layer }) => {
    if (!isAssetLayer(layer)) return [];
    const names = [...layer.saveAssets().keys(), ...(keepsValues ? [] : layer.saveValues().keys())];
    return names.map((name) => `${name} of layer "${layer.name}", which a ${format} has no room for`);
  });
}
