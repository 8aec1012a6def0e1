/**
 * Writes the layers-model format of TensorFlow.js: `model.json` with the topology and a manifest of weights, and shards
 * that hold their bytes one after the other; see `read-layers-model.ts`.
 *
 * Beside what TensorFlow.js knows, each group of the manifest has the SHA-256 of its files under `sha256`; of the slices of
 * large ones, since hosts compute that of bytes in memory alone.
 */
import type { Tensor } from '../../array/tensor.ts';
import type { ByteSink, WritableFile } from '../../binary/byte-sink.ts';
import { sha256 } from '../../binary/sha256.ts';
import { FormatError, UnsupportedError } from '../../errors.ts';
import type { JsonObject, JsonValue, ModelArtifacts, WeightEntry } from '../artifacts.ts';
import { encodeJson } from '../encode-json.ts';
import { byteLengthOfStrings, encodeWeight } from './encode-weight.ts';
import { planQuantization, type QuantizedDtype } from './quantize.ts';
import type { FileChecksum, Quantization } from './weight-specs.ts';

/** The size of shards that TensorFlow.js' converter has: browsers keep no larger files in their cache. */
export const SHARD_BYTES: number = 4 << 20;

export interface WriteLayersModelOptions {
  /** Bytes of a shard, all but the last of a group; `SHARD_BYTES` unless given. */
  readonly shardSize?: number;
  /** Whether each layer has a group of its own, whose files hold nothing else; false unless given. */
  readonly splitByLayer?: boolean;
  /** How a weight is stored, by its name; `undefined` for as it is. */
  readonly quantize?: (name: string) => QuantizedDtype | undefined;
  /** Told apart from other saves by this: it becomes a part of the shards' names. */
  readonly id: string;
  /** What else `model.json` says: `format`, `generatedBy`, … */
  readonly fields: JsonObject;
}

/** A weight that is stored in fewer bits, and what that does to it. */
export interface QuantizedWeight {
  readonly weight: string;
  readonly dtype: QuantizedDtype;
  /** The largest distance of an element from what is read back. */
  readonly largestError: number;
}

export interface WrittenLayersModel {
  /** `model.json`. Write it after the shards, whose checksums it has; those that are missing then are computed. */
  readonly file: WritableFile;
  readonly shards: ReadonlyMap<string, WritableFile>;
  readonly quantized: readonly QuantizedWeight[];
}

/**
 * The files of a model.
 *
 * @throws {FormatError} when the record's weights are not a list of names.
 * @throws {UnsupportedError} for a dtype that TensorFlow.js has not, or elements that cannot be quantized.
 */
export async function writeLayersModel(
  artifacts: ModelArtifacts,
  options: WriteLayersModelOptions,
): Promise<WrittenLayersModel> {
  const { shardSize = SHARD_BYTES, splitByLayer = false } = options;
  if (!(Number.isSafeInteger(shardSize) && shardSize > 0)) {
    throw new RangeError(`Cannot write "${artifacts.source}": shards of ${shardSize} bytes, expected 1 or more`);
  }
  const weights = await storedWeights(artifacts, options.quantize);
  const groups = splitByLayer ? groupsByLayer(weights, shardSize) : weights.length === 0 ? [] : [weights];
  const shards = new Map<string, ShardFile>();
  const manifest = groups.map((group, index) => {
    const paths = cutGroup(group, index, shardSize, options.id).map((shard) => {
      shards.set(shard.path, shard);
      return shard.path;
    });
    return { paths, weights: group.map(({ spec }) => spec) };
  });
  const { topology } = artifacts;
  const encode = (checksums: ReadonlyMap<string, FileChecksum>): Uint8Array => {
    const weightsManifest = manifest.map((group) => ({
      ...group,
      sha256: Object.fromEntries(group.paths.map((path) => [path, checksums.get(path) ?? ''])),
    }));
    const json = { ...(topology === undefined ? {} : { modelTopology: topology }), ...options.fields, weightsManifest };
    return new TextEncoder().encode(encodeJson(json as unknown as JsonObject));
  };
  const blank = new Map([...shards].map(([path, shard]) => [path, shard.checksumOf('0'.repeat(64))]));
  const file: WritableFile = {
    byteLength: encode(blank).byteLength,
    writeTo: async (sink) => {
      const checksums = new Map<string, FileChecksum>();
      for (const [path, shard] of shards) checksums.set(path, await shard.checksum());
      await sink.write(encode(checksums));
    },
  };
  return { file, shards, quantized: quantizedOf(weights) };
}

/** Which weights are stored in fewer bits. */
export function quantizedOf(weights: Group): readonly QuantizedWeight[] {
  return weights.flatMap(({ entry, quantization, largestError }) =>
    quantization === undefined ? [] : [{ weight: entry.name, dtype: quantization.dtype, largestError }],
  );
}

/** A weight with its entry in the manifest. */
export interface StoredWeight {
  readonly entry: WeightEntry;
  readonly spec: JsonObject;
  readonly quantization: Quantization | undefined;
  readonly largestError: number;
  readonly byteLength: number;
}

/** The weights of a record, the optimizer's after the model's, as they will be stored. */
export async function storedWeights(
  { weights, optimizerWeights = [], source }: ModelArtifacts,
  quantize: WriteLayersModelOptions['quantize'] = () => undefined,
): Promise<readonly StoredWeight[]> {
  if (weights !== undefined && weights.kind !== 'named') {
    throw new FormatError(`Cannot write "${source}" as a layers-model: expected weights by name`);
  }
  const stored: StoredWeight[] = [];
  for (const entry of weights?.entries ?? []) {
    stored.push(await storedWeight(entry, entry.dtype === 'float32' ? quantize(entry.name) : undefined));
  }
  for (const entry of optimizerWeights) {
    const weight = await storedWeight(entry, undefined);
    stored.push({ ...weight, spec: { ...weight.spec, group: 'optimizer' } });
  }
  return stored;
}

async function storedWeight(entry: WeightEntry, dtype: QuantizedDtype | undefined): Promise<StoredWeight> {
  const { name } = entry;
  const plain = { entry, quantization: undefined, largestError: 0 };
  const elements = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1);
  if (dtype !== undefined) {
    const { data } = await entry.read();
    const { quantization, largestError } = planQuantization(data as Float32Array, dtype, name);
    const { scale, min } = quantization;
    const params = dtype === 'float16' ? { dtype } : { dtype, min, scale };
    const spec = { name, shape: [...entry.shape], dtype: 'float32' };
    const byteLength = elements(entry.shape) * (dtype === 'uint8' ? 1 : 2);
    const encoded = { ...params, original_dtype: 'float32' };
    return { entry, spec: { ...spec, quantization: encoded }, quantization, largestError, byteLength };
  }
  switch (entry.dtype) {
    // Half floats and wider numbers are read as these, and TensorFlow.js has no others.
    case 'float16':
    case 'bfloat16':
    case 'float64':
    case 'float32':
      return { ...plain, ...described(entry, 'float32'), byteLength: elements(entry.shape) * 4 };
    case 'bool':
      return { ...plain, ...described(entry, 'bool'), byteLength: elements(entry.shape) };
    case 'string': {
      const { data } = await entry.read();
      return { ...plain, ...described(entry, 'string'), byteLength: byteLengthOfStrings(data as readonly string[]) };
    }
    case 'complex64': {
      // It is read with a last axis of two parts, which lie in the file as they lie in memory.
      const { spec } = described(entry, 'complex64');
      return { ...plain, spec: { ...spec, shape: entry.shape.slice(0, -1) }, byteLength: elements(entry.shape) * 4 };
    }
    case 'int8':
    case 'uint8':
    case 'int16':
    case 'uint16':
    case 'uint32':
    case 'int64':
    case 'uint64':
    case 'int32':
      return { ...plain, ...described(entry, 'int32'), byteLength: elements(entry.shape) * 4 };
    default:
      throw new UnsupportedError(`Cannot write weight "${name}" as ${String(entry.dtype satisfies never)}`, 'a dtype');
  }
}

function described({ name, shape }: WeightEntry, dtype: string): { readonly spec: JsonObject } {
  return { spec: { name, shape: [...shape] as readonly JsonValue[], dtype } };
}

type Group = readonly StoredWeight[];

function groupsByLayer(weights: Group, shardSize: number): readonly Group[] {
  const groups = new Map<string, StoredWeight[]>();
  for (const weight of weights) {
    const layer = weight.entry.name.split('/', 1)[0] as string;
    const key = weight.spec.group === 'optimizer' ? '' : layer;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [weight]);
    else group.push(weight);
  }
  const list = [...groups.values()];
  return isMisread(list, shardSize) ? [list.at(-1) as Group, ...list.slice(0, -1)] : list;
}

/** Files of the same size before a larger one: there TensorFlow.js 4.22 reads zeros in place of the last one's bytes. */
function isMisread(groups: readonly Group[], shardSize: number): boolean {
  const sizes = groups.flatMap((group) => {
    const byteLength = byteLengthOf(group);
    return Array.from({ length: countShards(byteLength, shardSize) }, (_, place) =>
      Math.min(shardSize, byteLength - place * shardSize),
    );
  });
  const last = sizes.pop() ?? 0;
  return sizes.length > 0 && sizes.every((size) => size === sizes[0]) && last > (sizes[0] as number);
}

const byteLengthOf = (group: Group): number => group.reduce((sum, weight) => sum + weight.byteLength, 0);

/** A group without bytes has a shard nevertheless, since readers ask for a file. */
const countShards = (byteLength: number, shardSize: number): number => Math.max(1, Math.ceil(byteLength / shardSize));

function cutGroup(group: Group, index: number, shardSize: number, id: string): readonly ShardFile[] {
  const byteLength = byteLengthOf(group);
  const count = countShards(byteLength, shardSize);
  const read = cachedReads();
  const buffers = new HeldBuffers();
  return Array.from({ length: count }, (_, place) => {
    const path = `group${index + 1}-shard${place + 1}of${count}-${id}.bin`;
    const start = place * shardSize;
    return new ShardFile(path, group, start, Math.min(start + shardSize, byteLength), { read, buffers });
  });
}

/** Keeps the weight that was read last: it may go on in the next shard. */
function cachedReads(): (entry: WeightEntry) => Promise<Tensor> {
  let last: WeightEntry | undefined;
  let tensor: Promise<Tensor> | undefined;
  return async (entry) => {
    if (entry !== last || tensor === undefined) tensor = entry.read();
    last = entry;
    return await tensor;
  };
}

/** The bytes of weights that follow one another, from `start` to `end`, piece by piece. */
export async function* bytesOf(
  group: Group,
  start: number,
  end: number,
  read: (entry: WeightEntry) => Promise<Tensor> = (entry) => entry.read(),
): AsyncGenerator<Uint8Array> {
  let place = 0;
  for (const { entry, quantization, byteLength } of group) {
    const from = Math.max(start, place) - place;
    const to = Math.min(end, place + byteLength) - place;
    place += byteLength;
    if (from < to) yield* encodeWeight(await read(entry), quantization, from, to);
  }
}

/** Shards are hashed in slices of this size, each of which is in memory as a whole. */
const SLICE_BYTES = 16 << 20;

/** What the shards of a group have in common, since they are written one after the other. */
interface SharedByShards {
  readonly read: (entry: WeightEntry) => Promise<Tensor>;
  readonly buffers: HeldBuffers;
}

/** Keeps the last buffer for the next shard: garbage of this size is not collected as fast as it is made. */
class HeldBuffers {
  #free: Uint8Array | undefined;

  take(byteLength: number): Uint8Array {
    const free = this.#free;
    this.#free = undefined;
    return free !== undefined && free.byteLength >= byteLength ? free : new Uint8Array(byteLength);
  }

  give(buffer: Uint8Array): void {
    this.#free = buffer;
  }
}

/** A part of a group's bytes. */
class ShardFile implements WritableFile {
  readonly path: string;
  readonly byteLength: number;
  readonly #group: Group;
  readonly #start: number;
  readonly #shared: SharedByShards;
  #digests: readonly string[] | undefined;

  constructor(path: string, group: Group, start: number, end: number, shared: SharedByShards) {
    this.path = path;
    this.byteLength = end - start;
    this.#group = group;
    this.#start = start;
    this.#shared = shared;
  }

  async writeTo(sink: ByteSink): Promise<void> {
    const { read, buffers } = this.#shared;
    const held = buffers.take(Math.min(SLICE_BYTES, this.byteLength));
    const digests: string[] = [];
    let filled = 0;
    const flush = async (): Promise<void> => {
      digests.push(await sha256(held.subarray(0, filled)));
      filled = 0;
    };
    for await (const piece of bytesOf(this.#group, this.#start, this.#start + this.byteLength, read)) {
      await sink.write(piece);
      for (let done = 0; done < piece.byteLength; ) {
        const part = piece.subarray(done, done + SLICE_BYTES - filled);
        held.set(part, filled);
        filled += part.byteLength;
        done += part.byteLength;
        if (filled === SLICE_BYTES) await flush();
      }
    }
    if (filled > 0 || digests.length === 0) await flush();
    buffers.give(held);
    this.#digests = digests;
  }

  /** That of what was written; of what would be, when nothing was. */
  async checksum(): Promise<FileChecksum> {
    if (this.#digests === undefined) await this.writeTo({ write: () => {} });
    const [first = '', ...others] = this.#digests ?? [];
    return others.length === 0 ? first : { sliceBytes: SLICE_BYTES, digests: [first, ...others] };
  }

  /** A checksum of the same length in which each digest is this one. */
  checksumOf(digest: string): FileChecksum {
    const count = Math.ceil(this.byteLength / SLICE_BYTES);
    return count <= 1 ? digest : { sliceBytes: SLICE_BYTES, digests: Array.from({ length: count }, () => digest) };
  }
}
