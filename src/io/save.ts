/** Saving: a model, or its weights, to a path or a store. */

import { bytesOfFile, type WritableFile } from '../binary/byte-sink.ts';
import { UnsupportedError } from '../errors.ts';
import { writeKeras } from '../formats/keras/write-keras.ts';
import { writePathWeights } from '../formats/keras/write-path-weights.ts';
import type { KerasModel } from '../model/keras-model.ts';
import { assetsOf, modelArtifacts, pathWeightsOf } from '../serialization/encode-model.ts';
import { pathOf, type StoredModel } from './source.ts';

/** Where a model goes: a path (under Node) or `file:` URL, or a key of a store that can write. */
export type SaveDestination = string | URL | StoredModel;

/** `keras` is the whole model, `weights.h5` its weights alone. */
export type SaveFormat = 'keras' | 'weights.h5';

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

interface Prepared {
  readonly file: WritableFile;
  readonly report: SaveReport;
}

/** Saves a model; see `KerasModel.save`. */
export async function saveModel(
  model: KerasModel,
  destination: SaveDestination,
  options: SaveOptions,
): Promise<SaveReport> {
  const { file, report } = await prepare(model, options.format ?? formatOf(nameOf(destination)));
  await writeTo(destination, file);
  return report;
}

/** Saves weights; see `KerasModel.saveWeights`. */
export async function saveWeights(model: KerasModel, destination: SaveDestination): Promise<SaveReport> {
  const name = nameOf(destination);
  if (!name.endsWith('.weights.h5')) throw unknownFormat(name, 'a name that ends in .weights.h5');
  return await saveModel(model, destination, { format: 'weights.h5' });
}

/** The bytes of a file; see `KerasModel.toBytes`. */
export async function modelBytes(model: KerasModel, { format = 'keras' }: SaveOptions): Promise<Uint8Array> {
  return await bytesOfFile((await prepare(model, format)).file);
}

async function prepare(model: KerasModel, format: SaveFormat): Promise<Prepared> {
  if (format === 'weights.h5') {
    const omitted = [...assetsOf(model).keys()].map(
      (path) => `the file "${path}", which a .weights.h5 has no room for`,
    );
    return { file: writePathWeights(pathWeightsOf(model), model.name), report: { format, needs: [], omitted } };
  }
  if (format !== 'keras') throw unknownFormat(String(format), 'the format "keras" or "weights.h5"');
  const { artifacts, needs, omitted } = await modelArtifacts(model);
  return { file: await writeKeras(artifacts), report: { format, needs, omitted } };
}

function nameOf(destination: SaveDestination): string {
  if (typeof destination === 'string') return destination;
  return destination instanceof URL ? destination.pathname : destination.key;
}

function formatOf(name: string): SaveFormat {
  if (name.endsWith('.keras')) return 'keras';
  if (name.endsWith('.weights.h5')) return 'weights.h5';
  throw unknownFormat(name, 'a name that ends in .keras or .weights.h5, or the option format');
}

function unknownFormat(found: string, expected: string): UnsupportedError {
  return new UnsupportedError(`Cannot save a model: found "${found}", expected ${expected}`, `saving as ${found}`);
}

async function writeTo(destination: SaveDestination, file: WritableFile): Promise<void> {
  if (typeof destination !== 'string' && !(destination instanceof URL)) {
    const { store, key } = destination;
    if (store.write === undefined) {
      throw new UnsupportedError(`Cannot save "${key}": ${store.name} cannot write`, `writing to ${store.name}`);
    }
    await store.write(key, file);
    return;
  }
  const address = typeof destination === 'string' ? destination : destination.href;
  const path = await pathOf(address);
  if (path === undefined) {
    const feature = `saving to ${address}`;
    throw new UnsupportedError(`Cannot save to "${address}": expected a path, or a store with a key`, feature);
  }
  const { writePath } = await import('../storage/file-system-store.ts');
  await writePath(path, file);
}
