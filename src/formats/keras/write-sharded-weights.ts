/**
 * Writes weights of Keras 3 in several files; see `sharded-weights.ts`, which reads them.
 *
 * Keras opens a first file of a fixed name before it looks which files there are. It holds nothing here, so that a save over
 * an older one never leaves a mixture: all others have names that no save had before.
 */
import { bytesPerElement } from '../../array/dtype.ts';
import { sizeOf } from '../../array/shape.ts';
import { type WritableFile, writableBytes } from '../../binary/byte-sink.ts';
import type { JsonObject, PathWeights, WeightEntry, WeightGroup } from '../artifacts.ts';
import { encodeJson } from '../encode-json.ts';
import { shardName } from './shard-names.ts';
import { writePathWeights } from './write-path-weights.ts';

export interface ShardOptions {
  /** The name of the table without `.weights.json`. */
  readonly baseName: string;
  /** Part of the names of all files but the first; none that a save before had. */
  readonly id: string;
  /** Bytes of arrays that each file holds at most. */
  readonly shardSize: number;
  /** What the table says of itself, beside the sum of all sizes. */
  readonly description?: JsonObject;
}

export interface ShardedWeights {
  /** The table that says which file holds which arrays. */
  readonly file: WritableFile;
  readonly shards: ReadonlyMap<string, WritableFile>;
  /** The name of the shard without arrays. */
  readonly first: string;
}

type Groups = Map<string, WeightGroup & { readonly entries: Map<string, WeightEntry> }>;

/**
 * The table and the files of arrays, which follow one another in order.
 *
 * @throws {RangeError} when an array alone is larger than a file may be: the layout does not divide arrays.
 */
export function writeShardedWeights(weights: PathWeights, rootName: string, options: ShardOptions): ShardedWeights {
  const { baseName, id, shardSize, description = {} } = options;
  const filled: Groups[] = [];
  const weightMap = new Map<string, string[]>();
  let room = 0;
  let totalSize = 0;
  // Old names of groups are left out: releases that look for them read no shards.
  for (const [path, { layerName, entries }] of weights.groups) {
    for (const [key, entry] of entries) {
      const byteLength = sizeOf(entry.shape) * bytesPerElement(entry.dtype);
      if (byteLength > shardSize) {
        throw new RangeError(
          `Cannot save weight "${entry.name}" in shards: it has ${byteLength} bytes, expected at most ${shardSize}, ` +
            'since arrays are not divided; use a larger shardSize',
        );
      }
      if (filled.length === 0 || byteLength > room) {
        filled.push(new Map());
        room = shardSize;
      }
      room -= byteLength;
      totalSize += byteLength;
      const shard = filled.at(-1) as Groups;
      const group = shard.get(path) ?? { layerName, entries: new Map<string, WeightEntry>() };
      group.entries.set(key, entry);
      shard.set(path, group);
      const files = weightMap.get(path) ?? [];
      const name = shardName(`${baseName}_${id}`, filled.length);
      if (files.at(-1) !== name) weightMap.set(path, [...files, name]);
    }
  }
  const table = {
    metadata: { total_size: totalSize, ...description },
    weight_map: Object.fromEntries(
      [...weightMap].map(([path, files]) => [path === '' ? '/vars' : `/${path}/vars`, files]),
    ),
  };
  const first = shardName(baseName, 0);
  const shards = new Map([[first, emptyShard(baseName)]]);
  for (const [index, groups] of filled.entries()) {
    const file = writePathWeights({ kind: 'paths', groups }, rootName);
    shards.set(shardName(`${baseName}_${id}`, index + 1), file);
  }
  return { file: writableBytes(new TextEncoder().encode(encodeJson(table))), shards, first };
}

/** The shard that Keras opens first, without arrays. */
export function emptyShard(rootName: string): WritableFile {
  return writePathWeights({ kind: 'paths', groups: new Map() }, rootName);
}
