/**
 * What TensorFlow.js 4.22 makes of a configuration in its own words: which layers, options and names it has not, and
 * where its numbers are others than Keras'. It ignores options that it does not know.
 */
import type { JsonObject, JsonValue } from '../formats/artifacts.ts';
import { configOf, isList, isObject, isSerializedObject } from './json-shapes.ts';

const LAYERS: ReadonlySet<string> = new Set(
  (
    'Activation Add AlphaDropout Average AveragePooling1D AveragePooling2D AveragePooling3D BatchNormalization ' +
    'Bidirectional Concatenate Conv1D Conv2D Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM2D ConvLSTM2DCell ' +
    'Cropping2D Dense DepthwiseConv2D Dot Dropout ELU Embedding Flatten GRU GRUCell GaussianDropout GaussianNoise ' +
    'GlobalAveragePooling1D GlobalAveragePooling2D GlobalMaxPooling1D GlobalMaxPooling2D InputLayer LSTM LSTMCell ' +
    'LayerNormalization LeakyReLU Masking MaxPooling1D MaxPooling2D MaxPooling3D Maximum Minimum Multiply PReLU ' +
    'Permute RNN ReLU RepeatVector Rescaling Reshape SeparableConv2D SimpleRNN SimpleRNNCell Softmax ' +
    'SpatialDropout1D StackedRNNCells ThresholdedReLU TimeDistributed UpSampling2D ZeroPadding2D Model Sequential'
  ).split(' '),
);

/** Layers that it has and that do not work in a model, or compute something else. */
const BROKEN_LAYERS: ReadonlySet<string> = new Set(['CategoryEncoding', 'CenterCrop', 'RandomWidth', 'Resizing']);

const ACTIVATIONS: ReadonlySet<string> = new Set(
  'elu selu relu relu6 linear sigmoid hard_sigmoid softplus softsign tanh softmax log_softmax swish mish gelu'.split(
    ' ',
  ),
);

const INITIALIZERS: ReadonlySet<string> = new Set(
  (
    'Zeros Ones Constant RandomUniform RandomNormal TruncatedNormal Identity VarianceScaling GlorotUniform ' +
    'GlorotNormal HeNormal HeUniform LeCunNormal LeCunUniform Orthogonal'
  ).split(' '),
);

const CONSTRAINTS: ReadonlySet<string> = new Set(['MaxNorm', 'UnitNorm', 'NonNeg', 'MinMaxNorm']);

/** Options that it has no part of, unless they have one of these values. */
const OPTIONS: readonly {
  readonly classes: RegExp;
  readonly key: string;
  readonly isFine: (value: JsonValue) => boolean;
}[] = [
  { classes: /./, key: 'activity_regularizer', isFine: (value) => value === null },
  { classes: /^Conv\dD$/, key: 'groups', isFine: (value) => value === 1 },
  { classes: /^Conv1D$/, key: 'padding', isFine: (value) => value !== 'causal' },
  { classes: /^Conv\dDTranspose$/, key: 'output_padding', isFine: (value) => value === null },
  { classes: /^(Conv\dDTranspose|DepthwiseConv2D)$/, key: 'dilation_rate', isFine: isOnes },
  { classes: /^Global/, key: 'keepdims', isFine: (value) => value === false },
  { classes: /^UpSampling2D$/, key: 'interpolation', isFine: (value) => value === 'nearest' },
  { classes: /^ReLU$/, key: 'negative_slope', isFine: (value) => value === 0 },
  { classes: /^ReLU$/, key: 'threshold', isFine: (value) => value === 0 },
  { classes: /^ELU$/, key: 'alpha', isFine: (value) => value === 1 },
  { classes: /^GRU(Cell)?$/, key: 'reset_after', isFine: (value) => value === false },
  { classes: /^(RNN|SimpleRNN|LSTM|GRU)$/, key: 'zero_output_for_mask', isFine: (value) => value === false },
  { classes: /^LayerNormalization$/, key: 'rms_scaling', isFine: (value) => value === false },
  { classes: /^Rescaling$/, key: 'scale', isFine: (value) => typeof value === 'number' },
  { classes: /^Rescaling$/, key: 'offset', isFine: (value) => typeof value === 'number' },
  { classes: /^Bidirectional$/, key: 'backward_layer', isFine: (value) => value === null },
  { classes: /^InputLayer$/, key: 'sparse', isFine: (value) => value === false },
];

function isOnes(value: JsonValue): boolean {
  return isList(value) ? value.every((rate) => rate === 1) : value === 1;
}

/** Dtypes of inputs; it finds no other. */
const INPUT_DTYPES: ReadonlySet<string> = new Set(['float32', 'int32', 'bool', 'string', 'complex64']);

/** Names of tensors; a weight that is called otherwise cannot be made. */
const TENSOR_NAME = /^[A-Za-z0-9][-A-Za-z0-9._/]*$/;

/**
 * Says in whose hands a model will not do what it does here: each line names a layer and what about it.
 *
 * @param topology A configuration in the words of TensorFlow.js; see `encodeForLayersModel`.
 * @param weightNames The names that TensorFlow.js itself gives the weights, repeated where it repeats them.
 */
export function tensorflowJsGaps(topology: JsonObject, weightNames: readonly string[]): readonly string[] {
  const gaps = new Set<string>();
  const found = new Set<string>();
  const visit = (value: JsonValue, layer: string, key: string): void => {
    if (isList(value)) {
      for (const element of value) visit(element, layer, key);
      return;
    }
    if (!isObject(value)) {
      if (/(^|_)activation$/.test(key) && typeof value === 'string' && !ACTIVATIONS.has(value)) {
        gaps.add(`activation ${value} of layer "${layer}"`);
      }
      return;
    }
    if (!isSerializedObject(value)) {
      for (const [inner, element] of Object.entries(value)) visit(element, layer, inner);
      return;
    }
    const config = configOf(value);
    const { class_name: className } = value;
    if (/initializer$/.test(key)) {
      if (!isInitializer(className, config)) gaps.add(`initializer ${className} of layer "${layer}"`);
    } else if (/regularizer$/.test(key)) {
      if (className !== 'L1L2') gaps.add(`regularizer ${className} of layer "${layer}"`);
    } else if (/constraint$/.test(key)) {
      if (!CONSTRAINTS.has(className)) gaps.add(`constraint ${className} of layer "${layer}"`);
    } else {
      const name = String(value.name ?? config.name ?? className);
      found.add(className);
      if (config.mask_zero === true) found.add('Masking');
      for (const gap of layerGaps(className, config)) gaps.add(`${gap} of layer "${name}"`);
      if (hasTensorArgument(value.inbound_nodes ?? [])) gaps.add(`tensors among the arguments of layer "${name}"`);
      for (const [inner, element] of Object.entries(config)) visit(element, name, inner);
    }
  };
  visit(topology, '', '');
  if (found.has('Masking') && found.has('GlobalAveragePooling1D')) {
    gaps.add('the mask that reaches a GlobalAveragePooling1D');
  }
  for (const name of weightNames) if (!TENSOR_NAME.test(name)) gaps.add(`the name of weight "${name}"`);
  const repeated = weightNames.filter((name, index) => weightNames.indexOf(name) !== index);
  for (const name of repeated) gaps.add(`two weights that it names "${name}"`);
  return [...gaps];
}

function layerGaps(className: string, config: JsonObject): readonly string[] {
  if (!LAYERS.has(className)) return [BROKEN_LAYERS.has(className) ? `a broken ${className}` : `class ${className}`];
  const gaps = OPTIONS.filter(
    ({ classes, key, isFine }) => classes.test(className) && key in config && !isFine(config[key] as JsonValue),
  ).map(({ key }) => `option ${key}: ${JSON.stringify(config[key])}`);
  if (className === 'InputLayer' && !INPUT_DTYPES.has(String(config.dtype ?? 'float32'))) {
    gaps.push(`dtype ${String(config.dtype)}`);
  }
  return gaps;
}

function isInitializer(className: string, { distribution }: JsonObject): boolean {
  if (className === 'VarianceScaling' && distribution === 'untruncated_normal') return false;
  return INITIALIZERS.has(className);
}

/** Whether a call has a tensor behind its inputs: a list of a name and two numbers, which it takes for a list. */
function hasTensorArgument(nodes: JsonValue): boolean {
  const isTensor = (value: JsonValue): boolean => {
    if (isObject(value)) return Object.values(value).some(isTensor);
    if (!isList(value)) return false;
    const [name, node, index] = value;
    const isReference = typeof name === 'string' && typeof node === 'number' && typeof index === 'number';
    return (value.length === 3 && isReference) || value.some(isTensor);
  };
  if (!isList(nodes)) return false;
  return nodes.some((node) => isList(node) && node.some((input) => isList(input) && isTensor(input[3] ?? null)));
}
