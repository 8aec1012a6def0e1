import { Database, pageDatabases, placeOfDatabase } from './indexed-db.ts';
import { type PartTable, partStore, type SaveRecord } from './part-store.ts';
import { asQuotaError, checkQuota } from './quota.ts';
import type { Store } from './store.ts';
import { indexedDbModels } from './tensorflowjs-indexed-db.ts';
import { tensorFlowJsStore } from './tensorflowjs-models.ts';

export interface IndexedDbStoreOptions {
  /** The name of the database; unless given `hornet`, or that of TensorFlow.js in its layout. */
  readonly database?: string;
  /**
   * `tensorflowjs` keeps models where and as TensorFlow.js does, one under each key, so that it finds them; the format is
   * then `layers-model`. By default Hornet keeps files of any format in a database of its own.
   */
  readonly layout?: 'hornet' | 'tensorflowjs';
}

/** Large enough that a model of 1 GB has few, small enough that one is no matter. */
const PART_BYTES = 4 << 20;

const RECORDS = 'records';
const PARTS = 'parts';

/**
 * Keeps files in IndexedDB, in parts of 4 MB: neither saving nor loading needs a second copy of a model in memory.
 *
 * @throws {UnsupportedError} where there is no IndexedDB.
 */
export function indexedDbStore({ database, layout = 'hornet' }: IndexedDbStoreOptions = {}): Store {
  if (layout === 'tensorflowjs') return tensorFlowJsStore(indexedDbModels(database));
  return partStore(indexedDbParts(database));
}

function indexedDbParts(databaseName: string | undefined): PartTable {
  const name = 'IndexedDB';
  const database = new Database(pageDatabases(), databaseName ?? 'hornet', {
    [RECORDS]: { keyPath: 'id' },
    [PARTS]: {},
  });
  const write = async (byteCount: number, make: (transaction: IDBTransaction) => void): Promise<void> => {
    try {
      await database.run('readwrite', make);
    } catch (cause) {
      throw await asQuotaError(name, byteCount, cause);
    }
  };
  return {
    name,
    place: placeOfDatabase(databaseName),
    isPrivate: true,
    partBytes: PART_BYTES,
    readRecords: async () => {
      const request = await database.run('readonly', (transaction) => transaction.objectStore(RECORDS).getAll());
      return request.result as SaveRecord[];
    },
    writeRecord: async (record) => await write(0, (transaction) => transaction.objectStore(RECORDS).put(record)),
    removeRecord: async (id) => await write(0, (transaction) => transaction.objectStore(RECORDS).delete(id)),
    partNames: async () => {
      const request = await database.run('readonly', (transaction) => transaction.objectStore(PARTS).getAllKeys());
      return request.result.map(String);
    },
    readPart: async (part) => {
      const request = await database.run('readonly', (transaction) => transaction.objectStore(PARTS).get(part));
      return request.result === undefined ? undefined : new Uint8Array(request.result as ArrayBuffer);
    },
    writePart: async (part, bytes) => {
      const { buffer } = bytes.slice();
      await write(bytes.byteLength, (transaction) => transaction.objectStore(PARTS).put(buffer, part));
    },
    removeParts: async (parts) =>
      await write(0, (transaction) => {
        for (const part of parts) transaction.objectStore(PARTS).delete(part);
      }),
    checkRoom: async (byteCount) => await checkQuota(name, byteCount),
  };
}
