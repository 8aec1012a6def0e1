/**
 * Where files live: a folder, a web server, memory, files that a user picked.
 *
 * A store maps keys to bytes. Keys are relative paths with forward slashes, as in `shards/group1-shard1of2.bin`.
 */

import type { WritableFile } from '../binary/byte-sink.ts';
import type { RangedFile } from '../binary/ranged-file.ts';

export interface OpenOptions {
  /** Ends reading: whatever is under way rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Hears of bytes as they arrive, each once, also when a connection was cut and resumed. */
  readonly onBytes?: (file: string, byteCount: number) => void;
}

/** Files under keys. `open` is all that loading needs. */
export interface Store {
  /** Where the keys live, for messages: a folder, a URL, `memory`. */
  readonly name: string;

  /**
   * Opens what is stored under a key, to be read in parts.
   *
   * @throws {NotFoundError} when there is nothing.
   */
  open(key: string, options?: OpenOptions): Promise<RangedFile>;

  /**
   * Puts a file under a key: all of it, or, when writing fails on the way, nothing, and what was there before stays.
   */
  write?(key: string, file: WritableFile): Promise<void>;

  /** The keys below a folder, in any order; the empty path is the store itself. */
  list?(folder?: string): Promise<string[]>;
}

/** `folder/key`, or `key` alone in the empty folder. */
export function joinKey(folder: string, key: string): string {
  const relative = key.replace(/^(?:\.\/)+/, '');
  if (folder === '') return relative;
  return folder.endsWith('/') ? folder + relative : `${folder}/${relative}`;
}

/** The folder of a key: all up to its last slash, empty for none. */
export function folderOf(key: string): string {
  return key.slice(0, Math.max(0, key.lastIndexOf('/')));
}

/** What follows the last slash. */
export function baseNameOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}
