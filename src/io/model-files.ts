/** Which files a stored model consists of: one, or a JSON that names others. */
import type { RangedFile } from '../binary/ranged-file.ts';
import { NotFoundError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../formats/artifacts.ts';
import { type Container, detectContainer, detectJson } from '../formats/detect.ts';
import { encodeJson } from '../formats/encode-json.ts';
import { decodeJsonObject, decodeText, isJsonObject, MAX_JSON_BYTES } from '../formats/json.ts';
import { firstShardName } from '../formats/keras/shard-names.ts';
import { baseNameOf, folderOf, joinKey, type OpenOptions, type Store } from '../storage/store.ts';
import type { StoredModel } from './source.ts';

export interface ModelFiles {
  readonly main: RangedFile;
  readonly container: Container;
  /** The JSON that names the others, where there are any. */
  readonly table: JsonObject | undefined;
  /** The files that it names, relative to it. */
  readonly beside: readonly string[];
  /** One more, which Keras wants to be there beside a table of shards, whatever that names. */
  readonly unnamed?: string;
}

/**
 * Finds the files of a model.
 *
 * @throws {NotFoundError} when there is nothing.
 * @throws {FormatError} when it is no model.
 */
export async function filesOfModel({ store, key }: StoredModel, options?: OpenOptions): Promise<ModelFiles> {
  const main = await store.open(key, options);
  const container = await detectContainer(main);
  if (container !== 'json' || main.byteLength > MAX_JSON_BYTES) {
    return { main, container, table: undefined, beside: [] };
  }
  const table = decodeJsonObject(decodeText(await main.slice(0, main.byteLength), key), key);
  detectJson(table, key);
  const beside = pathsOf(table);
  const first = isJsonObject(table.weight_map) ? firstShardName(baseNameOf(key.replaceAll('\\', '/'))) : undefined;
  return {
    main,
    container,
    table,
    beside,
    ...(first === undefined || beside.includes(first) ? {} : { unnamed: first }),
  };
}

/** The files beside what is at a place now; none when there is nothing, or nothing that names files. */
export async function besideOf(place: StoredModel): Promise<readonly string[]> {
  try {
    return allBeside(await filesOfModel(place));
  } catch {
    return [];
  }
}

/** The files that go with a model. */
export function allBeside({ beside, unnamed }: ModelFiles): readonly string[] {
  return unnamed === undefined ? beside : [...beside, unnamed];
}

/** The files that a model names, given the bytes of its JSON; none when it is something else. */
export function besideOfBytes(bytes: Uint8Array): readonly string[] {
  try {
    return pathsOf(decodeJsonObject(decodeText(bytes, ''), ''));
  } catch {
    return [];
  }
}

/** The key of a file that a model names. */
export function keyBeside(key: string, path: string): string {
  return joinKey(folderOf(key.replaceAll('\\', '/')), path);
}

/** The keys that other models in the same folder name too: they outlive this one. */
export async function sharedFiles({ store, key }: StoredModel, keys: readonly string[]): Promise<Set<string>> {
  const shared = new Set<string>();
  if (keys.length === 0 || store.list === undefined) return shared;
  const folder = folderOf(key.replaceAll('\\', '/'));
  for (const other of await listedBeside(store, folder)) {
    if (other === key || !isNamedTable(other) || folderOf(other) !== folder) continue;
    for (const path of await besideOf({ store, key: other })) shared.add(keyBeside(other, path));
  }
  return new Set(keys.filter((one) => shared.has(one)));
}

async function listedBeside(store: Store, folder: string): Promise<readonly string[]> {
  try {
    return (await store.list?.(folder)) ?? [];
  } catch (error) {
    if (error instanceof NotFoundError) return [];
    throw error;
  }
}

/** A file that may name others; a page's store knows names without endings. */
function isNamedTable(key: string): boolean {
  const name = key.slice(key.lastIndexOf('/') + 1);
  return name.endsWith('.json') || !name.includes('.');
}

/** A manifest may name files beside itself or below, and nothing else, so that a copy never writes elsewhere. */
export function isBeside(path: string): boolean {
  return path !== '' && !/^[A-Za-z][A-Za-z0-9+.-]*:|^[/\\]|\0/.test(path) && !path.split(/[/\\]/).includes('..');
}

function pathsOf(table: JsonObject): string[] {
  const paths = new Set<string>();
  mapPaths(table, (path) => {
    if (isBeside(path)) paths.add(path);
    return path;
  });
  return [...paths];
}

/** The table with other names for its files. */
export function renamePaths(table: JsonObject, names: ReadonlyMap<string, string>): Uint8Array {
  return new TextEncoder().encode(encodeJson(mapPaths(table, (path) => names.get(path) ?? path)));
}

function mapPaths(table: JsonObject, rename: (path: string) => string): JsonObject {
  const { weightsManifest, weight_map: weightMap } = table;
  const renamed = (value: JsonValue): JsonValue => {
    if (Array.isArray(value)) return value.map(renamed);
    return typeof value === 'string' ? rename(value) : value;
  };
  const group = (value: JsonValue): JsonValue => {
    if (!isJsonObject(value)) return value;
    const { paths = [], sha256 } = value;
    const checksums = isJsonObject(sha256)
      ? { sha256: Object.fromEntries(Object.entries(sha256).map(([path, digits]) => [rename(path), digits])) }
      : {};
    return { ...value, paths: renamed(paths), ...checksums };
  };
  const map = isJsonObject(weightMap)
    ? { weight_map: Object.fromEntries(Object.entries(weightMap).map(([path, file]) => [path, renamed(file)])) }
    : {};
  return {
    ...table,
    ...(Array.isArray(weightsManifest) ? { weightsManifest: weightsManifest.map(group) } : {}),
    ...map,
  };
}
