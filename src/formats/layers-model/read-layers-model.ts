/**
 * TensorFlow.js layers-models: `model.json` with the topology and a manifest of weights, and files of raw bytes.
 *
 * Read here: topologies as Keras' converter (`model_config` within) and as TensorFlow.js itself write them, files
 * without `format`, every dtype and quantization. Sizes are computed from the manifest and compared with the files'
 * before any byte of a weight is believed. A graph-model is refused.
 */

import { cachedFile } from '../../binary/cached-file.ts';
import type { RangedFile } from '../../binary/ranged-file.ts';
import { FormatError } from '../../errors.ts';
import type { JsonObject, JsonValue, ModelArtifacts, WeightEntry } from '../artifacts.ts';
import { graphModelRefusal, looksLikeHtml } from '../detect.ts';
import { objectAt, stringAt } from '../json.ts';
import { measureStrings, readWeight } from './decode-weight.ts';
import { joinedFile } from './joined-file.ts';
import { verifiedFile, verifiedSlices } from './verified-file.ts';
import { decodeManifest, decodeSpecs, type WeightGroupSpec, type WeightSpec } from './weight-specs.ts';

export interface LayersModelOptions {
  /** SHA-256 of shards by their path in the manifest; they outrank those of the manifest. */
  readonly integrity?: Readonly<Record<string, string>>;
  /** Hears how many bytes the weights take, before the first file of them is opened. */
  readonly onByteCount?: (byteCount: number) => void;
}

/**
 * Reads the record of a model from its JSON.
 *
 * @param openShard Opens a file by its path in the manifest.
 */
export async function readLayersModel(
  json: JsonObject,
  file: string,
  openShard: (path: string) => Promise<RangedFile>,
  options: LayersModelOptions = {},
): Promise<ModelArtifacts> {
  const manifest = json.weightsManifest;
  const groups = manifest === undefined || manifest === null ? [] : decodeManifest(manifest, file);
  const specs = groups.flatMap((group) => group.weights);
  options.onByteCount?.(specs.reduce((sum, { byteLength = 0 }) => sum + byteLength, 0));
  const entries = await Promise.all(
    groups.map(async (group) => await readGroup(group, openShard, options.integrity ?? {})),
  );
  return { ...artifactsOfJson(json, file), ...artifactsOfEntries(entries.flat(), manifest !== undefined) };
}

/** What a handler of TensorFlow.js gives: a model in memory. */
export interface LoadedModel {
  readonly json: JsonObject;
  readonly weightSpecs: JsonValue | undefined;
  /** All weights, one after the other, in one piece or several. */
  readonly weightData: readonly RangedFile[];
}

/** Reads the record of a model whose weights are in memory. */
export async function readLoadedModel(
  { json, weightSpecs, weightData }: LoadedModel,
  file: string,
): Promise<ModelArtifacts> {
  const artifacts = artifactsOfJson(json, file);
  if (weightSpecs === undefined || weightSpecs === null) return artifacts;
  const weights = decodeSpecs(weightSpecs, file);
  const entries = await placeWeights(weights, weightData, file);
  return { ...artifacts, ...artifactsOfEntries(entries, true) };
}

/** Keys of the JSON that have a place of their own in the record; the others are its metadata. */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  'modelTopology',
  'weightsManifest',
  'trainingConfig',
  'userDefinedMetadata',
]);

function artifactsOfJson(json: JsonObject, file: string): ModelArtifacts {
  const model = objectAt(json, 'modelTopology');
  if (model !== undefined && Array.isArray(model.node)) throw graphModelRefusal(file);
  // The converter of HDF5 files copies their attributes; TensorFlow.js puts version and backend beside the class.
  const topology = model && (objectAt(model, 'model_config') ?? model);
  if (topology !== undefined && stringAt(topology, 'class_name') === undefined) {
    throw new FormatError(`Cannot read "${file}": "modelTopology" has no class_name`, { file });
  }
  const kerasVersion = model && stringAt(model, 'keras_version');
  const backend = model && stringAt(model, 'backend');
  const trainingConfig = objectAt(json, 'trainingConfig') ?? (model && objectAt(model, 'training_config'));
  const userDefinedMetadata = objectAt(json, 'userDefinedMetadata');
  const metadata = Object.entries(json).filter(([key]) => !OWN_FIELDS.has(key));
  return {
    format: 'layers-model',
    source: file,
    metadata: Object.fromEntries(metadata),
    ...(topology === undefined ? {} : { topology }),
    ...(kerasVersion === undefined ? {} : { kerasVersion }),
    ...(backend === undefined ? {} : { backend }),
    ...(trainingConfig === undefined ? {} : { trainingConfig }),
    ...(userDefinedMetadata === undefined ? {} : { userDefinedMetadata }),
  };
}

interface PlacedEntry extends WeightEntry {
  readonly isOptimizer: boolean;
  /** Where its bytes end in those of the group. */
  readonly end: number;
}

function artifactsOfEntries(
  entries: readonly PlacedEntry[],
  hasWeights: boolean,
): Pick<ModelArtifacts, 'weights' | 'optimizerWeights'> {
  if (!hasWeights) return {};
  const optimizerWeights = entries.filter(({ isOptimizer }) => isOptimizer);
  return {
    weights: { kind: 'named', entries: entries.filter(({ isOptimizer }) => !isOptimizer) },
    ...(optimizerWeights.length === 0 ? {} : { optimizerWeights }),
  };
}

async function readGroup(
  group: WeightGroupSpec,
  openShard: (path: string) => Promise<RangedFile>,
  integrity: Readonly<Record<string, string>>,
): Promise<PlacedEntry[]> {
  if (group.weights.length === 0) return [];
  const shards = await Promise.all(
    group.paths.map(async (path) => {
      const shard = await openShard(path);
      if (looksLikeHtml(await shard.slice(0, Math.min(HEAD_BYTES, shard.byteLength)))) {
        throw new FormatError(`Cannot read "${shard.name}": found an HTML page, expected the bytes of weights`, {
          file: shard.name,
          offset: 0,
        });
      }
      const checksum = Object.hasOwn(integrity, path) ? integrity[path] : group.sha256.get(path);
      if (checksum === undefined) return shard;
      return typeof checksum === 'string' ? verifiedFile(shard, checksum) : verifiedSlices(shard, checksum);
    }),
  );
  return await placeWeights(group.weights, shards, group.paths.join(', '));
}

/** As much of a shard as it takes to recognise a page. */
const HEAD_BYTES = 64;

/**
 * Finds the place of each weight in the files that hold them.
 *
 * @throws {FormatError} unless the files have exactly as many bytes as the weights need.
 */
async function placeWeights(
  weights: readonly WeightSpec[],
  shards: readonly RangedFile[],
  what: string,
): Promise<PlacedEntry[]> {
  const name = nameOf(shards) || what;
  const joined = joinedFile(shards, name);
  const hasStrings = weights.some((spec) => spec.byteLength === undefined);
  const lookup = hasStrings ? cachedFile(joined) : joined;
  const entries: PlacedEntry[] = [];
  let end = 0;
  for (const spec of weights) {
    const start = end;
    const byteLength = spec.byteLength ?? (await measureStrings(lookup, spec, start));
    end = start + byteLength;
    entries.push({
      name: spec.name,
      // A quantized weight is read as what it stands for.
      dtype: spec.quantization?.dtype === 'float16' ? 'float16' : spec.dtype,
      shape: spec.dtype === 'complex64' ? [...spec.shape, 2] : spec.shape,
      file: shardAt(shards, start),
      storedBytes: byteLength,
      isOptimizer: spec.isOptimizer,
      end,
      read: async () => await readWeight(joined, spec, start, byteLength),
    });
  }
  if (end !== joined.byteLength) {
    const first = entries.find(({ end: entryEnd }) => entryEnd > joined.byteLength);
    const missing = first === undefined ? '' : `; "${first.name}" and what follows cannot be read`;
    const files = shards.length === 1 ? 'the file has' : `the ${shards.length} files have`;
    const odd = oddShard(shards);
    const suspect = odd === undefined ? '' : `; "${odd.name}" alone has ${odd.byteLength} bytes`;
    throw new FormatError(
      `Cannot read "${name}": ${files} ${joined.byteLength} bytes, the ${weights.length} weights take ${end}${suspect}${missing}`,
      { file: odd?.name ?? name, offset: Math.min(end, joined.byteLength) },
    );
  }
  return entries;
}

function nameOf(shards: readonly RangedFile[]): string {
  const names = shards.map((shard) => shard.name);
  return names.length <= 3 ? names.join(', ') : `${names[0]} to ${names.at(-1)}`;
}

/** The one shard that differs from the others in size. The last one is what is left over, and may. */
function oddShard(shards: readonly RangedFile[]): RangedFile | undefined {
  const full = shards.slice(0, -1);
  const usual = Math.max(...full.map((shard) => shard.byteLength));
  const odd = full.filter((shard) => shard.byteLength !== usual);
  return odd.length === 1 && full.length > 1 ? odd[0] : undefined;
}

/** The name of the file in which a byte lies. */
function shardAt(shards: readonly RangedFile[], position: number): string {
  let end = 0;
  for (const shard of shards) {
    end += shard.byteLength;
    if (position < end) return shard.name;
  }
  return shards.at(-1)?.name ?? '';
}
