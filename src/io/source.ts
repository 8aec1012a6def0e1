/** What a caller may load from, and what it comes down to: a file with others beside it, a folder, or a model in memory. */

import { blobFile, bytesFile, type RangedFile } from '../binary/ranged-file.ts';
import { FormatError, UnsupportedError } from '../errors.ts';
import type { MemberFiles } from '../formats/keras/zip-archive.ts';
import type { UrlOptions } from '../storage/http-file.ts';
import { reportingFile } from '../storage/reporting-file.ts';
import { baseNameOf, folderOf, joinKey, type OpenOptions, type Store } from '../storage/store.ts';

/** A model in a store. */
export interface StoredModel {
  readonly store: Store;
  readonly key: string;
}

/** Anything that loads a model as TensorFlow.js' handlers do: gives a topology, weight specifications and weight data. */
export interface LoadHandler {
  load(): Promise<unknown>;
}

/**
 * Where a model comes from: a path (under Node) or a URL, a file or files that a user picked, or a handle of one, bytes, a
 * key of a store, or a handler of TensorFlow.js. A string without a scheme is a path where there is a file system, else a relative URL.
 */
export type ModelSource =
  | string
  | URL
  | Blob
  | FileList
  | readonly File[]
  | FileSystemFileHandle
  | ArrayBuffer
  | Uint8Array
  | StoredModel
  | LoadHandler;

/** A file, with a way to open those beside it. */
export interface SourceFile {
  readonly kind: 'file';
  readonly file: RangedFile;
  /** Opens a file by its path relative to this one. */
  openBeside(path: string): Promise<RangedFile>;
}

/** An unzipped `.keras`. */
export interface SourceFolder {
  readonly kind: 'folder';
  readonly name: string;
  readonly members: MemberFiles;
}

export interface SourceHandler {
  readonly kind: 'handler';
  readonly handler: LoadHandler;
}

export type ResolvedSource = SourceFile | SourceFolder | SourceHandler;

/** How sources are opened. */
export interface SourceAccess extends OpenOptions {
  /** A remote file of less bytes, where it is the one that the source names, is fetched as a whole. */
  readonly wholeBelow: number;
  /** Only a part of the model is wanted. */
  readonly frugal: boolean;
  /** Opens a web address; the code for it is loaded when first needed. */
  readonly openUrl: (address: string, options?: UrlOptions) => Promise<RangedFile>;
}

/** Schemes that people know from other programs, and what to use for them. */
const FOREIGN_SCHEMES: Readonly<Record<string, string>> = {
  hf: 'use the https: address of the file',
  s3: 'use its https: address, or presignedStore()',
  gs: 'use its https: address, or presignedStore()',
};

/**
 * Finds the file that a source names.
 *
 * @throws {NotFoundError} when there is none.
 * @throws {TypeError} when the source is of no kind that is known.
 */
export async function resolveSource(source: ModelSource, access: SourceAccess): Promise<ResolvedSource> {
  if (typeof source === 'string') return await resolveString(source, access);
  if (source instanceof URL) return await resolveString(source.href, access);
  if (source instanceof ArrayBuffer || source instanceof Uint8Array) {
    return fileAlone(reportingFile(bytesFile(source, 'the bytes'), access));
  }
  if (isFileList(source)) return await resolveFiles([...source], access);
  if (source instanceof Blob) return fileAlone(reportingFile(blobFile(source), access));
  if (isStoredModel(source)) return await resolveStored(source.store, source.key, access);
  if (isFileHandle(source)) return fileAlone(reportingFile(blobFile(await source.getFile()), access));
  if (isLoadHandler(source)) return { kind: 'handler', handler: source };
  throw new TypeError(
    'Cannot load a model: expected a path, a URL, files, bytes, a store with a key, or a load handler',
  );
}

/** Whether reading a source costs nothing but time: files on disk or in memory, no requests. */
export async function isAtHand(source: ModelSource): Promise<boolean> {
  if (typeof source === 'string') return (await pathOf(source)) !== undefined;
  if (source instanceof URL) return (await pathOf(source.href)) !== undefined;
  return source instanceof Blob || isFileList(source) || isFileHandle(source);
}

/** Opens a URL or, where there is a file system, a path. */
export async function openLocation(location: string, access: SourceAccess): Promise<RangedFile> {
  const path = await pathOf(location);
  if (path !== undefined) return await (await fileSystem()).fileSystemStore().open(path, access);
  return await access.openUrl(location);
}

async function resolveString(source: string, access: SourceAccess): Promise<ResolvedSource> {
  const path = await pathOf(source);
  if (path === undefined) {
    const place = await placeInPage(source);
    if (place !== undefined) return await resolveStored(place.store, place.key, access);
    return {
      kind: 'file',
      file: await access.openUrl(source, access),
      openBeside: async (beside) => await access.openUrl(urlBeside(source, beside)),
    };
  }
  const { fileSystemStore, kindOfPath } = await fileSystem();
  const store = fileSystemStore();
  if ((await kindOfPath(path)) === 'folder') return await resolveFolder(fileSystemStore(path), path, access);
  return await resolveStored(store, path, access);
}

/**
 * The place that an address of a page's store names (`indexeddb://name`), `undefined` when it is a URL.
 *
 * @throws {UnsupportedError} for schemes of other programs.
 */
export async function placeInPage(address: string): Promise<StoredModel | undefined> {
  const scheme = schemeOf(address);
  if (scheme === undefined || scheme === 'http' || scheme === 'https') return undefined;
  if (Object.hasOwn(FOREIGN_SCHEMES, scheme)) {
    const feature = `${scheme}:`;
    const advice = `addresses of the form ${feature} are not supported, ${FOREIGN_SCHEMES[scheme]}`;
    throw new UnsupportedError(`Cannot use "${address}": ${advice}`, feature);
  }
  return await (await import('../storage/resolve.ts')).resolveAddress(address);
}

/** The path that a string names, `undefined` when it is a URL. */
export async function pathOf(source: string): Promise<string | undefined> {
  const scheme = schemeOf(source);
  if (scheme === 'file') {
    const path = decodeURIComponent(new URL(source).pathname);
    return /^\/[A-Za-z]:\//.test(path) ? path.slice(1) : path;
  }
  return scheme === undefined && (await fileSystem()).hasFileSystem() ? source : undefined;
}

/** Loaded with the first string that may be a path. */
const fileSystem = (): Promise<typeof import('../storage/file-system-store.ts')> =>
  import('../storage/file-system-store.ts');

/** A single letter is no scheme but a drive of Windows. */
function schemeOf(source: string): string | undefined {
  return /^([A-Za-z][A-Za-z0-9+.-]+):/.exec(source)?.[1]?.toLowerCase();
}

/** The address of a file beside another one, with the same query: that is where tokens are. */
function urlBeside(url: string, path: string): string {
  const [, address = '', query = ''] = /^([^?#]*)(\?[^#]*)?/.exec(url) ?? [];
  return joinKey(address.includes('/') ? `${folderOf(address)}/` : '', path) + query;
}

async function resolveStored(store: Store, key: string, access: SourceAccess): Promise<SourceFile> {
  return {
    kind: 'file',
    file: await store.open(key, access),
    openBeside: async (path) => {
      const folder = /[/\\]/.test(key) ? key.slice(0, Math.max(key.lastIndexOf('/'), key.lastIndexOf('\\')) + 1) : '';
      return await store.open(joinKey(folder, path), access);
    },
  };
}

/** What marks a folder that is no Keras model, and what it is. */
const STRANGE_FOLDERS: readonly { readonly file: RegExp; readonly found: string }[] = [
  { file: /^saved_model\.pb(?:txt)?$/, found: 'a TensorFlow SavedModel' },
  { file: /^checkpoint$|\.ckpt\.index$|\.data-\d{5}-of-\d{5}$/, found: 'a TensorFlow checkpoint' },
  { file: /^_CHECKPOINT_METADATA$|^_METADATA$/, found: 'an Orbax checkpoint' },
];

async function resolveFolder(store: Store, name: string, access: SourceAccess): Promise<ResolvedSource> {
  const paths = (await store.list?.()) ?? [];
  if (paths.includes('config.json') && !paths.includes('model.json')) {
    return { kind: 'folder', name, members: membersOf(store, paths, access) };
  }
  if (paths.includes('model.json')) return await resolveStored(store, 'model.json', access);
  const strange = STRANGE_FOLDERS.find(({ file }) => paths.some((path) => file.test(path)));
  if (strange !== undefined) {
    throw new UnsupportedError(
      `Cannot read "${name}": found ${strange.found}, expected a folder with config.json or model.json; save the model as .keras`,
      strange.found,
    );
  }
  const some =
    paths
      .slice(0, 5)
      .map((path) => `"${path}"`)
      .join(', ') || 'nothing';
  throw new FormatError(`Cannot read "${name}": found a folder with ${some}, expected config.json or model.json`, {
    file: name,
  });
}

function membersOf(store: Store, paths: readonly string[], access: SourceAccess): MemberFiles {
  return { paths, open: async (path) => (paths.includes(path) ? await store.open(path, access) : undefined) };
}

/** One file is the model itself. Of several, one is a folder's `config.json`, or the JSON that names the others. */
async function resolveFiles(files: readonly File[], access: SourceAccess): Promise<ResolvedSource> {
  const [first] = files;
  if (first === undefined) throw new FormatError('Cannot load a model: no file was picked', {});
  if (files.length === 1) return fileAlone(reportingFile(blobFile(first), access));
  const { blobStore } = await import('../storage/blob-store.ts');
  const store = blobStore(files);
  const paths = (await store.list?.()) ?? [];
  const config = paths.find((path) => baseNameOf(path) === 'config.json');
  if (config !== undefined && paths.some((path) => baseNameOf(path) === 'model.weights.h5')) {
    const folder = config.slice(0, -'config.json'.length);
    const inside = paths.filter((path) => path.startsWith(folder)).map((path) => path.slice(folder.length));
    return {
      kind: 'folder',
      name: folder || 'the picked files',
      members: {
        paths: inside,
        open: async (path) => (inside.includes(path) ? await store.open(folder + path, access) : undefined),
      },
    };
  }
  const main = await findTable(files);
  if (main === undefined) {
    const names = files.map(({ name }) => `"${name}"`).join(', ');
    throw new FormatError(
      `Cannot load a model from the files ${names}: none of them is a model.json that names others`,
    );
  }
  return {
    kind: 'file',
    file: reportingFile(blobFile(main), access),
    openBeside: async (path) => await store.open(baseNameOf(path), access),
  };
}

/** The only JSON file, or the one with a manifest of weights. */
async function findTable(files: readonly File[]): Promise<File | undefined> {
  const candidates: File[] = [];
  for (const file of files) {
    const head = new Uint8Array(await file.slice(0, 64).arrayBuffer());
    if (/^(?:\u00ef\u00bb\u00bf)?\s*\{/.test(String.fromCharCode(...head))) candidates.push(file);
  }
  if (candidates.length <= 1) return candidates[0];
  const tables: File[] = [];
  for (const file of candidates) {
    if (/"(?:weightsManifest|weight_map)"/.test(await file.text())) tables.push(file);
  }
  return tables.length === 1 ? tables[0] : undefined;
}

function fileAlone(file: RangedFile): SourceFile {
  return {
    kind: 'file',
    file,
    openBeside: async (path) => {
      throw new FormatError(
        `Cannot read "${path}": "${file.name}" was given alone; pass the files that it names together with it`,
        { file: path },
      );
    },
  };
}

function isFileList(source: object): source is FileList | readonly File[] {
  return Array.isArray(source) || (typeof FileList === 'function' && source instanceof FileList);
}

function isStoredModel(source: object): source is StoredModel {
  return 'store' in source && 'key' in source;
}

export function isFileHandle(source: object): source is FileSystemFileHandle {
  return 'getFile' in source;
}

function isLoadHandler(source: object): source is LoadHandler {
  return 'load' in source && typeof source.load === 'function';
}
