/** Windows as rows, and blocks of pixels as channels. */
import { tensor } from '../array/tensor.ts';
import { apply, constant } from '../graph/apply.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import { conv, type DataFormat, type Padding } from './convolution.ts';
import { eye } from './creation.ts';
import { take } from './indexing.ts';
import { type Operand, perAxis, toFloat, toSymbol, withShape } from './operand.ts';
import { pad } from './padding.ts';
import { expandDims, reshape, squeeze, transpose } from './shape.ts';

export interface PatchOptions {
  /** By default the size: patches do not overlap. */
  readonly strides?: number | readonly number[] | null;
  readonly padding?: Exclude<Padding, 'causal'>;
  readonly dilationRate?: number | readonly number[];
  readonly dataFormat?: DataFormat;
}

/** The windows of images or volumes, each flattened into the channels of its position. */
export function extractPatches(
  images: Operand,
  size: number | readonly number[],
  options: PatchOptions = {},
): SymbolicTensor {
  const { dataFormat = 'channels_last', strides = null, padding = 'valid', dilationRate = 1 } = options;
  const window = typeof size === 'number' ? [size, size] : [...size];
  const symbol = toFloat(images);
  const isSingle = symbol.shape.length === window.length + 1;
  const batch = isSingle ? expandDims(symbol, 0) : symbol;
  const channels = batch.shape[dataFormat === 'channels_last' ? batch.shape.length - 1 : 1] as number;
  const count = window.reduce((product, extent) => product * extent, channels);
  // A kernel that copies: output channel i takes the i-th element of the window.
  const kernel = withShape(eye(count), [...window, channels, count]);
  const patches = conv(batch, kernel, { dataFormat, padding, dilationRate, strides: strides ?? window });
  return isSingle ? squeeze(patches, 0) : patches;
}

/** Windows of `[batch, channels, height, width]` as columns: `[batch, channels · window, positions]`. */
export function unfold(
  x: Operand,
  kernelSize: number | readonly number[],
  dilation: number | readonly number[] = 1,
  padding: number | readonly number[] = 0,
  stride: number | readonly number[] = 1,
): SymbolicTensor {
  const symbol = toFloat(x);
  const [batch, channels] = symbol.shape as [number, number, number, number];
  const window = perAxis(kernelSize, 2, 'kernelSize');
  const pads = perAxis(padding, 2, 'padding');
  const padded = pad(symbol, [[0, 0], [0, 0], ...pads.map((width) => [width, width])]);
  const area = (window[0] as number) * (window[1] as number);
  const patches = extractPatches(padded, window, {
    strides: stride,
    dilationRate: dilation,
    dataFormat: 'channels_first',
  });
  // The patches have the channel last within a window, the columns have it first.
  const [, , rows, columns] = patches.shape as [number, number, number, number];
  const split = reshape(patches, [batch, area, channels, rows * columns]);
  return reshape(transpose(split, [0, 2, 1, 3]), [batch, channels * area, rows * columns]);
}

/** The inverse of `unfold`, in which overlapping elements add up: `[batch, channels, …outputSize]`. */
export function fold(
  x: Operand,
  outputSize: number | readonly number[],
  kernelSize: number | readonly number[],
  dilation: number | readonly number[] = 1,
  padding: number | readonly number[] = 0,
  stride: number | readonly number[] = 1,
): SymbolicTensor {
  const symbol = toFloat(x);
  const [size, window, steps, spread, pads] = (
    [
      [outputSize, 'outputSize'],
      [kernelSize, 'kernelSize'],
      [stride, 'stride'],
      [dilation, 'dilation'],
      [padding, 'padding'],
    ] as const
  ).map(([value, name]) => perAxis(value, 2, name)) as [number[], number[], number[], number[], number[]];
  const [batch, depth] = symbol.shape as [number, number, number];
  const area = (window[0] as number) * (window[1] as number);
  const channels = depth / area;
  const positions = size.map((extent, axis) => {
    const covered = ((window[axis] as number) - 1) * (spread[axis] as number) + 1;
    return Math.floor((extent + 2 * (pads[axis] as number) - covered) / (steps[axis] as number)) + 1;
  });
  const columns = reshape(symbol, [batch, channels, area, ...positions]);
  const last = reshape(transpose(columns, [0, 3, 4, 2, 1]), [batch, ...positions, depth]);
  const y = apply('convolveInputGradient', [last, withShape(eye(depth), [...window, channels, depth])], {
    strides: steps,
    dilation: spread,
    padding: pads.map((width): [number, number] => [width, width]),
    groups: 1,
    inputShape: [batch, ...size, channels],
  });
  return transpose(y, [0, 3, 1, 2]);
}

/** Moves channels into blocks of pixels. */
export function depthToSpace(x: Operand, blockSize: number, dataFormat: DataFormat = 'channels_last'): SymbolicTensor {
  const symbol = toSymbol(x);
  if (dataFormat === 'channels_first') {
    const [n, c, h, w] = symbol.shape as [number, number, number, number];
    const depth = c / blockSize ** 2;
    const split = reshape(symbol, [n, depth, blockSize, blockSize, h, w]);
    return reshape(transpose(split, [0, 1, 4, 2, 5, 3]), [n, depth, h * blockSize, w * blockSize]);
  }
  const [n, h, w, c] = symbol.shape as [number, number, number, number];
  const depth = c / blockSize ** 2;
  const split = reshape(symbol, [n, h, w, blockSize, blockSize, depth]);
  return reshape(transpose(split, [0, 1, 3, 2, 4, 5]), [n, h * blockSize, w * blockSize, depth]);
}

/** Moves blocks of pixels into channels. */
export function spaceToDepth(x: Operand, blockSize: number, dataFormat: DataFormat = 'channels_last'): SymbolicTensor {
  const symbol = toSymbol(x);
  if (dataFormat === 'channels_first') {
    const [n, c, h, w] = symbol.shape as [number, number, number, number];
    const [rows, columns] = [h / blockSize, w / blockSize];
    const split = reshape(symbol, [n, c, rows, blockSize, columns, blockSize]);
    return reshape(transpose(split, [0, 1, 3, 5, 2, 4]), [n, c * blockSize ** 2, rows, columns]);
  }
  const [n, h, w, c] = symbol.shape as [number, number, number, number];
  const [rows, columns] = [h / blockSize, w / blockSize];
  const split = reshape(symbol, [n, rows, blockSize, columns, blockSize, c]);
  return reshape(transpose(split, [0, 1, 3, 2, 4, 5]), [n, rows, columns, c * blockSize ** 2]);
}

/** Windows of the last axis, `sequenceStride` apart, as a new axis before it. */
export function extractSequences(x: Operand, sequenceLength: number, sequenceStride: number): SymbolicTensor {
  const symbol = toSymbol(x);
  const extent = symbol.shape.at(-1) as number;
  const count = Math.max(0, Math.floor((extent - sequenceLength) / sequenceStride) + 1);
  const indices = Array.from({ length: count * sequenceLength }, (_, index) => {
    return Math.floor(index / sequenceLength) * sequenceStride + (index % sequenceLength);
  });
  return take(symbol, constant(tensor(indices, [count, sequenceLength], 'int32')), -1);
}
