/**
 * From a source to the record of what it holds: opens, recognises the format, and has the format read it. The code of a
 * format is fetched when a file of it is met.
 */

import type { RangedFile } from '../binary/ranged-file.ts';
import { FormatError } from '../errors.ts';
import type { ModelArtifacts } from '../formats/artifacts.ts';
import { detectContainer, detectJson } from '../formats/detect.ts';
import { decodeJsonObject, decodeText, MAX_JSON_BYTES, stringAt } from '../formats/json.ts';
import type { MemberFiles } from '../formats/keras/zip-archive.ts';
import type { HttpOptions, HttpSession, RetryOptions } from '../storage/http-session.ts';
import type { ResponseCache } from '../storage/response-cache.ts';
import type { LayerSelection } from './select-layers.ts';
import {
  type ModelSource,
  openLocation,
  type ResolvedSource,
  resolveSource,
  type SourceAccess,
  type SourceFile,
} from './source.ts';

export interface ReadOptions extends LayerSelection {
  /** Ends the load; it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Stands in for the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch;
  /** Sent with every request. */
  readonly requestInit?: RequestInit;
  /**
   * A remote file of less bytes is fetched as a whole, which saves the many requests for its parts; 0 unless given. For
   * those who will read most of its weights.
   */
  readonly wholeBelow?: number;
  /** Requests at once, 6 unless given. */
  readonly concurrency?: number;
  /** How failed requests are tried again. */
  readonly retry?: RetryOptions;
  /**
   * Keep downloads in the browser's Cache API, in Hornet's own or one of this name. Each load asks the server whether they
   * are still what it has; when it cannot be reached, they are used as they are. What is kept are whole files.
   */
  readonly cache?: boolean | string;
  /** Put before the paths of shards as it is, without a slash between, in place of the address of the model. */
  readonly weightPathPrefix?: string;
  /** Gives the address of a shard from its path in the manifest: for addresses that are signed one by one. */
  readonly weightUrlConverter?: (path: string) => Promise<string> | string;
  /**
   * SHA-256 of the file, or of the files that it names by their paths: hexadecimal digits, or as in a page's `integrity`
   * attribute.
   */
  readonly integrity?: string | Readonly<Record<string, string>>;
}

/** Hears how reading goes; see `ProgressCounter`. */
export interface ReadListener {
  /** Bytes have arrived. */
  deliver(file: string, byteCount: number): void;
  /** A server sends a file only as a whole. */
  announceWhole(file: string, byteLength: number): void;
  /** The file that the source names, and whether it holds all the weights too. */
  announceMain(file: string, holdsWeights: boolean): void;
  /** How many bytes the weights take, where that is known before their files are opened. */
  announceBytes(byteCount: number): void;
}

/**
 * Reads what a model file holds: its topology, its training configuration, and a list of its weights, which are read
 * when they are asked for.
 *
 * With `until` or `exclude`, weights of layers that are not wanted are left out where the format has them by layer.
 *
 * @throws {NotFoundError} when there is nothing at the source.
 * @throws {NetworkError} when a server fails.
 * @throws {FormatError} when the bytes are damaged, cut off, or no model.
 * @throws {UnsupportedError} for formats that are known but not read, by name.
 */
export async function readArtifacts(
  source: ModelSource,
  options: ReadOptions = {},
  listener?: ReadListener,
): Promise<ModelArtifacts> {
  const access = accessOf(options, listener);
  options.signal?.throwIfAborted();
  const resolved = await resolveSource(source, access);
  const artifacts = await readResolved(resolved, options, access, listener);
  options.signal?.throwIfAborted();
  return artifacts;
}

/** How the files of a source are opened with these options. */
export function accessOf(options: ReadOptions, listener?: ReadListener): SourceAccess {
  const onBytes = listener && ((file: string, byteCount: number): void => listener.deliver(file, byteCount));
  const onWhole = listener && ((file: string, byteLength: number): void => listener.announceWhole(file, byteLength));
  const { fetch, requestInit, signal, concurrency, retry } = options;
  let session: HttpSession | undefined;
  let cache: ResponseCache | undefined;
  const httpOptions: HttpOptions = {
    ...(fetch === undefined ? {} : { fetch }),
    ...(requestInit === undefined ? {} : { requestInit }),
    ...(signal === undefined ? {} : { signal }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(retry === undefined ? {} : { retry }),
    ...(onBytes === undefined ? {} : { onBytes }),
    ...(onWhole === undefined ? {} : { onWhole }),
  };
  return {
    ...(signal === undefined ? {} : { signal }),
    ...(onBytes === undefined ? {} : { onBytes }),
    wholeBelow: options.wholeBelow ?? 0,
    frugal: options.until !== undefined || options.exclude !== undefined,
    openUrl: async (address, urlOptions) => {
      const [{ openUrl }, { HttpSession }] = await Promise.all([
        import('../storage/http-file.ts'),
        import('../storage/http-session.ts'),
      ]);
      session ??= new HttpSession(httpOptions);
      if (options.cache === undefined || options.cache === false) return await openUrl(session, address, urlOptions);
      const { ResponseCache } = await import('../storage/response-cache.ts');
      cache ??= new ResponseCache(options.cache, session);
      return await cache.open(address);
    },
  };
}

/** The file, whose bytes are compared with a checksum before any is used. */
async function verified(file: RangedFile, checksum: string): Promise<RangedFile> {
  const { verifiedFile } = await import('../formats/layers-model/verified-file.ts');
  return verifiedFile(file, checksum);
}

async function readResolved(
  resolved: ResolvedSource,
  options: ReadOptions,
  access: SourceAccess,
  listener: ReadListener | undefined,
): Promise<ModelArtifacts> {
  switch (resolved.kind) {
    case 'handler':
      return await (await import('./read-handler.ts')).readHandler(resolved.handler);
    case 'folder':
      return await readMembers(resolved.members, resolved.name, options);
    case 'file':
      return await readFile(resolved, options, access, listener);
    default:
      return resolved satisfies never;
  }
}

async function readFile(
  source: SourceFile,
  options: ReadOptions,
  access: SourceAccess,
  listener: ReadListener | undefined,
): Promise<ModelArtifacts> {
  const { integrity } = options;
  const file = typeof integrity === 'string' ? await verified(source.file, integrity) : source.file;
  const container = await detectContainer(file);
  listener?.announceMain(file.name, container !== 'json');
  switch (container) {
    case 'hdf5':
      return await readHdf5(file, options);
    case 'zip':
      return await readZip(await (await zipFormat()).openZip(file), file.name, options);
    case 'safetensors':
      return await (await namedFormats()).readSafetensorsArtifacts(file);
    default:
      return await readJson(file, source, options, access, listener);
  }
}

const hdf5Format = async () => await import('../formats/hdf5/open-hdf5.ts');
const hdf5Model = async () => await import('../formats/hdf5-model/read-hdf5-model.ts');
const pathWeights = async () => await import('../formats/keras/path-weights.ts');
const kerasFormat = async () => await import('../formats/keras/read-keras.ts');
const shardedWeights = async () => await import('../formats/keras/sharded-weights.ts');
const zipFormat = async () => await import('../formats/keras/zip-archive.ts');
const namedFormats = async () => await import('./read-named.ts');
const layersModel = async () => await import('../formats/layers-model/read-layers-model.ts');

async function readZip(members: MemberFiles, name: string, options: ReadOptions): Promise<ModelArtifacts> {
  // An archive of nothing is what NumPy makes of no arrays.
  const isNpz = members.paths.every((path) => path.endsWith('.npy'));
  return isNpz
    ? await (await namedFormats()).readNpzArtifacts(members, name)
    : await readMembers(members, name, options);
}

async function readMembers(members: MemberFiles, name: string, options: ReadOptions): Promise<ModelArtifacts> {
  const { readKeras } = await kerasFormat();
  const selection = await selectionCode(options);
  return await readKeras(members, name, (topology) => selection?.wantedPaths(topology, options));
}

async function readHdf5(file: RangedFile, options: ReadOptions): Promise<ModelArtifacts> {
  const [{ openHdf5 }, { isHdf5Model, readDescription, readHdf5Model }] = await Promise.all([
    hdf5Format(),
    hdf5Model(),
  ]);
  const root = await openHdf5(file);
  if (await isHdf5Model(root)) {
    const selection = await selectionCode(options);
    let wanted: ReadonlySet<string> | undefined;
    let isSelected = selection === undefined;
    return await readHdf5Model(root, file.name, (name, topology) => {
      if (!isSelected && topology !== undefined) wanted = selection?.layersToRead(topology, options);
      isSelected = true;
      return wanted?.has(name) ?? true;
    });
  }
  const [{ readPathWeights }, { artifactsOfWeights }] = await Promise.all([pathWeights(), kerasFormat()]);
  const weights = await readPathWeights(root, file.name);
  if (weights.weights.groups.size > 0 || weights.optimizerWeights !== undefined) {
    const described = await readDescription(root, file.name);
    return { format: 'weights.h5', source: file.name, ...described, ...artifactsOfWeights(weights) };
  }
  const names =
    (await root.names())
      .slice(0, 5)
      .map((name) => `"${name}"`)
      .join(', ') || 'nothing';
  throw new FormatError(
    `Cannot read "${file.name}": found an HDF5 file with ${names}, expected a Keras model or its weights`,
    { file: file.name },
  );
}

async function readJson(
  file: RangedFile,
  source: SourceFile,
  options: ReadOptions,
  access: SourceAccess,
  listener: ReadListener | undefined,
): Promise<ModelArtifacts> {
  if (file.byteLength > MAX_JSON_BYTES) {
    throw new FormatError(
      `Cannot read "${file.name}": it is JSON of ${file.byteLength} bytes, expected ${MAX_JSON_BYTES} at most`,
      { file: file.name },
    );
  }
  const json = decodeJsonObject(decodeText(await file.slice(0, file.byteLength), file.name), file.name);
  const { weightPathPrefix, weightUrlConverter } = options;
  const integrity = typeof options.integrity === 'object' ? options.integrity : {};
  const openShard = async (path: string): Promise<RangedFile> => {
    if (weightUrlConverter !== undefined) return await openLocation(await weightUrlConverter(path), access);
    if (weightPathPrefix !== undefined) return await openLocation(weightPathPrefix + path, access);
    return await source.openBeside(path);
  };
  switch (detectJson(json, file.name)) {
    case 'layers-model': {
      const { readLayersModel } = await layersModel();
      return await readLayersModel(json, file.name, openShard, {
        integrity,
        onByteCount: (byteCount) => listener?.announceBytes(byteCount),
      });
    }
    case 'weights.json': {
      const openVerified = async (path: string): Promise<RangedFile> => {
        const shard = await openShard(path);
        const checksum = Object.hasOwn(integrity, path) ? integrity[path] : undefined;
        return checksum === undefined ? shard : await verified(shard, checksum);
      };
      const [{ describedByTable, readShardedWeights }, { artifactsOfWeights }] = await Promise.all([
        shardedWeights(),
        kerasFormat(),
      ]);
      const weights = await readShardedWeights(json, file.name, openVerified);
      return { format: 'weights.json', source: file.name, ...describedByTable(json), ...artifactsOfWeights(weights) };
    }
    default: {
      const kerasVersion = stringAt(json, 'keras_version');
      const backend = stringAt(json, 'backend');
      return {
        format: 'config',
        source: file.name,
        topology: json,
        ...(kerasVersion === undefined ? {} : { kerasVersion }),
        ...(backend === undefined ? {} : { backend }),
      };
    }
  }
}

/** What tells the wanted layers from the others; nobody needs it who wants them all. */
export async function selectionCode({
  until,
  exclude,
}: LayerSelection): Promise<typeof import('./select-layers.ts') | undefined> {
  return until === undefined && exclude === undefined ? undefined : await import('./select-layers.ts');
}
