/** Configurations of Keras 2, tf.keras and TensorFlow.js in the words of Keras 3. */
import type { JsonValue } from '../formats/artifacts.ts';
import type { RawLayer } from './keras1.ts';

/** Names of classes that later had another, in every generation. */
const CLASS_NAMES: Readonly<Record<string, string>> = {
  BatchNormalizationV1: 'BatchNormalization',
  BatchNormalizationV2: 'BatchNormalization',
  SyncBatchNormalization: 'BatchNormalization',
  UnifiedLSTM: 'LSTM',
  UnifiedGRU: 'GRU',
  LSTMV2: 'LSTM',
  GRUV2: 'GRU',
  Convolution1D: 'Conv1D',
  Convolution2D: 'Conv2D',
  Convolution3D: 'Conv3D',
  Convolution1DTranspose: 'Conv1DTranspose',
  Convolution2DTranspose: 'Conv2DTranspose',
  Convolution3DTranspose: 'Conv3DTranspose',
  SeparableConvolution1D: 'SeparableConv1D',
  SeparableConvolution2D: 'SeparableConv2D',
  DepthwiseConvolution2D: 'DepthwiseConv2D',
  MaxPool1D: 'MaxPooling1D',
  MaxPool2D: 'MaxPooling2D',
  MaxPool3D: 'MaxPooling3D',
  AvgPool1D: 'AveragePooling1D',
  AvgPool2D: 'AveragePooling2D',
  AvgPool3D: 'AveragePooling3D',
  GlobalMaxPool1D: 'GlobalMaxPooling1D',
  GlobalMaxPool2D: 'GlobalMaxPooling2D',
  GlobalMaxPool3D: 'GlobalMaxPooling3D',
  GlobalAvgPool1D: 'GlobalAveragePooling1D',
  GlobalAvgPool2D: 'GlobalAveragePooling2D',
  GlobalAvgPool3D: 'GlobalAveragePooling3D',
};

/** The class name that the registry knows. */
export function currentClassName(className: string): string {
  return CLASS_NAMES[className] ?? className;
}

/**
 * Keys of Keras 2 that have no part in the numbers, or that another key says again. `values`, where given, are those
 * that a key may have to be dropped; with any other it stays, and is reported as unknown.
 */
interface DroppedKey {
  readonly key: string;
  readonly classes?: RegExp;
  readonly values?: readonly JsonValue[];
}

const DROPPED_KEYS: readonly DroppedKey[] = [
  { key: 'batch_input_shape' },
  { key: 'input_shape' },
  { key: 'input_dtype' },
  { key: 'input_length', classes: /^Embedding$/ },
  { key: 'input_dim' },
  { key: 'implementation' },
  { key: 'time_major', values: [false, null] },
  { key: 'sparse', classes: /^Embedding$/ },
  { key: 'expects_training_arg' },
  { key: 'dynamic', values: [false, null] },
  { key: 'fused' },
  { key: 'virtual_batch_size', values: [null] },
  { key: 'adjustment', values: [null] },
  { key: 'synchronized' },
  { key: 'groups', classes: /^(Depthwise|Separable|Conv\dDTranspose)/, values: [1] },
  { key: 'filters', classes: /^DepthwiseConv/ },
  { key: 'kernel_initializer', classes: /^(Depthwise|Separable)/ },
  { key: 'kernel_regularizer', classes: /^(Depthwise|Separable)/ },
  { key: 'kernel_constraint', classes: /^(Depthwise|Separable)/ },
  { key: 'softmax_robust_masking' },
  { key: 'robust_masking' },
  { key: 'query_shape' },
  { key: 'key_shape' },
  { key: 'value_shape' },
  { key: 'type_spec', values: [null] },
  { key: 'autocast' },
  { key: 'experimental_autocast' },
  { key: '_compiled_call' },
  { key: 'gptq_unpacked_column_size' },
  { key: 'awq_unpacked_column_size' },
];

const DROPPED: ReadonlyMap<string, DroppedKey> = new Map(DROPPED_KEYS.map((rule) => [rule.key, rule]));

/** Whether a key that is no option of a class had no meaning, or has none any more. */
export function isDroppedKey(className: string, key: string, value: JsonValue): boolean {
  const rule = DROPPED.get(key);
  if (rule === undefined || rule.classes?.test(className) === false) return false;
  return rule.values === undefined || rule.values.includes(value);
}

/** Options that had another name. No later one has the old name, so it is understood in files of every generation. */
export function withCurrentKeys({ className, config }: RawLayer): RawLayer {
  if (className !== 'LeakyReLU' && className !== 'InputLayer') return { className, config };
  const translated: Record<string, JsonValue> = { ...config };
  if (className === 'LeakyReLU' && 'alpha' in translated) {
    translated.negative_slope = translated.alpha as JsonValue;
    delete translated.alpha;
  }
  if (className === 'InputLayer') {
    translated.batch_shape ??= translated.batch_input_shape as JsonValue;
    delete translated.batch_input_shape;
    if (typeof translated.input_dtype === 'string') translated.dtype = translated.input_dtype;
  }
  return { className, config: translated };
}

/** Defaults of Keras 2 that are not Keras 3's, for options that a file leaves out. */
export function withKeras2Defaults({ className, config }: RawLayer): RawLayer {
  const defaults: Record<string, JsonValue> = {};
  if (className === 'LeakyReLU') defaults.negative_slope = 0.3;
  // Before TensorFlow 2 the reset gate came before the product, and files of that time do not say so.
  if (/^GRU(Cell)?$/.test(className)) defaults.reset_after = false;
  if (/^(LSTM|GRU)(Cell)?$/.test(className)) defaults.recurrent_activation = 'hard_sigmoid';
  return { className, config: { ...defaults, ...config } };
}
