import type { WritableFile } from '../binary/byte-sink.ts';
import { blobFile } from '../binary/ranged-file.ts';
import { streamFile } from '../binary/stream-file.ts';
import { FormatError, NotFoundError, UnsupportedError } from '../errors.ts';
import { abandonedWriters, asWriter, newWriterId } from './live-writers.ts';
import { objectId } from './object-id.ts';
import { asQuotaError, checkQuota } from './quota.ts';
import { reportingFile } from './reporting-file.ts';
import type { Store, WriteOptions } from './store.ts';

/** What is being written, or was when its page was closed; it is no file of the store. */
const ASIDE = '.part';
const ASIDE_OF = /\.([0-9a-z]{8,9}(?:-[0-9a-z]{1,10}){1,3})\.part$/;

/** A folder as `showDirectoryPicker()` gives it, or the root of a page's private files. */
export type DirectoryHandle = FileSystemDirectoryHandle;

/**
 * The files below a folder that a user picked, or any other that a page has a handle of.
 *
 * A browser writes into a copy that takes the place of the file when it is complete. Where there was no file, an empty one
 * is there in the meantime.
 */
export function directoryStore(directory: DirectoryHandle): Store {
  known.push(Promise.resolve(directory));
  return {
    ...folderStore({ name: `the folder "${directory.name}"`, open: async () => directory, moves: false }),
    placeOf: async (key) => [await placeOfFolder(directory), ...partsOf(key)].join('/'),
  };
}

/** The one file that a page has a handle of, under its name; a browser writes it as those of `directoryStore`. */
export function fileHandleStore(handle: FileSystemFileHandle): Store {
  const store = `the file "${handle.name}"`;
  return {
    name: store,
    open: async (key, options = {}) => {
      if (key === handle.name) return reportingFile(blobFile(await handle.getFile(), key), options);
      throw new NotFoundError(`Cannot read "${key}": there is a handle of ${store} alone`, key);
    },
    write: async (key, file) => {
      if (key === handle.name) return await replaceContent(handle, key, file);
      const advice = 'pick a folder, and save to { store: directoryStore(folder), key }';
      throw new UnsupportedError(`Cannot write "${key}": there is a handle of ${store} alone; ${advice}`, 'one file');
    },
  };
}

/** Folders that stores are over: a user may pick one twice, or one that lies in another. */
const known: Promise<DirectoryHandle>[] = [];

/** A folder as the outermost known one that it lies in, and the way from there. */
async function placeOfFolder(directory: DirectoryHandle): Promise<string> {
  let way: readonly string[] | undefined;
  let outermost = directory;
  for (const folder of (await Promise.allSettled(known)).flatMap((one) => ('value' in one ? one.value : []))) {
    const path = await folder.resolve(directory);
    if (path !== null && (way === undefined || path.length > way.length)) [way, outermost] = [path, folder];
  }
  return [`folder:${objectId(outermost)}`, ...(way ?? [])].join('/');
}

/**
 * The private files of this page's origin, which users do not see: all of them, or those in a folder.
 *
 * @throws {UnsupportedError} where a host has none.
 */
export function opfsStore(folder = ''): Store {
  const storage = globalThis.navigator?.storage as StorageManager | undefined;
  if (typeof storage?.getDirectory !== 'function') {
    throw new UnsupportedError(
      'Cannot use the origin private file system: this host has none; use indexedDbStore() instead',
      'origin private file system',
    );
  }
  const path = partsOf(folder);
  const root = storage.getDirectory();
  // Whoever uses the store hears of a host that forbids it.
  root.catch(() => {});
  known.push(root);
  return {
    isPrivate: true,
    ...folderStore({
      name: 'the private files of this page',
      open: async () => await folderAt(await root, path, true),
      moves: true,
    }),
    placeOf: async (key) => [await placeOfFolder(await root), ...path, ...partsOf(key)].join('/'),
  };
}

interface Folder {
  readonly name: string;
  open(): Promise<DirectoryHandle>;
  /** Whether files can be renamed: users are asked about their own ones. */
  readonly moves: boolean;
}

function folderStore({ name, open, moves }: Folder): Store {
  const fileAt = async (key: string): Promise<File> => {
    try {
      const folder = await folderAt(await open(), foldersOf(key), false);
      return await (await folder.getFileHandle(nameOf(key))).getFile();
    } catch (cause) {
      if (isMissing(cause)) {
        throw new NotFoundError(`Cannot read "${key}": ${name} has no file of that name`, key, cause);
      }
      throw readError(key, cause);
    }
  };
  return {
    name,
    open: async (key, options = {}) => reportingFile(blobFile(await fileAt(key), key), options),
    write: async (key, file, { beforeSwap } = {}) => {
      if (nameOf(key) === '' || key.endsWith('/')) {
        throw new FormatError(`Cannot write "${key}": expected the name of a file, such as "models/digits.keras"`);
      }
      await checkQuota(name, file.byteLength);
      try {
        const folder = await folderAt(await open(), foldersOf(key), true);
        if (moves) await removeAbandoned(folder).catch(() => {});
        await writeFile(folder, nameOf(key), file, moves, beforeSwap);
      } catch (cause) {
        throw await asQuotaError(name, file.byteLength, cause);
      }
    },
    list: async (below = '') => {
      const path = partsOf(below);
      try {
        return await filesBelow(await folderAt(await open(), path, false), path.map((part) => `${part}/`).join(''));
      } catch (cause) {
        if (isMissing(cause)) return [];
        throw cause;
      }
    },
    remove: async (key) => {
      try {
        const folder = await folderAt(await open(), foldersOf(key), false);
        await folder.removeEntry(nameOf(key));
        if (moves) await removeAbandoned(folder).catch(() => {});
      } catch (cause) {
        if (!isMissing(cause)) throw cause;
      }
    },
    info: async (key) => {
      const file = await fileAt(key);
      return { byteLength: file.size, modifiedAt: new Date(file.lastModified) };
    },
  };
}

async function writeFile(
  folder: DirectoryHandle,
  name: string,
  file: WritableFile,
  moves: boolean,
  beforeSwap: WriteOptions['beforeSwap'],
): Promise<void> {
  if (!moves) return await writeInPlace(folder, name, file);
  const id = newWriterId();
  const aside = `${name}.${id}${ASIDE}`;
  await asWriter(id, async () => {
    try {
      const handle = (await folder.getFileHandle(aside, { create: true })) as MovableHandle;
      await replaceContent(handle, name, file);
      await beforeSwap?.(blobFile(await handle.getFile(), name));
      await inTurn(name, () => swapIn(folder, name, handle, aside));
    } catch (error) {
      await folder.removeEntry(aside).catch(() => {});
      throw error;
    }
  });
}

/** Removes what closed pages have left in a folder. */
async function removeAbandoned(folder: DirectoryHandle): Promise<void> {
  const found = new Map<string, string>();
  for await (const name of folder.keys()) {
    const id = ASIDE_OF.exec(name)?.[1];
    if (id !== undefined) found.set(name, id);
  }
  if (found.size === 0) return;
  const gone = new Set(await abandonedWriters(found.values(), true));
  for (const [name, id] of found) if (gone.has(id)) await folder.removeEntry(name).catch(() => {});
}

/** Two writers at the end of the same file would lock each other out of it: browsers refuse rather than wait. */
async function inTurn(name: string, swap: () => Promise<void>): Promise<void> {
  const { locks } = globalThis.navigator;
  if (locks === undefined) await swap();
  else await locks.request(`hornet swaps ${name}`, swap);
}

async function swapIn(folder: DirectoryHandle, name: string, handle: MovableHandle, aside: string): Promise<void> {
  try {
    await handle.move(folder, name);
  } catch (error) {
    if (!(error instanceof DOMException || error instanceof TypeError)) throw error;
    // Not every browser moves files, nor onto others, nor onto those that somebody else has opened.
    await writeInPlace(folder, name, streamFile(blobFile(await handle.getFile(), name)));
    await folder.removeEntry(aside);
  }
}

async function writeInPlace(folder: DirectoryHandle, name: string, file: WritableFile): Promise<void> {
  const existed = await hasFile(folder, name);
  const handle = await folder.getFileHandle(name, { create: true });
  try {
    await replaceContent(handle, name, file);
  } catch (error) {
    // Asking for a place made an empty file there.
    if (!existed) await removeEmpty(folder, name).catch(() => {});
    throw error;
  }
}

/** A browser writes into a copy, which takes the place of the file when it is closed. */
async function replaceContent(handle: FileSystemFileHandle, name: string, file: WritableFile): Promise<void> {
  if (typeof handle.createWritable !== 'function') {
    const feature = 'writing files of the origin private file system';
    const advice = 'this browser has no createWritable; use indexedDbStore() instead';
    throw new UnsupportedError(`Cannot write "${name}": ${advice}`, feature);
  }
  const writable = await handle.createWritable();
  try {
    await file.writeTo({ write: async (bytes) => await writable.write(bytes as Uint8Array<ArrayBuffer>) });
  } catch (error) {
    await writable.abort().catch(() => {});
    throw error;
  }
  await writable.close();
}

/** Browsers with private files can rename them; the types do not know it yet. */
interface MovableHandle extends FileSystemFileHandle {
  move(folder: DirectoryHandle, name: string): Promise<void>;
}

async function hasFile(folder: DirectoryHandle, name: string): Promise<boolean> {
  try {
    await folder.getFileHandle(name);
    return true;
  } catch (cause) {
    if (isMissing(cause)) return false;
    throw cause;
  }
}

/** Another writer may have completed its file meanwhile. */
async function removeEmpty(folder: DirectoryHandle, name: string): Promise<void> {
  const file = await (await folder.getFileHandle(name)).getFile();
  if (file.size === 0) await folder.removeEntry(name);
}

async function folderAt(root: DirectoryHandle, path: readonly string[], create: boolean): Promise<DirectoryHandle> {
  let folder = root;
  for (const name of path) folder = await folder.getDirectoryHandle(name, { create });
  return folder;
}

async function filesBelow(folder: DirectoryHandle, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const [name, handle] of folder.entries()) {
    if (handle.kind === 'directory') {
      keys.push(...(await filesBelow(handle as FileSystemDirectoryHandle, `${prefix}${name}/`)));
    } else if (!name.endsWith(ASIDE) && !name.endsWith('.crswap')) {
      // Chromium's own copies of files that are being written are beside those in a user's folder.
      keys.push(prefix + name);
    }
  }
  return keys;
}

function partsOf(key: string): string[] {
  return key.split('/').filter((part) => part !== '' && part !== '.');
}

function foldersOf(key: string): string[] {
  return partsOf(key).slice(0, -1);
}

function nameOf(key: string): string {
  return partsOf(key).at(-1) ?? '';
}

function isMissing(cause: unknown): boolean {
  return cause instanceof DOMException && cause.name === 'NotFoundError';
}

function readError(key: string, cause: unknown): unknown {
  if (cause instanceof DOMException && cause.name === 'TypeMismatchError') {
    return new FormatError(`Cannot read "${key}": found a folder, expected a file`, { file: key, cause });
  }
  return cause;
}
