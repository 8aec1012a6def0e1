/** From a model to the record that formats write; the counterpart of `build-model.ts`. */
import { bytesPerElement } from '../array/dtype.ts';
import { sizeOf } from '../array/shape.ts';
import type { Tensor } from '../array/tensor.ts';
import type { JsonObject, ModelArtifacts, PathWeights, WeightEntry, WeightGroup } from '../formats/artifacts.ts';
import type { Variable } from '../graph/variable.ts';
import { isAssetLayer } from '../layers/asset-layer.ts';
import type { Layer } from '../layers/layer.ts';
import type { KerasModel } from '../model/keras-model.ts';
import { encodeGraph } from './encode-graph.ts';
import { type EncodeOptions, LayerEncoder } from './encode-layers.ts';
import { valueOfVersion } from './kept-values.ts';
import { loadLayerClasses } from './registry.ts';
import { layerPlaces } from './weights/match-paths.ts';

export interface EncodedModel {
  readonly topology: JsonObject;
  /** Classes and functions that readers must be given. */
  readonly needs: readonly string[];
  /** What the model says and the file cannot, though it does without. */
  readonly omitted: readonly string[];
}

/**
 * The configuration of a model, as every release of Keras 3 reads it; or with all options, from which
 * `encode-layers-model.ts` goes on.
 *
 * @throws {UnsupportedError} naming the layer, for what a file cannot hold.
 */
export async function encodeModel(model: KerasModel, options?: EncodeOptions): Promise<EncodedModel> {
  const names = new Set(layerPlaces(model).map(({ layer }) => layer.className));
  const encoder = new LayerEncoder(await loadLayerClasses(names), encodeGraph, options);
  const topology = encoder.layer(model);
  return { topology, needs: [...encoder.needs].sort(), omitted: encoder.omitted };
}

/** The weights of a model by path, as they are when each is read. */
export function pathWeightsOf(root: Layer): PathWeights {
  const groups = new Map<string, WeightGroup>();
  for (const { layer, paths, oldName } of layerPlaces(root)) {
    const path = paths[0] as string;
    const entries = new Map<string, WeightEntry>();
    for (const [index, variable] of layer.ownWeights.entries())
      entries.set(String(index), weightEntryOf(variable, root.name));
    if (isAssetLayer(layer)) {
      for (const [key, tensor] of layer.saveValues()) {
        const { shape, dtype } = tensor;
        const storedBytes = sizeOf(shape) * bytesPerElement(dtype);
        entries.set(key, { name: key, dtype, shape, file: root.name, storedBytes, read: async () => tensor });
      }
    }
    groups.set(path, { layerName: layer.name, oldName, entries });
  }
  return { kind: 'paths', groups };
}

/** A weight of a model, for messages in a file of that name. It must be kept, or not change, until it was read. */
export function weightEntryOf(variable: Variable, file: string, name: string = variable.path): WeightEntry {
  const { dtype, shape, version } = variable;
  const storedBytes = sizeOf(shape) * bytesPerElement(dtype);
  const read = async (): Promise<Tensor> => {
    // A file must be of one moment: its parts are read one by one, and in an archive twice.
    const value = valueOfVersion(variable, version);
    if (value !== undefined) return value;
    throw new Error(`Cannot save weight "${name}": it was changed while the model was saved; save between two steps`);
  };
  return { name, dtype, shape, file, storedBytes, read };
}

/** The files that layers keep beside their weights, by path. */
function assetsOf(root: Layer): ReadonlyMap<string, () => Promise<Uint8Array>> {
  const assets = new Map<string, () => Promise<Uint8Array>>();
  for (const { layer, paths } of layerPlaces(root)) {
    if (!isAssetLayer(layer)) continue;
    for (const [name, bytes] of layer.saveAssets()) {
      assets.set([paths[0] as string, name].filter((part) => part !== '').join('/'), async () => bytes);
    }
  }
  return assets;
}

/** The whole model as one record; `source` is its name, for messages. */
export async function modelArtifacts(
  model: KerasModel,
): Promise<EncodedModel & { readonly artifacts: ModelArtifacts }> {
  const encoded = await encodeModel(model);
  const artifacts: ModelArtifacts = {
    format: 'keras',
    source: model.name,
    topology: encoded.topology,
    kerasVersion: KERAS_VERSION,
    weights: pathWeightsOf(model),
    assets: assetsOf(model),
  };
  return { ...encoded, artifacts };
}

/** The release whose configurations are written; all of Keras 3 reads them. */
export const KERAS_VERSION = '3.15.1';
