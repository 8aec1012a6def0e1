/** Saving: a model, or its weights, to a path or a store. */

import { bytesOfFile } from '../binary/byte-sink.ts';
import { UnsupportedError } from '../errors.ts';
import type { KerasModel } from '../model/keras-model.ts';
import { formatOfDestination, placeOf, type SaveDestination, writeFiles } from './places.ts';
import { encoderOf, type SaveFormat } from './save-formats.ts';

export interface SaveOptions {
  /** By default the one that the name ends in. */
  readonly format?: SaveFormat;
}

export type { SaveDestination };

/** What was saved. */
export interface SaveReport {
  readonly format: SaveFormat;
  /** Classes and functions that readers must be given: `customObjects` here, `custom_objects` in Python. */
  readonly needs: readonly string[];
  /** What the model says and the file does not. */
  readonly omitted: readonly string[];
  /** What the model has and tf_keras does not, so that Keras 3 alone reads the file; for formats that both read. */
  readonly keras3Only?: readonly string[];
}

/** Saves a model; see `KerasModel.save`. */
export async function saveModel(
  model: KerasModel,
  destination: SaveDestination,
  options: SaveOptions,
): Promise<SaveReport> {
  const format = options.format ?? formatOfDestination(destination);
  const files = await (await encoderOf(format))({ model });
  await writeFiles(await placeOf(destination, format), files);
  const { needs, omitted, keras3Only } = files;
  return { format, needs, omitted, ...(keras3Only === undefined ? {} : { keras3Only }) };
}

/** Saves weights; see `KerasModel.saveWeights`. */
export async function saveWeights(model: KerasModel, destination: SaveDestination): Promise<SaveReport> {
  return await saveModel(model, destination, { format: formatOfDestination(destination, 'weights') });
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
