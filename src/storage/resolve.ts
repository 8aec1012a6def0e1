/** Addresses that name a store of the page, as TensorFlow.js has them: which store, and which key. */
import type { Store } from './store.ts';

/** A file in a store. */
export interface Place {
  readonly store: Store;
  readonly key: string;
}

/** The code of a store is loaded with the first address of its scheme. */
const SCHEMES: Readonly<Record<string, () => Promise<Store>>> = {
  localstorage: async () => {
    const [{ localStorageStore }, { layeredStore }] = await Promise.all([
      import('./local-storage-store.ts'),
      import('./layered-store.ts'),
    ]);
    return layeredStore(localStorageStore(), localStorageStore({ layout: 'tensorflowjs' }));
  },
  indexeddb: async () => {
    const [{ indexedDbStore }, { layeredStore }] = await Promise.all([
      import('./indexed-db-store.ts'),
      import('./layered-store.ts'),
    ]);
    return layeredStore(indexedDbStore(), indexedDbStore({ layout: 'tensorflowjs' }));
  },
  opfs: async () => (await import('./directory-store.ts')).opfsStore(),
  downloads: async () => (await import('./download-store.ts')).downloadStore(),
};

/** Schemes of the stores in which models can be listed, in the order in which they are. */
export const LISTED_SCHEMES: readonly string[] = ['localstorage', 'indexeddb', 'opfs'];

/** Stores are made once: their connections stay. */
const made = new Map<string, Promise<Store>>();

/** The place that an address names; `undefined` when its scheme is none of a store. */
export async function resolveAddress(address: string): Promise<Place | undefined> {
  const [, scheme = '', key = ''] = /^([A-Za-z]+):(?:\/\/)?(.*)$/s.exec(address) ?? [];
  const name = scheme.toLowerCase();
  if (!Object.hasOwn(SCHEMES, name)) return undefined;
  let store = made.get(name);
  if (store === undefined) {
    store = (SCHEMES[name] as () => Promise<Store>)();
    made.set(name, store);
    // What a host has not now it may have later, in a test or after a permission.
    store.catch(() => made.delete(name));
  }
  return { store: await store, key };
}
