/** Convolutions with the arguments of Keras: data formats, paddings by name, dilation, groups. */
import { formatShape } from '../array/shape.ts';
import { ShapeError } from '../errors.ts';
import { apply } from '../graph/apply.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import type { PaddingPair } from '../graph/primitives.ts';
import { dilatedExtent, samePadding } from '../graph/window.ts';
import { type Operand, perAxis, toFloat, withShape } from './operand.ts';
import { moveaxis } from './shape.ts';

/** Where the channels lie: `[batch, …spatial, channels]` or `[batch, channels, …spatial]`. */
export type DataFormat = 'channels_last' | 'channels_first';

/** `causal` pads one spatial axis at its beginning only, so that no output sees a later input. */
export type Padding = 'valid' | 'same' | 'causal';

export interface ConvolutionOptions {
  readonly strides?: number | readonly number[];
  readonly padding?: Padding;
  readonly dataFormat?: DataFormat;
  readonly dilationRate?: number | readonly number[];
}

export interface TransposedConvolutionOptions extends ConvolutionOptions {
  /** Elements added at the end of each axis; `null` is what makes the extent a multiple of the stride. */
  readonly outputPadding?: number | readonly number[] | null;
  /** Where `same` cuts off the odd element: TensorFlow and JAX do so at the end, torch at the beginning. */
  readonly sameCuts?: 'end' | 'beginning';
}

/** The tensor with its channels last. */
export function channelsLast(x: SymbolicTensor, dataFormat: DataFormat): SymbolicTensor {
  return dataFormat === 'channels_first' ? moveaxis(x, 1, -1) : x;
}

/** The tensor with its channels, now last, where the data format wants them. */
export function fromChannelsLast(x: SymbolicTensor, dataFormat: DataFormat): SymbolicTensor {
  return dataFormat === 'channels_first' ? moveaxis(x, -1, 1) : x;
}

/** Low and high padding of each spatial axis, for a padding by name. */
export function windowPadding(
  padding: Padding,
  extents: readonly number[],
  window: readonly number[],
  strides: readonly number[],
  dilation: readonly number[],
): PaddingPair[] {
  return window.map((extent, axis): PaddingPair => {
    const [step, spread] = [strides[axis] as number, dilation[axis] as number];
    if (padding === 'same') return samePadding(extents[axis] as number, extent, step, spread);
    return padding === 'causal' ? [dilatedExtent(extent, spread) - 1, 0] : [0, 0];
  });
}

/**
 * Convolution over 1 to 3 spatial axes with a kernel `[…spatial, in / groups, out]`; the groups follow from the shapes.
 *
 * @throws {ShapeError} when kernel and channels do not fit.
 */
export function conv(inputs: Operand, kernel: Operand, options: ConvolutionOptions = {}): SymbolicTensor {
  const { strides = 1, padding = 'valid', dataFormat = 'channels_last', dilationRate = 1 } = options;
  const x = channelsLast(toFloat(inputs), dataFormat);
  const weights = toFloat(kernel);
  const spatial = x.shape.length - 2;
  const window = weights.shape.slice(0, -2);
  const [channels, inPerGroup] = [x.shape.at(-1) as number, weights.shape.at(-2) as number];
  if (window.length !== spatial || channels % inPerGroup !== 0) {
    throw new ShapeError(
      `Cannot convolve: found ${channels} channels and a kernel of shape ${formatShape(weights.shape)}, ` +
        `expected ${spatial} spatial axes and channels in multiples of ${inPerGroup}`,
    );
  }
  const steps = perAxis(strides, spatial, 'strides');
  const dilation = perAxis(dilationRate, spatial, 'dilationRate');
  const y = apply('convolve', [x, weights], {
    strides: steps,
    dilation,
    padding: windowPadding(padding, x.shape.slice(1, -1), window, steps, dilation),
    groups: channels / inPerGroup,
  });
  return fromChannelsLast(y, dataFormat);
}

/** Each channel is convolved by its own kernels: `[…spatial, channels, multiplier]`; outputs `channels · multiplier`. */
export function depthwiseConv(inputs: Operand, kernel: Operand, options: ConvolutionOptions = {}): SymbolicTensor {
  const weights = toFloat(kernel);
  const [channels, multiplier] = weights.shape.slice(-2) as [number, number];
  return conv(inputs, withShape(weights, [...weights.shape.slice(0, -2), 1, channels * multiplier]), options);
}

/** A depthwise convolution, then one of extent 1 that mixes the channels. */
export function separableConv(
  inputs: Operand,
  depthwiseKernel: Operand,
  pointwiseKernel: Operand,
  options: ConvolutionOptions = {},
): SymbolicTensor {
  const { dataFormat = 'channels_last' } = options;
  return conv(depthwiseConv(inputs, depthwiseKernel, options), pointwiseKernel, { dataFormat });
}

/**
 * The transpose of a convolution: each input element spreads a kernel `[…spatial, out, in]` over the output.
 *
 * Extents follow Keras 3: `valid` gives `(input − 1) · stride + max(kernel, stride)`, `same` gives `input · stride`,
 * unless an output padding is given.
 */
export function convTranspose(
  inputs: Operand,
  kernel: Operand,
  options: TransposedConvolutionOptions = {},
): SymbolicTensor {
  const { strides = 1, padding = 'valid', dataFormat = 'channels_last', dilationRate = 1 } = options;
  const { outputPadding = null, sameCuts = 'end' } = options;
  const x = channelsLast(toFloat(inputs), dataFormat);
  const weights = toFloat(kernel);
  const window = weights.shape.slice(0, -2);
  const [outputs, channels] = weights.shape.slice(-2) as [number, number];
  const spatial = x.shape.length - 2;
  if (window.length !== spatial || channels !== x.shape.at(-1)) {
    throw new ShapeError(
      `Cannot convolve transposed: found an input of shape ${formatShape(x.shape)} and a kernel of shape ` +
        `${formatShape(weights.shape)}, expected a kernel [...spatial, outputs, ${x.shape.at(-1)}]`,
    );
  }
  const steps = perAxis(strides, spatial, 'strides');
  const dilation = perAxis(dilationRate, spatial, 'dilationRate');
  const extra = outputPadding === null ? null : perAxis(outputPadding, spatial, 'outputPadding');
  const axes = window.map((extent, axis) =>
    transposedAxis(
      x.shape[axis + 1] as number,
      dilatedExtent(extent, dilation[axis] as number),
      steps[axis] as number,
      padding,
      extra === null ? null : (extra[axis] as number),
      sameCuts,
    ),
  );
  const y = apply('convolveInputGradient', [x, weights], {
    strides: steps,
    dilation,
    padding: axes.map(({ pads }) => pads),
    groups: 1,
    inputShape: [x.shape[0] as number, ...axes.map(({ reached }) => reached), outputs],
  });
  const beyond = axes.map(({ beyond: count }): PaddingPair => [0, count]);
  const padded = beyond.some(([, count]) => count > 0)
    ? apply('pad', [y], { padding: [[0, 0], ...beyond, [0, 0]], value: 0 })
    : y;
  return fromChannelsLast(padded, dataFormat);
}

interface TransposedAxis {
  /** Padding of the convolution whose transpose this is: what is cut off at both ends. */
  readonly pads: PaddingPair;
  /** Extent of that convolution's input. */
  readonly reached: number;
  /** Further elements that no input reaches: a stride or more of output padding. */
  readonly beyond: number;
}

function transposedAxis(
  input: number,
  window: number,
  stride: number,
  padding: Padding,
  outputPadding: number | null,
  sameCuts: 'end' | 'beginning',
): TransposedAxis {
  const spread = (input - 1) * stride + window;
  let [low, extent] = [0, 0];
  if (padding === 'same') {
    extent = outputPadding === null ? input * stride : (input - 1) * stride + (window % 2) + outputPadding;
    const total = spread - extent;
    low = Math.max(0, sameCuts === 'end' ? Math.floor(total / 2) : Math.ceil(total / 2));
  } else {
    extent = spread + (outputPadding ?? Math.max(0, stride - window));
  }
  const high = spread - low - extent;
  // The convolution steps once more when its input has room for it.
  const beyond = Math.max(0, -high - (stride - 1));
  return { pads: [low, Math.max(0, high)], reached: extent - beyond, beyond };
}
