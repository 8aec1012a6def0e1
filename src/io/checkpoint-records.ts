/**
 * What a directory of checkpoints says about its versions.
 *
 * Each version is a folder, and is there when its record is, which is written last:
 *
 *   checkpoints.json                       the index: a copy of all records
 *   00000120-1f0c94ab/model.keras          the model, or its weights
 *   00000120-1f0c94ab/training.safetensors the state of the training
 *   00000120-1f0c94ab/checkpoint.json      the record
 *   00000130-77aa03c1.….writing            says who is writing another version
 *
 * The index saves reading the records one by one. It is believed where it and the list of files agree, so that one that is
 * missing, damaged or old costs time and nothing else.
 */
import { writableBytes } from '../binary/byte-sink.ts';
import { FormatError, NotFoundError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../formats/artifacts.ts';
import { encodeJson } from '../formats/encode-json.ts';
import { decodeJsonObject, decodeText, isJsonObject, MAX_JSON_BYTES } from '../formats/json.ts';
import { baseNameOf, joinKey, type Store } from '../storage/store.ts';
import type { Logs } from '../training/callbacks/callback.ts';
import type { SaveFormat } from './save-formats.ts';

/** A version in a directory of checkpoints. */
export interface CheckpointVersion {
  /** What no other version has; also the name of its folder. */
  readonly id: string;
  /** Counts the versions that were saved, so that the latest has the largest. */
  readonly number: number;
  /** Steps of the optimizer that the model was trained for. */
  readonly step: number;
  /** The epoch in which it was saved, from 0. */
  readonly epoch?: number;
  /** Given by the user; versions with a name stay until they are removed. */
  readonly name?: string;
  /** Losses and metrics at the time. */
  readonly metrics: Logs;
  readonly savedAt: Date;
  /** Of all its files. */
  readonly byteLength: number;
  readonly format: SaveFormat;
  /** Its files, by what they are, in its folder. */
  readonly files: { readonly model: string; readonly training?: string };
  /** The metric by which versions of this directory are better or worse, and which values are better. */
  readonly monitor: { readonly metric: string; readonly mode: 'min' | 'max' };
}

/** A version of which there are files, and a record that cannot be read. */
export interface DamagedVersion {
  readonly id: string;
  readonly problem: string;
}

/** What is in a directory. */
export interface DirectoryContents {
  /** The oldest first. */
  readonly versions: readonly CheckpointVersion[];
  readonly damaged: readonly DamagedVersion[];
  /** By id, the claims to versions that are being written; none of files that are left of a version. */
  readonly claims: ReadonlyMap<string, readonly string[]>;
}

const INDEX_NAME = 'checkpoints.json';
const RECORD_NAME = 'checkpoint.json';
const VERSION = 1;
const ID = /^\d{8,}-[0-9a-f]{8}$/;
const CLAIM = /^(\d{8,}-[0-9a-f]{8})\.([^./]+)\.writing$/;

/** The name of a version's folder; folders of one step differ in what is random. */
export function idOf(step: number, random: string): string {
  return `${String(step).padStart(8, '0')}-${random.slice(0, 8)}`;
}

export async function readDirectory(
  store: Pick<Store, 'open'> & Required<Pick<Store, 'list'>>,
  folder: string,
): Promise<DirectoryContents> {
  const prefix = joinKey(folder, '');
  const keysById = new Map<string, string[]>();
  const claims = new Map<string, string[]>();
  for (const key of await store.list(folder)) {
    const name = key.slice(prefix.length);
    const [id = ''] = name.split('/');
    if (ID.test(id)) keysById.set(id, [...(keysById.get(id) ?? []), key]);
    const [, claimed] = CLAIM.exec(name) ?? [];
    if (claimed !== undefined) claims.set(claimed, [...(claims.get(claimed) ?? []), key]);
  }
  const index = await readIndex(store, folder);
  const versions: CheckpointVersion[] = [];
  const damaged: DamagedVersion[] = [];
  for (const [id, keys] of keysById) {
    const record = joinKey(prefix + id, RECORD_NAME);
    if (!keys.includes(record)) {
      if (!claims.has(id)) claims.set(id, []);
      continue;
    }
    let version = index.get(id);
    if (version === undefined) {
      try {
        version = decodeRecord(id, decodeJsonObject(await readText(store, record), record), record);
      } catch (error) {
        // It was removed just now.
        if (error instanceof NotFoundError) continue;
        if (!(error instanceof FormatError)) throw error;
        damaged.push({ id, problem: error.message });
        continue;
      }
    }
    const missing = Object.values(version.files).find((name) => !keys.includes(joinKey(prefix + id, name)));
    if (missing !== undefined) {
      damaged.push({ id, problem: `Cannot read the checkpoint "${record}": its file ${missing} is missing` });
      continue;
    }
    versions.push(version);
  }
  damaged.sort((a, b) => (a.id < b.id ? -1 : 1));
  versions.sort((a, b) => a.number - b.number || (a.id < b.id ? -1 : 1));
  return { versions, damaged, claims };
}

/** Says that somebody is writing a version. It lies beside the folder, whose files may all be hidden yet. */
export function claimOf(folder: string, id: string, writer: string): string {
  return joinKey(folder, `${id}.${writer}.writing`);
}

/** Who makes a claim. */
export function claimantOf(claim: string): string {
  return CLAIM.exec(baseNameOf(claim))?.[2] ?? '';
}

/** The key of what makes a version one. */
export function recordKeyOf(folder: string, id: string): string {
  return joinKey(joinKey(folder, id), RECORD_NAME);
}

export async function writeRecord(
  store: Required<Pick<Store, 'write'>>,
  folder: string,
  version: CheckpointVersion,
): Promise<void> {
  await store.write(recordKeyOf(folder, version.id), textFile(encodeRecord(version)));
}

export async function writeIndex(
  store: Required<Pick<Store, 'write'>>,
  folder: string,
  versions: readonly CheckpointVersion[],
): Promise<void> {
  const records = Object.fromEntries(versions.map((version) => [version.id, encodeRecord(version)]));
  await store.write(joinKey(folder, INDEX_NAME), textFile({ version: VERSION, versions: records }));
}

function textFile(value: JsonObject): ReturnType<typeof writableBytes> {
  return writableBytes(new TextEncoder().encode(`${encodeJson(value)}\n`));
}

async function readText(store: Pick<Store, 'open'>, key: string): Promise<string> {
  const file = await store.open(key);
  if (file.byteLength > MAX_JSON_BYTES) {
    throw new FormatError(`Cannot read "${key}": it has ${file.byteLength} bytes`, { file: key });
  }
  return decodeText(await file.slice(0, file.byteLength), key);
}

/** The records of the index; none when there is none, or it is damaged. */
async function readIndex(store: Pick<Store, 'open'>, folder: string): Promise<Map<string, CheckpointVersion>> {
  const key = joinKey(folder, INDEX_NAME);
  const found = new Map<string, CheckpointVersion>();
  try {
    const { version, versions } = decodeJsonObject(await readText(store, key), key);
    if (version !== VERSION || !isJsonObject(versions)) return found;
    for (const [id, record] of Object.entries(versions)) {
      if (isJsonObject(record)) found.set(id, decodeRecord(id, record, key));
    }
    return found;
  } catch (error) {
    if (error instanceof NotFoundError || error instanceof FormatError) return new Map();
    throw error;
  }
}

function encodeRecord({ id: _, savedAt, ...version }: CheckpointVersion): JsonObject {
  return { version: VERSION, ...version, savedAt: savedAt.toISOString() } as unknown as JsonObject;
}

function decodeRecord(id: string, record: JsonObject, file: string): CheckpointVersion {
  const { version, number, step, epoch, name, metrics, savedAt, byteLength, format, files, monitor } = record;
  const check = (isRight: boolean, what: string): void => {
    if (!isRight) throw new FormatError(`Cannot read the checkpoint "${file}": ${what}`, { file });
  };
  check(version === VERSION, `found version ${String(version)}, expected ${VERSION}`);
  check([number, step, byteLength].every(isCount), 'it does not say its number, step or size');
  check(epoch === undefined || isCount(epoch), 'its epoch is no number');
  check(name === undefined || typeof name === 'string', 'its name is no text');
  check(isMetrics(metrics), 'its metrics are no numbers');
  check(typeof savedAt === 'string' && !Number.isNaN(Date.parse(savedAt)), 'its date is none');
  check(typeof format === 'string' && isFiles(files), 'it does not name its files');
  check(isMonitor(monitor), 'it does not say what is better');
  return { ...(record as unknown as CheckpointVersion), id, savedAt: new Date(savedAt as string) };
}

function isCount(value: JsonValue | undefined): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isMetrics(value: JsonValue | undefined): boolean {
  const isMetric = (metric: JsonValue): boolean =>
    typeof metric === 'number' || (Array.isArray(metric) && metric.every((each) => typeof each === 'number'));
  return isJsonObject(value) && Object.values(value).every(isMetric);
}

/** Names of files of the folder itself, so that no record leads elsewhere. */
function isFiles(value: JsonValue | undefined): boolean {
  if (!isJsonObject(value) || typeof value.model !== 'string') return false;
  return Object.values(value).every((name) => typeof name === 'string' && /^[a-z][a-z0-9.]*$/.test(name));
}

function isMonitor(value: JsonValue | undefined): boolean {
  return isJsonObject(value) && typeof value.metric === 'string' && (value.mode === 'min' || value.mode === 'max');
}
