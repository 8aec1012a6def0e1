/** What is done with stored models beside loading and saving them: listed, described, copied, moved, removed. */
import { type WritableFile, writableBytes } from '../binary/byte-sink.ts';
import { streamFile } from '../binary/stream-file.ts';
import { FormatError, NotFoundError, UnsupportedError } from '../errors.ts';
import type { FormatName, ModelArtifacts } from '../formats/artifacts.ts';
import type { Container } from '../formats/detect.ts';
import { firstShardName } from '../formats/keras/shard-names.ts';
import { Limiter } from '../storage/limiter.ts';
import { baseNameOf, type OpenOptions, type Store } from '../storage/store.ts';
import type { Logs } from '../training/callbacks/callback.ts';
import {
  allBeside,
  besideOf,
  besideOfBytes,
  filesOfModel,
  keyBeside,
  type ModelFiles,
  renamePaths,
  sharedFiles,
} from './model-files.ts';
import { placeOf, type SaveDestination } from './places.ts';
import { readArtifacts } from './read-artifacts.ts';
import type { SaveOptions } from './save.ts';
import { removeAbandonedSaves } from './save-claims.ts';
import { decodeMetrics } from './saved-metrics.ts';
import type { StoredModel } from './source.ts';
import { writeFiles } from './write-files.ts';

/** Where a model is: a path, an address such as `indexeddb://name`, a web address, or a key of a store. */
export type ModelPlace = SaveDestination;

/** What is known of a stored model without loading it. */
export interface ModelInfo {
  /** `undefined` when it cannot be read; `problem` says why. */
  readonly format: FormatName | undefined;
  /** All of its files. */
  readonly byteLength: number;
  /** When it was saved, where the store knows that. */
  readonly modifiedAt?: Date;
  readonly kerasVersion?: string;
  /** What wrote it, where the file says that: `Hornet v0.1.0`, `TensorFlow.js tfjs-layers v4.22.0`. */
  readonly generatedBy?: string;
  /** What was measured of it when it was saved, where the file says that. */
  readonly metrics?: Logs;
  /** How many arrays of weights there are. */
  readonly weightCount?: number;
  /** How many numbers they hold. */
  readonly parameterCount?: number;
  readonly problem?: string;
}

/** A signal that ends a copy, which leaves what was there before, and who hears of its progress. */
export type CopyModelOptions = Pick<SaveOptions, 'signal' | 'onProgress'>;

/** Models that are looked at at once. */
const CONCURRENCY = 4;

/**
 * Lists the models of a store or a folder: by the address under which `loadModel` finds each, or, for a `Store`, by key.
 * Without an argument, those of this page: in `localstorage:`, `indexeddb:` and `opfs:`, also those that TensorFlow.js
 * saved.
 *
 * @param place A path, `indexeddb://` with or without the beginning of names, a store, or a folder of one.
 * @throws {UnsupportedError} for stores that cannot list what they hold.
 */
export async function listModels(place?: ModelPlace | Store): Promise<Record<string, ModelInfo>> {
  if (place === undefined) {
    const { LISTED_SCHEMES, resolveAddress } = await import('../storage/resolve.ts');
    const entries: [string, ModelInfo][] = [];
    for (const scheme of LISTED_SCHEMES) {
      const found = await resolveAddress(`${scheme}://`).catch((error: unknown) => {
        if (error instanceof UnsupportedError) return undefined;
        throw error;
      });
      if (found !== undefined) entries.push(...(await modelsIn(found.store, '', `${scheme}://`)));
    }
    return Object.fromEntries(entries);
  }
  if (typeof place === 'object' && 'open' in place) return Object.fromEntries(await modelsIn(place, '', ''));
  const { store, key } = await placeOf(place);
  const address = place instanceof URL ? place.href : place;
  const [scheme = ''] = typeof address === 'string' ? (/^[A-Za-z][A-Za-z0-9+.-]+:\/\//.exec(address) ?? []) : [];
  const isFile = /^file:/i.test(scheme);
  if (typeof address === 'string' && (scheme === '' || isFile)) await checkFolder(key);
  return Object.fromEntries(await modelsIn(store, key, isFile ? '' : scheme));
}

async function checkFolder(path: string): Promise<void> {
  const { kindOfPath } = await import('../storage/file-system-store.ts');
  if ((await kindOfPath(path)) === 'folder') return;
  throw new FormatError(`Cannot list the models of "${path}": found a file, expected a folder`, { file: path });
}

async function modelsIn(store: Store, folder: string, prefix: string): Promise<[string, ModelInfo][]> {
  if (store.list === undefined) {
    const feature = `listing ${store.name}`;
    throw new UnsupportedError(`Cannot list models: ${store.name} cannot tell what it holds`, feature);
  }
  const keys = (await store.list(folder)).sort();
  const limiter = new Limiter(CONCURRENCY);
  const named = new Set<string>();
  const found = await Promise.all(
    keys.map(
      async (key) =>
        await limiter.run(async () => {
          const files = await filesOrProblem({ store, key });
          if (files === undefined) return undefined;
          if (!(files instanceof Error)) for (const path of allBeside(files)) named.add(keyBeside(key, path));
          return [key, files] as const;
        }),
    ),
  );
  const models = found.filter((one) => one !== undefined).filter(([key]) => !named.has(key));
  return await Promise.all(
    models.map(
      async ([key, files]): Promise<[string, ModelInfo]> => [
        prefix + key,
        await limiter.run(async () => await infoOf({ store, key }, files)),
      ],
    ),
  );
}

/** What people name models; other files are models only if they can be read. */
const MODEL_NAME = /\.(?:keras|h5|hdf5)$|(?:^|\/)model\.json$/;

async function filesOrProblem(place: StoredModel): Promise<ModelFiles | Error | undefined> {
  try {
    return await filesOfModel(place);
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    if (!(error instanceof FormatError || error instanceof UnsupportedError)) throw error;
    return MODEL_NAME.test(place.key) ? error : undefined;
  }
}

/**
 * Describes a stored model: format, size, date, weights. Of its weights nothing is read but their names and shapes.
 *
 * @throws {NotFoundError} when there is nothing.
 * @throws {FormatError} when it is no model, or damaged.
 */
export async function modelInfo(place: ModelPlace): Promise<ModelInfo> {
  const found = await placeOf(place);
  return await infoOf(found, await filesOfModel(found), true);
}

async function infoOf(place: StoredModel, files: ModelFiles | Error, isStrict = false): Promise<ModelInfo> {
  const { store, key } = place;
  const stored = await store.info?.(key);
  const date = stored?.modifiedAt === undefined ? {} : { modifiedAt: stored.modifiedAt };
  if (files instanceof Error) {
    return { format: undefined, byteLength: stored?.byteLength ?? 0, ...date, problem: files.message };
  }
  let byteLength = files.main.byteLength;
  try {
    for (const path of files.beside) byteLength += await sizeOf(store, keyBeside(key, path));
    return { ...described(await readArtifacts(place)), byteLength, ...date };
  } catch (error) {
    if (isStrict || !(error instanceof Error)) throw error;
    return { format: undefined, byteLength, ...date, problem: error.message };
  }
}

async function sizeOf(store: Store, key: string): Promise<number> {
  return (await (store.info?.(key) ?? store.open(key))).byteLength;
}

function described({ format, kerasVersion, metadata = {}, weights }: ModelArtifacts): Omit<ModelInfo, 'byteLength'> {
  const entries =
    weights === undefined
      ? []
      : weights.kind === 'named'
        ? weights.entries
        : weights.kind === 'layers'
          ? [...weights.layers.flatMap((layer) => layer.entries), ...weights.topLevel]
          : [...weights.groups.values()].flatMap((group) => [...group.entries.values()]);
  const { generatedBy = metadata.generated_by } = metadata;
  const metrics = decodeMetrics(metadata.metrics);
  const parameterCount = entries.reduce(
    (sum, { shape }) => sum + shape.reduce((product, extent) => product * extent, 1),
    0,
  );
  return {
    format,
    ...(kerasVersion === undefined ? {} : { kerasVersion }),
    ...(typeof generatedBy === 'string' ? { generatedBy } : {}),
    ...(metrics === undefined ? {} : { metrics }),
    ...(weights === undefined ? {} : { weightCount: entries.length, parameterCount }),
  };
}

/**
 * Removes a model, with the files that it names and no other model in its folder does.
 *
 * @throws {NotFoundError} when there is nothing.
 * @throws {UnsupportedError} for stores that cannot remove.
 */
export async function removeModel(place: ModelPlace): Promise<void> {
  const found = await placeOf(place);
  // What is damaged can be removed as well, but what is not there is an error.
  await (await found.store.open(found.key)).slice(0, 0);
  await removeFiles(found, await besideOf(found), new Set());
}

/** Removes the model first: what is left when this is interrupted is no model with parts missing. */
async function removeFiles(
  place: StoredModel,
  beside: readonly string[],
  keptPlaces: ReadonlySet<string>,
): Promise<void> {
  const { store, key } = place;
  if (store.remove === undefined) {
    throw new UnsupportedError(`Cannot remove "${key}": ${store.name} cannot remove`, `removing from ${store.name}`);
  }
  const keys = beside.map((path) => keyBeside(key, path));
  const shared = await sharedFiles(place, keys);
  for (const one of [key, ...keys.filter((other) => !shared.has(other))]) {
    if (keptPlaces.size > 0 && keptPlaces.has((await store.placeOf?.(one)) ?? '')) continue;
    await store.remove(one);
  }
  if (beside.length > 0 && store.writeAll === undefined) await removeAbandonedSaves(place);
}

/**
 * Copies a model, also from one store to another: its files as they are, those that it names under new names, so that no
 * other model's are replaced. What was at the destination stays until the copy is complete.
 *
 * @param to A name that ends in `/` is a folder, in which the copy has the name of the original.
 * @throws {NotFoundError} when there is nothing.
 * @throws {UnsupportedError} when the destination's name is of another format: load the model and save it to convert it.
 */
export async function copyModel(from: ModelPlace, to: ModelPlace, options: CopyModelOptions = {}): Promise<ModelInfo> {
  const source = await placeOf(from);
  const target = await targetOf(to, source);
  if (!(await isSame(source, target))) await copyFiles(source, target, options);
  return await infoOf(target, await filesOfModel(target).catch(unreadable));
}

/**
 * Moves a model, also from one store to another. It is removed where it was when the copy is complete and can be read, and
 * at no moment is it in neither place.
 *
 * @throws As `copyModel` does; the model is then where it was.
 */
export async function moveModel(from: ModelPlace, to: ModelPlace, options: CopyModelOptions = {}): Promise<ModelInfo> {
  const source = await placeOf(from);
  const target = await targetOf(to, source);
  if (source.store.remove === undefined) {
    const feature = `removing from ${source.store.name}`;
    throw new UnsupportedError(`Cannot move "${source.key}": ${source.store.name} cannot remove; copy it`, feature);
  }
  if (!(await isSame(source, target))) {
    const files = await copyFiles(source, target, options);
    const written = await checkCopy(source, target);
    await removeFiles(source, allBeside(files), await placesOf(target, written));
  }
  return await infoOf(target, await filesOfModel(target));
}

/** A store that only takes files cannot say what it took. */
function unreadable(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

async function targetOf(to: ModelPlace, source: StoredModel): Promise<StoredModel> {
  const { store, key } = await placeOf(to);
  return { store, key: key === '' || key.endsWith('/') ? key + baseNameOf(source.key) : key };
}

async function isSame(one: StoredModel, other: StoredModel): Promise<boolean> {
  if (one.store === other.store && one.key === other.key) return true;
  const places = await Promise.all([one, other].map(async ({ store, key }) => await store.placeOf?.(key)));
  return places[0] !== undefined && places[0] === places[1];
}

async function placesOf({ store, key }: StoredModel, beside: readonly string[]): Promise<Set<string>> {
  const places = new Set<string>();
  for (const one of [key, ...beside.map((path) => keyBeside(key, path))]) {
    const place = await store.placeOf?.(one);
    if (place !== undefined) places.add(place);
  }
  return places;
}

/** Names whose ending says what is in the file. */
const ENDINGS: readonly { readonly ending: RegExp; readonly container: Container }[] = [
  { ending: /\.keras$/, container: 'zip' },
  { ending: /\.(?:h5|hdf5)$/, container: 'hdf5' },
  { ending: /\.json$/, container: 'json' },
];

async function copyFiles(source: StoredModel, target: StoredModel, options: CopyModelOptions): Promise<ModelFiles> {
  const openOptions: OpenOptions = options.signal === undefined ? {} : { signal: options.signal };
  const files = await filesOfModel(source, openOptions);
  const wrong = ENDINGS.find(({ ending, container }) => ending.test(target.key) && container !== files.container);
  if (wrong !== undefined) {
    const advice = 'a copy has the format of the original; load the model and save it to convert it';
    throw new UnsupportedError(
      `Cannot copy "${source.key}" to "${target.key}": found ${files.container}, expected ${wrong.container}; ${advice}`,
      'converting while copying',
    );
  }
  const names = newNames(files.beside);
  const beside = new Map<string, WritableFile>();
  for (const [path, name] of names) {
    beside.set(name, streamFile(await source.store.open(keyBeside(source.key, path), openOptions)));
  }
  const file =
    files.table === undefined || beside.size === 0
      ? streamFile(files.main)
      : writableBytes(renamePaths(files.table, names));
  const lasting: string[] = [];
  if (files.table?.weight_map !== undefined) {
    const { emptyShard } = await import('../formats/keras/write-sharded-weights.ts');
    const name = baseNameOf(target.key.replaceAll('\\', '/'));
    lasting.push(firstShardName(name));
    beside.set(firstShardName(name), emptyShard(name));
  }
  await writeFiles(target, { file, beside, besideOf: besideOfBytes, lasting }, options);
  return files;
}

/** Names that no file has, so that those which are there stay until the copy is complete. */
function newNames(paths: readonly string[]): Map<string, string> {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  const id = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return new Map(
    paths.map((path) => {
      const [, stem = '', ending = ''] = /^((?:.*\/)?[^/.]*)([^/]*)$/s.exec(path) ?? [];
      // A copy of a copy has the last id alone.
      return [path, `${stem.replace(/-[0-9a-f]{16}$/, '')}-${id}${ending}`];
    }),
  );
}

/** Makes sure that a copy is there before the original goes; gives the files that it names. */
async function checkCopy(source: StoredModel, target: StoredModel): Promise<readonly string[]> {
  const refuse = (problem: string, cause?: unknown): FormatError =>
    new FormatError(
      `Cannot move "${source.key}": it was copied to "${target.key}", but ${problem}; the original is where it was`,
      { file: target.key, cause },
    );
  let sizes: [number, number][];
  let beside: readonly string[];
  try {
    const [original, copy] = [await filesOfModel(source), await filesOfModel(target)];
    beside = allBeside(copy);
    const sizesOf = async ({ store, key }: StoredModel, { beside: paths }: ModelFiles): Promise<number[]> =>
      await Promise.all(paths.map(async (path) => (await store.open(keyBeside(key, path))).byteLength));
    // The bytes of a JSON that names other files are others.
    const mains: [number, number][] =
      copy.table === undefined ? [[original.main.byteLength, copy.main.byteLength]] : [];
    const [expected, found] = [await sizesOf(source, original), await sizesOf(target, copy)];
    const [total, copied] = [expected, found].map((list) => list.reduce((sum, size) => sum + size, 0)) as [
      number,
      number,
    ];
    // A store may keep all the weights of a model in one file.
    sizes = [...mains, [total, copied]];
  } catch (cause) {
    throw refuse('the copy cannot be read', cause);
  }
  const different = sizes.find(([expected, found]) => expected !== found);
  if (different === undefined) return beside;
  throw refuse(`the copy has ${different[1]} bytes where ${different[0]} were expected`);
}
