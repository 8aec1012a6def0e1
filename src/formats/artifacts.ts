/**
 * What a file holds, in one plain record: the seam between formats and everything else. A format turns bytes into this
 * and back, and never sees a layer; the model is built from it without ever seeing a file.
 */
import type { StorageDtype } from '../array/dtype.ts';
import type { Shape } from '../array/shape.ts';
import type { Tensor } from '../array/tensor.ts';

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** One array of a file: known by name, dtype and shape, read when it is asked for. */
export interface WeightEntry {
  /** The name in the file: `dense/kernel:0`, `dense/kernel`, or the index `0` within a group of Keras 3. */
  readonly name: string;
  readonly dtype: StorageDtype;
  readonly shape: Shape;
  /** The file, or the part of it, that holds the bytes; for messages and progress. */
  readonly file: string;
  /** Bytes that have to be fetched for this array. */
  readonly storedBytes: number;
  /** Reads and converts: floats of any width give float32, integers int32, bools bool. */
  read(): Promise<Tensor>;
}

/** A flat list of named arrays, as TensorFlow.js has it. */
export interface NamedWeights {
  readonly kind: 'named';
  readonly entries: readonly WeightEntry[];
}

/** Arrays by layer, in order, as in the legacy HDF5 layout. */
export interface LayerWeights {
  readonly kind: 'layers';
  readonly layers: readonly { readonly name: string; readonly entries: readonly WeightEntry[] }[];
  /** The group `top_level_model_weights`, where it exists. */
  readonly topLevel: readonly WeightEntry[];
}

/** A group of Keras 3: the arrays below `<path>/vars`, by their keys. */
export interface WeightGroup {
  /** Attribute `name` of the group, which Keras 3.6 and later write: the name of the layer. */
  readonly layerName: string | undefined;
  /** The name in the place of the last part of its path that older releases look for, where there is one. */
  readonly oldName?: string | undefined;
  readonly entries: ReadonlyMap<string, WeightEntry>;
}

/** Arrays by path of the object that owns them, as in `.weights.h5` of Keras 3; the root is the empty path. */
export interface PathWeights {
  readonly kind: 'paths';
  readonly groups: ReadonlyMap<string, WeightGroup>;
}

export type Weights = NamedWeights | LayerWeights | PathWeights;

export type FormatName =
  | 'keras'
  | 'weights.h5'
  | 'weights.json'
  | 'hdf5'
  | 'hdf5-weights'
  | 'layers-model'
  | 'safetensors'
  | 'npz'
  /** The configuration alone, as `model.to_json()` gives it. */
  | 'config';

export interface ModelArtifacts {
  readonly format: FormatName;
  /** The file or folder, for messages. */
  readonly source: string;
  /** The model's `{ class_name, config, … }` as the file has it; absent from a weights-only file. */
  readonly topology?: JsonObject;
  /** Version of the Keras that wrote the file, `undefined` where the file does not say (Keras 0.x). */
  readonly kerasVersion?: string;
  /** Keras' backend (`tensorflow`, `theano`, `jax`, …), or `tensor_flow.js`. */
  readonly backend?: string;
  readonly weights?: Weights;
  /** Arguments of `compile` as the file has them. */
  readonly trainingConfig?: JsonObject;
  /** Optimizer state in the order of the file. */
  readonly optimizerWeights?: readonly WeightEntry[];
  readonly userDefinedMetadata?: JsonObject;
  /** Everything else that describes the file: `date_saved`, `generatedBy`, `convertedBy`, … */
  readonly metadata?: JsonObject;
  /** Vocabularies and other files of layers, by path (`layers/string_lookup/vocabulary.txt`). */
  readonly assets?: ReadonlyMap<string, () => Promise<Uint8Array>>;
  /** Parts of the file that no model uses, for the report: states of metrics, which tf.keras saved. */
  readonly ignoredParts?: readonly string[];
}
