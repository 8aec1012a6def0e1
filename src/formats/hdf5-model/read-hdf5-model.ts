/**
 * The HDF5 files of Keras 1 and 2 and of Keras 3's legacy writer, whole models and weights alone.
 *
 * A whole model has the attributes `model_config` and `training_config` and the groups `model_weights` and
 * `optimizer_weights`; a weights-only file is the content of `model_weights`. There, the attribute `layer_names` lists
 * groups in the order of the layers, and the attribute `weight_names` of each lists paths below it. Keras 0 wrote weights
 * alone, as `layer_0/param_0` and so on, with the attributes `nb_layers` and `nb_params` for counts.
 */

import { FormatError } from '../../errors.ts';
import type { JsonObject, LayerWeights, ModelArtifacts, WeightEntry } from '../artifacts.ts';
import { DESCRIPTION_KEYS, describedBy } from '../described-texts.ts';
import { Hdf5Dataset } from '../hdf5/hdf5-dataset.ts';
import { Hdf5Group } from '../hdf5/hdf5-group.ts';
import { decodeJsonObject } from '../json.ts';
import { namesAttribute, textAttribute } from './text-attributes.ts';
import { datasetEntry } from './weight-entry.ts';

/** Which layers of a file are wanted; all of them without. Nothing is fetched for the others. */
export type WantsLayer = (name: string, topology: JsonObject | undefined) => boolean;

/** A model of a hundred thousand layers is none; the number bounds the groups that are looked for. */
const MAX_LAYERS = 100_000;

/** Whether a file's root is that of a whole model or of weights in the layout by layers. */
export async function isHdf5Model(root: Hdf5Group): Promise<boolean> {
  for (const name of ['model_config', 'layer_names', 'layer_names0', 'nb_layers']) {
    if ((await root.attribute(name)) !== undefined) return true;
  }
  return (await root.get('model_weights')) instanceof Hdf5Group;
}

/** Reads the record of a whole model or of a weights-only file; the arrays themselves are read when asked for. */
export async function readHdf5Model(
  root: Hdf5Group,
  file: string,
  wantsLayer: WantsLayer = () => true,
): Promise<ModelArtifacts> {
  const modelConfig = await textAttribute(root, 'model_config', file);
  const trainingConfig = await textAttribute(root, 'training_config', file);
  const topology =
    modelConfig === undefined ? undefined : decodeJsonObject(modelConfig, file, 'the attribute "model_config"');
  const weightsRoot = (await groupAt(root, 'model_weights')) ?? root;
  const kerasVersion =
    (await textAttribute(root, 'keras_version', file)) ?? (await textAttribute(weightsRoot, 'keras_version', file));
  const backend = (await textAttribute(root, 'backend', file)) ?? (await textAttribute(weightsRoot, 'backend', file));
  const weights = await readLayerWeights(weightsRoot, file, (name) => wantsLayer(name, topology));
  const optimizerGroup = await groupAt(root, 'optimizer_weights');
  return {
    format: topology === undefined ? 'hdf5-weights' : 'hdf5',
    source: file,
    weights,
    ...(await readDescription(root, file)),
    ...(topology === undefined ? {} : { topology }),
    ...(kerasVersion === undefined ? {} : { kerasVersion }),
    ...(backend === undefined ? {} : { backend }),
    ...(trainingConfig === undefined
      ? {}
      : { trainingConfig: decodeJsonObject(trainingConfig, file, 'the attribute "training_config"') }),
    ...(optimizerGroup === undefined ? {} : { optimizerWeights: await readNamedEntries(optimizerGroup, file) }),
  };
}

/** What a file says of itself in attributes of its root. */
export async function readDescription(root: Hdf5Group, file: string): Promise<ReturnType<typeof describedBy>> {
  const texts: Record<string, string> = {};
  for (const key of DESCRIPTION_KEYS) {
    const text = await textAttribute(root, key, file);
    if (text !== undefined) texts[key] = text;
  }
  return Object.keys(texts).length === 0 ? {} : describedBy(texts, file);
}

async function readLayerWeights(
  root: Hdf5Group,
  file: string,
  wantsLayer: (name: string) => boolean,
): Promise<LayerWeights> {
  const names = await namesAttribute(root, 'layer_names', file);
  if (names === undefined) {
    const layerCount = await countAttribute(root, 'nb_layers', file);
    if (layerCount === undefined) {
      throw new FormatError(`Cannot read "${file}": it has neither "layer_names" nor "nb_layers"`, { file });
    }
    return { kind: 'layers', layers: await readNumberedLayers(root, layerCount, file), topLevel: [] };
  }
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw new FormatError(`Cannot read "${file}": two layers are named "${name}"`, { file });
    seen.add(name);
  }
  const topLevelGroup = await groupAt(root, 'top_level_model_weights');
  const layers = await Promise.all(
    names.filter(wantsLayer).map(async (name) => {
      const group = await groupAt(root, name);
      if (group === undefined)
        throw new FormatError(`Cannot read "${file}": the layer "${name}" has no group`, { file });
      return { name, entries: await readNamedEntries(group, file) };
    }),
  );
  const topLevel = topLevelGroup === undefined ? [] : await readNamedEntries(topLevelGroup, file);
  return { kind: 'layers', layers, topLevel };
}

/** The datasets that the attribute `weight_names` of a group lists, in that order. */
async function readNamedEntries(group: Hdf5Group, file: string): Promise<WeightEntry[]> {
  const names = (await namesAttribute(group, 'weight_names', file)) ?? [];
  return await Promise.all(
    names.map(async (name) => {
      const dataset = await group.get(name);
      if (dataset instanceof Hdf5Dataset) return await datasetEntry(dataset, name, file);
      const found = dataset === undefined ? 'nothing' : 'a group';
      throw new FormatError(`Cannot read weight "${name}" in "${group.path}" of "${file}": found ${found}`, { file });
    }),
  );
}

async function readNumberedLayers(root: Hdf5Group, layerCount: number, file: string): Promise<LayerWeights['layers']> {
  const layers: { name: string; entries: WeightEntry[] }[] = [];
  for (let layer = 0; layer < layerCount; layer++) {
    const name = `layer_${layer}`;
    const group = await root.group(name);
    const paramCount = (await countAttribute(group, 'nb_params', file)) ?? 0;
    const entries: WeightEntry[] = [];
    for (let param = 0; param < paramCount; param++) {
      entries.push(await datasetEntry(await group.dataset(`param_${param}`), `param_${param}`, file));
    }
    layers.push({ name, entries });
  }
  return layers;
}

async function countAttribute(group: Hdf5Group, name: string, file: string): Promise<number | undefined> {
  const value = await group.attribute(name);
  const count = Array.isArray(value) && value.length === 1 ? value[0] : value;
  if (count === undefined) return undefined;
  if (typeof count === 'number' && Number.isInteger(count) && count >= 0 && count <= MAX_LAYERS) return count;
  throw new FormatError(`Cannot read the attribute "${name}" of "${group.path}" in "${file}": it is no count`, {
    file,
  });
}

async function groupAt(parent: Hdf5Group, path: string): Promise<Hdf5Group | undefined> {
  const object = await parent.get(path);
  return object instanceof Hdf5Group ? object : undefined;
}
