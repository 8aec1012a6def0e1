/**
 * Weights of Keras 3.10 and later in several files: `a.weights.json` says which of `a_00000.weights.h5` and so on hold
 * the arrays of a group. One group may be spread over several files, array by array.
 */

import type { RangedFile } from '../../binary/ranged-file.ts';
import { FormatError } from '../../errors.ts';
import type { JsonObject } from '../artifacts.ts';
import { withUserDefined } from '../described-texts.ts';
import { openHdf5 } from '../hdf5/open-hdf5.ts';
import { isJsonObject, objectAt } from '../json.ts';
import { type PathWeightsFile, readPathWeights, sortGroups, type WantsPath } from './path-weights.ts';

/**
 * Reads which arrays the shards hold.
 *
 * @param openShard Opens a file beside the JSON by its name.
 */
export async function readShardedWeights(
  json: JsonObject,
  file: string,
  openShard: (name: string) => Promise<RangedFile>,
  wantsPath: WantsPath = () => true,
): Promise<PathWeightsFile> {
  const expected = groupsByShard(json, file, wantsPath);
  const shards = await Promise.all(
    [...expected].map(async ([name, paths]) => {
      const shard = await readPathWeights(await openHdf5(await openShard(name)), name, wantsPath);
      const { groups } = shard.weights;
      for (const path of paths) {
        const isThere = path.startsWith('optimizer') ? shard.optimizerWeights !== undefined : groups.has(path);
        if (isThere || path.startsWith('metrics')) continue;
        throw new FormatError(`Cannot read "${name}": "${file}" says that it holds "${path}", which is not there`, {
          file: name,
        });
      }
      return shard;
    }),
  );
  const found = shards.flatMap(({ weights, optimizerWeights }) => {
    const groups = [...weights.groups].map(([path, group]) => ({ path, group }));
    if (optimizerWeights === undefined) return groups;
    const entries = new Map(optimizerWeights.map((entry) => [entry.name, entry]));
    return [...groups, { path: 'optimizer', group: { layerName: undefined, entries } }];
  });
  const merged = sortGroups(found, file);
  return { ...merged, ignoredParts: shards.flatMap((shard) => shard.ignoredParts) };
}

/** What the table says of itself beside the sum of all sizes. */
export function describedByTable(json: JsonObject): ReturnType<typeof withUserDefined> {
  const { total_size: _, ...description } = objectAt(json, 'metadata') ?? {};
  return withUserDefined(description);
}

/** The paths that each file should hold. */
function groupsByShard(json: JsonObject, file: string, wantsPath: WantsPath): Map<string, string[]> {
  const fail = (problem: string): FormatError => new FormatError(`Cannot read "${file}": ${problem}`, { file });
  const weightMap = json.weight_map;
  if (!isJsonObject(weightMap)) throw fail('"weight_map" is not an object');
  const shards = new Map<string, string[]>();
  for (const [group, value] of Object.entries(weightMap)) {
    const path = group
      .replaceAll('\\', '/')
      .replace(/^\/+/, '')
      .replace(/\/?vars$/, '')
      .replace(/\/+$/, '');
    const names = Array.isArray(value) ? value : [value];
    for (const name of names) {
      if (typeof name !== 'string') throw fail(`the file of "${group}" is no name`);
      // A name with a folder could lead to files that have nothing to do with the model.
      if (!/^[^/\\:\0]+$/.test(name) || name.startsWith('..')) {
        throw fail(`the file of "${group}" is ${JSON.stringify(name)}, expected the name of a file beside it`);
      }
      if (wantsPath(path)) shards.set(name, [...(shards.get(name) ?? []), path]);
    }
  }
  return shards;
}
