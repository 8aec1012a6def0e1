/**
 * The HDF5 layout of Keras 3 (`model.weights.h5`, `.weights.h5`): a group for every object that may have weights, along
 * the attributes that lead to it, and below it a group `vars` with the arrays under their numbers.
 */

import { FormatError } from '../../errors.ts';
import { breathe } from '../../pause.ts';
import type { PathWeights, WeightEntry, WeightGroup } from '../artifacts.ts';
import { Hdf5Dataset } from '../hdf5/hdf5-dataset.ts';
import type { Hdf5Group } from '../hdf5/hdf5-group.ts';
import { textAttribute } from '../hdf5-model/text-attributes.ts';
import { datasetEntry } from '../hdf5-model/weight-entry.ts';

/** Which objects of a file are wanted, by their present path; all of them without. Nothing is fetched for those below the others. */
export type WantsPath = (path: string) => boolean;

/** What a weights file of Keras 3 holds. */
export interface PathWeightsFile {
  readonly weights: PathWeights;
  readonly optimizerWeights: readonly WeightEntry[] | undefined;
  /** Paths of groups with arrays that belong to no layer: states of metrics, which tf.keras saved. */
  readonly ignoredParts: readonly string[];
}

/** Objects nest as deep as models and layers do, which is a few levels; Python gives up at a thousand. */
const MAX_DEPTH = 64;

/** Of tf.keras 2.12 to 2.14, where later releases have `layers`. */
const OLD_LAYERS_SEGMENT = '_layer_checkpoint_dependencies';

/** Reads which arrays a weights file of Keras 3 has, by the paths of their owners; no groups when it is no such file. */
export async function readPathWeights(
  root: Hdf5Group,
  file: string,
  wantsPath: WantsPath = () => true,
): Promise<PathWeightsFile> {
  const found: FoundGroup[] = [];
  await collectGroups(root, '', { file, wantsPath, found, visited: new Set() }, 0);
  return sortGroups(found, file);
}

interface FoundGroup {
  readonly path: string;
  readonly group: WeightGroup;
}

interface Walk {
  readonly file: string;
  readonly wantsPath: WantsPath;
  readonly found: FoundGroup[];
  readonly visited: Set<number>;
}

async function collectGroups(group: Hdf5Group, path: string, walk: Walk, depth: number): Promise<void> {
  const { file, found, visited } = walk;
  if (depth > MAX_DEPTH) throw new FormatError(`Cannot read "${file}": groups nest deeper than ${MAX_DEPTH}`, { file });
  // A hard link makes a group a child of several, or of itself.
  if (visited.has(group.address)) {
    throw new FormatError(`Cannot read "${file}": the group "${group.path}" is there twice`, { file });
  }
  visited.add(group.address);
  const owner = ownerOf(path);
  if (owner !== undefined) {
    found.push({ path: owner, group: await readGroup(group, file) });
    return;
  }
  const present = await group.names();
  const areLinks = await Promise.all(present.map((name) => isOldLink(group, name, present)));
  const names = present.filter((_, index) => !areLinks[index]);
  await Promise.all(
    names.map(async (name) => {
      // Files written on Windows have the separators of its paths in the names.
      const childPath = (path === '' ? name : `${path}/${name}`).replaceAll('\\', '/');
      if (!walk.wantsPath(presentPath(ownerOf(childPath) ?? childPath))) return;
      await breathe();
      const child = await group.get(name);
      if (child !== undefined && !(child instanceof Hdf5Dataset)) {
        await collectGroups(child, childPath, walk, depth + 1);
      }
    }),
  );
}

/** Whether a name is an old one, with an underscore in front, of what is there under its later name, too. */
async function isOldLink(group: Hdf5Group, name: string, present: readonly string[]): Promise<boolean> {
  const later = name.slice(1);
  if (!name.startsWith('_') || !present.includes(later)) return false;
  const [old, part] = await Promise.all([group.get(name), group.get(later)]);
  return (
    old !== undefined && part !== undefined && 'address' in old && 'address' in part && old.address === part.address
  );
}

/** The path of the object whose arrays a group `vars` holds. */
function ownerOf(path: string): string | undefined {
  if (path === 'vars') return '';
  return path.endsWith('/vars') ? path.slice(0, -'/vars'.length) : undefined;
}

async function readGroup(group: Hdf5Group, file: string): Promise<WeightGroup> {
  const keys = (await group.names()).sort(compareKeys);
  const entries = await Promise.all(
    keys.map(async (key): Promise<[string, WeightEntry]> => {
      return [key, await datasetEntry(await group.dataset(key), key, file)];
    }),
  );
  return { layerName: await textAttribute(group, 'name', file), entries: new Map(entries) };
}

/** Numbers by value, names after them. */
function compareKeys(a: string, b: string): number {
  const [aNumber, bNumber] = [Number(a), Number(b)];
  if (Number.isNaN(aNumber) || Number.isNaN(bNumber)) {
    return Number.isNaN(aNumber) && Number.isNaN(bNumber) ? (a < b ? -1 : 1) : Number.isNaN(aNumber) ? 1 : -1;
  }
  return aNumber - bNumber;
}

/** Tells the arrays of layers from those of the optimizer and of metrics, and merges groups that several files share. */
export function sortGroups(found: readonly FoundGroup[], file: string): PathWeightsFile {
  const groups = new Map<string, WeightGroup>();
  const optimizers = new Map<string, WeightGroup>();
  const ignoredParts: string[] = [];
  for (const { path, group } of [...found].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const [part] = path.split('/', 1);
    if (part === 'optimizer') addGroup(optimizers, path, group, file);
    else if (part !== 'metrics') addGroup(groups, presentPath(path), group, file);
    else if (group.entries.size > 0) ignoredParts.push(path);
  }
  // A loss-scaling optimizer saves the state of the one within twice: in its own list and below `inner_optimizer`.
  const state = optimizers.get('optimizer') ?? optimizers.values().next().value;
  return {
    weights: { kind: 'paths', groups },
    optimizerWeights: state && [...state.entries].sort(([a], [b]) => compareKeys(a, b)).map(([, entry]) => entry),
    ignoredParts,
  };
}

/** A path as later releases have it. */
export function presentPath(path: string): string {
  if (!path.includes(OLD_LAYERS_SEGMENT)) return path;
  return path
    .split('/')
    .map((segment) => (segment === OLD_LAYERS_SEGMENT ? 'layers' : segment))
    .join('/');
}

function addGroup(groups: Map<string, WeightGroup>, path: string, group: WeightGroup, file: string): void {
  const before = groups.get(path);
  if (before === undefined) {
    groups.set(path, group);
    return;
  }
  const entries = new Map(before.entries);
  for (const [key, entry] of group.entries) {
    if (entries.has(key)) {
      throw new FormatError(`Cannot read "${file}": the weight "${path}/vars/${key}" is there twice`, { file });
    }
    entries.set(key, entry);
  }
  groups.set(path, { layerName: before.layerName ?? group.layerName, entries });
}
