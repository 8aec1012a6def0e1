/** Configurations of Keras 0.x and 1.x in the words of Keras 2. */
import { UnsupportedError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../formats/artifacts.ts';

export interface RawLayer {
  readonly className: string;
  readonly config: JsonObject;
}

const CLASS_NAMES: Readonly<Record<string, string>> = {
  Convolution1D: 'Conv1D',
  Convolution2D: 'Conv2D',
  Convolution3D: 'Conv3D',
  Deconvolution2D: 'Conv2DTranspose',
  Deconvolution3D: 'Conv3DTranspose',
  AtrousConvolution1D: 'Conv1D',
  AtrousConvolution2D: 'Conv2D',
  AtrousConv1D: 'Conv1D',
  AtrousConv2D: 'Conv2D',
  SeparableConvolution2D: 'SeparableConv2D',
  TimeDistributedDense: 'Dense',
};

const KEYS: Readonly<Record<string, string>> = {
  init: 'kernel_initializer',
  inner_init: 'recurrent_initializer',
  beta_init: 'beta_initializer',
  gamma_init: 'gamma_initializer',
  W_regularizer: 'kernel_regularizer',
  U_regularizer: 'recurrent_regularizer',
  b_regularizer: 'bias_regularizer',
  W_constraint: 'kernel_constraint',
  U_constraint: 'recurrent_constraint',
  b_constraint: 'bias_constraint',
  bias: 'use_bias',
  border_mode: 'padding',
  subsample: 'strides',
  subsample_length: 'strides',
  stride: 'strides',
  dim_ordering: 'data_format',
  inner_activation: 'recurrent_activation',
  dropout_W: 'dropout',
  dropout_U: 'recurrent_dropout',
  p: 'rate',
  sigma: 'stddev',
  atrous_rate: 'dilation_rate',
  nb_filter: 'filters',
  filter_length: 'kernel_size',
  pool_length: 'pool_size',
  length: 'size',
};

/** Keys that say nothing about the numbers of a prediction, or that the shapes of the weights say again. */
const DROPPED: ReadonlySet<string> = new Set(['consume_less', 'weights', 'input_length']);

/** Keys whose old name means another thing in some classes. */
const EMBEDDING_KEYS: Readonly<Record<string, string>> = {
  init: 'embeddings_initializer',
  W_regularizer: 'embeddings_regularizer',
  W_constraint: 'embeddings_constraint',
};

const MERGES: Readonly<Record<string, string>> = {
  sum: 'Add',
  mul: 'Multiply',
  ave: 'Average',
  max: 'Maximum',
  concat: 'Concatenate',
  dot: 'Dot',
  cos: 'Dot',
};

/** The names that a class of Keras 1 may have later: one, or that of any merging layer. */
export function keras1ClassNames(className: string): readonly string[] {
  if (className === 'Merge') return Object.values(MERGES);
  const name = CLASS_NAMES[className];
  return name === undefined ? [] : [name];
}

/** @throws {UnsupportedError} for a mode that no later Keras has. */
export function fromKeras1({ className, config }: RawLayer): RawLayer {
  if (className === 'Merge') return mergeLayer(config);
  const isEmbedding = className === 'Embedding';
  const translated: Record<string, JsonValue> = {};
  for (const [key, value] of Object.entries(config)) {
    if (DROPPED.has(key) || (isEmbedding && key === 'dropout')) continue;
    if (key === 'input_dim' && !isEmbedding) continue;
    const name = isEmbedding ? (EMBEDDING_KEYS[key] ?? KEYS[key] ?? key) : outputName(className, KEYS[key] ?? key);
    translated[name] = translateValue(name, value);
  }
  if ('nb_row' in config && 'nb_col' in config) {
    delete translated.nb_row;
    delete translated.nb_col;
    translated.kernel_size = [config.nb_row as number, config.nb_col as number];
  }
  if ('kernel_dim1' in config) {
    for (const axis of [1, 2, 3]) delete translated[`kernel_dim${axis}`];
    translated.kernel_size = [1, 2, 3].map((axis) => config[`kernel_dim${axis}`] as number);
  }
  if ('forget_bias_init' in config) {
    delete translated.forget_bias_init;
    translated.unit_forget_bias = config.forget_bias_init === 'one';
  }
  if (className.startsWith('Deconvolution')) delete translated.output_shape;
  if (className === 'BatchNormalization') {
    if (config.mode === 1) {
      throw new UnsupportedError(
        `Cannot load layer "${String(config.name)}": BatchNormalization of Keras 1 with mode 1 is not supported`,
        'BatchNormalization mode 1',
      );
    }
    delete translated.mode;
  }
  if (className === 'GRU') translated.reset_after = false;
  return { className: CLASS_NAMES[className] ?? className, config: translated };
}

const RECURRENT: ReadonlySet<string> = new Set(['SimpleRNN', 'LSTM', 'GRU']);

function outputName(className: string, key: string): string {
  const isDense = className === 'Dense' || className === 'TimeDistributedDense';
  return key === 'output_dim' && (isDense || RECURRENT.has(className)) ? 'units' : key;
}

const REGULARIZER_NAMES: ReadonlySet<string> = new Set(['WeightRegularizer', 'ActivityRegularizer', 'L1L2Regularizer']);

function translateValue(key: string, value: JsonValue): JsonValue {
  if (key === 'data_format') return value === 'th' ? 'channels_first' : 'channels_last';
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject) return value;
  // Objects were flat then: { name: 'WeightRegularizer', l1: 0, l2: 0.1 }.
  const { name, ...config } = value as JsonObject;
  if (typeof name !== 'string') return value;
  return { class_name: REGULARIZER_NAMES.has(name) ? 'L1L2' : name, config };
}

function mergeLayer(config: JsonObject): RawLayer {
  const mode = config.mode as string;
  const className = config.mode_type === 'raw' || config.mode_type === undefined ? MERGES[mode] : undefined;
  if (className === undefined) {
    throw new UnsupportedError(
      `Cannot load layer "${String(config.name)}": Merge of Keras 1 with a Python function as its mode is not supported`,
      'Merge with a function',
    );
  }
  const common = { name: config.name ?? 'merge', ...(config.trainable === undefined ? {} : { trainable: true }) };
  if (className === 'Concatenate') return { className, config: { ...common, axis: config.concat_axis ?? -1 } };
  if (className !== 'Dot') return { className, config: common };
  return { className, config: { ...common, axes: config.dot_axes ?? -1, normalize: mode === 'cos' } };
}
