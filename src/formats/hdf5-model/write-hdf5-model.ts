/** Writes the HDF5 files that `read-hdf5-model.ts` reads, in the layout of Keras 2 and 3. */

import type { WritableFile } from '../../binary/byte-sink.ts';
import { FormatError } from '../../errors.ts';
import type { LayerWeights, ModelArtifacts, WeightEntry } from '../artifacts.ts';
import { textsOf } from '../described-texts.ts';
import { encodeJson } from '../encode-json.ts';
import { type Attributes, type DatasetSpec, type GroupSpec, writeHdf5 } from '../hdf5/write-hdf5.ts';
import { weightDataset } from './write-weight.ts';

interface MutableGroup extends GroupSpec {
  readonly attributes: Record<string, Attributes[string]>;
  readonly members: Map<string, MutableGroup | DatasetSpec>;
}

/** Bytes of an attribute that Keras does not exceed, since an object header of HDF5 holds 64 KB. */
const MAX_ATTRIBUTE_BYTES = 64512;

/** The group for weights that belong to the model itself. */
const TOP_LEVEL = 'top_level_model_weights';

/**
 * A whole model where the record has a configuration, else its weights alone.
 *
 * @throws {FormatError} when the record lacks weights by layer, or a name is none that HDF5 can hold.
 */
export function writeHdf5Model(artifacts: ModelArtifacts): WritableFile {
  const { topology, weights, trainingConfig, optimizerWeights, source } = artifacts;
  if (weights?.kind !== 'layers') {
    throw new FormatError(`Cannot write "${source}" as .h5: expected weights by layer`);
  }
  const { kerasVersion: version, backend } = artifacts;
  const origin = {
    ...(version === undefined ? {} : { keras_version: version }),
    ...(backend === undefined ? {} : { backend }),
  };
  const described = { ...origin, ...textsOf(artifacts.metadata ?? {}) };
  if (topology === undefined) return writeHdf5(weightsGroup(weights, described));
  const root = emptyGroup({ ...described, model_config: encodeJson(topology) });
  root.members.set('model_weights', weightsGroup(weights, origin));
  if (trainingConfig !== undefined) root.attributes.training_config = encodeJson(trainingConfig);
  if (optimizerWeights !== undefined) {
    const group = emptyGroup();
    addEntries(group, optimizerWeights);
    root.members.set('optimizer_weights', group);
  }
  return writeHdf5(root);
}

function weightsGroup({ layers, topLevel }: LayerWeights, origin: Attributes): MutableGroup {
  const root = emptyGroup(origin);
  addNames(
    root,
    'layer_names',
    layers.map(({ name }) => name),
  );
  for (const { name, entries } of layers) {
    if (name === TOP_LEVEL) throw new FormatError(`Cannot write layer "${name}": .h5 has this name for itself`);
    addEntries(groupAt(root, name.split('/')), entries);
  }
  addEntries(groupAt(root, [TOP_LEVEL]), topLevel);
  return root;
}

/** The arrays, each at its name, which may be a path, and the list of the names in order. */
function addEntries(group: MutableGroup, entries: readonly WeightEntry[]): void {
  addNames(
    group,
    'weight_names',
    entries.map(({ name }) => name),
  );
  for (const entry of entries) {
    const parts = entry.name.split('/');
    const { members } = groupAt(group, parts.slice(0, -1));
    const last = parts.at(-1) as string;
    if (members.has(last)) throw new FormatError(`Cannot write weight "${entry.name}": there is another of the name`);
    members.set(last, weightDataset(entry));
  }
}

/** A list of names as Keras stores it: in pieces of equal length, numbered, where it is too long for one attribute. */
function addNames(group: MutableGroup, attribute: string, names: readonly string[]): void {
  const encoder = new TextEncoder();
  const widths = names.map((name) => encoder.encode(name).byteLength);
  const isTooLong = (count: number): boolean =>
    pieces(widths, count).some((piece) => piece.length * Math.max(0, ...piece) > MAX_ATTRIBUTE_BYTES);
  let count = 1;
  while (count < names.length && isTooLong(count)) count++;
  if (count === 1) group.attributes[attribute] = names;
  else for (const [index, piece] of pieces(names, count).entries()) group.attributes[`${attribute}${index}`] = piece;
}

/** A list in `count` pieces whose lengths differ by one at most. */
function pieces<T>(items: readonly T[], count: number): T[][] {
  const bounds = Array.from({ length: count + 1 }, (_, index) => Math.ceil((index * items.length) / count));
  return bounds.slice(1).map((end, index) => items.slice(bounds[index], end));
}

function emptyGroup(attributes: Attributes = {}): MutableGroup {
  return { kind: 'group', attributes: { ...attributes }, members: new Map() };
}

function groupAt(group: MutableGroup, path: readonly string[]): MutableGroup {
  let found = group;
  for (const part of path) {
    const next = found.members.get(part) ?? emptyGroup();
    if (next.kind !== 'group') {
      throw new FormatError(`Cannot write the group "${path.join('/')}": there is an array of the name "${part}"`);
    }
    found.members.set(part, next);
    found = next;
  }
  return found;
}
