/** Writes `.keras`; see `read-keras.ts`, which reads it. */

import { type WritableFile, writableBytes } from '../../binary/byte-sink.ts';
import { FormatError } from '../../errors.ts';
import type { JsonObject, ModelArtifacts } from '../artifacts.ts';
import { encodeJson } from '../encode-json.ts';
import { writePathWeights } from './write-path-weights.ts';
import { writeZip, type ZipMember } from './write-zip.ts';

/**
 * A `.keras` archive. The same record gives the same bytes: nothing in it tells the time.
 *
 * @throws {FormatError} when the record lacks a configuration, or weights by path.
 */
export async function writeKeras(artifacts: ModelArtifacts): Promise<WritableFile> {
  const { topology, weights, trainingConfig, optimizerWeights, assets = new Map(), source } = artifacts;
  if (topology === undefined || weights?.kind !== 'paths') {
    throw new FormatError(`Cannot write "${source}" as .keras: expected a configuration, and weights by path`);
  }
  const metadata = { keras_version: artifacts.kerasVersion ?? null, ...artifacts.metadata };
  const members: ZipMember[] = [
    { path: 'metadata.json', file: json(metadata) },
    { path: 'config.json', file: json(trainingConfig ? { ...topology, compile_config: trainingConfig } : topology) },
    { path: 'model.weights.h5', file: writePathWeights(weights, source, { optimizerWeights }) },
  ];
  for (const [path, read] of assets) members.push({ path: `assets/${path}`, file: writableBytes(await read()) });
  return writeZip(members);
}

function json(value: JsonObject): WritableFile {
  return writableBytes(new TextEncoder().encode(encodeJson(value)));
}
