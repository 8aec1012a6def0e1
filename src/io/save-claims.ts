/**
 * Notes in a store that puts files in place one by one.
 *
 * While a save adds files that no model names yet, a note beside the model says which they are, and which they replace:
 * `model.json.<writer>.saving`. Whoever finds it when its writer is gone removes those of them that no model names.
 */
import { writableBytes } from '../binary/byte-sink.ts';
import { FormatError, NotFoundError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../formats/artifacts.ts';
import { decodeJsonObject, decodeText } from '../formats/json.ts';
import { abandonedWriters, asWriter, newWriterId } from '../storage/live-writers.ts';
import { folderOf, type Store } from '../storage/store.ts';
import { filesOfModel, isBeside, keyBeside, sharedFiles } from './model-files.ts';
import type { StoredModel } from './source.ts';

const CLAIM = /^(.*)\.([0-9a-z]{8,9}(?:-[0-9a-z]{1,10}){1,3})\.saving$/s;

/** No save has names for so many bytes. */
const MAX_CLAIM_BYTES = 1 << 24;

/** The files that a save adds beside a model, and those that it replaces, by their paths from there. */
export interface ClaimedFiles {
  readonly added: readonly string[];
  readonly replaced: readonly string[];
}

/** A store in which what is left can be found and removed. */
export type TidyStore = Store & Required<Pick<Store, 'write' | 'list' | 'remove'>>;

export function isTidy(store: Store): store is TidyStore {
  return store.write !== undefined && store.list !== undefined && store.remove !== undefined;
}

/**
 * Removes what killed saves have left beside a model, then does what writes and removes files, of which a note says that
 * they are on the way.
 */
export async function writeClaimed(
  { store, key }: { readonly store: TidyStore; readonly key: string },
  files: ClaimedFiles,
  write: () => Promise<void>,
): Promise<void> {
  await removeAbandonedSaves({ store, key });
  const id = newWriterId();
  await asWriter(id, async () => {
    const claim = `${key}.${id}.saving`;
    // Without a note a killed save leaves more behind, and is as good as any other.
    await store.write(claim, writableBytes(new TextEncoder().encode(JSON.stringify(files)))).catch(() => {});
    try {
      await write();
    } catch (error) {
      await settle(store, claim, key, files).catch(() => {});
      throw error;
    }
    await store.remove(claim).catch(() => {});
  });
}

/** Removes what killed saves have left in the folder of a model. What cannot be removed costs room and no more. */
export async function removeAbandonedSaves({ store, key }: StoredModel): Promise<void> {
  if (!isTidy(store)) return;
  const folder = folderOf(key.replaceAll('\\', '/'));
  const keys = await store.list(folder).catch(() => []);
  const claims = keys.map((one) => CLAIM.exec(one)).filter((one) => one !== null);
  const here = claims.filter(([claim]) => folderOf(claim) === folder);
  const gone = new Set(await abandonedWriters(new Set(here.map(([, , id = '']) => id)), store.isPrivate));
  for (const [claim, main = '', id = ''] of here) {
    if (gone.has(id)) await removeLeft(store, claim, main).catch(() => {});
  }
}

async function removeLeft(store: TidyStore, claim: string, key: string): Promise<void> {
  await settle(store, claim, key, await readClaim(store, claim));
}

/** Removes those files of a claim that no model names, and then the claim. */
async function settle(store: TidyStore, claim: string, key: string, files: ClaimedFiles): Promise<void> {
  const named = new Set(await namedBy({ store, key }));
  const useless = [...files.added, ...files.replaced].filter((path) => !named.has(path));
  const keys = useless.map((path) => keyBeside(key, path));
  const shared = await sharedFiles({ store, key }, keys);
  for (const one of keys) if (!shared.has(one)) await store.remove(one);
  await store.remove(claim);
}

/** Unlike `besideOf` this fails where it does not know: a file that cannot be read now may name the others. */
async function namedBy(place: StoredModel): Promise<readonly string[]> {
  try {
    return (await filesOfModel(place)).beside;
  } catch (error) {
    if (error instanceof NotFoundError) return [];
    throw error;
  }
}

/** What a note says; one that was cut off when it was written was followed by nothing. */
async function readClaim(store: Store, claim: string): Promise<ClaimedFiles> {
  const namesIn = (value: JsonValue | undefined): string[] =>
    Array.isArray(value) ? value.filter((name): name is string => typeof name === 'string' && isBeside(name)) : [];
  let note: JsonObject = {};
  const file = await store.open(claim);
  try {
    if (file.byteLength <= MAX_CLAIM_BYTES) {
      note = decodeJsonObject(decodeText(await file.slice(0, file.byteLength), claim), claim);
    }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
  return { added: namesIn(note.added), replaced: namesIn(note.replaced) };
}
