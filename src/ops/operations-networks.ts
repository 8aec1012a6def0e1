/** Keras' operations of neural networks and images. */
import type { SymbolicTensor } from '../graph/node.ts';
import { dotProductAttention } from './attention.ts';
import {
  type ConvolutionOptions,
  conv,
  convTranspose,
  type DataFormat,
  depthwiseConv,
  separableConv,
} from './convolution.ts';
import { binaryCrossentropy, categoricalCrossentropy, sparseCategoricalCrossentropy } from './crossentropy.ts';
import * as image from './image.ts';
import { resize, scaleAndTranslate } from './image-resize.ts';
import { batchNormalization, layerNormalization, normalize, rmsNormalization } from './normalization.ts';
import type { Operand } from './operand.ts';
import { normOrder } from './operations-arrays.ts';
import * as patches from './patches.ts';
import * as pooling from './pooling.ts';
import { type CallArguments, type OperationRow, type RawOperation, rawOperation } from './raw-operation.ts';
import { fft, irfft, rfft, stft } from './signal.ts';
import { psnr } from './statistics.ts';

const CONVOLUTION = { strides: 1, padding: 'valid', data_format: null, dilation_rate: 1 } as const;
const POOLING = { pool_size: null, strides: null, padding: 'valid', data_format: null } as const;
const FORMATS = ['channels_last', 'channels_first'] as const;
const FILL_MODES = ['constant', 'nearest', 'wrap', 'mirror', 'reflect'] as const;
const EPSILON = 1e-7;

const dataFormat = (call: CallArguments): DataFormat => call.choice('data_format', FORMATS);
const inputs = (call: CallArguments): Operand => call.tensor('inputs');
const images = (call: CallArguments): Operand => call.tensor('images');
const x = (call: CallArguments): Operand => call.tensor('x');

function convolution(call: CallArguments): ConvolutionOptions {
  return {
    strides: call.numberOrNumbers('strides'),
    padding: call.choice('padding', ['valid', 'same', 'causal']),
    dataFormat: dataFormat(call),
    dilationRate: call.numberOrNumbers('dilation_rate'),
  };
}

function pooled(call: CallArguments): [Operand, number | number[], pooling.PoolingOptions] {
  const options = {
    strides: call.axes('strides'),
    padding: call.choice('padding', ['valid', 'same']),
    dataFormat: dataFormat(call),
  };
  return [inputs(call), call.numberOrNumbers('pool_size'), options];
}

function epsilon(call: CallArguments): number {
  return call.numberOrNull('epsilon') ?? EPSILON;
}

function resized(call: CallArguments): SymbolicTensor {
  call.require('fill_mode', 'constant');
  return resize(images(call), call.numbers('size'), {
    interpolation: call.choice('interpolation', ['bilinear', 'nearest', 'bicubic', 'lanczos3', 'lanczos5']),
    antialias: call.boolean('antialias'),
    cropToAspectRatio: call.boolean('crop_to_aspect_ratio'),
    padToAspectRatio: call.boolean('pad_to_aspect_ratio'),
    fillValue: call.number('fill_value'),
    dataFormat: dataFormat(call),
  });
}

/** Borders are `top_padding` or `top_cropping`, and so on. */
function border(call: CallArguments, word: 'padding' | 'cropping'): image.BorderOptions {
  return {
    top: call.numberOrNull(`top_${word}`),
    left: call.numberOrNull(`left_${word}`),
    bottom: call.numberOrNull(`bottom_${word}`),
    right: call.numberOrNull(`right_${word}`),
    targetHeight: call.numberOrNull('target_height'),
    targetWidth: call.numberOrNull('target_width'),
    dataFormat: dataFormat(call),
  };
}

function borderKeys(word: 'padding' | 'cropping'): Record<string, unknown> {
  const keys = ['top', 'left', 'bottom', 'right'].map((side) => [`${side}_${word}`, null]);
  return { ...Object.fromEntries(keys), target_height: null, target_width: null, data_format: null };
}

const SCALE_METHODS = [
  'linear',
  'bilinear',
  'trilinear',
  'cubic',
  'bicubic',
  'tricubic',
  'lanczos3',
  'lanczos5',
] as const;

const ROWS: readonly OperationRow[] = [
  ['Conv', 'inputs kernel', CONVOLUTION, (call) => conv(inputs(call), call.tensor('kernel'), convolution(call))],
  [
    'DepthwiseConv',
    'inputs kernel',
    CONVOLUTION,
    (call) => depthwiseConv(inputs(call), call.tensor('kernel'), convolution(call)),
  ],
  [
    'SeparableConv',
    'inputs depthwise_kernel pointwise_kernel',
    CONVOLUTION,
    (call) =>
      separableConv(inputs(call), call.tensor('depthwise_kernel'), call.tensor('pointwise_kernel'), convolution(call)),
  ],
  [
    'ConvTranspose',
    'inputs kernel',
    { ...CONVOLUTION, output_padding: null },
    (call) =>
      convTranspose(inputs(call), call.tensor('kernel'), {
        ...convolution(call),
        outputPadding: call.axes('output_padding'),
      }),
  ],
  ['MaxPool', 'inputs', POOLING, (call) => pooling.maxPool(...pooled(call))],
  ['AveragePool', 'inputs', POOLING, (call) => pooling.averagePool(...pooled(call))],
  [
    'AdaptiveMaxPool',
    'inputs',
    { output_size: null, data_format: null },
    (call) => pooling.adaptiveMaxPool(inputs(call), call.numberOrNumbers('output_size'), dataFormat(call)),
  ],
  [
    'AdaptiveAveragePool',
    'inputs',
    { output_size: null, data_format: null },
    (call) => pooling.adaptiveAveragePool(inputs(call), call.numberOrNumbers('output_size'), dataFormat(call)),
  ],
  [
    'BatchNorm',
    'x mean variance offset scale',
    { axis: -1, epsilon: 1e-3, offset: null, scale: null },
    (call) =>
      batchNormalization(
        x(call),
        call.tensor('mean'),
        call.tensor('variance'),
        call.number('axis'),
        call.tensorOrNull('offset'),
        call.tensorOrNull('scale'),
        call.number('epsilon'),
      ),
  ],
  [
    'LayerNorm',
    'x gamma beta',
    { axis: -1, epsilon: null, rms_scaling: false, gamma: null, beta: null },
    (call) =>
      layerNormalization(
        x(call),
        call.tensorOrNull('gamma'),
        call.tensorOrNull('beta'),
        call.numberOrNumbers('axis'),
        epsilon(call),
        call.boolean('rms_scaling'),
      ),
  ],
  [
    'RMSNorm',
    'x scale',
    { axis: -1, epsilon: null, scale: null },
    (call) => rmsNormalization(x(call), call.tensorOrNull('scale'), call.numberOrNumbers('axis'), epsilon(call)),
  ],
  [
    'Normalize',
    'x',
    { axis: -1, order: 2, epsilon: null },
    (call) => normalize(x(call), call.axes(), normOrder(call, 'order'), epsilon(call)),
  ],
  [
    'DotProductAttention',
    'query key value bias mask scale',
    { bias: null, mask: null, scale: null, is_causal: false, flash_attention: null, attn_logits_soft_cap: null },
    (call) => {
      call.require('attn_logits_soft_cap', null);
      return dotProductAttention(call.tensor('query'), call.tensor('key'), call.tensor('value'), {
        bias: call.tensorOrNull('bias'),
        mask: call.tensorOrNull('mask'),
        scale: call.numberOrNull('scale'),
        isCausal: call.boolean('is_causal'),
      });
    },
  ],
  [
    'BinaryCrossentropy',
    'target output',
    { from_logits: false },
    (call) => binaryCrossentropy(call.tensor('target'), call.tensor('output'), call.boolean('from_logits')),
  ],
  [
    'CategoricalCrossentropy',
    'target output',
    { from_logits: false, axis: -1 },
    (call) =>
      categoricalCrossentropy(
        call.tensor('target'),
        call.tensor('output'),
        call.boolean('from_logits'),
        call.number('axis'),
      ),
  ],
  [
    'SparseCategoricalCrossentropy',
    'target output',
    { from_logits: false, axis: -1 },
    (call) =>
      sparseCategoricalCrossentropy(
        call.tensor('target'),
        call.tensor('output'),
        call.boolean('from_logits'),
        call.number('axis'),
      ),
  ],
  ['PSNR', 'x1 x2', { max_val: 1 }, (call) => psnr(call.tensor('x1'), call.tensor('x2'), call.number('max_val'))],
  [
    'Unfold',
    'x',
    { kernel_size: null, dilation: 1, padding: 0, stride: 1 },
    (call) => patches.unfold(x(call), call.numberOrNumbers('kernel_size'), ...windowing(call)),
  ],
  [
    'Fold',
    'x',
    { output_size: null, kernel_size: null, dilation: 1, padding: 0, stride: 1 },
    (call) =>
      patches.fold(
        x(call),
        call.numberOrNumbers('output_size'),
        call.numberOrNumbers('kernel_size'),
        ...windowing(call),
      ),
  ],
  [
    'DepthToSpace',
    'x',
    { block_size: 1, data_format: null },
    (call) => patches.depthToSpace(x(call), call.number('block_size'), dataFormat(call)),
  ],
  [
    'SpaceToDepth',
    'x',
    { block_size: 1, data_format: null },
    (call) => patches.spaceToDepth(x(call), call.number('block_size'), dataFormat(call)),
  ],
  [
    'ExtractSequences',
    'x',
    { sequence_length: null, sequence_stride: null },
    (call) => patches.extractSequences(x(call), call.number('sequence_length'), call.number('sequence_stride')),
  ],
  [
    'ExtractPatches',
    'images',
    { size: null, strides: null, dilation_rate: 1, padding: 'valid', data_format: null },
    (call) =>
      patches.extractPatches(images(call), call.numberOrNumbers('size'), {
        strides: call.axes('strides'),
        dilationRate: call.numberOrNumbers('dilation_rate'),
        padding: call.choice('padding', ['valid', 'same']),
        dataFormat: dataFormat(call),
      }),
  ],

  [
    'Resize',
    'images',
    {
      size: null,
      interpolation: 'bilinear',
      antialias: false,
      crop_to_aspect_ratio: false,
      pad_to_aspect_ratio: false,
      fill_mode: 'constant',
      fill_value: 0,
      data_format: null,
    },
    resized,
  ],
  ['PadImages', 'images', borderKeys('padding'), (call) => image.padImages(images(call), border(call, 'padding'))],
  ['CropImages', 'images', borderKeys('cropping'), (call) => image.cropImages(images(call), border(call, 'cropping'))],
  ['RGBToGrayscale', 'images', { data_format: null }, (call) => image.rgbToGrayscale(images(call), dataFormat(call))],
  ['RGBToHSV', 'images', { data_format: null }, (call) => image.rgbToHsv(images(call), dataFormat(call))],
  ['HSVToRGB', 'images', { data_format: null }, (call) => image.hsvToRgb(images(call), dataFormat(call))],
  [
    'AffineTransform',
    'images transform',
    { interpolation: 'bilinear', fill_mode: 'constant', fill_value: 0, data_format: null },
    (call) =>
      image.affineTransform(
        images(call),
        call.tensor('transform'),
        call.choice('interpolation', ['bilinear', 'nearest']),
        call.choice('fill_mode', FILL_MODES),
        call.number('fill_value'),
        dataFormat(call),
      ),
  ],
  [
    'MapCoordinates',
    'inputs coordinates',
    { order: 1, fill_mode: 'constant', fill_value: 0 },
    (call) =>
      image.mapCoordinates(
        inputs(call),
        call.tensor('coordinates'),
        call.number('order') === 0 ? 0 : 1,
        call.choice('fill_mode', FILL_MODES),
        call.number('fill_value'),
      ),
  ],
  [
    'GaussianBlur',
    'images',
    { kernel_size: [3, 3], sigma: [1, 1], data_format: null },
    (call) => image.gaussianBlur(images(call), call.numbers('kernel_size'), call.numbers('sigma'), dataFormat(call)),
  ],
  ['SobelEdges', 'images', { data_format: null }, (call) => image.sobelEdges(images(call), dataFormat(call))],
  [
    'ScaleAndTranslate',
    'images output_shape scale translation',
    { spatial_dims: null, method: 'linear', antialias: true },
    (call) =>
      scaleAndTranslate(
        images(call),
        call.numbers('output_shape'),
        call.numbers('scale'),
        call.numbers('translation'),
        call.numbers('spatial_dims'),
        call.choice('method', SCALE_METHODS),
        call.boolean('antialias'),
      ),
  ],
  ['RFFT', 'x', { fft_length: null }, (call) => rfft(x(call), call.numberOrNull('fft_length'))],
  ['IRFFT', 'x', { fft_length: null }, (call) => irfft(complex(call), call.numberOrNull('fft_length'))],
  ['FFT', 'x', {}, (call) => fft(complex(call))],
  [
    'STFT',
    'x',
    { sequence_length: null, sequence_stride: null, fft_length: null, window: 'hann', center: true },
    (call) =>
      stft(
        x(call),
        call.number('sequence_length'),
        call.number('sequence_stride'),
        call.number('fft_length'),
        typeof call.raw('window') === 'string'
          ? call.choice('window', ['hann', 'hamming'])
          : call.tensorOrNull('window'),
        call.boolean('center'),
      ),
  ],
];

/** A list of the real and the imaginary part. */
function complex(call: CallArguments): [Operand, Operand] {
  return call.tensors('x') as [Operand, Operand];
}

function windowing(call: CallArguments): [number | number[], number | number[], number | number[]] {
  return [call.numberOrNumbers('dilation'), call.numberOrNumbers('padding'), call.numberOrNumbers('stride')];
}

/** By class name. */
export const networkOperations: readonly (readonly [string, RawOperation])[] = ROWS.map(
  ([name, signature, defaults, run]) => [name, rawOperation(name, signature, defaults, run)] as const,
);
