import { tensor } from '../../array/tensor.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { equal, where } from '../../ops/compare.ts';
import { coordinates } from '../../ops/creation.ts';
import { add, clip, divide, minimum, multiply, subtract } from '../../ops/elementwise.ts';
import { oneHot, take } from '../../ops/indexing.ts';
import { cast } from '../../ops/operand.ts';
import { pad } from '../../ops/padding.ts';
import { cumsum, min, sum } from '../../ops/reduce.ts';
import { between, concatenate, expandDims, ravel, reshape, squeeze, transpose } from '../../ops/shape.ts';
import { tableLength } from '../../ops/table-length.ts';
import { extents, type Fields, number, type Options } from '../fields.ts';
import { Layer } from '../layer.ts';
import { changeRange, valueRange } from './auto-contrast.ts';
import { type ImageLayerConfig, imageFields } from './image-layer.ts';

export interface ContrastLimitedAdaptiveHistogramEqualizationConfig extends ImageLayerConfig {
  valueRange: readonly number[];
  /** How much more often than evenly a value may occur before it is cut; 0 for no limit. */
  clipLimit: number;
  /** Number of tiles in height and width. */
  tileGridSize: readonly number[];
}

/** Number of values that a histogram tells apart. */
const LEVELS = 256;

/**
 * Evens out the histogram of each tile of an image, at inference too: "CLAHE".
 *
 * Each pixel is mapped by the four tiles around it, weighed by their distance. Images keep their dtype.
 */
export class ContrastLimitedAdaptiveHistogramEqualization extends Layer<ContrastLimitedAdaptiveHistogramEqualizationConfig> {
  static readonly className = 'ContrastLimitedAdaptiveHistogramEqualization';
  static readonly fields: Fields<ContrastLimitedAdaptiveHistogramEqualizationConfig> = {
    ...imageFields,
    valueRange: valueRange(),
    clipLimit: number(4),
    tileGridSize: extents(2, 8),
  };

  constructor(options: Options<ContrastLimitedAdaptiveHistogramEqualizationConfig> = {}) {
    super(
      ContrastLimitedAdaptiveHistogramEqualization.className,
      ContrastLimitedAdaptiveHistogramEqualization.fields,
      options,
    );
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    const { valueRange: range, dataFormat } = this.config;
    const isFirst = dataFormat === 'channels_first';
    const batch = x.shape.length === 3 ? expandDims(x, 0) : x;
    const images = isFirst ? transpose(batch, [0, 2, 3, 1]) : batch;
    const equalized = this.#equalize(changeRange(images, range, [0, 255]));
    const result = cast(changeRange(equalized, [0, 255], range), x.dtype);
    const ordered = isFirst ? transpose(result, [0, 3, 1, 2]) : result;
    return x.shape.length === 3 ? squeeze(ordered, 0) : ordered;
  }

  /** Images `[batch, height, width, channels]` with values from 0 to 255. */
  #equalize(images: SymbolicTensor): SymbolicTensor {
    const [rows, columns] = this.config.tileGridSize as readonly [number, number];
    const [, height, width] = images.shape as readonly [number, number, number];
    const [tileHeight, tileWidth] = [Math.ceil(height / rows), Math.ceil(width / columns)];
    const vertical = neighbours(rows, tileHeight);
    const horizontal = neighbours(columns, tileWidth);
    const missing: [number, number][] = [
      [0, 0],
      [0, tileHeight * rows - height],
      [0, tileWidth * columns - width],
      [0, 0],
    ];
    const padded = pad(images, missing, 'symmetric');
    const pixels = cast(clip(padded, 0, LEVELS - 1), 'int32');
    const maps = this.#tileMaps(pixels, tileHeight, tileWidth);
    const mapped = (row: readonly number[], column: readonly number[]): SymbolicTensor =>
      look(maps, pixels, row, column);
    const blend = (first: SymbolicTensor, second: SymbolicTensor, share: SymbolicTensor): SymbolicTensor =>
      add(multiply(first, subtract(1, share)), multiply(second, share));
    const across = alongAxis(horizontal.shares, 2);
    const top = blend(mapped(vertical.first, horizontal.first), mapped(vertical.first, horizontal.second), across);
    const low = blend(mapped(vertical.second, horizontal.first), mapped(vertical.second, horizontal.second), across);
    const result = blend(top, low, alongAxis(vertical.shares, 1));
    return between(between(result, 1, 0, height), 2, 0, width);
  }

  /** What each tile makes of each value: `[batch, rows + 2, columns + 2, channels, 256]`, the border tiles repeated. */
  #tileMaps(pixels: SymbolicTensor, tileHeight: number, tileWidth: number): SymbolicTensor {
    const [rows, columns] = this.config.tileGridSize as readonly [number, number];
    const [batch, , , channels] = pixels.shape as readonly [number, number, number, number];
    const count = tileHeight * tileWidth;
    const tiles = transpose(
      reshape(pixels, [batch, rows, tileHeight, columns, tileWidth, channels]),
      [0, 1, 3, 5, 2, 4],
    );
    const found = sum(oneHot(reshape(tiles, [batch, rows, columns, channels, count]), LEVELS), -2);
    const histogram = this.config.clipLimit > 0 ? limit(found, (this.config.clipLimit * count) / LEVELS) : found;
    const total = cumsum(histogram, -1);
    const least = min(total, -1, true);
    const rest = subtract(count, least);
    const share = divide(multiply(subtract(total, least), LEVELS - 1), where(equal(rest, 0), 1, rest));
    return repeatEnds(repeatEnds(clip(share, 0, LEVELS - 1), 1), 2);
  }
}

/** Cuts counts at a limit and spreads what was cut off over all values. */
function limit(histogram: SymbolicTensor, greatest: number): SymbolicTensor {
  const cut = minimum(histogram, greatest);
  return add(cut, divide(sum(subtract(histogram, cut), -1, true), LEVELS));
}

function repeatEnds(x: SymbolicTensor, axis: number): SymbolicTensor {
  const extent = x.shape[axis] as number;
  return concatenate([between(x, axis, 0, 1), x, between(x, axis, extent - 1, extent)], axis);
}

/** For each pixel along an axis the two tiles between whose centres it lies, and the share of the second. */
function neighbours(tiles: number, extent: number) {
  const places = Array.from(
    { length: tableLength('the tiles of an image', tiles * extent) },
    (_, index) => (index - extent / 2) / extent + 1,
  );
  const inside = (tile: number): number => Math.min(Math.max(tile, 0), tiles + 1);
  return {
    first: places.map((place) => inside(Math.floor(place))),
    second: places.map((place) => inside(Math.floor(place) + 1)),
    shares: places.map((place) => place - Math.floor(place)),
  };
}

function alongAxis(values: readonly number[], axis: 1 | 2): SymbolicTensor {
  const shape = [1, 1, 1, 1];
  shape[axis] = values.length;
  return reshape(tensor([...values]), shape);
}

/** The value of each pixel by the map of the tile in the given row and column of its place. */
function look(
  maps: SymbolicTensor,
  pixels: SymbolicTensor,
  row: readonly number[],
  column: readonly number[],
): SymbolicTensor {
  const [, rows, columns, channels] = maps.shape as readonly [number, number, number, number];
  const place = (values: readonly number[], axis: 1 | 2): SymbolicTensor => cast(alongAxis(values, axis), 'int32');
  const batch = coordinates(pixels.shape, 0);
  const tile = add(multiply(add(multiply(batch, rows), place(row, 1)), columns), place(column, 2));
  const channel = add(multiply(tile, channels), coordinates(pixels.shape, 3));
  return take(ravel(maps), add(multiply(channel, LEVELS), pixels), 0);
}
