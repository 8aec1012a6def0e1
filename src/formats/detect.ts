/**
 * Which format a file has, told from its bytes and never from its name: people rename files, servers answer with pages.
 */

import type { RangedFile } from '../binary/ranged-file.ts';
import { FormatError, UnsupportedError } from '../errors.ts';
import type { JsonObject } from './artifacts.ts';

/** What holds a model: the formats within are told by their content. */
export type Container = 'hdf5' | 'zip' | 'safetensors' | 'json';

/** What a JSON file of a model may be: TensorFlow.js' model, Keras' table of sharded weights, a bare configuration. */
export type JsonKind = 'layers-model' | 'weights.json' | 'config';

/** Bytes at the beginning of a file that are looked at; the signature of a tar archive is the farthest, at 257. */
const HEAD_BYTES = 512;

/** HDF5 allows a block of the user's own before its signature, of 512 bytes or a power of two more; none is so large. */
const MAX_USER_BLOCK_BYTES = 1 << 20;

/** Of a member, and of an archive without any. */
const ZIP_SIGNATURES = ['PK\x03\x04', 'PK\x05\x06'] as const;

/** The length of a header, which has less than 4 GB, and its beginning. */
const SAFETENSORS_HEAD = /^[\s\S]{4}\0{4}\{/;

const HDF5_SIGNATURE = '\x89HDF\r\n\x1a\n';

/**
 * Tells what holds the model.
 *
 * @throws {FormatError} when it is nothing that Hornet reads, naming what it is where that is known.
 */
export async function detectContainer(file: RangedFile): Promise<Container> {
  const { name } = file;
  if (file.byteLength === 0)
    throw new FormatError(`Cannot read "${name}": the file is empty`, { file: name, offset: 0 });
  const head = latin1(await file.slice(0, Math.min(HEAD_BYTES, file.byteLength)));
  if (head.startsWith(HDF5_SIGNATURE)) return 'hdf5';
  if (ZIP_SIGNATURES.some((signature) => head.startsWith(signature))) return 'zip';
  if (SAFETENSORS_HEAD.test(head)) return 'safetensors';
  if (/^(?:\u00ef\u00bb\u00bf)?\s*[[{]/.test(head)) return 'json';
  if (await hasSignatureBehindUserBlock(file)) return 'hdf5';
  const { describeStranger } = await import('./strangers.ts');
  throw await describeStranger(file, head);
}

/**
 * Tells what a JSON file is.
 *
 * @throws {UnsupportedError} for a TensorFlow.js graph-model.
 * @throws {FormatError} when it is no model.
 */
export function detectJson(json: JsonObject, file: string): JsonKind {
  const { modelTopology, weightsManifest, weight_map: weightMap } = json;
  if (json.format === 'graph-model' || isGraph(modelTopology) || isGraph(json)) {
    throw graphModelRefusal(file);
  }
  if (modelTopology !== undefined || weightsManifest !== undefined) return 'layers-model';
  if (weightMap !== undefined) return 'weights.json';
  if (json.class_name !== undefined && json.config !== undefined) return 'config';
  const keys = Object.keys(json)
    .slice(0, 5)
    .map((key) => JSON.stringify(key));
  const found = keys.length === 0 ? 'no keys' : `the keys ${keys.join(', ')}`;
  throw new FormatError(
    `Cannot read "${file}": found JSON with ${found}, expected "modelTopology", "weight_map" or "class_name"`,
    { file },
  );
}

/** The error for TensorFlow.js' other kind of model, whose layers have been dissolved into a graph of operations. */
export function graphModelRefusal(file: string): UnsupportedError {
  const feature = 'TensorFlow.js graph-model';
  const advice =
    'its Keras layers are gone; convert the Keras model to a layers-model, or load the .keras or .h5 itself';
  return new UnsupportedError(`Cannot read "${file}": found a ${feature}, expected a layers-model; ${advice}`, feature);
}

/** Whether bytes begin like a page: what a server sends in place of a file that it does not have. */
export function looksLikeHtml(head: Uint8Array): boolean {
  return /^\s*<(?:!doctype html|html)/i.test(latin1(head.subarray(0, 64)));
}

function isGraph(topology: unknown): boolean {
  return typeof topology === 'object' && topology !== null && 'node' in topology && Array.isArray(topology.node);
}

async function hasSignatureBehindUserBlock(file: RangedFile): Promise<boolean> {
  const length = HDF5_SIGNATURE.length;
  for (let offset = 512; offset <= MAX_USER_BLOCK_BYTES && offset + length <= file.byteLength; offset *= 2) {
    if (latin1(await file.slice(offset, offset + length)) === HDF5_SIGNATURE) return true;
  }
  return false;
}

/** Bytes as a string of one character each, for regular expressions. */
export function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
