/** Saving: a model, or its weights, to a path or a store. */

import { bytesOfFile } from '../binary/byte-sink.ts';
import { UnsupportedError } from '../errors.ts';
import type { KerasModel } from '../model/keras-model.ts';
import { folderOf, joinKey } from '../storage/store.ts';
import { encoderOf, formatOfName, type SavedFiles, type SaveFormat, unknownFormat } from './save-formats.ts';
import { pathOf, type StoredModel } from './source.ts';

/** Where a model goes: a path (under Node) or `file:` URL, or a key of a store that can write. */
export type SaveDestination = string | URL | StoredModel;

export interface SaveOptions {
  /** By default the one that the name ends in. */
  readonly format?: SaveFormat;
}

/** What was saved. */
export interface SaveReport {
  readonly format: SaveFormat;
  /** Classes and functions that readers must be given: `customObjects` here, `custom_objects` in Python. */
  readonly needs: readonly string[];
  /** What the model says and the file does not. */
  readonly omitted: readonly string[];
}

/** Saves a model; see `KerasModel.save`. */
export async function saveModel(
  model: KerasModel,
  destination: SaveDestination,
  options: SaveOptions,
): Promise<SaveReport> {
  const format = options.format ?? formatOfName(nameOf(destination));
  const files = await (await encoderOf(format))({ model });
  await writeFiles(await placeOf(destination), files);
  return { format, needs: files.needs, omitted: files.omitted };
}

/** Saves weights; see `KerasModel.saveWeights`. */
export async function saveWeights(model: KerasModel, destination: SaveDestination): Promise<SaveReport> {
  const name = nameOf(destination);
  if (!name.endsWith('.weights.h5')) throw unknownFormat(name, 'a name that ends in .weights.h5');
  return await saveModel(model, destination, { format: 'weights.h5' });
}

/**
 * The bytes of a file; see `KerasModel.toBytes`.
 *
 * @throws {UnsupportedError} for a format of several files.
 */
export async function modelBytes(model: KerasModel, { format = 'keras' }: SaveOptions): Promise<Uint8Array> {
  const { file, beside } = await (await encoderOf(format))({ model });
  if (beside === undefined || beside.size === 0) return await bytesOfFile(file);
  throw new UnsupportedError(
    `Cannot give the bytes of a model as "${format}": found ${beside.size + 1} files, expected a format of one; ` +
      'save it to a store, such as memoryStore()',
    `bytes of ${format}`,
  );
}

function nameOf(destination: SaveDestination): string {
  if (typeof destination === 'string') return destination;
  return destination instanceof URL ? destination.pathname : destination.key;
}

async function placeOf(destination: SaveDestination): Promise<StoredModel> {
  if (typeof destination !== 'string' && !(destination instanceof URL)) {
    return { store: destination.store, key: destination.key };
  }
  const address = typeof destination === 'string' ? destination : destination.href;
  const path = await pathOf(address);
  if (path === undefined) {
    const feature = `saving to ${address}`;
    throw new UnsupportedError(`Cannot save to "${address}": expected a path, or a store with a key`, feature);
  }
  const { fileSystemStore } = await import('../storage/file-system-store.ts');
  return { store: fileSystemStore(), key: path };
}

async function writeFiles({ store, key }: StoredModel, { file, beside = new Map() }: SavedFiles): Promise<void> {
  if (store.write === undefined) {
    throw new UnsupportedError(`Cannot save "${key}": ${store.name} cannot write`, `writing to ${store.name}`);
  }
  for (const [path, other] of beside) await store.write(joinKey(folderOf(key), path), other);
  await store.write(key, file);
}
