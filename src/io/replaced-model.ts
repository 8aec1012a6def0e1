/** What a save takes the place of: the files that the model before it named, and that go when the new one is there. */
import { takeTurn } from '../storage/live-writers.ts';
import { objectId } from '../storage/object-id.ts';
import { folderOf, joinKey, type Store } from '../storage/store.ts';
import { sharedFiles } from './model-files.ts';
import type { SavedFiles } from './save-formats.ts';
import type { StoredModel } from './source.ts';

/** The model that is at a place, of which another save may make a third one meanwhile. */
export class ReplacedModel {
  readonly #place: StoredModel;
  readonly #own: ReadonlySet<string>;
  readonly #besideOf: SavedFiles['besideOf'];
  /** The files that it names. */
  readonly named: readonly string[];
  /** Those of them that go: nobody else names them, and the new model does not have them. */
  readonly replaced: readonly string[];
  #namedLast: readonly string[];
  #endTurn: (() => void) | undefined;

  private constructor(
    place: StoredModel,
    own: ReadonlySet<string>,
    besideOf: SavedFiles['besideOf'],
    named: readonly string[],
    replaced: readonly string[],
  ) {
    this.#place = place;
    this.#own = own;
    this.#besideOf = besideOf;
    this.named = named;
    this.replaced = replaced;
    this.#namedLast = named;
  }

  /** @param own the keys of the files that take its place */
  static async read(
    place: StoredModel,
    own: ReadonlySet<string>,
    besideOf: SavedFiles['besideOf'],
  ): Promise<ReplacedModel> {
    const named = await namedKeys(place, besideOf);
    return new ReplacedModel(place, own, besideOf, named, await unneeded(place, withoutAll(named, own)));
  }

  /**
   * Begins the last step of a save. Until `endTurn` no other save of this thread, or of a page of this origin, takes that
   * step: what is there now is what is replaced.
   */
  async beginTurn(): Promise<void> {
    const { store, key } = this.#place;
    this.#endTurn = await takeTurn((await store.placeOf?.(key)) ?? `${objectId(store)}/${key}`);
    this.#namedLast = await namedKeys(this.#place, this.#besideOf);
  }

  endTurn(): void {
    this.#endTurn?.();
  }

  /** Removes its files, and those of a save that was completed while this one was on the way. */
  async remove(): Promise<void> {
    const more = withoutAll(this.#namedLast, new Set([...this.named, ...this.#own]));
    for (const key of [...this.replaced, ...(await unneeded(this.#place, more))]) {
      await removeQuietly(this.#place.store, key);
    }
  }

  /**
   * Removes files of the new model where that has been replaced in its turn, by a save of another process that did not
   * know of it. A server that still gives what was there before says nothing of the kind.
   */
  async removeIfLost(files: readonly string[]): Promise<void> {
    const named = new Set(await namedKeys(this.#place, this.#besideOf));
    const isKnown = new Set([...this.#own, ...this.named, ...this.#namedLast]);
    if (withoutAll([...named], isKnown).length === 0) return;
    for (const key of await unneeded(this.#place, withoutAll(files, named))) {
      await removeQuietly(this.#place.store, key);
    }
  }
}

function withoutAll(keys: readonly string[], others: ReadonlySet<string>): readonly string[] {
  return keys.filter((key) => !others.has(key));
}

/** The files that what is there now names. */
async function namedKeys({ store, key }: StoredModel, besideOf: SavedFiles['besideOf']): Promise<readonly string[]> {
  if (besideOf === undefined) return [];
  const folder = folderOf(key.replaceAll('\\', '/'));
  try {
    const old = await store.open(key);
    return besideOf(await old.slice(0, old.byteLength)).map((path) => joinKey(folder, path));
  } catch {
    // There is nothing, or nothing that can be read: what it named is not known.
    return [];
  }
}

/** Those that no other model names, in a store that can remove them. */
async function unneeded({ store, key }: StoredModel, keys: readonly string[]): Promise<readonly string[]> {
  if (store.remove === undefined) return [];
  try {
    return withoutAll(keys, await sharedFiles({ store, key }, keys));
  } catch {
    return [];
  }
}

/** Removes a file that no model needs; when that fails, it costs room and no more. */
export async function removeQuietly(store: Store, key: string): Promise<void> {
  try {
    await store.remove?.(key);
  } catch {}
}
