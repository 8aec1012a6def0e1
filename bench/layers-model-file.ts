import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

interface LayersModelJson {
  readonly modelTopology: unknown;
  readonly format: string;
  readonly weightsManifest: readonly { readonly paths: readonly string[]; readonly weights: readonly unknown[] }[];
}

/**
 * A handler by which TensorFlow.js reads a model from disk, which without its native package it cannot. Shards are handed
 * over as they are, one by one: that is the least memory that its interface allows.
 */
export function layersModelFile(path: string): { load(): Promise<unknown> } {
  return {
    load: async () => {
      const json = JSON.parse(await readFile(path, 'utf8')) as LayersModelJson;
      const { modelTopology, format, weightsManifest } = json;
      const shards = weightsManifest.flatMap(({ paths }) => paths);
      const weightData = await Promise.all(
        shards.map(async (shard) => {
          const { buffer, byteOffset, byteLength } = await readFile(join(dirname(path), shard));
          return byteLength === buffer.byteLength ? buffer : buffer.slice(byteOffset, byteOffset + byteLength);
        }),
      );
      return { modelTopology, format, weightSpecs: weightsManifest.flatMap(({ weights }) => weights), weightData };
    },
  };
}
