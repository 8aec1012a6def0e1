/** The formats that models are saved in: a row for each, whose code is loaded when it is first used. */
import type { WritableFile } from '../binary/byte-sink.ts';
import { UnsupportedError } from '../errors.ts';
import type { KerasModel } from '../model/keras-model.ts';

/** `keras` and `h5` are the whole model, `weights.h5` (of Keras 3) and `h5-weights` its weights alone. */
export type SaveFormat = 'keras' | 'weights.h5' | 'h5' | 'h5-weights';

/** What is to be saved, and how. */
export interface SaveRequest {
  readonly model: KerasModel;
}

/** What a format makes of a model. Nothing of it is written yet. */
export interface SavedFiles {
  /** The file that the destination names. */
  readonly file: WritableFile;
  /** Those beside it, by their path relative to it; they are written before it, since it is what refers to them. */
  readonly beside?: ReadonlyMap<string, WritableFile>;
  /** Classes and functions that readers must be given: `customObjects` here, `custom_objects` in Python. */
  readonly needs: readonly string[];
  /** What the model says and the files do not. */
  readonly omitted: readonly string[];
  /** What the model has and tf_keras does not, so that Keras 3 alone reads the files; for formats that both read. */
  readonly keras3Only?: readonly string[];
}

/** Makes the files of one format; called anew for every save. */
export type SaveEncoder = (request: SaveRequest) => Promise<SavedFiles>;

interface FormatRow {
  readonly format: SaveFormat;
  /** What the name of a destination ends in when this format is meant; rows above go first. */
  readonly endings: readonly string[];
  /** What the format holds; a whole model unless given. */
  readonly holds?: 'weights';
  readonly load: () => Promise<SaveEncoder>;
}

const FORMATS: readonly FormatRow[] = [
  {
    format: 'weights.h5',
    endings: ['.weights.h5'],
    holds: 'weights',
    load: async () => (await import('./save-keras.ts')).encodeWeightsFile,
  },
  { format: 'h5', endings: ['.h5', '.hdf5'], load: async () => (await import('./save-hdf5.ts')).encodeHdf5File },
  {
    format: 'h5-weights',
    endings: ['.h5', '.hdf5'],
    holds: 'weights',
    load: async () => (await import('./save-hdf5.ts')).encodeHdf5Weights,
  },
  { format: 'keras', endings: ['.keras'], load: async () => (await import('./save-keras.ts')).encodeKerasFile },
];

/**
 * The format of a name, of those that hold weights alone where no more is asked for.
 *
 * @throws {UnsupportedError} when the name ends in nothing that stands for a format.
 */
export function formatOfName(name: string, holds?: 'weights'): SaveFormat {
  const rows = holds === undefined ? FORMATS : FORMATS.filter((row) => row.holds === holds);
  const row = rows.find(({ endings }) => endings.some((ending) => name.endsWith(ending)));
  if (row !== undefined) return row.format;
  const endings = new Set(rows.flatMap((one) => one.endings));
  throw unknownFormat(name, `a name that ends in one of ${[...endings].join(', ')}, or the option format`);
}

/** @throws {UnsupportedError} when there is no such format. */
export async function encoderOf(format: SaveFormat): Promise<SaveEncoder> {
  const row = FORMATS.find((one) => one.format === format);
  if (row !== undefined) return await row.load();
  throw unknownFormat(String(format), `one of ${FORMATS.map((one) => one.format).join(', ')}`);
}

function unknownFormat(found: string, expected: string): UnsupportedError {
  return new UnsupportedError(`Cannot save a model: found "${found}", expected ${expected}`, `saving as ${found}`);
}
