/** The stores that need nothing but Node, by the contract of stores. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileSystemStore, keyValueStore, localStorageStore, memoryStore } from 'hornet';
import { afterAll, describe } from 'vitest';
import { FakeStorage } from '../support/fake-storage.ts';
import { testStore } from './store-contract.ts';

const folder = mkdtempSync(join(tmpdir(), 'stores-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('memoryStore()', () => testStore(() => memoryStore()));

describe('fileSystemStore()', () => testStore(() => fileSystemStore(mkdtempSync(join(folder, 'store-')))));

describe('keyValueStore() over a map', () => testStore(() => keyValueStore(new Map<string, unknown>())));

describe('keyValueStore() that keeps only text, answers later, and is used by others too', () => {
  testStore(() => {
    const items = new Map<string, string>([
      ['hornet/records/not-ours', 'text'],
      ['settings', '{}'],
    ]);
    return keyValueStore(
      {
        get: async (key) => items.get(key) ?? null,
        set: async (key, value) => {
          if (typeof value !== 'string') throw new TypeError('expected text');
          items.set(key, value);
        },
        delete: async (key) => {
          items.delete(key);
        },
        keys: async () => [...items.keys()],
      },
      { values: 'text', partBytes: 10_007 },
    );
  });
});

describe('localStorageStore()', () => testStore(() => localStorageStore({ storage: new FakeStorage() })));
