/** The formats that models are saved in: a row for each, whose code is loaded when it is first used. */
import type { WritableFile } from '../binary/byte-sink.ts';
import { UnsupportedError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../formats/artifacts.ts';
import { isJsonObject } from '../formats/json.ts';
import type { QuantizedWeight } from '../formats/layers-model/write-layers-model.ts';
import type { KerasModel } from '../model/keras-model.ts';
import { encodeValue } from '../serialization/encode-values.ts';
import type { Logs } from '../training/callbacks/callback.ts';
import type { Quantize } from './quantize-rule.ts';
import { encodeMetrics } from './saved-metrics.ts';

/**
 * `keras`, `h5` and `layers-model` are whole models, the others weights alone: `weights.h5` and `weights.json` (shards) as
 * Keras 3 has them, `h5-weights` as Keras 2 does, and by name in the formats of other libraries.
 */
export type SaveFormat =
  | 'keras'
  | 'h5'
  | 'layers-model'
  | 'weights.h5'
  | 'weights.json'
  | 'h5-weights'
  | 'safetensors'
  | 'npz';

/** What some formats can do and others cannot; to ask a format for what it cannot do is an error. */
export interface FormatOptions {
  /** Plain JSON that goes with the model, by default what the model was loaded with. */
  readonly metadata?: JsonObject;
  /** When the model was saved. Nothing tells the time unless asked: the same model gives the same file. */
  readonly date?: Date;
  /** What was measured of the model, by default what its training measured last; `{}` for nothing. */
  readonly metrics?: Logs;
  /** Save how the model is trained, and the state of its optimizer, when it is compiled; true unless given. */
  readonly includeOptimizer?: boolean;
  /** Leave out weights that training does not change; false unless given. */
  readonly trainableOnly?: boolean;
  /** Store floats in fewer bits: all of them, or by the names of weights. */
  readonly quantize?: Quantize;
  /** Bytes of each file of weights; as TensorFlow.js has it 4 MB, as Keras has it 5 GB unless given. */
  readonly shardSize?: number;
  /** Put the weights of each layer into files of their own; false unless given. */
  readonly splitByLayer?: boolean;
  /**
   * Whose `.h5` it is; both Keras read either, as far as they have what is in it. With 2, what tf_keras lacks is an error,
   * `hard_sigmoid` means what it did in Keras 2, and tf_keras trains on from the state of the optimizer, which Keras 3
   * cannot do from any `.h5`. 3 unless given.
   */
  readonly kerasVersion?: 2 | 3;
}

/** What is to be saved, and how. */
export interface SaveRequest extends Omit<FormatOptions, 'metrics'> {
  readonly model: KerasModel;
  /** As files say it. */
  readonly metrics?: JsonObject;
  /** What the file will be called, where that is known. */
  readonly destination?: string;
}

/** What a format makes of a model. Nothing of it is written yet. */
export interface SavedFiles {
  /** The file that the destination names. */
  readonly file: WritableFile;
  /** What that is called where the destination is a folder. */
  readonly nameInFolder?: string | undefined;
  /** Those beside it, by their path relative to it; they are written before it, since it is what refers to them. */
  readonly beside?: ReadonlyMap<string, WritableFile>;
  /** The files beside that a file of this format names, given its bytes: they are removed when it is replaced. */
  readonly besideOf?: ((bytes: Uint8Array) => readonly string[]) | undefined;
  /** Those beside that stay when the save fails, since what was there before names them too. */
  readonly lasting?: readonly string[] | undefined;
  /** Classes and functions that readers must be given: `customObjects` here, `custom_objects` in Python. */
  readonly needs: readonly string[];
  /** What the model says and the files do not. */
  readonly omitted: readonly string[];
  /** What the model has and tf_keras does not, so that Keras 3 alone reads the files; for formats that both read. */
  readonly keras3Only?: readonly string[];
  /** What TensorFlow.js 4.22 cannot load, or computes otherwise; for its own format. */
  readonly notInTensorflowJs?: readonly string[];
  /** The weights that are stored in fewer bits. */
  readonly quantized?: readonly QuantizedWeight[];
}

/** Makes the files of one format; called anew for every save. */
export type SaveEncoder = (request: SaveRequest) => Promise<SavedFiles>;

interface FormatRow {
  readonly format: SaveFormat;
  /** What the name of a destination ends in when this format is meant; rows above go first. */
  readonly endings: readonly string[];
  /** What the format holds; a whole model unless given. */
  readonly holds?: 'weights';
  /** The options that it has a use for. */
  readonly takes?: readonly (keyof FormatOptions)[];
  readonly load: () => Promise<SaveEncoder>;
}

const FORMATS: readonly FormatRow[] = [
  {
    format: 'weights.h5',
    endings: ['.weights.h5'],
    holds: 'weights',
    takes: ['metadata', 'date', 'metrics', 'includeOptimizer'],
    load: async () => (await import('./save-keras.ts')).encodeWeightsFile,
  },
  {
    format: 'h5',
    endings: ['.h5', '.hdf5'],
    takes: ['metadata', 'date', 'metrics', 'includeOptimizer', 'kerasVersion'],
    load: async () => (await import('./save-hdf5.ts')).encodeHdf5File,
  },
  {
    format: 'h5-weights',
    endings: ['.h5', '.hdf5'],
    holds: 'weights',
    takes: ['metadata', 'date', 'metrics'],
    load: async () => (await import('./save-hdf5.ts')).encodeHdf5Weights,
  },
  {
    format: 'keras',
    endings: ['.keras'],
    takes: ['metadata', 'date', 'metrics', 'includeOptimizer'],
    load: async () => (await import('./save-keras.ts')).encodeKerasFile,
  },
  {
    format: 'weights.json',
    endings: ['.weights.json'],
    holds: 'weights',
    takes: ['metadata', 'date', 'metrics', 'shardSize', 'includeOptimizer'],
    load: async () => (await import('./save-sharded.ts')).encodeShardedWeights,
  },
  {
    format: 'safetensors',
    endings: ['.safetensors'],
    holds: 'weights',
    takes: ['metadata', 'date', 'metrics', 'trainableOnly'],
    load: async () => (await import('./save-named.ts')).encodeSafetensors,
  },
  {
    format: 'npz',
    endings: ['.npz'],
    holds: 'weights',
    takes: ['trainableOnly'],
    load: async () => (await import('./save-named.ts')).encodeNpz,
  },
  {
    format: 'layers-model',
    endings: ['.json', '/'],
    takes: [
      'metadata',
      'date',
      'metrics',
      'includeOptimizer',
      'trainableOnly',
      'quantize',
      'shardSize',
      'splitByLayer',
    ],
    load: async () => (await import('./save-layers-model.ts')).encodeLayersModel,
  },
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

/** Whether a format holds a whole model, or its weights alone. */
export function formatHolds(format: SaveFormat): 'model' | 'weights' {
  return FORMATS.find((row) => row.format === format)?.holds ?? 'model';
}

/**
 * Makes the files of a model in a format.
 *
 * @param options.measured In place of what the model's training measured last.
 * @throws {UnsupportedError} when there is no such format, or an option is none of its own.
 */
export async function encodeFiles(
  format: SaveFormat,
  model: KerasModel,
  options: FormatOptions & Pick<SaveRequest, 'destination'> & { readonly measured?: Logs | undefined },
): Promise<SavedFiles> {
  const row = FORMATS.find((one) => one.format === format);
  if (row === undefined) {
    throw unknownFormat(String(format), `one of ${FORMATS.map((one) => one.format).join(', ')}`);
  }
  for (const option of FORMAT_OPTIONS) {
    // What is off is so in every format.
    if (options[option] === undefined || options[option] === false || row.takes?.includes(option)) continue;
    const others = FORMATS.filter(({ takes }) => takes?.includes(option)).map((one) => `"${one.format}"`);
    throw new UnsupportedError(
      `Cannot save model "${model.name}" as "${format}" with the option ${option}: only ${others.join(' and ')} can do that`,
      `${option} in ${format}`,
    );
  }
  const { metadata: given = model.userDefinedMetadata, measured = model.trainingLogs, ...others } = options;
  const metadata = given && checkedMetadata(given, model.name);
  const metrics = encodeMetrics(options.metrics ?? measured);
  const encode = await row.load();
  const lost: string[] = [];
  const described = {
    ...(metadata === undefined ? {} : { metadata }),
    ...(metrics === undefined ? {} : { metrics }),
  };
  for (const [option, what] of [
    ['metadata', 'the metadata of the model'],
    ['metrics', 'what its training measured'],
  ] as const) {
    if (described[option] === undefined || row.takes?.includes(option)) continue;
    delete described[option];
    lost.push(`${what}, which the format has no room for`);
  }
  const { metrics: _, ...request } = others;
  const files = await encode({ ...request, ...described, model });
  return lost.length === 0 ? files : { ...files, omitted: [...files.omitted, ...lost] };
}

/** All of them, which the compiler sees to. */
const FORMAT_OPTIONS = Object.keys({
  metadata: true,
  date: true,
  metrics: true,
  includeOptimizer: true,
  trainableOnly: true,
  quantize: true,
  shardSize: true,
  splitByLayer: true,
  kerasVersion: true,
} satisfies { readonly [O in keyof Required<FormatOptions>]: true }) as readonly (keyof FormatOptions)[];

/** Metadata as every reader of JSON takes it: without functions, and numbers that have digits. */
function checkedMetadata(metadata: JsonObject, model: string): JsonObject {
  const check = (value: unknown): JsonValue => {
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw new UnsupportedError(
        `Cannot save the metadata of model "${model}": found ${value}`,
        `${value} in metadata`,
      );
    }
    if (Array.isArray(value)) return value.map(check);
    const plain = encodeValue(value, `the metadata of model "${model}"`);
    if (!isJsonObject(plain)) return plain;
    return Object.fromEntries(Object.entries(plain).map(([key, element]) => [key, check(element)]));
  };
  return check(metadata) as JsonObject;
}

function unknownFormat(found: string, expected: string): UnsupportedError {
  return new UnsupportedError(`Cannot save a model: found "${found}", expected ${expected}`, `saving as ${found}`);
}
