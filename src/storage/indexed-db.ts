/** IndexedDB as promises: as much of it as stores need. */
import { FormatError, UnsupportedError } from '../errors.ts';

/** Opens databases. */
export type DatabaseFactory = IDBFactory;

/** @throws {UnsupportedError} where there is no IndexedDB. */
export function pageDatabases(): DatabaseFactory {
  const databases = globalThis.indexedDB as IDBFactory | undefined;
  if (databases !== undefined && databases !== null) return databases;
  throw new UnsupportedError('Cannot use IndexedDB: this host has none; use a path or another store', 'IndexedDB');
}

/**
 * What tells a database from others; the usual ones of both layouts have the same, since an address finds a model in
 * either.
 */
export function placeOfDatabase(name: string | undefined): string {
  return name === undefined ? 'indexeddb' : `indexeddb:${name}`;
}

/** What a request gives. */
async function resultOf<T>(request: IDBRequest<T>): Promise<T> {
  return await new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** A database that is opened when it is first needed, and again after the browser closed it. */
export class Database {
  readonly #factory: DatabaseFactory;
  readonly #name: string;
  readonly #stores: Readonly<Record<string, IDBObjectStoreParameters>>;
  #opened: Promise<IDBDatabase> | undefined;

  /** @param stores The object stores of version 1, made with the database. */
  constructor(factory: DatabaseFactory, name: string, stores: Readonly<Record<string, IDBObjectStoreParameters>>) {
    this.#factory = factory;
    this.#name = name;
    this.#stores = stores;
  }

  /** Whether the database is there already; only asking makes none. */
  async exists(): Promise<boolean> {
    if (this.#opened !== undefined) return true;
    const databases = await this.#factory.databases?.();
    return databases === undefined || databases.some(({ name }) => name === this.#name);
  }

  /** Runs requests in one transaction: they all take place or none does, and it is over when this resolves. */
  async run<T>(mode: IDBTransactionMode, make: (transaction: IDBTransaction) => T): Promise<T> {
    const transaction = await this.#begin(mode);
    const ended = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onerror = () => reject(transaction.error);
      transaction.onabort = () => reject(transaction.error);
    });
    // Heard below, also when making the requests fails.
    ended.catch(() => {});
    let made: T;
    try {
      made = make(transaction);
    } catch (error) {
      transaction.abort();
      throw error;
    }
    await ended;
    return made;
  }

  async #begin(mode: IDBTransactionMode): Promise<IDBTransaction> {
    const names = Object.keys(this.#stores);
    try {
      return (await this.#open()).transaction(names, mode);
    } catch (error) {
      // The browser closes databases when it needs room, or the user clears the page's data.
      if (!(error instanceof DOMException && error.name === 'InvalidStateError')) throw error;
      this.#opened = undefined;
      return (await this.#open()).transaction(names, mode);
    }
  }

  async #open(): Promise<IDBDatabase> {
    this.#opened ??= this.#request().catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    });
    return await this.#opened;
  }

  async #request(): Promise<IDBDatabase> {
    const request = this.#factory.open(this.#name, 1);
    request.onupgradeneeded = () => {
      for (const [name, options] of Object.entries(this.#stores)) request.result.createObjectStore(name, options);
    };
    const database = await resultOf(request);
    const missing = Object.keys(this.#stores).filter((name) => !database.objectStoreNames.contains(name));
    if (missing.length > 0) {
      database.close();
      throw new FormatError(
        `Cannot use the database "${this.#name}": it lacks ${missing.join(', ')}, so it belongs to another program`,
      );
    }
    // A page that deletes the database, or brings a later version, does not wait for this one.
    database.onversionchange = () => {
      database.close();
      this.#opened = undefined;
    };
    database.onclose = () => {
      this.#opened = undefined;
    };
    return database;
  }
}
