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

/** What a store knows of a file without reading it. */
export interface FileInfo {
  readonly byteLength: number;
  /** When it was written, where the store keeps that. */
  readonly modifiedAt?: Date;
}

export interface WriteOptions {
  /**
   * Looks at what was written before it takes the place of what was there; when it rejects, the write fails with that. A
   * store that writes in place does not ask. Of several files it is the last, and the others are in their places.
   */
  readonly beforeSwap?: (written: RangedFile) => Promise<void>;
  /** Keys that nobody needs when the file is in its place; a store may remove them then, so that no kill leaves them. */
  readonly replaced?: readonly string[];
}

/**
 * Files under keys. `open` is all that loading needs; a store that can be saved to has `write`, one whose models can be
 * managed has `list` and `remove` too.
 */
export interface Store {
  /** Where the keys live, for messages: a folder, a URL, `memory`. */
  readonly name: string;
  /**
   * Whether only pages of one origin write to it, so that what a closed one left can be removed at once; elsewhere that is
   * done a day later, since nobody can be asked. False unless given.
   */
  readonly isPrivate?: boolean;
  /**
   * Opens what is stored under a key, to be read in parts.
   *
   * @throws {NotFoundError} when there is nothing.
   */
  open(key: string, options?: OpenOptions): Promise<RangedFile>;
  /**
   * Puts a file under a key: all of it, or, when writing fails on the way, nothing, and what was there before stays. Of
   * several writers at once, the last one that completes wins.
   *
   * @throws {QuotaError} when there is no room for it.
   */
  write?(key: string, file: WritableFile, options?: WriteOptions): Promise<void>;
  /**
   * Puts several files in place as one: all of them or none, at once, or the last one, which names the others, when they
   * are there. A store without this gets them one after the other, in this order.
   */
  writeAll?(files: ReadonlyMap<string, WritableFile>, options?: WriteOptions): Promise<void>;
  /** The keys below a folder, in any order; the empty path is the store itself. */
  list?(folder?: string): Promise<string[]>;
  /** Removes what is under a key. When there is nothing, nothing happens. */
  remove?(key: string): Promise<void>;
  /**
   * Tells size and date of what is under a key.
   *
   * @throws {NotFoundError} when there is nothing.
   */
  info?(key: string): Promise<FileInfo>;
  /**
   * Names the place behind a key: two keys are the same file if and only if their places are, also in other stores. Asked
   * before a file is removed that was moved, so that a move onto itself loses nothing.
   */
  placeOf?(key: string): Promise<string>;
}

/** The keys below a folder, of all that there are. */
export function keysBelow(keys: Iterable<string>, folder: string): string[] {
  const prefix = folder === '' || folder.endsWith('/') ? folder : `${folder}/`;
  return [...keys].filter((key) => key.startsWith(prefix));
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
