import { bytesOfFile, type WritableFile } from '../binary/byte-sink.ts';
import { FormatError } from '../errors.ts';
import { folderOf, joinKey } from './store.ts';

/** A layers-model whose shards are one file. */
export interface JoinedModel {
  /** All that the JSON says but for its manifest. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly weightSpecs: readonly unknown[];
  readonly weights: WritableFile;
}

/**
 * Joins the shards of a layers-model that is to be written, for places that TensorFlow.js gives two files.
 *
 * @param key The JSON, whose manifest names the others by their paths relative to it.
 * @throws {FormatError} when it is another format.
 */
export async function joinShards(key: string, files: ReadonlyMap<string, WritableFile>): Promise<JoinedModel> {
  const refuse = (problem: string): FormatError =>
    new FormatError(`Cannot save "${key}" as TensorFlow.js does: ${problem}; save with { format: 'layers-model' }`, {
      file: key,
    });
  const main = files.get(key);
  if (main === undefined) throw refuse('found no file');
  const text = new TextDecoder().decode(await bytesOfFile(main));
  if (!text.trimStart().startsWith('{')) throw refuse('found a file of another format');
  const { weightsManifest = [], ...fields } = parse(text) ?? {};
  if (fields.modelTopology === undefined) throw refuse('found JSON without "modelTopology"');
  const groups = weightsManifest as readonly {
    readonly paths: readonly string[];
    readonly weights: readonly unknown[];
  }[];
  const shards = groups.flatMap(({ paths }) => paths).map((path) => files.get(joinKey(folderOf(key), path)));
  const complete = shards.filter((shard) => shard !== undefined);
  if (complete.length < shards.length) throw refuse('its weights are not with it');
  return {
    fields,
    weightSpecs: groups.flatMap(({ weights }) => weights),
    weights: {
      byteLength: complete.reduce((sum, { byteLength }) => sum + byteLength, 0),
      writeTo: async (sink) => {
        for (const shard of complete) await shard.writeTo(sink);
      },
    },
  };
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
