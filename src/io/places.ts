/** Where models go: from what a caller names to a store and a key. */
import { UnsupportedError } from '../errors.ts';
import { formatOfName, type SaveFormat } from './save-formats.ts';
import { isFileHandle, pathOf, placeInPage, type StoredModel } from './source.ts';
import type { LayersModelArtifacts } from './to-artifacts.ts';

/**
 * Where a model goes: a path (under Node), a web address, an address of a page's store (`indexeddb://name`), a key of a
 * store that can write, or a file that a user picked by `showSaveFilePicker()`.
 */
export type SaveDestination = string | URL | StoredModel | FileSystemFileHandle;

/** Anything that saves a model as TensorFlow.js' handlers do: takes a topology, weight specifications and weight data. */
export interface SaveHandler {
  save(artifacts: LayersModelArtifacts): Promise<unknown>;
}

/** Stores whose keys are names rather than files: what has no ending there is a `.keras`. */
const NAME_SCHEME = /^(?:indexeddb|localstorage|opfs|downloads):/i;

const WEB_SCHEME = /^https?:/i;

/**
 * The format that a destination's name stands for.
 *
 * @throws {UnsupportedError} when it stands for none.
 */
export function formatOfDestination(destination: SaveDestination, kind?: 'weights'): SaveFormat {
  const name = nameOf(destination);
  const address = addressOf(destination);
  try {
    return formatOfName(name, kind);
  } catch (error) {
    if (address !== undefined && NAME_SCHEME.test(address)) return kind === 'weights' ? 'weights.h5' : 'keras';
    // TensorFlow.js sends models to addresses that take forms.
    if (address !== undefined && WEB_SCHEME.test(address) && kind === undefined) return 'layers-model';
    throw error;
  }
}

/** The name that a message gives to a destination, and that its format is told by. */
export function nameOf(destination: SaveDestination): string {
  if (typeof destination === 'string')
    return WEB_SCHEME.test(destination) ? new URL(destination).pathname : destination;
  if (destination instanceof URL) return destination.pathname;
  return isFileHandle(destination) ? destination.name : destination.key;
}

function addressOf(destination: SaveDestination): string | undefined {
  if (destination instanceof URL) return destination.href;
  return typeof destination === 'string' ? destination : undefined;
}

/**
 * The store and the key that a destination names.
 *
 * @throws {UnsupportedError} for schemes that are not known, and stores that this host does not have.
 */
export async function placeOf(destination: SaveDestination, format?: SaveFormat): Promise<StoredModel> {
  const address = addressOf(destination);
  if (address === undefined) {
    const given = destination as StoredModel | FileSystemFileHandle;
    if (!isFileHandle(given)) return { store: given.store, key: given.key };
    const { fileHandleStore } = await import('../storage/directory-store.ts');
    return { store: fileHandleStore(given), key: given.name };
  }
  const path = await pathOf(address);
  if (path !== undefined) {
    const { fileSystemStore } = await import('../storage/file-system-store.ts');
    return { store: fileSystemStore(), key: path };
  }
  const place = await placeInPage(address);
  if (place !== undefined) return /^downloads:/i.test(address) ? withEnding(place, format) : place;
  const [scheme] = /^[A-Za-z][A-Za-z0-9+.-]+:/.exec(address) ?? [];
  if (scheme !== undefined && !WEB_SCHEME.test(scheme)) {
    const expected = 'a path, a web address, indexeddb:, localstorage:, opfs:, downloads:, or a store with a key';
    throw new UnsupportedError(`Cannot use "${address}": found ${scheme}, expected ${expected}`, scheme);
  }
  return await placeOnWeb(address, format);
}

/** What a user finds among the downloads should say what it is. */
function withEnding({ store, key }: StoredModel, format: SaveFormat | undefined): StoredModel {
  const hasEnding = /\.(?:json|keras|h5|hdf5|safetensors|npz)$/.test(key);
  const ending = format === 'layers-model' ? 'json' : (format ?? 'keras').replace('h5-weights', 'h5');
  return { store, key: hasEnding ? key : `${key === '' ? 'model' : key}.${ending}` };
}

/**
 * The folder is the store, so that what lies beside the model has an address too; a query goes with every file. To an
 * address whose name has no ending a layers-model goes in one request, as TensorFlow.js sends it.
 */
async function placeOnWeb(address: string, format: SaveFormat | undefined): Promise<StoredModel> {
  const { httpStore } = await import('../storage/http-store.ts');
  const [, location = '', query = ''] = /^([^?#]*)(\?[^#]*)?/.exec(address) ?? [];
  const folder = location.slice(0, location.lastIndexOf('/') + 1);
  const name = location.slice(folder.length);
  if (format === 'layers-model' && name !== '' && !name.includes('.')) {
    return { store: httpStore(address, { upload: 'multipart' }), key: 'model.json' };
  }
  return { store: httpStore(folder + query), key: decodeURIComponent(name) };
}
