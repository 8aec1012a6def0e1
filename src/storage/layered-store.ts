import { NotFoundError } from '../errors.ts';
import { objectId } from './object-id.ts';
import type { Store } from './store.ts';

/**
 * Two stores under one name: what is written goes into the first, what is read comes from the one in which it is newer,
 * what is removed is removed from both.
 */
export function layeredStore(first: Store, second: Store): Store {
  const stores = [first, second];
  const newest = async (key: string): Promise<Store> => {
    const dates = await Promise.all(stores.map((store) => dateOf(store, key)));
    const [one, other] = dates;
    if (one === undefined && other === undefined) {
      throw new NotFoundError(`Cannot read "${key}": ${first.name} has no file of that name`, key);
    }
    return (other ?? Number.NEGATIVE_INFINITY) > (one ?? Number.NEGATIVE_INFINITY) ? second : first;
  };
  return {
    name: first.name,
    ...(first.isPrivate === undefined ? {} : { isPrivate: first.isPrivate }),
    open: async (key, options) => await (await newest(key)).open(key, options),
    write: async (key, file, options) => await first.write?.(key, file, options),
    writeAll: async (files, options) => await first.writeAll?.(files, options),
    placeOf: async (key) => (await first.placeOf?.(key)) ?? `${objectId(first)}/${key}`,
    list: async (folder) => [
      ...new Set((await Promise.all(stores.map(async (store) => (await store.list?.(folder)) ?? []))).flat()),
    ],
    remove: async (key) => {
      // The older first: otherwise it would come to light in between.
      const newer = await newest(key).catch(() => first);
      for (const store of [newer === first ? second : first, newer]) await store.remove?.(key);
    },
    info: async (key) => (await (await newest(key)).info?.(key)) ?? { byteLength: (await first.open(key)).byteLength },
  };
}

async function dateOf(store: Store, key: string): Promise<number | undefined> {
  try {
    return (await store.info?.(key))?.modifiedAt?.getTime() ?? 0;
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}
