import { base64Length } from '../binary/base64.ts';
import { keyValueParts } from './key-value-store.ts';
import { fits, itemNames, pageStorage, placeOfStorage, quotaError } from './local-storage.ts';
import { partStore } from './part-store.ts';
import { isQuotaFailure } from './quota.ts';
import type { Store } from './store.ts';
import { localStorageModels } from './tensorflowjs-local-storage.ts';
import { tensorFlowJsStore } from './tensorflowjs-models.ts';

export interface LocalStorageStoreOptions {
  /** What stands in for the page's `localStorage`, such as its `sessionStorage`. */
  readonly storage?: Storage;
  /** What the names of Hornet's items begin with. */
  readonly prefix?: string;
  /** `tensorflowjs` keeps models as TensorFlow.js does, so that it finds them; see `IndexedDbStoreOptions`. */
  readonly layout?: 'hornet' | 'tensorflowjs';
}

const DEFAULT_PREFIX = 'hornet/';

/** Beside the parts: the record and the names. */
const RECORD_CHARACTERS = 1000;

/** The bytes of one item; as Base64 they are text of 256 KB. */
const PART_BYTES = 192 << 10;

/**
 * Keeps files in the page's `localStorage`, as Base64. Browsers give it some five million characters, old and new file
 * together: for small models.
 *
 * @throws {UnsupportedError} where there is no `localStorage`, as in workers and in Node.
 */
export function localStorageStore(options: LocalStorageStoreOptions = {}): Store {
  const { storage = pageStorage(), prefix = DEFAULT_PREFIX, layout = 'hornet' } = options;
  if (layout === 'tensorflowjs') return tensorFlowJsStore(localStorageModels(storage));
  const name = 'localStorage';
  let neededBytes = 0;
  const table = keyValueParts(
    {
      get: (key) => storage.getItem(key),
      set: (key, value) => {
        try {
          storage.setItem(key, String(value));
        } catch (cause) {
          throw isQuotaFailure(cause)
            ? quotaError(storage, neededBytes, charactersFor(neededBytes, prefix), cause)
            : cause;
        }
      },
      delete: (key) => storage.removeItem(key),
      keys: () => itemNames(storage),
    },
    { name, prefix, values: 'text', partBytes: PART_BYTES },
  );
  return partStore({
    ...table,
    place: placeOfStorage(storage) + (prefix === DEFAULT_PREFIX ? '' : `:${prefix}`),
    isPrivate: true,
    checkRoom: async (byteCount) => {
      neededBytes = byteCount;
      const characters = charactersFor(byteCount, prefix);
      if (!fits(storage, characters)) throw quotaError(storage, byteCount, characters);
    },
  });
}

/** What saving so many bytes takes, names and record included. */
function charactersFor(byteCount: number, prefix: string): number {
  return base64Length(byteCount) + RECORD_CHARACTERS + Math.ceil(byteCount / PART_BYTES) * (prefix.length + 40);
}
