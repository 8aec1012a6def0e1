/**
 * Layers as the JSON of Keras 3, in the form that every release from 3.0 on reads: options equal to their defaults are
 * left out (older releases refuse options that they do not know), dtypes are plain names, nothing is shared by number.
 *
 * The same JSON with every option in it is what `encode-layers-model.ts` starts from, as defaults have changed since.
 * Names of classes in here say which of them and of their options releases of Keras have, which layers here do not know.
 */
import { UnsupportedError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../formats/artifacts.ts';
import type { Activation } from '../layers/activation.ts';
import { resolveActivation } from '../layers/activation.ts';
import { createConstraint } from '../layers/constraints.ts';
import type { Field } from '../layers/fields.ts';
import { createInitializer } from '../layers/initializers.ts';
import { InputLayer } from '../layers/input-layer.ts';
import type { KerasObject } from '../layers/keras-object.ts';
import type { Layer } from '../layers/layer.ts';
import { createRegularizer } from '../layers/regularizers.ts';
import type { LayerClass } from './custom-objects.ts';
import { customObject, encodeValue, isSameJson, kerasObject, underscoredOf } from './encode-values.ts';

/** Classes of Keras 1 and 2 that Keras 3 does not have; a reader must bring them along, as those of a user. */
const NOT_IN_KERAS_3: ReadonlySet<string> = new Set([
  'ConvLSTM2DCell',
  'CuDNNGRU',
  'CuDNNLSTM',
  'LocallyConnected1D',
  'LocallyConnected2D',
  'RandomHeight',
  'RandomWidth',
  'ThresholdedReLU',
]);

/** Options that only Hornet has, which follow from the file that a model was loaded from. */
const OWN_OPTIONS: ReadonlySet<string> = new Set(['maskJoin', 'sameCuts', 'takesMasks']);

/** Options of Keras 2 that its successor works out by itself. */
const DROPPED_OPTIONS: ReadonlySet<string> = new Set(['numConstants', 'hasInputVocabulary', 'vocabularySize']);

/** Options of Keras 2 without a counterpart in Keras 3, with what stands for them there. */
const LOST_OPTIONS: { readonly [className: string]: Readonly<Record<string, string>> } = {
  LayerNormalization: { rmsScaling: 'use RMSNormalization' },
  Cropping1D: { dataFormat: 'permute the axes first' },
  RandomCrop: { resizeAtInference: 'resize with a Resizing layer' },
};

/** Layers whose `data_format` is always told, since a reader's own settings decide what it is by default. */
const HAS_DATA_FORMAT =
  /^(Conv\dD|Conv\dDTranspose|ConvLSTM\dD|DepthwiseConv\dD|SeparableConv\dD|(Global)?(Max|Average)Pooling\dD|UpSampling[23]D|ZeroPadding[23]D|Cropping[23]D|Flatten|SpatialDropout[23]D)$/;

/** Options without which Keras makes no such object from a configuration, though some have defaults. */
const NEEDED_OPTIONS: { readonly [className: string]: readonly string[] } = {
  AveragePooling1D: ['poolSize'],
  AveragePooling2D: ['poolSize'],
  AveragePooling3D: ['poolSize'],
  Rescaling: ['scale', 'offset'],
  TextVectorization: ['standardize', 'split', 'ngrams'],
  Constant: ['value'],
};

/** The spelling of a few initializers that every release reads. */
const INITIALIZER_NAMES: Readonly<Record<string, string>> = {
  Orthogonal: 'OrthogonalInitializer',
  Identity: 'IdentityInitializer',
  STFT: 'STFTInitializer',
};

/** Activations that have two names, by the one that is not written. */
const ACTIVATION_NAMES: Readonly<Record<string, string>> = { hard_swish: 'hard_silu', swish: 'silu' };

/** Encodes a model: given from outside, since models contain layers and layers models. */
export type EncodeModel = (encoder: LayerEncoder, model: Layer) => JsonObject | undefined;

export interface EncodeOptions {
  /** Whose classes and options count. For Keras 2 each option is told, as defaults have changed since; `keras3` unless given. */
  readonly dialect?: 'keras2' | 'keras3';
  /** Put vocabularies into the configuration, for formats without assets; false unless given. */
  readonly inlineAssets?: boolean;
}

export class LayerEncoder {
  /** Names that readers must be given a class or function for: `customObjects` here, `custom_objects` in Python. */
  readonly needs: Set<string> = new Set();
  /** What the model says and the file cannot, though it does without. */
  readonly omitted: string[] = [];
  readonly #classes: ReadonlyMap<string, LayerClass>;
  readonly #encodeModel: EncodeModel;
  readonly #inlineAssets: boolean;
  readonly #dialect: 'keras2' | 'keras3';

  constructor(classes: ReadonlyMap<string, LayerClass>, encodeModel: EncodeModel, options: EncodeOptions = {}) {
    this.#classes = classes;
    this.#encodeModel = encodeModel;
    this.#inlineAssets = options.inlineAssets ?? false;
    this.#dialect = options.dialect ?? 'keras3';
  }

  /**
   * A layer or nested model.
   *
   * @throws {UnsupportedError} for what a file cannot hold: functions, and classes of the user's own under Keras' names.
   */
  layer(layer: Layer): JsonObject {
    const model = this.#encodeModel(this, layer);
    if (model !== undefined) return model;
    const { className, name } = layer;
    if (className === 'Lambda') {
      const feature = 'a Lambda in a file';
      throw new UnsupportedError(
        `Cannot save layer "${name}": it is a Lambda, whose function a file cannot hold; ` +
          'write it as a class that extends Layer',
        feature,
      );
    }
    const config = this.#config(layer);
    const layerClass = layer.constructor as unknown as LayerClass;
    const known = this.#classes.get(className);
    if (known !== undefined && known !== layerClass) {
      throw new UnsupportedError(
        `Cannot save layer "${name}": its class "${layerClass.name}" bears the name of Keras' own ${className}; ` +
          'give it a className of its own',
        'a class under the name of another',
      );
    }
    const isThere = known !== undefined && (this.#dialect === 'keras2' || !NOT_IN_KERAS_3.has(className));
    if (isThere) return kerasObject('keras.layers', className, config);
    this.needs.add(className);
    return customObject(className, config);
  }

  #config(layer: Layer): JsonObject {
    const { fields } = layer.constructor as unknown as LayerClass;
    const isOfKeras = this.#classes.get(layer.className) === layer.constructor;
    const config: Record<string, JsonValue> = { name: layer.name };
    if (!layer.trainable && !(layer instanceof InputLayer)) config.trainable = false;
    for (const [key, field] of Object.entries(fields)) {
      if (key === 'name' || key === 'trainable' || (isOfKeras && DROPPED_OPTIONS.has(key))) continue;
      const value = (layer.config as unknown as Readonly<Record<string, unknown>>)[key];
      const encoded = this.#field(field, value, layer);
      const isDefault = field.default !== undefined && this.#isDefault(field, encoded, layer);
      if (isDefault && !this.#isTold(layer.className, key)) continue;
      if (this.#dialect === 'keras3' && !this.#checkOption(layer, key, encoded)) continue;
      config[underscoredOf(key)] = reshaped(layer.className, encoded);
    }
    Object.assign(config, vocabularyOf(layer, this.#inlineAssets));
    return config;
  }

  /** Whether an option is written though it is the default. */
  #isTold(className: string, key: string): boolean {
    if (this.#dialect === 'keras3') return isAlwaysTold(className, key);
    // How masks are joined has changed since, and is what readers of Keras 2 take for the default.
    return key !== 'sameCuts' && LOST_OPTIONS[className]?.[key] === undefined;
  }

  #isDefault(field: Field<unknown>, encoded: JsonValue, layer: Layer): boolean {
    return isSameJson(encoded, this.#field(field, field.default?.(), layer));
  }

  /** Whether an option that is not the default can be written. */
  #checkOption({ className, name, callArguments }: Layer, key: string, value: JsonValue): boolean {
    if (OWN_OPTIONS.has(key)) {
      this.omitted.push(`option ${key}: ${JSON.stringify(value)} of layer "${name}"`);
      return false;
    }
    // `encode-graph.ts` writes it.
    if (Object.hasOwn(callArguments, key)) return false;
    const instead = LOST_OPTIONS[className]?.[key];
    if (instead === undefined) return true;
    throw new UnsupportedError(
      `Cannot save layer "${name}": Keras 3 has no option ${key} for ${className}; ${instead}`,
      `${className} with ${key}`,
    );
  }

  #field(field: Field<unknown>, value: unknown, layer: Layer): JsonValue {
    if (value === null || value === undefined) return null;
    switch (field.kind) {
      case 'activation':
        return this.#activation(value as Activation, layer.name);
      case 'initializer':
        return this.#small(value as KerasObject, 'keras.initializers', createInitializer, layer.name);
      case 'regularizer':
        return this.#small(value as KerasObject, 'keras.regularizers', createRegularizer, layer.name);
      case 'constraint':
        return this.#small(value as KerasObject, 'keras.constraints', createConstraint, layer.name);
      case 'layer':
      case 'layers':
        return this.#layers(value as Layer | readonly Layer[], layer);
      case 'plain':
        return encodeValue(value, `layer "${layer.name}"`);
      default:
        return field.kind satisfies never;
    }
  }

  #layers(value: Layer | readonly Layer[], owner: Layer): JsonValue {
    // A list of cells is stacked, and written as the stack that it became.
    const stack = Array.isArray(value) && 'cell' in owner ? (owner.cell as Layer) : value;
    return Array.isArray(stack) ? stack.map((layer) => this.layer(layer)) : this.layer(stack as Layer);
  }

  #activation({ name }: Activation, layer: string): JsonValue {
    if (name === undefined) {
      const feature = 'a function as activation in a file';
      throw new UnsupportedError(
        `Cannot save layer "${layer}": its activation is a function without a name, which a file cannot hold; ` +
          'use an activation of Keras, or write it as a layer',
        feature,
      );
    }
    if (resolveActivation(name) !== undefined && name !== KERAS_2_HARD_SIGMOID) return ACTIVATION_NAMES[name] ?? name;
    this.needs.add(name);
    return { module: 'builtins', class_name: 'function', config: name, registered_name: 'function' };
  }

  /** An initializer, regularizer or constraint, without the options that are its defaults. */
  #small({ className, config }: KerasObject, module: string, create: CreateSmall, layer: string): JsonObject {
    const known = create(className);
    const entries = Object.entries(config).flatMap(([key, value]): [string, JsonValue][] => {
      const encoded = encodeValue(value, `layer "${layer}"`);
      const fallback = known?.config[key];
      const isDefault = fallback !== undefined && isSameJson(encoded, encodeValue(fallback, `layer "${layer}"`));
      return isDefault && !this.#isTold(className, key) ? [] : [[underscoredOf(key), encoded]];
    });
    const written = Object.fromEntries(entries);
    if (known !== undefined && !isTaken(create, className, config)) {
      // A file may have had options that only its writer understood; they matter to fresh weights alone.
      this.omitted.push(`options ${JSON.stringify(written)} of ${className} in layer "${layer}"`);
      return kerasObject(module, INITIALIZER_NAMES[className] ?? className, {});
    }
    if (known !== undefined) return kerasObject(module, INITIALIZER_NAMES[className] ?? className, written);
    this.needs.add(className);
    return customObject(className, written);
  }
}

type CreateSmall = (className: string, config?: Readonly<Record<string, unknown>>) => KerasObject | undefined;

/** Whether a class takes these options. */
function isTaken(create: CreateSmall, className: string, config: Readonly<Record<string, unknown>>): boolean {
  try {
    create(className, config);
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

/** The hard sigmoid of Keras 2, with the slope 1/5, which Keras 3 does not have: a reader must be given it. */
export const KERAS_2_HARD_SIGMOID = 'hard_sigmoid_keras2';

/** Options that are written even where they are the default. */
function isAlwaysTold(className: string, key: string): boolean {
  return key === 'dataFormat' ? HAS_DATA_FORMAT.test(className) : (NEEDED_OPTIONS[className] ?? []).includes(key);
}

/** Borders of one axis are a pair in Keras, not a list of one pair. */
function reshaped(className: string, value: JsonValue): JsonValue {
  const isBorder = /^(Cropping1D|ZeroPadding1D)$/.test(className) && Array.isArray(value) && value.length === 1;
  return isBorder ? (value[0] as JsonValue) : value;
}

/** A lookup as far as it matters here; its class is not imported, since few models have one. */
interface Lookup {
  readonly config: { readonly vocabulary: readonly JsonValue[] | null; readonly outputMode: string };
  readonly hasAssets: boolean;
  readonly vocabulary: readonly JsonValue[];
  readonly idfWeights: Float32Array;
}

/** What stands for a vocabulary that is an asset: its size, since shapes depend on it, or with `inline` the tokens. */
function vocabularyOf(layer: Layer, inline: boolean): JsonObject {
  const owner = ('lookup' in layer ? layer.lookup : layer) as Layer;
  const isLookup = 'hasAssets' in owner && 'vocabulary' in owner && 'vocabularySize' in owner.config;
  if (!isLookup) return {};
  const lookup = owner as unknown as Lookup;
  if (lookup.config.vocabulary !== null || !lookup.hasAssets) return {};
  const { vocabulary } = lookup;
  if (!inline) return { vocabulary_size: vocabulary.length };
  const isWeighted = lookup.config.outputMode === 'tf_idf';
  return {
    vocabulary,
    ...(isWeighted ? { idf_weights: Array.from(lookup.idfWeights.subarray(0, vocabulary.length)) } : {}),
  };
}
