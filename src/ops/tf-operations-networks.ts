/** TensorFlow's convolutions, pooling, normalisation and image functions, for `tfOperations`. */
import type { SymbolicTensor } from '../graph/node.ts';
import { type ConvolutionOptions, conv, type DataFormat, depthwiseConv } from './convolution.ts';
import { add, divide, maximum, multiply, rsqrt, sqrt, subtract } from './elementwise.ts';
import { hsvToRgb, rgbToGrayscale, rgbToHsv } from './image.ts';
import { type Interpolation, type PixelCoordinates, resize } from './image-resize.ts';
import { cast, type Operand, toSymbol, withShape } from './operand.ts';
import { depthToSpace, spaceToDepth } from './patches.ts';
import { averagePool, maxPool, type PoolingOptions } from './pooling.ts';
import type { CallArguments, OperationRow } from './raw-operation.ts';
import { mean, moments, variance } from './reduce.ts';
import { flip, repeat } from './shape.ts';

const images = (call: CallArguments): Operand => call.tensor('images');

/** `NHWC` and `NCHW`, with or without the spatial axes that the rank asks for. */
function dataFormat(call: CallArguments): DataFormat {
  return call.has('data_format') && call.string('data_format').startsWith('NC') ? 'channels_first' : 'channels_last';
}

/** TensorFlow gives strides for all axes, for the spatial ones, or one number. */
function spatial(call: CallArguments, name: string, rank: number): number[] {
  const list = call.numbersOrNull(name) ?? [1];
  if (list.length === 1) return new Array<number>(rank).fill(list[0] as number);
  if (list.length === rank) return list;
  return dataFormat(call) === 'channels_first' ? list.slice(2) : list.slice(1, -1);
}

function convolutionOptions(call: CallArguments, rank: number): ConvolutionOptions {
  return {
    strides: spatial(call, 'strides', rank),
    dilationRate: spatial(call, 'dilations', rank),
    padding: call.choice('padding', ['valid', 'same']),
    dataFormat: dataFormat(call),
  };
}

const CONVOLUTION = { strides: 1, padding: 'VALID', data_format: null, dilations: null };
const POOLING = { strides: null, padding: 'VALID', data_format: null };

function convolution(rank: number): (call: CallArguments) => SymbolicTensor {
  return (call) => conv(call.tensor('input'), call.tensor('filters'), convolutionOptions(call, rank));
}

type Pool = (x: Operand, size: readonly number[], options: PoolingOptions) => SymbolicTensor;

function pooling(pool: Pool, rank: number): (call: CallArguments) => SymbolicTensor {
  return (call) =>
    pool(call.tensor('input'), spatial(call, 'ksize', rank), {
      strides: spatial(call, call.has('strides') ? 'strides' : 'ksize', rank),
      padding: call.choice('padding', ['valid', 'same']),
      dataFormat: dataFormat(call),
    });
}

const METHODS = ['bilinear', 'nearest', 'bicubic', 'lanczos3', 'lanczos5'] as const;

function resizeImages(call: CallArguments): SymbolicTensor {
  call.require('preserve_aspect_ratio', false);
  const interpolation = call.choice('method', METHODS);
  const source = images(call);
  const resized = resize(interpolation === 'nearest' ? source : cast(source, 'float32'), call.numbers('size'), {
    interpolation,
    antialias: call.boolean('antialias'),
  });
  return resized;
}

/** The resizing of TensorFlow 1, whose pixels have their corner at whole coordinates unless it is told otherwise. */
function resizeLegacy(interpolation: Interpolation): (call: CallArguments) => SymbolicTensor {
  return (call) => {
    const legacy: PixelCoordinates = call.boolean('align_corners') ? 'alignCorners' : 'asymmetric';
    const coordinates = call.boolean('half_pixel_centers') ? 'halfPixel' : legacy;
    const source = interpolation === 'nearest' ? images(call) : cast(images(call), 'float32');
    return resize(source, call.numbers('size'), { interpolation, coordinates });
  };
}

const LEGACY = { align_corners: false, half_pixel_centers: false };

function biasAdd(call: CallArguments): SymbolicTensor {
  const [value, bias] = [toSymbol(call.tensor('value')), toSymbol(call.tensor('bias'))];
  if (dataFormat(call) === 'channels_last') return add(value, bias);
  return add(
    value,
    withShape(
      bias,
      value.shape.map((extent, axis) => (axis === 1 ? extent : 1)),
    ),
  );
}

/** Weights that broadcast as they are, unlike those of Keras' operation, which are vectors along an axis. */
function batchNormalization(call: CallArguments): SymbolicTensor {
  const x = call.tensor('x');
  const inverse = rsqrt(add(call.tensor('variance'), call.number('variance_epsilon')));
  const scale = call.tensorOrNull('scale');
  const normalized = multiply(subtract(x, call.tensor('mean')), scale === null ? inverse : multiply(inverse, scale));
  const offset = call.tensorOrNull('offset');
  return offset === null ? normalized : add(normalized, offset);
}

/** Each image with mean 0 and variance 1; the deviation is at least that of one bit in all pixels. */
function standardize(call: CallArguments): SymbolicTensor {
  const image = cast(call.tensor('image'), 'float32');
  const axes = [-3, -2, -1];
  const count = image.shape.slice(-3).reduce((product, extent) => product * extent, 1);
  const deviation = maximum(sqrt(variance(image, axes, true)), 1 / Math.sqrt(count));
  return divide(subtract(image, mean(image, axes, true)), deviation);
}

/** Rows of `tfOperations`. */
export const tfNetworkOperations: readonly OperationRow[] = [
  [
    'nn.conv1d',
    'input filters stride padding',
    { ...CONVOLUTION, stride: 1 },
    (call) =>
      conv(call.tensor('input'), call.tensor('filters'), {
        ...convolutionOptions(call, 1),
        strides: spatial(call, 'stride', 1),
      }),
  ],
  ['nn.conv2d', 'input filters strides padding', CONVOLUTION, convolution(2)],
  ['nn.conv3d', 'input filters strides padding', CONVOLUTION, convolution(3)],
  [
    'nn.depthwise_conv2d',
    'input filter strides padding data_format dilations',
    CONVOLUTION,
    (call) => depthwiseConv(call.tensor('input'), call.tensor('filter'), convolutionOptions(call, 2)),
  ],
  ['nn.max_pool1d', 'input ksize strides padding', POOLING, pooling(maxPool, 1)],
  ['nn.max_pool2d nn.max_pool', 'input ksize strides padding', POOLING, pooling(maxPool, 2)],
  ['nn.max_pool3d', 'input ksize strides padding', POOLING, pooling(maxPool, 3)],
  ['nn.avg_pool1d', 'input ksize strides padding', POOLING, pooling(averagePool, 1)],
  ['nn.avg_pool2d nn.avg_pool', 'input ksize strides padding', POOLING, pooling(averagePool, 2)],
  ['nn.avg_pool3d', 'input ksize strides padding', POOLING, pooling(averagePool, 3)],
  ['nn.bias_add compat.v1.nn.bias_add', 'value bias data_format', { data_format: null }, biasAdd],
  [
    'nn.batch_normalization',
    'x mean variance offset scale variance_epsilon',
    { offset: null, scale: null },
    batchNormalization,
  ],
  [
    'nn.moments',
    'x axes shift keepdims',
    { shift: null, keepdims: false },
    (call) => moments(call.tensor('x'), call.axes('axes'), call.boolean('keepdims')),
  ],
  [
    'nn.depth_to_space',
    'input block_size data_format',
    { data_format: null },
    (call) => depthToSpace(call.tensor('input'), call.number('block_size'), dataFormat(call)),
  ],
  [
    'nn.space_to_depth',
    'input block_size data_format',
    { data_format: null },
    (call) => spaceToDepth(call.tensor('input'), call.number('block_size'), dataFormat(call)),
  ],
  [
    'image.resize',
    'images size method preserve_aspect_ratio antialias',
    { method: 'bilinear', preserve_aspect_ratio: false, antialias: false },
    resizeImages,
  ],
  ['compat.v1.image.resize_bilinear', 'images size align_corners half_pixel_centers', LEGACY, resizeLegacy('bilinear')],
  [
    'compat.v1.image.resize_nearest_neighbor',
    'images size align_corners half_pixel_centers',
    LEGACY,
    resizeLegacy('nearest'),
  ],
  ['image.flip_left_right', 'image', {}, (call) => flip(call.tensor('image'), -2)],
  ['image.flip_up_down', 'image', {}, (call) => flip(call.tensor('image'), -3)],
  ['image.rgb_to_grayscale', 'images', {}, (call) => rgbToGrayscale(images(call))],
  ['image.grayscale_to_rgb', 'images', {}, (call) => repeat(images(call), 3, -1)],
  ['image.rgb_to_hsv', 'images', {}, (call) => rgbToHsv(images(call))],
  ['image.hsv_to_rgb', 'images', {}, (call) => hsvToRgb(images(call))],
  ['image.per_image_standardization', 'image', {}, standardize],
];
