/**
 * The weights manifest of a TensorFlow.js model: groups of weights, each with the files that hold the group's bytes one
 * weight after the other, cut into shards without regard to where weights begin.
 */

import { isStorageDtype, type StorageDtype } from '../../array/dtype.ts';
import type { Shape } from '../../array/shape.ts';
import { FormatError, UnsupportedError } from '../../errors.ts';
import type { JsonObject, JsonValue } from '../artifacts.ts';
import { isJsonObject, objectAt, stringAt } from '../json.ts';

/** How the elements are stored, where that is not as the dtype says. */
export interface Quantization {
  readonly dtype: 'uint8' | 'uint16' | 'float16';
  /** A stored `q` stands for `q · scale + min`; both are 1 and 0 for float16. */
  readonly scale: number;
  readonly min: number;
}

/** One weight of the manifest. */
export interface WeightSpec {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: SpecDtype;
  readonly quantization: Quantization | undefined;
  /** Whether it is a part of the optimizer's state. */
  readonly isOptimizer: boolean;
  readonly elementCount: number;
  /** Bytes in the file; `undefined` for text, whose length only its bytes tell. */
  readonly byteLength: number | undefined;
}

/** A group and its files. */
export interface WeightGroupSpec {
  readonly paths: readonly string[];
  readonly weights: readonly WeightSpec[];
  /** SHA-256 of files by path: the manifest's key `sha256`, which Hornet writes. */
  readonly sha256: ReadonlyMap<string, FileChecksum>;
}

/** A SHA-256 in hexadecimal digits: of a file, or of each slice of a large one, so that a part can be verified alone. */
export type FileChecksum = string | SlicedChecksum;

export interface SlicedChecksum {
  /** Of each slice but the last. */
  readonly sliceBytes: number;
  readonly digests: readonly string[];
}

/** Element types that TensorFlow.js writes, and the halves that it lists but does not read. */
export type SpecDtype = 'float32' | 'int32' | 'bool' | 'string' | 'complex64' | 'float16' | 'uint8' | 'uint16';

const ELEMENT_BYTES: { readonly [D in SpecDtype]: number | undefined } = {
  float32: 4,
  int32: 4,
  bool: 1,
  string: undefined,
  complex64: 8,
  float16: 2,
  uint8: 1,
  uint16: 2,
};

/** NumPy has no arrays of more axes. */
const MAX_RANK = 64;

/**
 * Decodes a manifest.
 *
 * @throws {FormatError} when it is damaged, or two weights have the same name.
 * @throws {UnsupportedError} for a dtype or a quantization that TensorFlow.js does not have.
 */
export function decodeManifest(manifest: JsonValue, file: string): WeightGroupSpec[] {
  if (!Array.isArray(manifest)) throw damaged(file, '"weightsManifest" is not a list');
  const names = new Set<string>();
  return manifest.map((group: JsonValue, index: number): WeightGroupSpec => {
    if (!isJsonObject(group)) throw damaged(file, `group ${index} of "weightsManifest" is not an object`);
    const { paths, weights } = group;
    if (!Array.isArray(paths) || !paths.every((path) => typeof path === 'string')) {
      throw damaged(file, `"paths" of group ${index} is not a list of names`);
    }
    for (const path of paths) checkShardPath(path, file);
    return { paths, weights: decodeSpecs(weights ?? [], file, names), sha256: decodeChecksums(group, paths, file) };
  });
}

/** Decodes a list of weights; `names` are those that are taken, to which these are added. */
export function decodeSpecs(weights: JsonValue, file: string, names: Set<string> = new Set()): WeightSpec[] {
  if (!Array.isArray(weights)) throw damaged(file, '"weights" is not a list');
  return weights.map((weight: JsonValue): WeightSpec => {
    const spec = decodeSpec(weight, file);
    if (names.has(spec.name)) throw damaged(file, `two weights are named "${spec.name}"`);
    names.add(spec.name);
    return spec;
  });
}

function decodeSpec(weight: JsonValue, file: string): WeightSpec {
  if (!isJsonObject(weight)) throw damaged(file, 'a weight is not an object');
  const name = stringAt(weight, 'name');
  if (name === undefined) throw damaged(file, 'a weight has no name');
  const { shape } = weight;
  const isShape = Array.isArray(shape) && shape.length <= MAX_RANK && shape.every(isExtent);
  if (!isShape) throw damaged(file, `the weight "${name}" has no shape of whole numbers`);
  const elementCount = (shape as readonly number[]).reduce((product, extent) => product * extent, 1);
  const dtype = stringAt(weight, 'dtype');
  if (dtype === undefined || !isSpecDtype(dtype)) {
    const feature = `the dtype ${dtype === undefined ? 'of a weight without one' : `"${dtype}"`}`;
    throw new UnsupportedError(`Cannot read weight "${name}" of "${file}": ${feature} is not supported`, feature);
  }
  const quantization = decodeQuantization(weight, name, dtype, file);
  const elementBytes = ELEMENT_BYTES[quantization?.dtype ?? dtype];
  const byteLength = elementBytes === undefined ? undefined : elementCount * elementBytes;
  if (!Number.isSafeInteger(byteLength ?? elementCount))
    throw damaged(file, `the weight "${name}" is impossibly large`);
  const isOptimizer = weight.group === 'optimizer';
  return { name, shape: shape as readonly number[], dtype, quantization, isOptimizer, elementCount, byteLength };
}

function decodeQuantization(
  weight: JsonObject,
  name: string,
  dtype: SpecDtype,
  file: string,
): Quantization | undefined {
  const quantization = objectAt(weight, 'quantization');
  if (quantization === undefined) return undefined;
  const stored = stringAt(quantization, 'dtype');
  const { min, scale } = quantization;
  if (stored === 'float16' && dtype === 'float32') return { dtype: stored, min: 0, scale: 1 };
  if ((stored === 'uint8' || stored === 'uint16') && (dtype === 'float32' || dtype === 'int32')) {
    if (typeof min === 'number' && typeof scale === 'number') return { dtype: stored, min, scale };
    throw damaged(file, `the quantized weight "${name}" has no "min" or no "scale"`);
  }
  const feature = `quantization of ${dtype} to ${stored ?? 'nothing'}`;
  throw new UnsupportedError(
    `Cannot read weight "${name}" of "${file}": ${feature} is not supported, expected uint8, uint16 or float16`,
    feature,
  );
}

function decodeChecksums(group: JsonObject, paths: readonly string[], file: string): Map<string, FileChecksum> {
  const checksums = new Map<string, FileChecksum>();
  for (const [path, checksum] of Object.entries(objectAt(group, 'sha256') ?? {})) {
    if (!paths.includes(path)) throw damaged(file, `there is a checksum of "${path}", which is not among the files`);
    if (typeof checksum !== 'string' && !isSliced(checksum)) {
      throw damaged(file, `the checksum of "${path}" is neither a text nor a list of them`);
    }
    checksums.set(path, checksum);
  }
  return checksums;
}

function isSliced(checksum: JsonValue): checksum is JsonValue & SlicedChecksum {
  if (!isJsonObject(checksum)) return false;
  const { sliceBytes, digests } = checksum;
  const isSize = Number.isSafeInteger(sliceBytes) && (sliceBytes as number) > 0;
  return isSize && Array.isArray(digests) && digests.every((digits) => typeof digits === 'string');
}

/** A manifest names files beside itself or below; anything else could reach files that are not the model's. */
function checkShardPath(path: string, file: string): void {
  const segments = path.split(/[/\\]/);
  if (path !== '' && !/^[A-Za-z][A-Za-z0-9+.-]*:|^[/\\]|\0/.test(path) && !segments.includes('..')) return;
  throw damaged(file, `the shard ${JSON.stringify(path)} is not beside it`);
}

function isExtent(value: JsonValue): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isSpecDtype(name: string): name is SpecDtype & StorageDtype {
  return isStorageDtype(name) && Object.hasOwn(ELEMENT_BYTES, name);
}

function damaged(file: string, problem: string): FormatError {
  return new FormatError(`Cannot read "${file}": ${problem}`, { file });
}
