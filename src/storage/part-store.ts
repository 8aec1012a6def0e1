/**
 * A store on top of whatever keeps small values under names: IndexedDB, localStorage, AsyncStorage.
 *
 * Files are cut into parts, so that a large one needs no second copy in memory. A save writes its parts under an id of
 * its own, then one record that names the files and their parts: that record is the swap. A file is what the newest
 * record with its key says. Parts that no record names, and whose writer is gone, are removed by the next save.
 */
import type { WritableFile } from '../binary/byte-sink.ts';
import { checkRange, type RangedFile } from '../binary/ranged-file.ts';
import { FormatError, NotFoundError, QuotaError } from '../errors.ts';
import { abandonedWriters, asWriter, newWriterId } from './live-writers.ts';
import { reportingFile } from './reporting-file.ts';
import { keysBelow, type Store } from './store.ts';

/** Files that were saved together. */
export interface SaveRecord {
  /** Names the parts: `<id>/<index of the file>/<index of the part>`. */
  readonly id: string;
  readonly modifiedMs: number;
  /** The bytes of each part but the last of a file. */
  readonly partBytes: number;
  /** The last one names the others; a file that was removed or replaced is `null`, and keeps its index. */
  readonly files: readonly ({ readonly key: string; readonly byteLength: number } | null)[];
}

/** What keeps records and parts. Each method is one step: it is done, or fails and has done nothing. */
export interface PartTable {
  /** For messages. */
  readonly name: string;
  /** What tells this table from others, also when it is opened twice; see `Store.placeOf`. */
  readonly place: string;
  /** See `Store.isPrivate`. */
  readonly isPrivate?: boolean;
  readonly partBytes: number;
  readRecords(): Promise<SaveRecord[]>;
  writeRecord(record: SaveRecord): Promise<void>;
  removeRecord(id: string): Promise<void>;
  partNames(): Promise<string[]>;
  readPart(name: string): Promise<Uint8Array | undefined>;
  /** The bytes are the giver's again when the promise resolves. */
  writePart(name: string, bytes: Uint8Array): Promise<void>;
  removeParts(names: readonly string[]): Promise<void>;
  /** @throws {QuotaError} when there is surely no room for so many bytes more. */
  checkRoom?(byteCount: number): Promise<void>;
}

/** Keeps files as parts in a table. */
export function partStore(table: PartTable): Store {
  const writeAll = async (
    files: ReadonlyMap<string, WritableFile>,
    look?: (record: SaveRecord) => Promise<void>,
  ): Promise<void> => {
    await removeAbandoned(table);
    const id = newWriterId();
    await asWriter(id, async () => await writeRecord(table, id, files, look));
    // The save is complete; what it replaced may as well be removed by the next one.
    await dropReplaced(table, id).catch(() => {});
  };
  return {
    name: table.name,
    ...(table.isPrivate === undefined ? {} : { isPrivate: table.isPrivate }),
    open: async (key, options = {}) => reportingFile(partFile(table, key, await find(table, key)), options),
    write: async (key, file, { beforeSwap } = {}) =>
      await writeAll(new Map([[key, file]]), async (record) => {
        const { byteLength } = record.files[0] ?? { byteLength: 0 };
        await beforeSwap?.(partFile(table, key, { record, fileIndex: 0, byteLength }));
      }),
    // Of several files none can be opened before all are in their place.
    writeAll: async (files) => await writeAll(files),
    list: async (folder = '') => keysBelow(await keysOf(table), folder),
    placeOf: async (key) => `${table.place}/${key}`,
    remove: async (key) => {
      // The oldest first: removed in another order, an older one would come to light in between.
      for (const record of (await sortedRecords(table)).reverse()) await dropFiles(table, record, [key]);
      await removeAbandoned(table).catch(() => {});
    },
    info: async (key) => {
      const { record, byteLength } = await find(table, key);
      return { byteLength, modifiedAt: new Date(record.modifiedMs) };
    },
  };
}

/** Where a file lies. */
interface Found {
  readonly record: SaveRecord;
  readonly fileIndex: number;
  readonly byteLength: number;
}

async function find(table: PartTable, key: string): Promise<Found> {
  for (const record of await sortedRecords(table)) {
    const fileIndex = record.files.findIndex((file) => file?.key === key);
    const file = record.files[fileIndex];
    if (file) return { record, fileIndex, byteLength: file.byteLength };
  }
  throw new NotFoundError(`Cannot read "${key}": ${table.name} has no file of that name`, key);
}

/** The newest first. */
async function sortedRecords(table: PartTable): Promise<SaveRecord[]> {
  const records = await table.readRecords();
  return records.sort((a, b) => b.modifiedMs - a.modifiedMs || (a.id < b.id ? 1 : -1));
}

async function keysOf(table: PartTable): Promise<Set<string>> {
  const records = await table.readRecords();
  return new Set(records.flatMap(({ files }) => files.flatMap((file) => file?.key ?? [])));
}

async function writeRecord(
  table: PartTable,
  id: string,
  files: ReadonlyMap<string, WritableFile>,
  look?: (record: SaveRecord) => Promise<void>,
): Promise<void> {
  const byteCount = [...files.values()].reduce((sum, file) => sum + file.byteLength, 0);
  await table.checkRoom?.(byteCount);
  const written: string[] = [];
  try {
    const saved: { key: string; byteLength: number }[] = [];
    for (const [key, file] of files) {
      saved.push({ key, byteLength: await writeParts(table, `${id}/${saved.length}`, file, written) });
    }
    await look?.({ id, modifiedMs: 0, partBytes: table.partBytes, files: saved });
    const newestMs = (await sortedRecords(table))[0]?.modifiedMs ?? 0;
    const modifiedMs = Math.max(Date.now(), newestMs + 1);
    await table.writeRecord({ id, modifiedMs, partBytes: table.partBytes, files: saved });
  } catch (error) {
    await undo(table, id, written).catch(() => {});
    // A table knows what a part takes; what is needed is room for all of them.
    if (!(error instanceof QuotaError) || error.neededBytes === byteCount) throw error;
    throw new QuotaError(error.store, byteCount, undefined, error.cause);
  }
}

/** Writes a file in parts, no two of which are in memory at once; gives its size. */
async function writeParts(table: PartTable, prefix: string, file: WritableFile, written: string[]): Promise<number> {
  const buffer = new Uint8Array(Math.min(table.partBytes, file.byteLength));
  let filled = 0;
  let total = 0;
  let count = 0;
  const flush = async (): Promise<void> => {
    const name = `${prefix}/${count++}`;
    // Before it is there, since one that failed may be there all the same.
    written.push(name);
    await table.writePart(name, buffer.subarray(0, filled));
    filled = 0;
  };
  await file.writeTo({
    write: async (bytes) => {
      total += bytes.byteLength;
      if (total > file.byteLength) throw wrongLength(table, file, total);
      for (let done = 0; done < bytes.byteLength; ) {
        const piece = bytes.subarray(done, done + buffer.byteLength - filled);
        buffer.set(piece, filled);
        filled += piece.byteLength;
        done += piece.byteLength;
        if (filled === buffer.byteLength) await flush();
      }
    },
  });
  if (filled > 0) await flush();
  if (total !== file.byteLength) throw wrongLength(table, file, total);
  return total;
}

function wrongLength(table: PartTable, file: WritableFile, byteLength: number): FormatError {
  return new FormatError(
    `Cannot save to ${table.name}: found ${byteLength} bytes, expected the ${file.byteLength} that were announced`,
  );
}

/** Takes back a save that failed: the record first, which may be there although writing it failed. */
async function undo(table: PartTable, id: string, written: readonly string[]): Promise<void> {
  await table.removeRecord(id);
  await table.removeParts(written);
}

/**
 * Removes what a save has replaced: its keys elsewhere, and models whose main file it has. Another save of that model may
 * have ended meanwhile and be the newer one, so that this one's files go.
 */
async function dropReplaced(table: PartTable, id: string): Promise<void> {
  const records = (await sortedRecords(table)).reverse();
  const saved = records.find((record) => record.id === id);
  if (saved === undefined) return;
  const keysIn = ({ files }: SaveRecord): string[] => files.flatMap((file) => file?.key ?? []);
  const mainKey = saved.files.length > 1 ? saved.files.at(-1)?.key : undefined;
  const isOfModel = ({ files }: SaveRecord): boolean =>
    mainKey !== undefined && files.length > 1 && files.at(-1)?.key === mainKey;
  const newest = records.findLast(isOfModel) ?? saved;
  for (const record of records.slice(0, records.indexOf(newest))) {
    if (isOfModel(record)) await dropFiles(table, record, keysIn(record));
    else if (records.indexOf(record) < records.indexOf(saved)) await dropFiles(table, record, keysIn(saved));
  }
  await removeAbandoned(table);
}

/** Takes keys out of a record, the record away with the last of them, and then their parts. */
async function dropFiles(table: PartTable, record: SaveRecord, keys: readonly string[]): Promise<void> {
  const files = record.files.map((file) => (file !== null && keys.includes(file.key) ? null : file));
  const dropped = files.flatMap((file, index) => (file === record.files[index] ? [] : [`${record.id}/${index}/`]));
  if (dropped.length === 0) return;
  if (files.every((file) => file === null)) await table.removeRecord(record.id);
  else await table.writeRecord({ ...record, files });
  const names = await table.partNames();
  await table.removeParts(names.filter((name) => dropped.some((prefix) => name.startsWith(prefix))));
}

/**
 * Removes parts that no record names and nobody will name. The order matters: a writer that ends while this goes on is
 * alive when that is asked, or its record is there when records are read.
 */
async function removeAbandoned(table: PartTable): Promise<void> {
  const names = await table.partNames();
  const writers = new Set(names.map((name) => name.slice(0, name.indexOf('/'))));
  const gone = new Set(await abandonedWriters(writers, table.isPrivate));
  const kept = new Set<string>();
  for (const record of await table.readRecords()) {
    // Parts of a file that was replaced go, those of its neighbours stay.
    for (const [index, file] of record.files.entries()) if (file !== null) kept.add(`${record.id}/${index}`);
    gone.add(record.id);
  }
  const useless = names.filter((name) => {
    const file = name.slice(0, name.lastIndexOf('/'));
    return gone.has(name.slice(0, name.indexOf('/'))) && !kept.has(file);
  });
  if (useless.length > 0) await table.removeParts(useless);
}

/** Reads parts; the last one read is kept, since most reads go on where the one before ended. */
function partFile(table: PartTable, key: string, { record, fileIndex, byteLength }: Found): RangedFile {
  const { id, partBytes } = record;
  let last: { readonly index: number; readonly bytes: Promise<Uint8Array> } | undefined;
  const readPart = async (index: number): Promise<Uint8Array> => {
    const bytes = await table.readPart(`${id}/${fileIndex}/${index}`);
    const expected = Math.min(partBytes, byteLength - index * partBytes);
    if (bytes?.byteLength === expected) return bytes;
    const problem = bytes === undefined ? 'it was replaced while it was read' : 'a part of it is damaged';
    throw new FormatError(`Cannot read "${key}" in ${table.name}: ${problem}; load it again`, {
      file: key,
      offset: index * partBytes,
    });
  };
  const partAt = async (index: number): Promise<Uint8Array> => {
    if (last?.index !== index) last = { index, bytes: readPart(index) };
    try {
      return await last.bytes;
    } catch (error) {
      last = undefined;
      throw error;
    }
  };
  const readInto = async (start: number, target: Uint8Array): Promise<void> => {
    checkRange(key, byteLength, start, start + target.byteLength);
    for (let done = 0; done < target.byteLength; ) {
      const position = start + done;
      const index = Math.floor(position / partBytes);
      const part = await partAt(index);
      const from = position - index * partBytes;
      const piece = part.subarray(from, from + target.byteLength - done);
      target.set(piece, done);
      done += piece.byteLength;
    }
  };
  return {
    name: key,
    byteLength,
    readInto,
    slice: async (start, end) => {
      checkRange(key, byteLength, start, end);
      const bytes = new Uint8Array(end - start);
      await readInto(start, bytes);
      return bytes;
    },
  };
}
