import { UnsupportedError } from '../errors.ts';
import { blobOf } from './blob-of.ts';
import { baseNameOf, type Store } from './store.ts';

/** How long a browser may take to begin reading what it was told to download. */
const REVOKE_MS = 60_000;

/**
 * Hands files to the user of the page: the browser stores each as a download. Whether the user keeps it cannot be known.
 *
 * @throws {UnsupportedError} where there is no page.
 */
export function downloadStore(): Store {
  const refuse = (what: string): UnsupportedError =>
    new UnsupportedError(`Cannot ${what}: downloads go to the user's disk; let the user pick the files`, what);
  return {
    name: 'downloads',
    open: async (key) => {
      throw refuse(`read "${key}" from downloads`);
    },
    write: async (key, file) => {
      if (typeof document !== 'object') {
        const feature = 'downloads';
        throw new UnsupportedError(`Cannot download "${key}": this host shows no page`, feature);
      }
      const url = URL.createObjectURL(await blobOf(file));
      const link = document.createElement('a');
      link.href = url;
      link.download = baseNameOf(key);
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), REVOKE_MS);
    },
  };
}
