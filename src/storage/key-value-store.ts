import { decodeBase64, encodeBase64 } from '../binary/base64.ts';
import { FormatError } from '../errors.ts';
import { objectId } from './object-id.ts';
import { type PartTable, partStore, type SaveRecord } from './part-store.ts';
import type { Store } from './store.ts';

/** A place that keeps values under names, such as idb-keyval, AsyncStorage or a Redis client. It may answer at once. */
export interface KeyValueTable {
  get(key: string): unknown;
  set(key: string, value: string | Uint8Array): unknown;
  delete(key: string): unknown;
  /** All names, also those that others use. */
  keys(): Iterable<string> | Promise<Iterable<string>>;
}

export interface KeyValueStoreOptions {
  /** For messages. */
  readonly name?: string;
  /** What the names of Hornet's values begin with. */
  readonly prefix?: string;
  /** What values may be: any bytes, or text, into which bytes are then put as Base64. `bytes` unless given. */
  readonly values?: 'bytes' | 'text';
  /** The bytes of one value at most, 1 MB unless given: some tables limit their values. */
  readonly partBytes?: number;
}

/** AsyncStorage of Android reads no value of more than 2 MB; as Base64 this stays below. */
const DEFAULT_PART_BYTES = 1 << 20;

/** Keeps files in a table of keys and values. Saves are atomic if the table's `set` is. */
export function keyValueStore(table: KeyValueTable, options: KeyValueStoreOptions = {}): Store {
  return partStore(keyValueParts(table, options));
}

export function keyValueParts(table: KeyValueTable, options: KeyValueStoreOptions): PartTable {
  const { name = 'the key-value store', prefix = 'hornet/', values = 'bytes' } = options;
  const { partBytes = DEFAULT_PART_BYTES } = options;
  if (!Number.isInteger(partBytes) || partBytes < 1) {
    throw new RangeError(`Cannot use ${name}: found partBytes of ${partBytes}, expected a whole number from 1 on`);
  }
  const recordKey = (id: string): string => `${prefix}records/${id}`;
  const partKey = (part: string): string => `${prefix}parts/${part}`;
  const namesBelow = async (folder: string): Promise<string[]> => {
    const start = prefix + folder;
    return [...(await table.keys())].filter((key) => key.startsWith(start)).map((key) => key.slice(start.length));
  };
  return {
    name,
    place: `table:${objectId(table)}:${prefix}`,
    partBytes,
    readRecords: async () => {
      const ids = await namesBelow('records/');
      const records = await Promise.all(ids.map(async (id) => decodeRecord(await table.get(recordKey(id)))));
      // One that vanished since was replaced; one that cannot be read is not ours.
      return records.filter((record) => record !== undefined);
    },
    writeRecord: async (record) => {
      await table.set(recordKey(record.id), JSON.stringify(record));
    },
    removeRecord: async (id) => {
      await table.delete(recordKey(id));
    },
    partNames: async () => await namesBelow('parts/'),
    readPart: async (part) => {
      const value = await table.get(partKey(part));
      if (value === undefined || value === null) return undefined;
      if (typeof value === 'string') return decodeBase64(value);
      if (value instanceof ArrayBuffer) return new Uint8Array(value);
      if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
      throw new FormatError(`Cannot read from ${name}: found a value that is neither text nor bytes under "${part}"`);
    },
    writePart: async (part, bytes) => {
      await table.set(partKey(part), values === 'text' ? encodeBase64(bytes) : bytes.slice());
    },
    removeParts: async (parts) => {
      for (const part of parts) await table.delete(partKey(part));
    },
  };
}

function decodeRecord(value: unknown): SaveRecord | undefined {
  if (typeof value !== 'string') return undefined;
  try {
    const record = JSON.parse(value) as SaveRecord;
    return isRecord(record) ? record : undefined;
  } catch {
    return undefined;
  }
}

/** Whether what was found is a record that can be believed: others may write in the same place. */
function isRecord(record: SaveRecord): boolean {
  return (
    typeof record?.id === 'string' &&
    Number.isFinite(record.modifiedMs) &&
    Number.isInteger(record.partBytes) &&
    record.partBytes > 0 &&
    Array.isArray(record.files) &&
    record.files.every(
      (file) =>
        file === null ||
        (typeof file?.key === 'string' && Number.isSafeInteger(file.byteLength) && file.byteLength >= 0),
    )
  );
}
