import type { Tensor } from '../array/tensor.ts';
import type { Layer } from './layer.ts';

/** What some layers read and write besides their weights. */
export interface AssetLayer {
  /**
   * Takes the files that an archive holds for this layer, by name, such as `vocabulary.txt`.
   *
   * @throws {FormatError} when a file is not what the layer needs.
   */
  loadAssets(files: ReadonlyMap<string, Uint8Array>): void;
  /** Whether the layer can run: its assets were in its configuration, or were loaded. */
  readonly hasAssets: boolean;
  /** Takes values that stand beside the numbered weights, by name, such as `idf_weights`. */
  loadValues(values: ReadonlyMap<string, Tensor>): void;
  /**
   * The files that `loadAssets` takes; none where the configuration says it all.
   *
   * @throws {UnsupportedError} when a file could not hold them.
   */
  saveAssets(): ReadonlyMap<string, Uint8Array>;
  /** The values that `loadValues` takes. */
  saveValues(): ReadonlyMap<string, Tensor>;
}

/** Whether a layer reads assets. */
export function isAssetLayer(layer: Layer): layer is Layer & AssetLayer {
  return 'loadAssets' in layer && 'loadValues' in layer;
}
