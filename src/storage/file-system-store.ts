/**
 * Files on disk, under Node and what is compatible with it.
 *
 * The file system is reached through `process.getBuiltinModule` and not by an import, so that the same build runs in a
 * page, where nothing here is ever called.
 */

import { type WritableFile, writableBytes } from '../binary/byte-sink.ts';
import { checkRange, type RangedFile } from '../binary/ranged-file.ts';
import { FormatError, NotFoundError, QuotaError, UnsupportedError } from '../errors.ts';
import { abandonedWriters, asWriter, newWriterId } from './live-writers.ts';
import { reportingFile } from './reporting-file.ts';
import { folderOf, joinKey, type Store, type WriteOptions } from './store.ts';

type FileSystem = ReturnType<typeof loadFileSystem>;

/** How long an open file waits for the next read: loading opens each file once, and none stays open afterwards. */
const IDLE_CLOSE_MS = 100;

/** Whether this host has a file system. */
export function hasFileSystem(): boolean {
  return typeof process === 'object' && typeof process.getBuiltinModule === 'function';
}

/** The files below a folder; without one, keys are paths themselves. */
export function fileSystemStore(root = ''): Store {
  return {
    name: root === '' ? 'the file system' : root,
    open: async (key, options = {}) => reportingFile(await openPath(joinRoot(root, key)), options),
    write: async (key, file, options) => await writePath(joinRoot(root, key), file, options),
    writeAll: async (files, { beforeSwap, replaced = [] } = {}) =>
      await writePaths(new Map([...files].map(([key, file]) => [joinRoot(root, key), file])), {
        replaced: replaced.map((key) => joinRoot(root, key)),
        ...(beforeSwap === undefined ? {} : { beforeSwap }),
      }),
    list: async (folder = '') => {
      const fs = loadFileSystem();
      const path = joinRoot(root, folder) || '.';
      try {
        const entries = await fs.promises.readdir(path, { recursive: true, withFileTypes: true });
        const files = entries.filter((entry) => entry.isFile() && !ASIDE.test(entry.name));
        const base = path.endsWith('/') ? path.length : path.length + 1;
        return files.map((entry) =>
          joinKey(folder, joinKey(entry.parentPath, entry.name).slice(base).replaceAll('\\', '/')),
        );
      } catch (cause) {
        if (isMissing(cause)) return [];
        throw pathError(path, cause);
      }
    },
    remove: async (key) => {
      await removePath(joinRoot(root, key));
      await removeEmptyFolders(root, folderOf(key));
      await removeEmptyBeside(root, folderOf(key));
    },
    info: async (key) => {
      const path = joinRoot(root, key);
      const { size, mtime } = await statFile(path);
      return { byteLength: size, modifiedAt: mtime };
    },
    placeOf: async (key) => `file:${await realPathOf(joinRoot(root, key))}`,
  };
}

/** The path that a file has for the system, whatever links, folders and spellings lead to it. */
async function realPathOf(path: string): Promise<string> {
  const { promises } = loadFileSystem();
  try {
    return await promises.realpath(path);
  } catch {
    return process.getBuiltinModule('node:path').resolve(path);
  }
}

async function removePath(path: string): Promise<void> {
  const { promises } = loadFileSystem();
  try {
    await promises.unlink(path);
  } catch (cause) {
    if (isMissing(cause)) return;
    throw new FormatError(`Cannot remove "${path}": ${messageOf(cause)}`, { file: path, cause });
  }
  await syncFolder(folderOfPath(path));
}

/** A folder below the root is there for its files; without a root, folders are the user's own. */
async function removeEmptyFolders(root: string, folder: string): Promise<void> {
  if (root === '' || folder === '' || folder.split('/').includes('..')) return;
  try {
    await removeAbandoned(joinRoot(root, folder));
    await loadFileSystem().promises.rmdir(joinRoot(root, folder));
  } catch {
    // It is not empty, or others have removed it.
    return;
  }
  await removeEmptyFolders(root, folderOf(folder));
}

/** Removes what is left where somebody was killed between the last file of a folder and the folder itself. */
async function removeEmptyBeside(root: string, folder: string): Promise<void> {
  if (root === '' || folder === '' || folder.split('/').includes('..')) return;
  const { promises } = loadFileSystem();
  const parent = joinRoot(root, folderOf(folder));
  const entries = await promises.readdir(parent, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    // Those that are not empty stay.
    if (entry.isDirectory()) await promises.rmdir(joinKey(parent, entry.name)).catch(() => {});
  }
}

function joinRoot(root: string, key: string): string {
  return root === '' ? key : joinKey(root, key);
}

/** What is at a path. */
export async function kindOfPath(path: string): Promise<'file' | 'folder'> {
  try {
    return (await loadFileSystem().promises.stat(path)).isDirectory() ? 'folder' : 'file';
  } catch (cause) {
    throw pathError(path, cause);
  }
}

/**
 * Opens a file on disk. It is held open while it is being read and closed soon after.
 *
 * @throws {NotFoundError} when there is none.
 */
async function openPath(path: string): Promise<RangedFile> {
  const stat = await statFile(path);
  return new DiskFile(loadFileSystem(), path, stat.size, stat.mtimeMs);
}

interface FileStat {
  readonly size: number;
  readonly mtime: Date;
  readonly mtimeMs: number;
}

async function statFile(path: string): Promise<FileStat> {
  const stat = await loadFileSystem()
    .promises.stat(path)
    .catch((cause: unknown) => {
      throw pathError(path, cause);
    });
  if (!stat.isFile()) throw new FormatError(`Cannot read "${path}": it is not a file`, { file: path });
  return stat;
}

/**
 * Writes a file on disk: beside its place, then onto the disk, then into its place in one step. Whatever goes wrong on
 * the way, what was there before is still there. Folders on the way are made, and what killed writers left beside the
 * place is removed.
 */
export async function writePath(path: string, file: WritableFile, options: WriteOptions = {}): Promise<void> {
  await writePaths(new Map([[path, file]]), options);
}

/**
 * Writes files on disk that belong together: all beside their places, then into them, the last one last. Meanwhile a list
 * of the others, and of the files that they replace, lies beside it: whoever finds it there after this was killed knows
 * what to remove.
 */
async function writePaths(
  files: ReadonlyMap<string, WritableFile>,
  { beforeSwap, replaced = [] }: WriteOptions = {},
): Promise<void> {
  const { existsSync, promises } = loadFileSystem();
  const [main = '', ...others] = [...files.keys()].reverse();
  const folders = new Set([...files.keys()].map(folderOfPath));
  for (const folder of folders) await removeAbandoned(folder).catch(() => {});
  const byteCount = [...files.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  const freeBytes = await freeBytesAt(folderOfPath(main));
  // The last bytes of a disk go to what the system keeps of each file, which nobody knows before.
  if (freeBytes !== undefined && freeBytes < byteCount) throw new QuotaError(`"${main}"`, byteCount, freeBytes);
  const id = newWriterId();
  const undo: string[] = [];
  await asWriter(id, async () => {
    try {
      for (const [path, file] of files) {
        undo.push(asideOf(path, id));
        await writeAside(path, id, file);
      }
      if (others.length > 0 || replaced.length > 0) {
        const added = others.filter((path) => !existsSync(path));
        undo.push(...added, asideOf(listOf(main), id));
        await writeAside(listOf(main), id, listFile(folderOfPath(main), { added, replaced }));
        await syncFolder(folderOfPath(main));
      }
      for (const path of others) await promises.rename(asideOf(path, id), path);
      for (const folder of new Set(others.map(folderOfPath))) await syncFolder(folder);
      await beforeSwap?.(await openPath(asideOf(main, id)));
      await promises.rename(asideOf(main, id), main);
    } catch (cause) {
      for (const path of undo) await promises.rm(path, { force: true }).catch(() => {});
      throw await writeError(main, byteCount, cause);
    }
    await syncFolder(folderOfPath(main));
    // What cannot be removed now costs room and no more.
    for (const path of replaced) await promises.rm(path, { force: true }).catch(() => {});
    await promises.rm(asideOf(listOf(main), id), { force: true }).catch(() => {});
  });
}

async function writeAside(path: string, id: string, file: WritableFile): Promise<void> {
  const { promises } = loadFileSystem();
  const open = async (): Promise<FileHandle> => {
    await promises.mkdir(folderOfPath(path), { recursive: true });
    return await promises.open(asideOf(path, id), 'wx');
  };
  // Whoever removes the last file of a folder removes the folder, maybe at this moment.
  const handle = await open().catch(async (cause: unknown) =>
    isMissing(cause) ? await open() : Promise.reject(cause),
  );
  try {
    await file.writeTo({ write: async (bytes) => await writeAll(handle, bytes) });
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What is being written, or was when its writer was killed; it is no file of the store. */
const ASIDE = /^(.*)\.([0-9a-z]{8,9}(?:-[0-9a-z]{1,10}){3})\.part$/s;

/** Where a file is written before it is put in its place. */
function asideOf(path: string, id: string): string {
  return `${path}.${id}.part`;
}

const LIST_ENDING = '.new';

/** Names the files that a save adds beside its main one; it is written aside, and never put in its place. */
function listOf(main: string): string {
  return main + LIST_ENDING;
}

/** Files that come with the main one, and that go with the one before. */
interface FileList {
  readonly added: readonly string[];
  readonly replaced: readonly string[];
}

/** Paths are relative to the folder of the main file; those elsewhere are left out. */
function listFile(folder: string, { added, replaced }: FileList): WritableFile {
  const prefix = folder === '.' ? '' : joinKey(folder, '');
  const namesOf = (paths: readonly string[]): string[] =>
    paths.filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length));
  const list: FileList = { added: namesOf(added), replaced: namesOf(replaced) };
  return writableBytes(new TextEncoder().encode(JSON.stringify(list)));
}

function folderOfPath(path: string): string {
  return folderOf(path.replaceAll('\\', '/')) || (path.startsWith('/') ? '/' : '.');
}

/** Removes what killed writers left in a folder. */
async function removeAbandoned(folder: string): Promise<void> {
  const { promises } = loadFileSystem();
  const found = (await promises.readdir(folder)).map((name) => ASIDE.exec(name)).filter((match) => match !== null);
  if (found.length === 0) return;
  const gone = new Set(await abandonedWriters(new Set(found.map(([, , id]) => id as string))));
  const left = found.filter(([, , id]) => gone.has(id as string));
  const isList = ([, path = '']: RegExpExecArray): boolean => path.endsWith(LIST_ENDING);
  for (const [name, path = '', id = ''] of left.filter(isList)) {
    const main = asideOf(path.slice(0, -LIST_ENDING.length), id);
    const wasSwapped = !left.some(([other]) => other === main);
    await removeListed(joinKey(folder, name), folder, wasSwapped ? 'replaced' : 'added');
  }
  // A list goes before the main file that it is told by: without that it would say the opposite.
  for (const [name] of left.filter(isList)) await promises.rm(joinKey(folder, name), { force: true });
  for (const [name] of left) await promises.rm(joinKey(folder, name), { force: true });
}

/** Removes files of a list; one that was cut off when it was written was followed by nothing. */
async function removeListed(list: string, folder: string, which: keyof FileList): Promise<void> {
  const { promises } = loadFileSystem();
  const { mtimeMs } = await promises.stat(list);
  for (const name of decodeList(await promises.readFile(list, 'utf8'))[which]) {
    const path = joinKey(folder, name);
    const stat = await promises.stat(path).catch(() => undefined);
    // A later save may have written a file of the same name, which is that save's.
    if (stat !== undefined && stat.mtimeMs <= mtimeMs) await promises.rm(path, { force: true });
  }
}

/** Names of files in the folder of the list, or below. */
function decodeList(text: string): FileList {
  const namesIn = (value: unknown): string[] => {
    const isBelow = (name: unknown): boolean =>
      typeof name === 'string' && name !== '' && !/^[/\\]|(?:^|[/\\])\.\.(?:[/\\]|$)/.test(name);
    return Array.isArray(value) ? value.filter(isBelow) : [];
  };
  try {
    const { added, replaced } = JSON.parse(text) as Partial<Record<keyof FileList, unknown>>;
    return { added: namesIn(added), replaced: namesIn(replaced) };
  } catch {
    return { added: [], replaced: [] };
  }
}

/** A larger write would be taken in parts by the system anyway. */
const MAX_WRITE_BYTES = 64 << 20;

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    const { bytesWritten } = await handle.write(bytes, done, Math.min(bytes.byteLength - done, MAX_WRITE_BYTES));
    done += bytesWritten;
  }
}

/** Makes sure of a renaming; systems that cannot open a folder, such as Windows, see to that themselves. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await loadFileSystem()
    .promises.open(folder, 'r')
    .catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}

type FileHandle = Awaited<ReturnType<FileSystem['promises']['open']>>;

/** How much the disk of a folder takes, also of one that is not there yet; `undefined` where the system does not say. */
async function freeBytesAt(folder: string): Promise<number | undefined> {
  const { promises } = loadFileSystem();
  try {
    const { blocks, bavail, bfree, bsize } = await promises.statfs(folder);
    // Some of what is reached over a network says nothing but zeros; some of every disk is for its administrator.
    return blocks === 0 ? undefined : bsize * (process.getuid?.() === 0 ? bfree : bavail);
  } catch (cause) {
    const parent = folderOfPath(folder);
    return isMissing(cause) && parent !== folder ? await freeBytesAt(parent) : undefined;
  }
}

/** What the system says, with the path; errors of whoever gives the bytes stay what they are. */
async function writeError(path: string, neededBytes: number, cause: unknown): Promise<unknown> {
  if (!(cause instanceof Error && 'code' in cause && 'syscall' in cause)) return cause;
  if (cause.code === 'ENOSPC' || cause.code === 'EDQUOT') {
    return new QuotaError(`"${path}"`, neededBytes, await freeBytesAt(folderOfPath(path)), cause);
  }
  return new FormatError(`Cannot write "${path}": ${cause.message}; what was there before is unchanged`, {
    file: path,
    cause,
  });
}

/** Node takes no more than 2 GB at a time. */
const MAX_READ_BYTES = 1 << 30;

/** A read of some bytes takes as long as one of many: with smaller blocks a model of 15 MB took three times as many reads. */
const BLOCK_BYTES = 32 << 10;

class DiskFile implements RangedFile {
  readonly name: string;
  readonly byteLength: number;
  readonly blockBytes: number = BLOCK_BYTES;
  readonly #fs: FileSystem;
  readonly #modifiedMs: number;
  #descriptor: Promise<number> | undefined;
  #readsUnderWay = 0;
  #isTimed = false;
  #wasRead = false;

  constructor(fs: FileSystem, path: string, byteLength: number, modifiedMs: number) {
    this.#fs = fs;
    this.name = path;
    this.byteLength = byteLength;
    this.#modifiedMs = modifiedMs;
  }

  async slice(start: number, end: number): Promise<Uint8Array> {
    checkRange(this.name, this.byteLength, start, end);
    const bytes = new Uint8Array(end - start);
    await this.readInto(start, bytes);
    return bytes;
  }

  async readInto(start: number, target: Uint8Array): Promise<void> {
    checkRange(this.name, this.byteLength, start, start + target.byteLength);
    this.#readsUnderWay++;
    try {
      this.#descriptor ??= this.#open();
      const descriptor = await this.#descriptor;
      for (let done = 0; done < target.byteLength; ) {
        const count = await this.#read(descriptor, target.subarray(done), start + done);
        if (count === 0) throw this.#changed();
        done += count;
      }
    } finally {
      this.#readsUnderWay--;
      this.#closeWhenIdle();
    }
  }

  async #open(): Promise<number> {
    try {
      const descriptor = await new Promise<number>((resolve, reject) => {
        this.#fs.open(this.name, 'r', (error, opened) => (error === null ? resolve(opened) : reject(error)));
      });
      const stat = this.#fs.fstatSync(descriptor);
      if (stat.size === this.byteLength && stat.mtimeMs === this.#modifiedMs) return descriptor;
      this.#fs.closeSync(descriptor);
      throw this.#changed();
    } catch (cause) {
      this.#descriptor = undefined;
      throw pathError(this.name, cause);
    }
  }

  #read(descriptor: number, target: Uint8Array, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const byteCount = Math.min(target.byteLength, MAX_READ_BYTES);
      this.#fs.read(descriptor, target, 0, byteCount, position, (error, count) =>
        error === null ? resolve(count) : reject(pathError(this.name, error)),
      );
    });
  }

  /** One timer serves any number of reads: it starts again when there was one since it started. */
  #closeWhenIdle(): void {
    this.#wasRead = true;
    if (this.#isTimed) return;
    this.#isTimed = true;
    this.#wasRead = false;
    const timer = setTimeout(() => {
      this.#isTimed = false;
      if (this.#readsUnderWay > 0 || this.#descriptor === undefined) return;
      if (this.#wasRead) return this.#closeWhenIdle();
      const closing = this.#descriptor;
      this.#descriptor = undefined;
      closing.then(
        (descriptor) => this.#fs.close(descriptor, () => {}),
        () => {},
      );
    }, IDLE_CLOSE_MS);
    // A process that has nothing else to do need not wait for this.
    if (typeof timer === 'object') timer.unref();
  }

  #changed(): FormatError {
    return new FormatError(`Cannot read "${this.name}": the file changed while it was read`, { file: this.name });
  }
}

function pathError(path: string, cause: unknown): Error {
  if (cause instanceof FormatError) return cause;
  if (isMissing(cause)) return new NotFoundError(`Cannot read "${path}": there is no such file`, path, cause);
  return new FormatError(`Cannot read "${path}": ${messageOf(cause)}`, { file: path, cause });
}

function isMissing(cause: unknown): boolean {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function loadFileSystem() {
  if (!hasFileSystem()) {
    const feature = 'the file system';
    throw new UnsupportedError(
      `Cannot read a path: this host has no file system, pass a URL or a File instead`,
      feature,
    );
  }
  return process.getBuiltinModule('node:fs');
}
