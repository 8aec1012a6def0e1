/** The stores of a page, in a real browser. */
import {
  copyModel,
  Dense,
  directoryStore,
  indexedDbStore,
  type KerasModel,
  listModels,
  loadModel,
  localStorageStore,
  modelInfo,
  moveModel,
  NotFoundError,
  opfsStore,
  QuotaError,
  removeModel,
  Sequential,
  type Store,
} from 'hornet';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cdp } from 'vitest/browser';
import { complete, contentOf, expectBytes, patternBytes, pieces, testStore } from '../contracts/store-contract.ts';

let count = 0;

beforeEach(clear);
afterEach(clear);

async function clear(): Promise<void> {
  localStorage.clear();
  const root = await navigator.storage.getDirectory();
  for await (const name of root.keys()) await root.removeEntry(name, { recursive: true });
}

/** A folder that a page has a handle of: picked folders have the same interface, but only a user can pick one. */
async function newFolder(): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  return await root.getDirectoryHandle(`folder-${count++}`, { create: true });
}

describe('localStorageStore()', () => testStore(() => localStorageStore(), { largeBytes: 250_001 }));
describe('indexedDbStore()', () => testStore(() => indexedDbStore({ database: `test-${count++}` })));
describe('indexedDbStore() with files of several parts', () =>
  testStore(() => indexedDbStore({ database: `test-${count++}` }), { largeBytes: (9 << 20) + 7 }));
describe('opfsStore()', () => testStore(() => opfsStore(`test-${count++}/inside`)));
describe('directoryStore()', () => testStore(async () => directoryStore(await newFolder())));

function modelOf(value: number, units = 3): KerasModel {
  const model = new Sequential({ layers: [new Dense({ units, name: 'a' })] });
  model.build([[null, 4]]);
  for (const weight of model.weights) weight.value.data.fill(value);
  return model;
}

async function valueAt(source: string): Promise<number> {
  const model = await loadModel(source);
  const values = new Set(model.getWeights().flatMap(({ data }) => [...(data as Float32Array)]));
  expect(values.size).toBe(1);
  return [...values][0] as number;
}

describe.each(['localstorage://', 'indexeddb://', 'opfs://'])('models at %s', (scheme) => {
  beforeEach(async () => {
    for (const address of Object.keys(await listModels(scheme))) await removeModel(address);
  });

  test('are saved, listed, described, loaded, copied, moved, removed', async () => {
    await modelOf(1).save(`${scheme}first`);
    await modelOf(2).save(`${scheme}folder/second.h5`);
    await modelOf(3).save(`${scheme}third/model.json`);
    expect(Object.keys(await listModels(scheme))).toEqual(
      ['first', 'folder/second.h5', 'third/model.json'].map((name) => scheme + name),
    );
    expect(Object.keys(await listModels())).toContain(`${scheme}first`);
    expect(await modelInfo(`${scheme}first`)).toMatchObject({ format: 'keras', parameterCount: 15 });
    expect(await modelInfo(`${scheme}third/model.json`)).toMatchObject({ format: 'layers-model', weightCount: 2 });
    expect(await valueAt(`${scheme}folder/second.h5`)).toBe(2);
    await modelOf(4).save(`${scheme}first`);
    expect(await valueAt(`${scheme}first`)).toBe(4);
    await copyModel(`${scheme}first`, `${scheme}copy`);
    await moveModel(`${scheme}third/model.json`, `${scheme}moved/model.json`);
    await moveModel(`${scheme}first`, `${scheme}first`);
    expect([await valueAt(`${scheme}copy`), await valueAt(`${scheme}moved/model.json`)]).toEqual([4, 3]);
    await removeModel(`${scheme}first`);
    await expect(loadModel(`${scheme}first`)).rejects.toBeInstanceOf(NotFoundError);
    await expect(removeModel(`${scheme}first`)).rejects.toBeInstanceOf(NotFoundError);
    expect(Object.keys(await listModels(scheme))).toEqual(
      ['copy', 'folder/second.h5', 'moved/model.json'].map((name) => scheme + name),
    );
  });

  test('move to every other store', async () => {
    await modelOf(5).save(`${scheme}m/model.json`);
    let at = `${scheme}m/model.json`;
    for (const other of ['localstorage://', 'indexeddb://', 'opfs://']) {
      const next = `${other}moved-from-${scheme.slice(0, 4)}/model.json`;
      await moveModel(at, next);
      await expect(loadModel(at)).rejects.toBeInstanceOf(NotFoundError);
      at = next;
    }
    expect(await valueAt(at)).toBe(5);
    await removeModel(at);
  });
});

/** As `showSaveFilePicker()` gives one, which only a user can call. */
async function newFile(name: string): Promise<FileSystemFileHandle> {
  return await (await newFolder()).getFileHandle(name, { create: true });
}

test('a handle of a file is saved to, described, copied to and loaded from', async () => {
  const [handle, copy] = [await newFile('picked.h5'), await newFile('copy.h5')];
  const { format } = await modelOf(1).save(handle, { verify: true });
  expect(format).toBe('h5');
  await modelOf(2).save(handle);
  expect(await modelInfo(handle)).toMatchObject({ format: 'hdf5', parameterCount: 15 });
  await copyModel(handle, copy);
  expect((await loadModel(copy)).getWeights()[0]?.data[0]).toBe(2);
});

test('a handle of a file holds no model of several, and stays what it was', async () => {
  const handle = await newFile('model.json');
  await expect(modelOf(1).save(handle)).rejects.toThrow('there is a handle of the file "model.json" alone');
  expect((await handle.getFile()).size).toBe(0);
});

/** As in the draft of the W3C, which Chromium has. */
interface BucketManager {
  open(name: string, options: { quota: number }): Promise<{ readonly indexedDB: IDBFactory }>;
  delete(name: string): Promise<void>;
}

function randomBytes(byteLength: number): Uint8Array {
  const bytes = new Uint8Array(byteLength);
  for (let start = 0; start < byteLength; start += 65_536) {
    crypto.getRandomValues(bytes.subarray(start, start + 65_536));
  }
  return bytes;
}

test('a move onto itself loses nothing, by whatever store', async () => {
  const root = await navigator.storage.getDirectory();
  const [folder, again] = [await newFolder(), await root.getDirectoryHandle(`folder-${count - 1}`)];
  const inside = await folder.getDirectoryHandle('inside', { create: true });
  await modelOf(1).save({ store: directoryStore(folder), key: 'inside/a.keras' });
  await moveModel(
    { store: directoryStore(folder), key: 'inside/a.keras' },
    { store: directoryStore(again), key: 'inside/a.keras' },
  );
  await moveModel(
    { store: directoryStore(inside), key: 'a.keras' },
    { store: directoryStore(again), key: 'inside/a.keras' },
  );
  await moveModel({ store: directoryStore(inside), key: 'a.keras' }, `opfs://${folder.name}/inside/a.keras`);
  expect(await valueAt(`opfs://${folder.name}/inside/a.keras`)).toBe(1);
  await modelOf(2).save('indexeddb://self');
  await moveModel({ store: indexedDbStore(), key: 'self' }, { store: indexedDbStore(), key: 'self' });
  await moveModel('indexeddb://self', { store: indexedDbStore(), key: 'self' });
  expect(await valueAt('indexeddb://self')).toBe(2);
  await removeModel('indexeddb://self');
});

describe('a quota that is met', () => {
  const LIMIT = 3_000_000;
  const setQuota = async (quotaSize?: number): Promise<void> => {
    const session = cdp() as unknown as { send(method: string, parameters: object): Promise<unknown> };
    const parameters = { origin: location.origin, ...(quotaSize === undefined ? {} : { quotaSize }) };
    await session.send('Storage.overrideQuotaForOrigin', parameters);
  };
  afterEach(async () => await setQuota());

  const STORES: readonly [string, () => Store | Promise<Store>][] = [
    ['indexedDbStore()', () => indexedDbStore({ database: `test-${count++}` })],
    ['opfsStore()', () => opfsStore(`test-${count++}`)],
    ['directoryStore()', async () => directoryStore(await newFolder())],
  ];

  test.each(STORES)('%s says what is needed and what is free before anything is written', async (_, make) => {
    const store = complete(await make());
    const old = patternBytes(1000, 1);
    await store.write('a.bin', pieces(old));
    const { estimate } = navigator.storage;
    navigator.storage.estimate = async () => ({ quota: 5_000_000, usage: 2_000_000 });
    try {
      let isAsked = false;
      const writing = store.write('a.bin', {
        byteLength: 3_000_001,
        writeTo: async () => {
          isAsked = true;
        },
      });
      await expect(writing).rejects.toMatchObject({ name: 'QuotaError', neededBytes: 3_000_001, freeBytes: 3_000_000 });
      await expect(writing).rejects.toThrow('3000001 bytes are needed, 3000000 are free');
      expect(isAsked).toBe(false);
    } finally {
      navigator.storage.estimate = estimate;
    }
    expectBytes(await contentOf(store, 'a.bin'), old);
  });

  test.each(STORES.slice(1))(
    '%s meets a quota that the browser did not tell, and leaves the old file',
    async (_, make) => {
      const { usage = 0 } = await navigator.storage.estimate();
      // Chromium remembers for a while how much room there was.
      await setQuota(usage + LIMIT);
      const store = complete(await make());
      const old = patternBytes(1_000_000, 1);
      await store.write('a.bin', pieces(old));
      // What repeats itself is compressed, and fits.
      const error = await store.write('a.bin', pieces(randomBytes(30_000_000))).catch((cause: unknown) => cause);
      expect(error).toBeInstanceOf(QuotaError);
      expect((error as QuotaError).neededBytes).toBe(30_000_000);
      expectBytes(await contentOf(store, 'a.bin'), old);
      expect(await store.list()).toEqual(['a.bin']);
    },
  );

  test('indexedDbStore() meets the quota of its bucket in the middle of a save, and leaves the old file', async () => {
    // For its databases Chromium remembers for a while how much room there was; a bucket of its own has no past.
    const { storageBuckets } = navigator as unknown as { storageBuckets: BucketManager };
    const bucket = await storageBuckets.open('small', { quota: LIMIT });
    const usual = Object.getOwnPropertyDescriptor(globalThis, 'indexedDB') as PropertyDescriptor;
    Object.defineProperty(globalThis, 'indexedDB', { value: bucket.indexedDB, configurable: true });
    try {
      const store = complete(indexedDbStore());
      const old = patternBytes(1_000_000, 1);
      await store.write('a.bin', pieces(old));
      const error = await store.write('a.bin', pieces(randomBytes(30_000_000))).catch((cause: unknown) => cause);
      expect(error).toBeInstanceOf(QuotaError);
      expect((error as QuotaError).neededBytes).toBe(30_000_000);
      expectBytes(await contentOf(store, 'a.bin'), old);
      expect(await store.list()).toEqual(['a.bin']);
    } finally {
      Object.defineProperty(globalThis, 'indexedDB', usual);
      await storageBuckets.delete('small');
    }
  });

  test('localStorage', async () => {
    const store = complete(localStorageStore());
    const old = patternBytes(1_000_000, 1);
    await store.write('a.bin', pieces(old));
    const error = await store.write('a.bin', pieces(new Uint8Array(3_500_000))).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(QuotaError);
    const { neededBytes, freeBytes = 0 } = error as QuotaError;
    expect(neededBytes).toBe(3_500_000);
    expect(freeBytes).toBeLessThan(3_500_000);
    expectBytes(await contentOf(store, 'a.bin'), old);
    // What is said to be free is free.
    await store.write('b.bin', pieces(patternBytes(freeBytes - 5000, 2)));
    expectBytes(await contentOf(store, 'b.bin'), patternBytes(freeBytes - 5000, 2));
  });
});

test('a tab that writes and is closed leaves the old model, and its parts are removed', async () => {
  const database = `test-${count++}`;
  const store = complete(indexedDbStore({ database }));
  await store.write('a.bin', pieces(patternBytes(100, 1)));
  const frame = document.createElement('iframe');
  document.body.append(frame);
  const page = frame.contentWindow as Window & typeof globalThis;
  // A writer of another page holds its lock while it writes; here one that is gone, and one that is alive.
  await put(database, 'parts', 'gone-writer/0/0', new ArrayBuffer(10));
  await put(database, 'parts', 'live-writer/0/0', new ArrayBuffer(10));
  let release = (): void => {};
  void page.navigator.locks.request('hornet-writer:live-writer', async () => {
    await new Promise<void>((resolve) => {
      release = resolve;
    });
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  await store.write('b.bin', pieces(patternBytes(100, 2)));
  expect((await keysOf(database, 'parts')).filter((key) => key.includes('writer'))).toEqual(['live-writer/0/0']);
  release();
  frame.remove();
  await new Promise((resolve) => setTimeout(resolve, 50));
  await store.write('b.bin', pieces(patternBytes(100, 3)));
  expect((await keysOf(database, 'parts')).length).toBe(2);
  expectBytes(await contentOf(store, 'a.bin'), patternBytes(100, 1));
});

async function putFile(folder: FileSystemDirectoryHandle, name: string, text: string): Promise<void> {
  const writable = await (await folder.getFileHandle(name, { create: true })).createWritable();
  await writable.write(text);
  await writable.close();
}

async function namesIn(folder: FileSystemDirectoryHandle): Promise<string[]> {
  const names: string[] = [];
  for await (const name of folder.keys()) names.push(name);
  return names.sort();
}

/** A writer that began so many hours ago, and holds no lock. */
const writerOf = (hoursAgo: number, name: string): string =>
  `${(Date.now() - hoursAgo * 3_600_000).toString(36)}-${name}`;

test('what closed tabs have left among private files goes with the next save: at once, since nobody else writes there', async () => {
  const folder = await newFolder();
  const store = opfsStore(folder.name);
  const [gone, live] = [writerOf(1, 'gone'), writerOf(1, 'live')];
  await putFile(folder, `a.bin.${gone}.part`, 'half of it');
  await putFile(folder, `a.bin.${live}.part`, 'half of it');
  await putFile(folder, 'orphan.bin', 'a shard');
  await putFile(folder, `model.json.${gone}.saving`, '{"added":["orphan.bin"],"replaced":[]}');
  await navigator.locks.request(`hornet-writer:${live}`, async () => {
    await modelOf(1).save({ store, key: 'model.json' });
  });
  const shard = expect.stringMatching(/^group1-shard1of1-[0-9a-f]{16}\.bin$/);
  expect(await namesIn(folder)).toEqual([`a.bin.${live}.part`, shard, 'model.json']);
  await removeModel({ store, key: 'model.json' });
  expect(await namesIn(folder)).toEqual([]);
});

test('in a folder that a user picked it goes a day later, since others may write there', async () => {
  const folder = await newFolder();
  const store = directoryStore(folder);
  for (const [hours, name] of [
    [1, 'new'],
    [30, 'old'],
  ] as const) {
    await putFile(folder, `${name}.bin`, 'a shard');
    await putFile(folder, `model.json.${writerOf(hours, name)}.saving`, `{"added":["${name}.bin"],"replaced":[]}`);
  }
  await modelOf(1).save({ store, key: 'model.json' });
  const names = await namesIn(folder);
  expect(names.filter((name) => /new|old/.test(name))).toEqual([expect.stringMatching(/new\.saving$/), 'new.bin']);
  expect(names.length).toBe(4);
});

async function withStore<T>(database: string, name: string, run: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  return await new Promise((resolve, reject) => {
    const opening = indexedDB.open(database);
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const request = run(opening.result.transaction(name, 'readwrite').objectStore(name));
      request.onsuccess = () => {
        opening.result.close();
        resolve(request.result);
      };
      request.onerror = () => reject(request.error);
    };
  });
}

async function put(database: string, name: string, key: string, value: unknown): Promise<void> {
  await withStore(database, name, (store) => store.put(value, key));
}

async function keysOf(database: string, name: string): Promise<string[]> {
  return (await withStore(database, name, (store) => store.getAllKeys())).map(String);
}
