/** Puts the files of a model in their place, so that at any moment the old model or the new one is there, whole. */
import type { WritableFile } from '../binary/byte-sink.ts';
import type { RangedFile } from '../binary/ranged-file.ts';
import { NotFoundError, UnsupportedError } from '../errors.ts';
import { MAX_JSON_BYTES } from '../formats/json.ts';
import { baseNameOf, folderOf, joinKey, type Store, type WriteOptions } from '../storage/store.ts';
import { ReplacedModel, removeQuietly } from './replaced-model.ts';
import { isTidy, writeClaimed } from './save-claims.ts';
import type { SavedFiles } from './save-formats.ts';
import type { StoredModel } from './source.ts';

/** How far a save is: bytes written, of all that there are to write. */
export interface SaveProgress {
  readonly savedBytes: number;
  readonly totalBytes: number;
  /** The file that is being written. */
  readonly file: string;
}

/** Hears of a save; the fraction grows from 0 to 1, which comes last. */
export type OnSaveProgress = (fraction: number, progress: SaveProgress) => void;

export interface WriteFilesOptions {
  /** Ends the save; it rejects with the signal's reason, and what was there before stays. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnSaveProgress | undefined;
  /**
   * Looks at the model that was written, in a store where it is in its place already: before it is there for all, where
   * the store lets one look, else afterwards.
   */
  readonly check?: ((written: StoredModel, isInPlace: boolean) => Promise<void>) | undefined;
}

/**
 * Writes the files beside, then the one that names them, then removes what only its predecessor named.
 *
 * When it fails on the way, what it wrote is removed and what was there before stays.
 */
export async function writeFiles(
  { store, key: destination }: StoredModel,
  saved: Pick<SavedFiles, 'file' | 'beside' | 'besideOf' | 'lasting' | 'nameInFolder'>,
  { signal, onProgress, check }: WriteFilesOptions = {},
): Promise<void> {
  const key = destination.endsWith('/') ? destination + (saved.nameInFolder ?? '') : destination;
  if (store.write === undefined) {
    throw new UnsupportedError(`Cannot save "${key}": ${store.name} cannot write`, `writing to ${store.name}`);
  }
  signal?.throwIfAborted();
  const folder = folderOf(key.replaceAll('\\', '/'));
  const files = new Map<string, WritableFile>();
  for (const [path, file] of saved.beside ?? []) files.set(joinKey(folder, path), file);
  files.set(key, saved.file);
  const counter = new Counter(files, onProgress, signal);
  const tracked = new Map([...files].map(([name, file]) => [name, counter.track(name, file)]));
  const before = await ReplacedModel.read({ store, key }, new Set(files.keys()), saved.besideOf);
  const lasting = new Set(saved.lasting?.map((path) => joinKey(folder, path)));
  // A file of a name that cannot be new, which the model that is there needs: it is replaced when that is.
  const late = new Map([...tracked].filter(([name]) => lasting.has(name) && before.named.includes(name)));
  for (const name of late.keys()) tracked.delete(name);
  let isChecked = check === undefined;
  const checkWritten = async (written: RangedFile): Promise<void> => {
    await check?.({ store: withFile(store, key, written), key }, false);
    isChecked = true;
  };
  const tidyUp = async (): Promise<void> => {
    if (!isChecked) await check?.({ store, key }, true);
    for (const [name, file] of late) await store.write?.(name, file);
    await before.remove();
    await before.removeIfLost([...tracked.keys()].filter((name) => name !== key && !lasting.has(name)));
  };
  const { replaced } = before;
  if (tracked.size + replaced.length === 1) {
    await store.write(key, tracked.get(key) as WritableFile, check === undefined ? {} : { beforeSwap: checkWritten });
    await tidyUp();
  } else if (store.writeAll !== undefined) {
    const beforeSwap = async (written: RangedFile): Promise<void> => {
      await checkWritten(written);
      await before.beginTurn();
    };
    await store.writeAll(tracked, { replaced, beforeSwap }).finally(() => before.endTurn());
    await tidyUp();
  } else {
    const write = async (): Promise<void> => {
      const options = check === undefined ? {} : { beforeSwap: checkWritten };
      const beforeLast = async (): Promise<void> => await before.beginTurn();
      await writeOneByOne(store, tracked, key, lasting, { ...options, beforeLast }).finally(() => before.endTurn());
      await tidyUp();
    };
    if (isTidy(store)) {
      const beside = [...(saved.beside?.keys() ?? [])].filter((path) => saved.lasting?.includes(path) !== true);
      const pathOf = (name: string): string => name.slice(joinKey(folder, '').length);
      await writeClaimed({ store, key }, { added: beside, replaced: replaced.map(pathOf) }, write);
    } else await write();
  }
  counter.finish();
}

async function writeOneByOne(
  store: Store,
  files: ReadonlyMap<string, WritableFile>,
  last: string,
  lasting: ReadonlySet<string>,
  { beforeLast, ...options }: WriteOptions & { readonly beforeLast: () => Promise<void> },
): Promise<void> {
  const begun: string[] = [];
  try {
    for (const [name, file] of files) {
      if (name === last) await beforeLast();
      else if (!lasting.has(name)) begun.push(name);
      await store.write?.(name, file, name === last ? options : {});
    }
  } catch (error) {
    if (!(await mayName(store, last, begun))) for (const name of begun) await removeQuietly(store, name);
    throw error;
  }
}

/** A store as it will be when a file is in its place. */
function withFile(store: Store, key: string, file: RangedFile): Store {
  return {
    name: store.name,
    open: async (name, options) => (name === key ? file : await store.open(name, options)),
  };
}

/** Whether a file is there that names some of those, or could: a server may do what it then reports as failed. */
async function mayName(store: Store, key: string, names: readonly string[]): Promise<boolean> {
  try {
    const file = await store.open(key);
    const text = new TextDecoder('latin1').decode(await file.slice(0, Math.min(file.byteLength, MAX_JSON_BYTES)));
    return names.some((name) => text.includes(baseNameOf(name)));
  } catch (error) {
    return !(error instanceof NotFoundError);
  }
}

/** Counts bytes of several files. */
class Counter {
  readonly #totalBytes: number;
  readonly #onProgress: OnSaveProgress | undefined;
  readonly #signal: AbortSignal | undefined;
  /** Bytes by file: one that is written again begins anew. */
  readonly #savedBytes = new Map<string, number>();
  #fraction = 0;
  #file = '';

  constructor(
    files: ReadonlyMap<string, WritableFile>,
    onProgress: OnSaveProgress | undefined,
    signal: AbortSignal | undefined,
  ) {
    this.#totalBytes = [...files.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
    this.#onProgress = onProgress;
    this.#signal = signal;
  }

  track(name: string, file: WritableFile): WritableFile {
    const signal = this.#signal;
    return {
      byteLength: file.byteLength,
      writeTo: async (sink) => {
        this.#savedBytes.set(name, 0);
        await file.writeTo({
          write: async (bytes) => {
            signal?.throwIfAborted();
            await sink.write(bytes);
            this.#count(name, bytes.byteLength);
          },
        });
        signal?.throwIfAborted();
      },
    };
  }

  finish(): void {
    this.#fraction = 1;
    this.#report(this.#totalBytes);
  }

  #count(file: string, byteCount: number): void {
    this.#file = file;
    this.#savedBytes.set(file, (this.#savedBytes.get(file) ?? 0) + byteCount);
    const sum = [...this.#savedBytes.values()].reduce((total, bytes) => total + bytes, 0);
    const savedBytes = Math.min(sum, this.#totalBytes);
    // The end is told when all of it is in its place, and not before.
    const fraction = this.#totalBytes === 0 ? 0 : Math.min(savedBytes / this.#totalBytes, BEFORE_THE_END);
    this.#fraction = Math.max(this.#fraction, fraction);
    this.#report(savedBytes);
  }

  #report(savedBytes: number): void {
    this.#onProgress?.(this.#fraction, { savedBytes, totalBytes: this.#totalBytes, file: this.#file });
  }
}

const BEFORE_THE_END = 1 - Number.EPSILON;
