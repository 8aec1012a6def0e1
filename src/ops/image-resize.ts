/**
 * Resizing of images, one axis after the other: each output element is a weighted sum of a few input elements. The
 * weights depend on extents only and are computed while tracing.
 */
import { tensor } from '../array/tensor.ts';
import { apply, constant } from '../graph/apply.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import type { DataFormat } from './convolution.ts';
import { add, multiply, round } from './elementwise.ts';
import { take } from './indexing.ts';
import { cast, type Operand, toFloat, toSymbol, withShape } from './operand.ts';
import { pad } from './padding.ts';
import { between, moveaxis, reshape } from './shape.ts';
import { tableLength } from './table-length.ts';

export type Interpolation = 'nearest' | 'bilinear' | 'bicubic' | 'lanczos3' | 'lanczos5';

/**
 * Where output elements lie in the input: pixels have centres at halves (Keras, TensorFlow 2), corners meet corners
 * (`align_corners`), or neither (TensorFlow 1, TensorFlow.js).
 */
export type PixelCoordinates = 'halfPixel' | 'alignCorners' | 'asymmetric';

export interface ResizeOptions {
  readonly interpolation?: Interpolation;
  /** Widens the kernel when an axis shrinks, so that every input element counts. */
  readonly antialias?: boolean;
  /** Cuts off what would be distorted. */
  readonly cropToAspectRatio?: boolean;
  /** Adds borders of `fillValue` so that nothing is distorted. */
  readonly padToAspectRatio?: boolean;
  readonly fillValue?: number;
  readonly dataFormat?: DataFormat;
  readonly coordinates?: PixelCoordinates;
}

/** The weight of an input element at a distance from the sample, in elements. */
type ResizeKernel = (distance: number) => number;

function lanczos(radius: number): ResizeKernel {
  return (distance) => {
    if (distance > radius) return 0;
    if (distance <= 1e-3) return 1;
    const angle = Math.PI * distance;
    return (radius * Math.sin(angle) * Math.sin(angle / radius)) / (angle * angle);
  };
}

const KERNELS: { readonly [name: string]: ResizeKernel } = {
  bilinear: (distance) => Math.max(0, 1 - distance),
  // Keys' cubic convolution with a = −1/2.
  bicubic: (distance) => {
    if (distance >= 2) return 0;
    if (distance >= 1) return ((-0.5 * distance + 2.5) * distance - 4) * distance + 2;
    return (1.5 * distance - 2.5) * distance * distance + 1;
  },
  lanczos3: lanczos(3),
  lanczos5: lanczos(5),
};

/** Up to so many elements a sum of gathered slices is cheaper than a product with a matrix, which is mostly zeros. */
const MAX_GATHERED_TAPS = 6;

/** Resizes images `[…, height, width, channels]`, or channels first, to `size`, as float32. */
export function resize(images: Operand, size: readonly number[], options: ResizeOptions = {}): SymbolicTensor {
  const { interpolation = 'bilinear', antialias = false, dataFormat = 'channels_last' } = options;
  const { coordinates = 'halfPixel' } = options;
  const source = toSymbol(images);
  const target = size as readonly [number, number];
  const axes = spatialAxes(source.shape.length, dataFormat);
  const fitted = fitAspectRatio(source, target, axes, options);
  const resized = axes.reduce((image, axis, index) => {
    const extent = target[index] as number;
    if (image.shape[axis] === extent) return image;
    if (interpolation === 'nearest') return resizeNearest(image, axis, extent, coordinates);
    return resizeAxis(toFloat(image), axis, extent, interpolation, antialias, coordinates);
  }, fitted);
  // Keras gives images back in the dtype in which they came.
  return source.dtype === 'int32' && resized.dtype === 'float32' ? cast(round(resized), 'int32') : resized;
}

/** Height and width among the axes of an image or a batch of images. */
export function spatialAxes(ndim: number, dataFormat: DataFormat): [number, number] {
  if (ndim !== 3 && ndim !== 4) throw new RangeError(`Cannot use as images: found ${ndim} axes, expected 3 or 4`);
  return dataFormat === 'channels_last' ? [ndim - 3, ndim - 2] : [ndim - 2, ndim - 1];
}

function fitAspectRatio(
  images: SymbolicTensor,
  [targetHeight, targetWidth]: readonly [number, number],
  [heightAxis, widthAxis]: readonly [number, number],
  { cropToAspectRatio = false, padToAspectRatio = false, fillValue = 0 }: ResizeOptions,
): SymbolicTensor {
  if (cropToAspectRatio && padToAspectRatio) throw new RangeError('Cannot resize: found both cropping and padding');
  const [height, width] = [images.shape[heightAxis] as number, images.shape[widthAxis] as number];
  const fittingHeight = Math.trunc((width * targetHeight) / targetWidth);
  const fittingWidth = Math.trunc((height * targetWidth) / targetHeight);
  if (cropToAspectRatio) {
    const [rows, columns] = [clamp(fittingHeight, height), clamp(fittingWidth, width)];
    const [top, left] = [Math.trunc((height - rows) / 2), Math.trunc((width - columns) / 2)];
    return between(between(images, heightAxis, top, top + rows), widthAxis, left, left + columns);
  }
  if (!padToAspectRatio) return images;
  // As in Keras, both borders have the same width, and only one axis is padded.
  const top = Math.trunc((Math.max(height, fittingHeight) - height) / 2);
  const left = top > 0 ? 0 : Math.trunc((Math.max(width, fittingWidth) - width) / 2);
  const borders = images.shape.map((_, axis) =>
    axis === heightAxis ? [top, top] : axis === widthAxis ? [left, left] : [0, 0],
  );
  return pad(images, borders, 'constant', fillValue);
}

function clamp(value: number, limit: number): number {
  return Math.max(Math.min(limit, value), 1);
}

function resizeNearest(x: SymbolicTensor, axis: number, target: number, coordinates: PixelCoordinates): SymbolicTensor {
  const extent = x.shape[axis] as number;
  const indices = Array.from({ length: tableLength('the positions of a resize', target) }, (_, position) => {
    if (coordinates === 'alignCorners') return Math.round((position * (extent - 1)) / Math.max(target - 1, 1));
    const offset = coordinates === 'halfPixel' ? 0.5 : 0;
    return Math.min(extent - 1, Math.floor(((position + offset) * extent) / target));
  });
  return take(x, indices, axis);
}

function resizeAxis(
  x: SymbolicTensor,
  axis: number,
  target: number,
  interpolation: Exclude<Interpolation, 'nearest'>,
  antialias: boolean,
  coordinates: PixelCoordinates,
): SymbolicTensor {
  const extent = x.shape[axis] as number;
  const step = coordinates === 'alignCorners' ? (extent - 1) / Math.max(target - 1, 1) : extent / target;
  const shift = coordinates === 'halfPixel' ? 0.5 : 0;
  const samples = Array.from(
    { length: tableLength('the positions of a resize', target) },
    (_, position) => (position + shift) * step - shift,
  );
  return resample(x, axis, samples, KERNELS[interpolation] as ResizeKernel, antialias ? Math.max(step, 1) : 1);
}

/** Weighted sums around the samples; weights sum to 1, and a sample outside the input is 0. */
function resample(
  x: SymbolicTensor,
  axis: number,
  samples: readonly number[],
  kernel: ResizeKernel,
  kernelScale: number,
): SymbolicTensor {
  const extent = x.shape[axis] as number;
  const rows = samples.map((sample) => weightsAt(sample, extent, kernel, kernelScale));
  const widths = rows.map((row) => lastNonzero(row) - firstNonzero(row) + 1);
  const taps = Math.max(1, ...widths);
  return taps <= MAX_GATHERED_TAPS ? gatherTaps(x, axis, rows, taps) : multiplyByMatrix(x, axis, rows);
}

function weightsAt(sample: number, extent: number, kernel: ResizeKernel, kernelScale: number): number[] {
  if (sample < -0.5 || sample > extent - 0.5) return new Array<number>(extent).fill(0);
  const weights = Array.from({ length: extent }, (_, position) => kernel(Math.abs(sample - position) / kernelScale));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

function firstNonzero(row: readonly number[]): number {
  return Math.max(
    0,
    row.findIndex((weight) => weight !== 0),
  );
}

function lastNonzero(row: readonly number[]): number {
  return Math.max(
    0,
    row.findLastIndex((weight) => weight !== 0),
  );
}

function gatherTaps(
  x: SymbolicTensor,
  axis: number,
  rows: readonly (readonly number[])[],
  taps: number,
): SymbolicTensor {
  const extent = x.shape[axis] as number;
  const starts = rows.map((row) => Math.max(0, Math.min(firstNonzero(row), extent - taps)));
  const shape = x.shape.map((_, other) => (other === axis ? rows.length : 1));
  const terms = Array.from({ length: Math.min(taps, extent) }, (_, tap) => {
    const weights = rows.map((row, index) => row[(starts[index] as number) + tap] as number);
    const elements = take(
      x,
      starts.map((start) => start + tap),
      axis,
    );
    return multiply(elements, constant(tensor(weights, shape, 'float32')));
  });
  return terms.reduce((sum, term) => add(sum, term));
}

function multiplyByMatrix(x: SymbolicTensor, axis: number, rows: readonly (readonly number[])[]): SymbolicTensor {
  const extent = x.shape[axis] as number;
  const matrix = constant(tensor(rows.flat(), [rows.length, extent], 'float32'));
  const moved = moveaxis(x, axis, 0);
  const columns = reshape(moved, [extent, -1]);
  const product = apply('dot', [matrix, columns], { transposeLeft: false, transposeRight: false });
  return moveaxis(withShape(product, [rows.length, ...moved.shape.slice(1)]), 0, axis);
}

/** The methods of `scaleAndTranslate`. */
export type ScaleMethod =
  | 'linear'
  | 'bilinear'
  | 'trilinear'
  | 'cubic'
  | 'bicubic'
  | 'tricubic'
  | 'lanczos3'
  | 'lanczos5';

/** Resamples axes so that input position p goes to `p · scale + translation`, both known while tracing. */
export function scaleAndTranslate(
  images: Operand,
  outputShape: readonly number[],
  scale: readonly number[],
  translation: readonly number[],
  spatialDims: readonly number[],
  method: ScaleMethod,
  antialias = true,
): SymbolicTensor {
  const family = method.endsWith('linear') ? 'bilinear' : method.endsWith('cubic') ? 'bicubic' : method;
  return spatialDims.reduce((image, axis, index) => {
    const [factor, offset] = [scale[index] as number, translation[index] as number];
    const samples = Array.from({ length: outputShape[axis] as number }, (_, position) => {
      return (position + 0.5 - offset) / factor - 0.5;
    });
    return resample(image, axis, samples, KERNELS[family] as ResizeKernel, antialias ? Math.max(1 / factor, 1) : 1);
  }, toFloat(images));
}
