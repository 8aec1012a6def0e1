/** A page's `localStorage`: what is in it, and how much more fits. */
import { QuotaError, UnsupportedError } from '../errors.ts';
import { objectId } from './object-id.ts';

/** No browser gives more, so that nothing longer need be tried. */
const MAX_CHARACTERS = 16 << 20;

/** @throws {UnsupportedError} where there is none, as in workers and in Node, or the user forbids it. */
export function pageStorage(): Storage {
  let storage: Storage | undefined;
  try {
    // Where a user forbids it, the property itself throws; Node warns when it is only looked at.
    storage = typeof document === 'object' ? globalThis.localStorage : undefined;
  } catch {
    storage = undefined;
  }
  if (storage === undefined || storage === null) {
    throw new UnsupportedError(
      'Cannot use localStorage: this host has none, or forbids it; use indexedDbStore() or opfsStore() instead',
      'localStorage',
    );
  }
  return storage;
}

/**
 * What tells a storage from others. Both layouts have the same, since an address finds a model in either.
 */
export function placeOfStorage(storage: Storage): string {
  return `localstorage:${objectId(storage)}`;
}

export function itemNames(storage: Storage): string[] {
  return Array.from({ length: storage.length }, (_, index) => storage.key(index)).filter((name) => name !== null);
}

/** Whether so much text can be stored now: the only way to know is to store it. */
export function fits(storage: Storage, characters: number): boolean {
  if (characters > MAX_CHARACTERS) return false;
  const probe = 'hornet-room';
  try {
    storage.setItem(probe, ' '.repeat(characters));
    return true;
  } catch {
    return false;
  } finally {
    storage.removeItem(probe);
  }
}

/** How many characters can be stored now, to a thousand. */
function freeCharacters(storage: Storage): number {
  let low = 0;
  let high = MAX_CHARACTERS;
  while (high - low > 1000) {
    const middle = (low + high) >> 1;
    if (fits(storage, middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** The error for text that does not fit, with the bytes that would: three of them take four characters. */
export function quotaError(storage: Storage, neededBytes: number, characters: number, cause?: unknown): QuotaError {
  const lackingBytes = Math.ceil(((characters - freeCharacters(storage)) * 3) / 4);
  return new QuotaError('localStorage', neededBytes, Math.max(0, neededBytes - lackingBytes), cause);
}
