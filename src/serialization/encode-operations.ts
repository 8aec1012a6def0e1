/** Calls of functions (`keras.ops`) among the layers of a model, as Keras 3 stores them; see `operations.ts`. */
import { UnsupportedError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../formats/artifacts.ts';
import { type CallTemplate, type OperationLayer, TensorSlot } from '../layers/operation-layer.ts';
import { operations } from '../ops/operations.ts';
import { encodeValue, isRecord } from './encode-values.ts';

/** The module of each class that is not in `keras.src.ops.numpy`. */
const MODULES: readonly (readonly [module: string, classNames: string])[] = [
  [
    'keras.src.ops.core',
    'Cast ConvertToTensor SaturateCast StopGradient Unstack Slice SliceUpdate Scatter ScatterUpdate',
  ],
  ['keras.src.ops.einops', 'Rearrange'],
  [
    'keras.src.ops.image',
    'ExtractPatches Resize PadImages CropImages RGBToGrayscale RGBToHSV HSVToRGB AffineTransform MapCoordinates ' +
      'GaussianBlur SobelEdges ScaleAndTranslate',
  ],
  ['keras.src.ops.linalg', 'Norm'],
  [
    'keras.src.ops.math',
    'Erf Erfc Erfinv Rsqrt Logsumexp SegmentMax SegmentMin SegmentProd SegmentSum CDist TopK InTopK ' +
      'ExtractSequences RFFT IRFFT FFT STFT',
  ],
  [
    'keras.src.ops.nn',
    'HardSigmoid HardSilu HardTanh LogSigmoid Relu Relu6 Selu Sigmoid Silu Softplus Softsign SparsePlus ' +
      'SparseSigmoid TanhShrink Celu Elu Gelu Glu HardShrink LeakyRelu LogSoftmax SoftShrink Softmax Sparsemax ' +
      'Squareplus Threshold Moments OneHot MultiHot Conv DepthwiseConv SeparableConv ConvTranspose MaxPool ' +
      'AveragePool AdaptiveMaxPool AdaptiveAveragePool BatchNorm LayerNorm RMSNorm Normalize DotProductAttention ' +
      'BinaryCrossentropy CategoricalCrossentropy SparseCategoricalCrossentropy PSNR Unfold Fold DepthToSpace ' +
      'SpaceToDepth',
  ],
  ['keras.src.activations.activations', 'ReLU'],
];

const moduleOf: ReadonlyMap<string, string> = new Map(
  MODULES.flatMap(([module, classNames]) => classNames.split(' ').map((name): [string, string] => [name, module])),
);

/** Functions whose constant arguments are indices, so integers. */
const TAKES_INDICES = /^(Take|TakeAlongAxis|GetItem|OneHot|Slice|SliceUpdate|Scatter|ScatterUpdate)/;

/**
 * The object of one call, without the call itself.
 *
 * @throws {UnsupportedError} for a function of TensorFlow, which Keras 3 does not have.
 */
export function encodeOperation(layer: OperationLayer, withName: boolean): JsonObject {
  const { className, name, operationConfig } = layer;
  if (!operations.has(className)) {
    throw new UnsupportedError(
      `Cannot save operation "${name}": it is a function of TensorFlow (${className}), which Keras 3 cannot read; ` +
        'replace it with a layer',
      `operation ${className}`,
    );
  }
  const entries = Object.entries(operationConfig).map(([key, value]): [string, JsonValue] => [
    key,
    encodeArgument(value, className, name),
  ]);
  return {
    module: moduleOf.get(className) ?? 'keras.src.ops.numpy',
    class_name: className,
    config: { ...(withName ? { name } : {}), ...Object.fromEntries(entries) },
    registered_name: className,
  };
}

/** The arguments of a call, with what `encodeTensor` gives in the place of tensors. */
export function encodeTemplate(
  { template, className, name }: { template: CallTemplate; className: string; name: string },
  encodeTensor: (input: number) => JsonValue,
): { args: JsonValue; kwargs: JsonValue } {
  const encode = (value: unknown): JsonValue => {
    if (value instanceof TensorSlot) return encodeTensor(value.input);
    if (Array.isArray(value)) {
      const isConstant = className !== 'GetItem' && value.length > 0 && value.flat(32).every(isNumber);
      if (isConstant) return encodeArray(value as JsonValue[], TAKES_INDICES.test(className) ? 'int32' : 'float32');
      return value.map(encode);
    }
    return encodeArgument(value, className, name);
  };
  const kwargs = Object.entries(template.kwargs).map(([key, value]): [string, JsonValue] => [key, encode(value)]);
  return { args: template.args.map(encode), kwargs: Object.fromEntries(kwargs) };
}

function encodeArgument(value: unknown, className: string, name: string): JsonValue {
  if (Array.isArray(value)) return value.map((element) => encodeArgument(element, className, name));
  if (value === '...' && className === 'GetItem') return { class_name: '__ellipsis__', config: {} };
  if (isRecord(value) && Object.keys(value).sort().join() === 'start,step,stop') {
    return { class_name: '__slice__', config: encodeValue(value, `operation "${name}"`) };
  }
  return encodeValue(value, `operation "${name}"`);
}

function encodeArray(value: readonly JsonValue[], dtype: string): JsonObject {
  return { class_name: '__numpy__', config: { value, dtype } };
}

const isNumber = (value: unknown): boolean => typeof value === 'number';
