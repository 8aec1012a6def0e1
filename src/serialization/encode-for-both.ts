/**
 * A configuration of Keras 3 in the form that tf_keras (Keras 2) reads as well, for `.h5`. Each reader takes from it what it
 * understands:
 *
 * - tf_keras looks classes up by name alone and ignores `module`; Keras 3 reads an object without `module` by the rules of
 *   old files, which translate the input layers of Keras 2, and everything else by its own.
 * - Calls are lists of `[layer, node, tensor, kwargs]`, which both know.
 * - tf_keras counts the calls of a nested model from 1, Keras 3 from 0. Each such call is listed twice, so that call 2k + 1
 *   of the one and call 2k + 1 of the other are the same.
 *
 * Names of classes in here say what tf_keras has and how its options are called, which layers here do not know.
 */
import type { JsonObject, JsonValue } from '../formats/artifacts.ts';
import { KERAS_2_HARD_SIGMOID } from './encode-layers.ts';
import { configOf, isList, isModelClass, isObject, isSerializedObject } from './json-shapes.ts';

export interface SharedTopology {
  readonly topology: JsonObject;
  /** What tf_keras does not have. When there is any, the form is Keras 3's own. */
  readonly keras3Only: readonly string[];
  /** What no reader of the format takes, though it is not needed. */
  readonly omitted: readonly string[];
}

/**
 * The whole model, as `encodeModel` gives it, in the form of both generations where it has one.
 *
 * @param generation whose meaning names have that mean another thing in each
 */
export function encodeForBoth(keras3: JsonObject, generation: 2 | 3 = 3): SharedTopology {
  const { value, omitted } = withoutNewerParts(keras3);
  const topology = value as JsonObject;
  const translator = new Translator(generation);
  const translated = translator.layer(topology);
  const keras3Only = [...new Set(translator.strangers)];
  const config = configOf(keras3Only.length === 0 ? translated : topology);
  // In old files a functional model has this name; no release reads the module of one here.
  const className = topology.class_name === 'Sequential' ? 'Sequential' : 'Functional';
  return { topology: { class_name: className, config }, keras3Only, omitted };
}

/** A configuration without what Keras 3 itself writes into an `.h5` and cannot read there. */
function withoutNewerParts(whole: JsonObject): { value: JsonValue; omitted: readonly string[] } {
  const omitted: string[] = [];
  const visit = (value: JsonValue): JsonValue => {
    if (isList(value)) return value.map(visit);
    if (!isObject(value)) return value;
    const entries = Object.entries(value.class_name === 'GetItem' ? withoutEllipsis(value) : value);
    const kept = entries.filter(([key]) => !/^lora_(rank|alpha)$/.test(key));
    // The factors are no weights here, and a reader that makes them anew expects them in the file.
    if (kept.length < entries.length) omitted.push(`LoRA of layer "${String(value.name)}", which is in its kernel`);
    return Object.fromEntries(kept.map(([key, inner]) => [key, visit(inner)]));
  };
  return { value: visit(whole), omitted };
}

const WHOLE_AXIS: JsonValue = { class_name: '__slice__', config: { start: null, stop: null, step: null } };

/** Axes told one by one in place of an ellipsis, which the decoder of old files turns into what the others do not know. */
function withoutEllipsis(operation: JsonObject): JsonObject {
  const isEllipsis = (part: JsonValue): boolean => isObject(part) && part.class_name === '__ellipsis__';
  const nodes = (isList(operation.inbound_nodes) ? operation.inbound_nodes : []) as readonly JsonObject[];
  const calls = nodes.map((node) => {
    const [tensor, key, ...rest] = (isList(node.args) ? node.args : []) as readonly JsonValue[];
    const shape = isObject(tensor) ? configOf(tensor).shape : undefined;
    const parts = isList(key) ? key : [key as JsonValue];
    if (!isList(shape) || !parts.some(isEllipsis)) return node;
    const named = parts.filter((part) => part !== null && !isEllipsis(part)).length;
    const axes = new Array<JsonValue>(Math.max(0, shape.length - named)).fill(WHOLE_AXIS);
    const full = parts.flatMap((part) => (isEllipsis(part) ? axes : [part]));
    return { ...node, args: [tensor as JsonValue, full, ...rest] };
  });
  return { ...operation, inbound_nodes: calls };
}

/** Layers that tf_keras has and that compute the same there. */
const SHARED_CLASSES: ReadonlySet<string> = new Set(
  (
    'Activation ActivityRegularization Add AdditiveAttention AlphaDropout Attention Average AveragePooling1D ' +
    'AveragePooling2D AveragePooling3D BatchNormalization Bidirectional CategoryEncoding CenterCrop Concatenate Conv1D ' +
    'Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM1D ConvLSTM2D ConvLSTM3D Cropping1D ' +
    'Cropping2D Cropping3D Dense DepthwiseConv1D DepthwiseConv2D Discretization Dot Dropout ELU EinsumDense Embedding ' +
    'Flatten GRU GRUCell GaussianDropout GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D ' +
    'GlobalAveragePooling3D GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D GroupNormalization Hashing ' +
    'HashedCrossing Identity IntegerLookup LSTM LSTMCell LayerNormalization LeakyReLU Masking MaxPooling1D MaxPooling2D ' +
    'MaxPooling3D Maximum Minimum Multiply Normalization PReLU Permute RNN RandomBrightness RandomContrast RandomCrop ' +
    'RandomFlip RandomRotation RandomTranslation RandomZoom ReLU RepeatVector Rescaling Reshape Resizing SeparableConv1D ' +
    'SeparableConv2D SimpleRNN SimpleRNNCell Softmax SpatialDropout1D SpatialDropout2D SpatialDropout3D ' +
    'SpectralNormalization StackedRNNCells StringLookup Subtract TextVectorization TimeDistributed UnitNormalization ' +
    'UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D'
  ).split(' '),
);

/** Options that tf_keras does not know; they are in a configuration only where they are not the default. */
const KERAS_3_OPTIONS: readonly { readonly option: string; readonly classes: RegExp }[] = [
  { option: 'seed', classes: /^(Attention|GRU|LSTM|SimpleRNN|ConvLSTM\dD)(Cell)?$/ },
  { option: 'use_cudnn', classes: /./ },
  { option: 'quantization_config', classes: /./ },
  { option: 'renorm', classes: /./ },
  { option: 'rms_scaling', classes: /./ },
  { option: 'oov_method', classes: /./ },
  { option: 'salt', classes: /Lookup$/ },
  { option: 'value_range', classes: /^RandomContrast$/ },
  { option: 'pad_to_aspect_ratio', classes: /./ },
  { option: 'antialias', classes: /./ },
  { option: 'data_format', classes: /^(CenterCrop|Random\w+|Resizing|ZeroPadding1D)$/ },
];

/** Activations of tf_keras that compute the same, by their names in Keras 3. Its `hard_sigmoid` is another function. */
const SHARED_ACTIVATIONS: Readonly<Record<string, string>> = {
  elu: 'elu',
  exponential: 'exponential',
  gelu: 'gelu',
  linear: 'linear',
  mish: 'mish',
  relu: 'relu',
  selu: 'selu',
  sigmoid: 'sigmoid',
  silu: 'swish',
  softmax: 'softmax',
  softplus: 'softplus',
  softsign: 'softsign',
  tanh: 'tanh',
};

/** Initializers under the names that both generations know. */
const INITIALIZER_NAMES: Readonly<Record<string, string>> = {
  OrthogonalInitializer: 'Orthogonal',
  IdentityInitializer: 'Identity',
};

const SMALL_MODULES: ReadonlySet<JsonValue> = new Set([
  'keras.initializers',
  'keras.regularizers',
  'keras.constraints',
]);

/** The nested models of a model, with the number from which Keras 3 counts their calls in inputs and outputs. */
type NestedModels = ReadonlyMap<JsonValue | undefined, number>;

class Translator {
  readonly strangers: string[] = [];
  readonly #generation: 2 | 3;
  /** How many functions of the author's own were met. */
  #functions = 0;
  /** How many layers are around the present one, as their options. */
  #depth = 0;

  constructor(generation: 2 | 3) {
    this.#generation = generation;
  }

  layer(layer: JsonObject): JsonObject {
    const { class_name: className, module } = layer;
    const config = configOf(layer);
    if (module === 'keras' && className === 'Sequential') {
      const layers = isList(config.layers) ? config.layers : [];
      return { ...layer, config: { ...config, layers: layers.map((one) => this.layer(one as JsonObject)) } };
    }
    if (module === 'keras' && isModelClass(className)) return { ...layer, config: this.#graph(config) };
    const name = `layer "${String(config.name ?? layer.name)}"`;
    if (className === 'InputLayer') {
      if ('optional' in config) this.strangers.push(`${name}: an optional input`);
      return inputLayer(layer);
    }
    // What is the author's own has no module, and is looked up by its name in both.
    if (module !== 'keras.layers' && module !== null) {
      this.strangers.push(`${name}: the operation ${String(className)}`);
      return layer;
    }
    if (module === 'keras.layers' && !SHARED_CLASSES.has(String(className))) {
      this.strangers.push(`${name}: ${String(className)}`);
      return layer;
    }
    const before = this.#functions;
    const translated: JsonObject = { ...layer, config: this.#config(String(className), config, name) };
    if (this.#functions === before) return translated;
    // By the rules of old files Keras 3 looks functions up by name, but it does not go by them inside other layers.
    if (this.#depth > 0) this.strangers.push(`${name}: a function of the author's own inside another layer`);
    const { module: _, registered_name: __, ...plain } = translated;
    return plain;
  }

  #config(className: string, config: JsonObject, name: string): JsonObject {
    const unknown = KERAS_3_OPTIONS.find(({ option, classes }) => option in config && classes.test(className));
    if (unknown !== undefined) this.strangers.push(`${name}: the option ${unknown.option} of ${className}`);
    const entries = Object.entries(config).map(([key, value]): [string, JsonValue] => [
      key,
      /activation$/.test(key) && typeof value === 'string' ? this.#activation(value, name) : this.#value(value),
    ]);
    const translated: Record<string, JsonValue> = Object.fromEntries(entries);
    if (className === 'LeakyReLU' && 'negative_slope' in translated) {
      translated.alpha = translated.negative_slope as JsonValue;
      delete translated.negative_slope;
    }
    if (/^ConvLSTM/.test(className)) translated.recurrent_activation ??= 'sigmoid';
    return translated;
  }

  #activation(value: string, name: string): string {
    const shared = SHARED_ACTIVATIONS[value];
    if (shared === undefined) this.strangers.push(`${name}: the activation ${value}`);
    return shared ?? value;
  }

  #value(value: JsonValue): JsonValue {
    if (isList(value)) return value.map((element) => this.#value(element));
    if (!isObject(value)) return value;
    if (!isSerializedObject(value)) {
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, this.#value(inner)]));
    }
    const { module, class_name: className, config } = value;
    // A function of the author's own goes by its name, as old files have it.
    if (className === 'function' && typeof config === 'string') {
      if (config === KERAS_2_HARD_SIGMOID && this.#generation === 2) return 'hard_sigmoid';
      this.#functions++;
      return config;
    }
    if (SMALL_MODULES.has(module ?? null) && config !== undefined) {
      return { class_name: INITIALIZER_NAMES[className] ?? className, config };
    }
    if (!isObject(config)) return value;
    this.#depth++;
    const inner = this.layer(value);
    this.#depth--;
    return inner;
  }

  #graph(config: JsonObject): JsonObject {
    const layers = (isList(config.layers) ? config.layers : []) as readonly JsonObject[];
    const models: NestedModels = new Map(
      layers
        .filter(({ module, class_name: className }) => module === 'keras' && isModelClass(className))
        .map((layer) => [layer.name, layer.class_name === 'Sequential' ? 0 : 1] as const),
    );
    return {
      ...config,
      layers: layers.map((layer) => {
        const calls = (isList(layer.inbound_nodes) ? layer.inbound_nodes : []) as readonly JsonObject[];
        const nodes = calls.map((call) => this.#call(call, models, `layer "${String(layer.name)}"`));
        const inboundNodes = models.has(layer.name) ? nodes.flatMap((node) => [node, node]) : nodes;
        return { ...this.layer(layer), inbound_nodes: inboundNodes };
      }),
      input_layers: leaves(config.input_layers ?? [], models),
      output_layers: leaves(config.output_layers ?? [], models),
    };
  }

  /** A call with its tensors in one argument: a tensor, or a list of several. */
  #call(call: JsonObject, models: NestedModels, name: string): JsonValue {
    const args = isList(call.args) ? call.args : [];
    const [first] = args;
    const tensors = isList(first) ? first : [first];
    const kwargs = isObject(call.kwargs) ? call.kwargs : {};
    const isPlain =
      args.length === 1 &&
      tensors.every(isTensor) &&
      (tensors.length > 1 || !isList(first)) &&
      !JSON.stringify(kwargs).includes('"__keras_tensor__"');
    if (!isPlain) {
      this.strangers.push(`${name}: its call with several arguments`);
      return [];
    }
    return tensors.map((tensor) => {
      const history = configOf(tensor as JsonObject).keras_history as readonly [string, number, number];
      const [layer, node, index] = history;
      return [layer, models.has(layer) ? 2 * node + 1 : node, index, kwargs];
    });
  }
}

const isTensor = (value: JsonValue | undefined): boolean =>
  isObject(value) && value.class_name === '__keras_tensor__' && isList(configOf(value).keras_history);

/** Inputs or outputs of a model, with the calls of nested models counted as they are listed here. */
function leaves(value: JsonValue, models: NestedModels): JsonValue {
  if (isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, leaves(inner, models)]));
  }
  if (!isList(value)) return value;
  const [name, node, tensor] = value;
  if (typeof name !== 'string' || typeof node !== 'number') return value.map((part) => leaves(part, models));
  const first = models.get(name);
  return first === undefined ? value : [name, 2 * (node - first) + 1, tensor as JsonValue];
}

/** Without `module`, so that Keras 3 translates the shape as it does for old files. */
function inputLayer(layer: JsonObject): JsonObject {
  const { module: _, registered_name: __, config: ___, ...rest } = layer;
  const { batch_shape: shape, ...options } = configOf(layer);
  return { ...rest, config: { batch_input_shape: shape ?? null, ...options } };
}
