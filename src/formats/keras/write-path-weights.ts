/** Writes the HDF5 layout of Keras 3; see `path-weights.ts`, which reads it. */

import type { WritableFile } from '../../binary/byte-sink.ts';
import type { JsonObject, PathWeights, WeightEntry, WeightGroup } from '../artifacts.ts';
import { textsOf } from '../described-texts.ts';
import { type DatasetSpec, type GroupSpec, writeHdf5 } from '../hdf5/write-hdf5.ts';
import { weightDataset } from '../hdf5-model/write-weight.ts';

interface MutableGroup extends GroupSpec {
  readonly members: Map<string, MutableGroup | DatasetSpec>;
}

export interface PathWeightsParts {
  readonly optimizerWeights?: readonly WeightEntry[] | undefined;
  /** What the file says of itself, as attributes of its root. */
  readonly description?: JsonObject;
}

/**
 * A `.weights.h5` of arrays by path: each object's below `<path>/vars`, with its name as an attribute. The root has its
 * group even when it has no arrays, since releases before 3.12 look for it.
 */
export function writePathWeights(
  weights: PathWeights,
  rootName: string,
  { optimizerWeights = [], description = {} }: PathWeightsParts = {},
): WritableFile {
  const root: MutableGroup = { ...emptyGroup(), attributes: textsOf(description) };
  const groups = new Map<string, WeightGroup>([
    ['', { layerName: rootName, entries: new Map() }],
    ...withOptimizer(weights, optimizerWeights).groups,
  ]);
  for (const [path, { layerName, oldName, entries }] of groups) {
    let [parent, owner] = [root, root];
    for (const part of path.split('/').filter((segment) => segment !== '')) {
      parent = owner;
      owner = groupIn(parent, part);
    }
    const vars: MutableGroup = {
      kind: 'group',
      attributes: layerName === undefined ? {} : { name: layerName },
      members: new Map([...entries].map(([key, entry]) => [key, weightDataset(entry)])),
    };
    owner.members.set('vars', vars);
    if (oldName !== undefined) parent.members.set(oldName, owner);
  }
  return writeHdf5(root);
}

/** The arrays of an optimizer, by number, in the group that they have beside those of layers. */
export function withOptimizer(weights: PathWeights, optimizerWeights: readonly WeightEntry[]): PathWeights {
  if (optimizerWeights.length === 0) return weights;
  const entries = new Map(optimizerWeights.map((entry, index) => [String(index), entry]));
  return { kind: 'paths', groups: new Map([...weights.groups, ['optimizer', { layerName: 'optimizer', entries }]]) };
}

function emptyGroup(): MutableGroup {
  return { kind: 'group', attributes: {}, members: new Map() };
}

function groupIn(owner: MutableGroup, name: string): MutableGroup {
  const found = owner.members.get(name);
  if (found !== undefined && found.kind === 'group') return found;
  const made = emptyGroup();
  owner.members.set(name, made);
  return made;
}
