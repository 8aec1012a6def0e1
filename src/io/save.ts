/** Saving: a model, or its weights, to a path or a store. */

import { bytesOfFile } from '../binary/byte-sink.ts';
import { UnsupportedError } from '../errors.ts';
import type { QuantizedWeight } from '../formats/layers-model/write-layers-model.ts';
import type { KerasModel } from '../model/keras-model.ts';
import { formatOfDestination, nameOf, placeOf, type SaveDestination, type SaveHandler } from './places.ts';
import { encodeFiles, type FormatOptions, type SaveFormat } from './save-formats.ts';
import type { StoredModel } from './source.ts';
import type { Verification } from './verify-saved.ts';
import { type OnSaveProgress, writeFiles } from './write-files.ts';

export interface SaveOptions extends FormatOptions {
  /** By default the one that the name ends in. */
  readonly format?: SaveFormat;
  /**
   * Load what was written, and compare weights and predictions with the model's; false unless given. What is not the same
   * is an error, and the old model stays where the store lets one look before. Of quantized weights each may be off by its
   * largest error, and predictions by `tolerance`, when there is one.
   */
  readonly verify?: boolean | { readonly tolerance: number };
  /** Hears how far the save is. */
  readonly onProgress?: OnSaveProgress;
  /** Ends the save; it rejects with the signal's reason, and what was there before stays. */
  readonly signal?: AbortSignal;
}

export type BytesOptions = FormatOptions & Pick<SaveOptions, 'format'>;

export type { SaveDestination, SaveHandler };

/** What was saved. */
export interface SaveReport {
  readonly format: SaveFormat;
  /** Classes and functions that readers must be given: `customObjects` here, `custom_objects` in Python. */
  readonly needs: readonly string[];
  /** What the model says and the file does not. */
  readonly omitted: readonly string[];
  /** What the model has and tf_keras does not, so that Keras 3 alone reads the file; for formats that both read. */
  readonly keras3Only?: readonly string[];
  /** What TensorFlow.js 4.22 cannot load, or computes otherwise; for its own format. */
  readonly notInTensorflowJs?: readonly string[];
  /** The weights that are stored in fewer bits, and how far each is off at most. */
  readonly quantized?: readonly QuantizedWeight[];
  /** What `verify` found. */
  readonly verified?: Verification;
  /** What a save handler answered: TensorFlow.js' `SaveResult`. */
  readonly handlerResult?: unknown;
}

/** Saves a model; see `KerasModel.save`. */
export async function saveModel(
  model: KerasModel,
  destination: SaveDestination | SaveHandler,
  options: SaveOptions,
): Promise<SaveReport> {
  if (isSaveHandler(destination)) return await saveToHandler(model, destination, options);
  const { format = formatOfDestination(destination), verify = false, onProgress, signal, ...formatOptions } = options;
  const encoded = await encodeFiles(format, model, { ...formatOptions, destination: nameOf(destination) });
  const { file, beside = new Map(), besideOf, lasting, nameInFolder, ...said } = encoded;
  const place = await placeOf(destination, format);
  let verified: Verification | undefined;
  const check = async (written: StoredModel, isInPlace: boolean): Promise<void> => {
    const { verifySaved } = await import('./verify-saved.ts');
    const tolerance = typeof verify === 'object' ? verify.tolerance : undefined;
    verified = await verifySaved(model, written, { tolerance, isInPlace, format, options, quantized: said.quantized });
  };
  await writeFiles(
    place,
    { file, beside, besideOf, lasting, nameInFolder },
    {
      onProgress,
      signal,
      check: verify === false ? undefined : check,
    },
  );
  return { format, ...said, ...(verified === undefined ? {} : { verified }) };
}

/** Hands a model over. Nothing of it is in a file, so there is nothing to make of the options for files. */
async function saveToHandler(
  model: KerasModel,
  handler: SaveHandler,
  { format = 'layers-model', verify = false, onProgress, signal, ...options }: SaveOptions,
): Promise<SaveReport> {
  if (verify !== false) {
    const feature = 'verify with a save handler';
    throw new UnsupportedError(`Cannot save model "${model.name}" with ${feature}: there is nothing to load`, feature);
  }
  if (format !== 'layers-model') {
    const found = `"${format}" for a save handler`;
    throw new UnsupportedError(`Cannot save model "${model.name}": found ${found}, expected "layers-model"`, found);
  }
  signal?.throwIfAborted();
  const { describeArtifacts } = await import('./to-artifacts.ts');
  const { artifacts, report } = await describeArtifacts(model, options);
  signal?.throwIfAborted();
  const handlerResult = await handler.save(artifacts);
  onProgress?.(1, { savedBytes: 1, totalBytes: 1, file: '' });
  return { format, ...report, handlerResult };
}

function isSaveHandler(destination: SaveDestination | SaveHandler): destination is SaveHandler {
  return typeof destination === 'object' && 'save' in destination && typeof destination.save === 'function';
}

/** Saves weights; see `KerasModel.saveWeights`. */
export async function saveWeights(
  model: KerasModel,
  destination: SaveDestination,
  options: SaveOptions = {},
): Promise<SaveReport> {
  return await saveModel(model, destination, { format: formatOfDestination(destination, 'weights'), ...options });
}

/**
 * The bytes of a file; see `KerasModel.toBytes`.
 *
 * @throws {UnsupportedError} for a format of several files.
 */
export async function modelBytes(
  model: KerasModel,
  { format = 'keras', ...formatOptions }: BytesOptions,
): Promise<Uint8Array> {
  const { file, beside } = await encodeFiles(format, model, formatOptions);
  if (beside === undefined || beside.size === 0) return await bytesOfFile(file);
  throw new UnsupportedError(
    `Cannot give the bytes of a model as "${format}": found ${beside.size + 1} files, expected a format of one; ` +
      'save it to a store, such as memoryStore()',
    `bytes of ${format}`,
  );
}
