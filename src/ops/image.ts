/** Images: borders, colours, geometry, filters. `[…, height, width, channels]` or channels first, with or without a batch. */
import { formatShape } from '../array/shape.ts';
import { tensor } from '../array/tensor.ts';
import { ShapeError } from '../errors.ts';
import { constant } from '../graph/apply.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import { equal, greater, greaterEqual, less, logicalAnd, where } from './compare.ts';
import { type DataFormat, depthwiseConv } from './convolution.ts';
import { arange, coordinates as axisCoordinates } from './creation.ts';
import {
  abs,
  add,
  clip,
  divide,
  floor,
  floorDivide,
  maximum,
  minimum,
  mod,
  multiply,
  sign,
  subtract,
} from './elementwise.ts';
import { spatialAxes } from './image-resize.ts';
import { take } from './indexing.ts';
import { broadcastTo, cast, type Operand, toFloat, toSymbol } from './operand.ts';
import { pad } from './padding.ts';
import { sum } from './reduce.ts';
import { between, expandDims, ravel, reshape, squeeze, stack, transpose, unstack } from './shape.ts';

/** Where elements outside the image come from. */
export type FillMode = 'constant' | 'nearest' | 'wrap' | 'mirror' | 'reflect';

/** Borders, of which each may be `null` when the target extents say the rest. */
export interface BorderOptions {
  readonly top?: number | null;
  readonly left?: number | null;
  readonly bottom?: number | null;
  readonly right?: number | null;
  readonly targetHeight?: number | null;
  readonly targetWidth?: number | null;
  readonly dataFormat?: DataFormat;
}

function channelAxis(ndim: number, dataFormat: DataFormat): number {
  return dataFormat === 'channels_last' ? ndim - 1 : ndim - 3;
}

/** The two borders of an axis whose extent changes to the target; `sign` is 1 when it grows, −1 when it shrinks. */
function borders(
  low: number | null,
  high: number | null,
  target: number | null,
  extent: number,
  direction: 1 | -1,
): [number, number] {
  const total = target === null ? null : direction * (target - extent);
  const before = low ?? (total === null || high === null ? null : total - high);
  const after = high ?? (total === null || before === null ? null : total - before);
  if (before === null || after === null || before < 0 || after < 0) {
    throw new RangeError(
      `Cannot change the border of images: found ${low}, ${high} and a target of ${target} for an extent of ${extent}, ` +
        'expected two of the three, and borders of at least 0',
    );
  }
  return [before, after];
}

/** Adds zeros around the images. */
export function padImages(images: Operand, options: BorderOptions): SymbolicTensor {
  const { top = null, left = null, bottom = null, right = null, targetHeight = null, targetWidth = null } = options;
  const symbol = toSymbol(images);
  const [rows, columns] = spatialAxes(symbol.shape.length, options.dataFormat ?? 'channels_last');
  const widths = symbol.shape.map((extent, axis): [number, number] => {
    if (axis === rows) return borders(top, bottom, targetHeight, extent, 1);
    return axis === columns ? borders(left, right, targetWidth, extent, 1) : [0, 0];
  });
  return pad(symbol, widths);
}

/** Cuts off the borders of the images. */
export function cropImages(images: Operand, options: BorderOptions): SymbolicTensor {
  const { top = null, left = null, bottom = null, right = null, targetHeight = null, targetWidth = null } = options;
  const symbol = toSymbol(images);
  const [rows, columns] = spatialAxes(symbol.shape.length, options.dataFormat ?? 'channels_last');
  const [height, width] = [symbol.shape[rows] as number, symbol.shape[columns] as number];
  const [low, high] = borders(top, bottom, targetHeight, height, -1);
  const [first, last] = borders(left, right, targetWidth, width, -1);
  return between(between(symbol, rows, low, height - high), columns, first, width - last);
}

/** One channel of brightness: 0.2989 red + 0.5870 green + 0.1140 blue. */
export function rgbToGrayscale(images: Operand, dataFormat: DataFormat = 'channels_last'): SymbolicTensor {
  const symbol = toSymbol(images);
  const axis = channelAxis(symbol.shape.length, dataFormat);
  if (symbol.shape[axis] === 1) return symbol;
  const weights = alongChannels([0.2989, 0.587, 0.114], symbol, axis);
  return cast(sum(multiply(toFloat(symbol), weights), axis, true), symbol.dtype);
}

function alongChannels(values: readonly number[], images: SymbolicTensor, axis: number): SymbolicTensor {
  if (images.shape[axis] !== values.length) {
    throw new ShapeError(
      `Cannot convert colours: found images of shape ${formatShape(images.shape)}, expected 3 channels`,
    );
  }
  return constant(
    tensor(
      [...values],
      images.shape.map((_, other) => (other === axis ? values.length : 1)),
    ),
  );
}

/** Red, green and blue to hue, saturation and value, all from 0 to 1. */
export function rgbToHsv(images: Operand, dataFormat: DataFormat = 'channels_last'): SymbolicTensor {
  const symbol = toFloat(images);
  const axis = channelAxis(symbol.shape.length, dataFormat);
  // Keras takes what is smaller than the resolution of float32 for 0.
  const cleaned = where(less(abs(symbol), 2 ** -23), 0, symbol);
  const [red, green, blue] = unstack(cleaned, axis) as [SymbolicTensor, SymbolicTensor, SymbolicTensor];
  const value = maximum(maximum(red, green), blue);
  const range = subtract(value, minimum(minimum(red, green), blue));
  const hasColour = greater(range, 0);
  const isPositive = greater(value, 0);
  const saturation = where(isPositive, divide(range, where(isPositive, value, 1)), 0);
  const norm = divide(1, multiply(where(hasColour, range, 1), 6));
  const fromGreen = add(multiply(norm, subtract(blue, red)), 2 / 6);
  const fromBlue = add(multiply(norm, subtract(red, green)), 4 / 6);
  const fromRed = multiply(norm, subtract(green, blue));
  const hue = where(equal(value, red), fromRed, where(equal(value, green), fromGreen, fromBlue));
  const wrapped = add(where(hasColour, hue, 0), toFloat(less(hue, 0)));
  return stack([wrapped, saturation, value], axis);
}

/** Hue, saturation and value to red, green and blue, all from 0 to 1. */
export function hsvToRgb(images: Operand, dataFormat: DataFormat = 'channels_last'): SymbolicTensor {
  const symbol = toFloat(images);
  const axis = channelAxis(symbol.shape.length, dataFormat);
  const [hue, saturation, value] = unstack(symbol, axis) as [SymbolicTensor, SymbolicTensor, SymbolicTensor];
  const sector = multiply(mod(hue, 1), 6);
  const red = clip(subtract(abs(subtract(sector, 3)), 1), 0, 1);
  const green = clip(subtract(2, abs(subtract(sector, 2))), 0, 1);
  const blue = clip(subtract(2, abs(subtract(sector, 4))), 0, 1);
  const grey = subtract(1, saturation);
  const planes = [red, green, blue].map((plane) => multiply(value, add(grey, multiply(saturation, plane))));
  return stack(planes, axis);
}

/** The position in 0 … extent − 1 that stands for one outside. */
function fold(index: SymbolicTensor, extent: number, mode: FillMode): SymbolicTensor {
  const mirror = (x: SymbolicTensor, size: number): SymbolicTensor => {
    const last = size - 1;
    return last === 0 ? multiply(x, 0) : abs(subtract(mod(add(x, last), 2 * last), last));
  };
  switch (mode) {
    case 'wrap':
      return mod(index, extent);
    case 'mirror':
      return mirror(index, extent);
    case 'reflect':
      return floorDivide(mirror(add(multiply(index, 2), 1), 2 * extent + 1), 2);
    default:
      return clip(index, 0, extent - 1);
  }
}

interface Neighbour {
  readonly index: SymbolicTensor;
  readonly weight: SymbolicTensor | null;
}

/** The elements of one axis that count for each coordinate: the nearest, or the two around it. */
function neighbours(coordinate: SymbolicTensor, order: 0 | 1): Neighbour[] {
  if (order === 0) {
    // Halves are rounded away from 0.
    const rounded = multiply(sign(coordinate), floor(add(abs(coordinate), 0.5)));
    return [{ index: cast(rounded, 'int32'), weight: null }];
  }
  const lower = floor(coordinate);
  const upperWeight = subtract(coordinate, lower);
  const index = cast(lower, 'int32');
  return [
    { index, weight: subtract(1, upperWeight) },
    { index: add(index, 1), weight: upperWeight },
  ];
}

/**
 * Elements of x at fractional positions: `coordinates` has one row for each axis of x, and gives the shape of the result.
 * Order 0 takes the nearest element, order 1 interpolates.
 */
export function mapCoordinates(
  x: Operand,
  coordinates: Operand,
  order: 0 | 1,
  fillMode: FillMode = 'constant',
  fillValue = 0,
): SymbolicTensor {
  const source = toSymbol(x);
  const axes = unstack(toFloat(coordinates), 0);
  if (axes.length !== source.shape.length) {
    throw new ShapeError(
      `Cannot map coordinates: found ${axes.length} rows, expected ${source.shape.length}, one an axis`,
    );
  }
  const flat = ravel(source);
  const choices = axes.map((coordinate) => neighbours(coordinate, order));
  const corners = choices.reduce<Neighbour[][]>(
    (lists, options) => lists.flatMap((list) => options.map((option) => [...list, option])),
    [[]],
  );
  const terms = corners.map((corner) => {
    let position: Operand = 0;
    let isInside: SymbolicTensor = toSymbol(true);
    let weight: Operand = 1;
    for (const [axis, { index, weight: share }] of corner.entries()) {
      const extent = source.shape[axis] as number;
      position = add(multiply(cast(position, 'int32'), extent), fold(index, extent, fillMode));
      isInside = logicalAnd(isInside, logicalAnd(greaterEqual(index, 0), less(index, extent)));
      if (share !== null) weight = multiply(share, weight);
    }
    const values = take(flat, position, 0);
    const filled = fillMode === 'constant' ? where(isInside, values, fillValue) : values;
    return order === 0 ? filled : multiply(filled, weight);
  });
  const total = terms.reduce((sumSoFar, term) => add(sumSoFar, term));
  return source.dtype === 'int32' ? cast(total, 'int32') : total;
}

function inChannelsLast(
  images: SymbolicTensor,
  dataFormat: DataFormat,
  batched: (x: SymbolicTensor) => SymbolicTensor,
) {
  const isSingle = images.shape.length === 3;
  const batch = isSingle ? expandDims(images, 0) : images;
  const last = dataFormat === 'channels_first' ? transpose(batch, [0, 2, 3, 1]) : batch;
  const result = batched(last);
  const restored = dataFormat === 'channels_first' ? transpose(result, [0, 3, 1, 2]) : result;
  return isSingle ? squeeze(restored, 0) : restored;
}

/** Samples every channel of each image at positions `[batch, points]` of rows and columns. */
function sample(
  images: SymbolicTensor,
  rows: SymbolicTensor,
  columns: SymbolicTensor,
  order: 0 | 1,
  fillMode: FillMode,
  fillValue: number,
): SymbolicTensor {
  const [batch, , , channels] = images.shape as [number, number, number, number];
  const shape = [batch, ...rows.shape.slice(1), channels];
  const grid = (axis: number): SymbolicTensor => toFloat(axisCoordinates(shape, axis));
  const spread = (plane: SymbolicTensor): SymbolicTensor => broadcastTo(expandDims(plane, -1), shape);
  const positions = stack([grid(0), spread(rows), spread(columns), grid(shape.length - 1)], 0);
  return mapCoordinates(images, positions, order, fillMode, fillValue);
}

/**
 * Output pixel (x, y) comes from input pixel `((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k)`, with
 * `k = c0 x + c1 y + 1` taken as 1: transforms `[a0, a1, a2, b0, b1, b2, c0, c1]`, one or one for each image.
 */
export function affineTransform(
  images: Operand,
  transform: Operand,
  interpolation: 'nearest' | 'bilinear' = 'bilinear',
  fillMode: FillMode = 'constant',
  fillValue = 0,
  dataFormat: DataFormat = 'channels_last',
): SymbolicTensor {
  return inChannelsLast(toSymbol(images), dataFormat, (batch) => {
    const [count, height, width] = batch.shape as [number, number, number, number];
    const rows = broadcastTo(reshape(toFloat(transform), [-1, 8]), [count, 8]);
    const factor = (index: number): SymbolicTensor => reshape(between(rows, 1, index, index + 1), [count, 1, 1]);
    const x = reshape(arange(0, width, 1, 'float32'), [1, 1, width]);
    const y = reshape(arange(0, height, 1, 'float32'), [1, height, 1]);
    const plane = (first: number): SymbolicTensor =>
      add(add(multiply(factor(first), x), multiply(factor(first + 1), y)), factor(first + 2));
    return sample(batch, plane(3), plane(0), interpolation === 'nearest' ? 0 : 1, fillMode, fillValue);
  });
}

/** A Gaussian kernel of one axis, summing to 1. */
function gaussian(extent: number, sigma: number): number[] {
  const centre = (extent - 1) / 2;
  const weights = Array.from({ length: extent }, (_, index) => Math.exp(-0.5 * ((index - centre) / sigma) ** 2));
  const total = weights.reduce((sumSoFar, weight) => sumSoFar + weight, 0);
  return weights.map((weight) => weight / total);
}

/** Each channel by one kernel, given as rows, with zeros around. */
function filter(images: SymbolicTensor, kernel: readonly (readonly number[])[]): SymbolicTensor {
  const channels = images.shape.at(-1) as number;
  const weights = kernel.flat().flatMap((weight) => new Array<number>(channels).fill(weight));
  const shape = [kernel.length, kernel[0]?.length ?? 0, channels, 1];
  return depthwiseConv(images, constant(tensor(weights, shape, 'float32')), { padding: 'same' });
}

/** Blurs by a Gaussian kernel; sizes and deviations are those of columns (x) and rows (y), in this order. */
export function gaussianBlur(
  images: Operand,
  kernelSize: readonly number[] = [3, 3],
  sigma: readonly number[] = [1, 1],
  dataFormat: DataFormat = 'channels_last',
): SymbolicTensor {
  const horizontal = gaussian(kernelSize[0] as number, sigma[0] as number);
  const vertical = gaussian(kernelSize[1] as number, sigma[1] as number);
  const kernel = vertical.map((row) => horizontal.map((column) => row * column));
  return inChannelsLast(toFloat(images), dataFormat, (batch) => filter(batch, kernel));
}

/** Vertical and horizontal edges of a batch, as a new last axis. */
export function sobelEdges(images: Operand, dataFormat: DataFormat = 'channels_last'): SymbolicTensor {
  const across = [
    [-1, 0, 1],
    [-2, 0, 2],
    [-1, 0, 1],
  ];
  const down = across.map((row, index) => row.map((_, column) => across[column]?.[index] ?? 0));
  const batch = toFloat(images);
  const edges = [down, across].map((kernel) => inChannelsLast(batch, dataFormat, (last) => filter(last, kernel)));
  return stack(edges, -1);
}
