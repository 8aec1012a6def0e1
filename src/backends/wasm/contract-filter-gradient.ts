/**
 * The gradient of a convolution's kernel. For each tap it is the product of the x that the tap sees, transposed, and
 * dy; the depth of the product runs over all positions at which the tap lies in the input, line by line. Lines are
 * the segments of the tiles, and their sums are added to those of the lines before.
 */
import type { FunctionBuilder, Local } from './assembler-function.ts';
import type { ModuleBuilder } from './assembler-module.ts';
import type { ConvolveGeometry } from './contract-convolve.ts';
import { emitDepthwiseGradient } from './contract-depthwise-gradient.ts';
import {
  type ContractPlaces,
  type ContractPlan,
  divideInto,
  emitKernel,
  emitLast,
  emitNothing,
  emitTail,
} from './contract-plan.ts';
import { emitProduct } from './contract-product.ts';
import { TILE_COLUMNS, TILE_ROWS } from './contract-tile.ts';
import { product, type WindowGeometry, windowGeometry } from './contract-window.ts';
import { planWinogradFilterGradient } from './contract-winograd-filter.ts';
import { emitTap, releaseTap } from './tap-place.ts';
import { MOST_FILTER_WEIGHTS, prefersWinograd, tiledGeometry } from './winograd-choice.ts';

/** Lines of x and dy that are multiplied before the next ones: what the second cache holds beside a part of dw. */
const LINES_BYTES = 128 << 10;

/** Input channels in a unit, at the most and, so that there are units to share out, at the least. */
const UNIT_ROWS = 8 * TILE_ROWS;
const LEAST_UNIT_ROWS = 2 * TILE_ROWS;

/** Output channels in a unit at the least. */
const LEAST_UNIT_COLUMNS = 2 * TILE_COLUMNS;

/** Units that a few threads can share out evenly. */
const WANTED_UNITS = 8;

/** Plans `convolveFilterGradient`: left is x, right dy, the output of `kernelShape`. See `contract-plan.ts`. */
export function planConvolveFilterGradient(given: Omit<ConvolveGeometry, 'packed'>): ContractPlan {
  const { inputShape, kernelShape, attributes } = given;
  const geometry = windowGeometry(inputShape, kernelShape.slice(0, -2), attributes);
  const { groups } = attributes;
  const outputs = kernelShape.at(-1) as number;
  const [rows, columns] = [geometry.channels / groups, outputs / groups];
  const taps = product(geometry.window);
  const isDepthwise = rows === 1 && columns === 1;
  const tiled = tiledGeometry(geometry, outputs);
  const isSmall = rows * outputs <= MOST_FILTER_WEIGHTS;
  if (groups === 1 && isSmall && tiled !== undefined && prefersWinograd(tiled))
    return planWinogradFilterGradient(tiled);
  return {
    finishes: false,
    sharedBytes: 0,
    privateBytes: isDepthwise ? 0 : geometry.positions[1] * 8,
    emit: (module, places) => {
      if (taps * rows * outputs === 0) return emitNothing(module);
      if (isDepthwise) return emitDepthwiseGradient(module, geometry, places);
      const shape = cutKernel(groups, rows, columns, taps);
      const units = taps * groups * shape.blocks * shape.pieces;
      return { kernel: emitGradient(module, geometry, places, shape), units };
    },
  };
}

interface GradientShape {
  readonly groups: number;
  /** Input channels of a group, those of a unit, and how many units they are cut into. */
  readonly rows: number;
  readonly unitRows: number;
  readonly blocks: number;
  /** Output channels of a group, and how many pieces of equal width they are cut into. */
  readonly columns: number;
  readonly pieces: number;
}

/** Cuts the kernel into units: each reads a part of the channels of x and a part of those of dy. */
function cutKernel(groups: number, rows: number, columns: number, taps: number): GradientShape {
  const parts = (cuts: number): number => Math.ceil(WANTED_UNITS / (taps * groups * cuts));
  const cutColumns = (wanted: number): number => {
    const isWidth = (width: number): boolean => width % TILE_COLUMNS === 0 && width >= LEAST_UNIT_COLUMNS;
    let pieces = 1;
    for (let next = 2; pieces < wanted && columns / next >= LEAST_UNIT_COLUMNS; next++) {
      if (isWidth(columns / next)) pieces = next;
    }
    return pieces;
  };
  const leastBlocks = Math.ceil(rows / UNIT_ROWS);
  const mostBlocks = Math.max(leastBlocks, Math.floor(rows / LEAST_UNIT_ROWS));
  // What is read again in each unit is the side that is cut less: the smaller one.
  const wanted = parts(columns >= rows ? leastBlocks : mostBlocks);
  // Nine taps are no two equal shares.
  const isOdd = (taps * groups * leastBlocks * wanted) % 2 === 1 && taps * groups < 2 * WANTED_UNITS;
  const pieces = cutColumns(isOdd ? 2 * wanted : wanted);
  const unitRows = Math.ceil(rows / Math.min(mostBlocks, Math.max(leastBlocks, parts(pieces))));
  return { groups, rows, unitRows, blocks: Math.ceil(rows / unitRows), columns, pieces };
}

function emitGradient(
  module: ModuleBuilder,
  geometry: WindowGeometry,
  places: ContractPlaces,
  { groups, rows, unitRows, blocks, columns, pieces }: GradientShape,
): number {
  const { batch, channels, input, positions, strides } = geometry;
  const outputs = groups * columns;
  const [xPixel, dyPixel] = [channels * 4, outputs * 4];
  const xLine = strides[1] * input[2] * xPixel;
  const dyLine = positions[2] * dyPixel;
  const lines = Math.max(1, Math.min(positions[1], Math.floor(LINES_BYTES / Math.max(xLine + dyLine, 1))));
  const unitColumns = columns / pieces;

  return emitKernel(
    module,
    (f, unit, scratch) => {
      const [tap, group, block, output, at, image] = f.localsOf('i32', 6) as [Local, Local, Local, Local, Local, Local];
      const [z, y, left, right, width, count] = f.localsOf('i32', 6) as [Local, Local, Local, Local, Local, Local];
      const [table, piece] = [f.local('i32'), f.local('i32')];
      divideInto(f, unit, pieces, tap, piece);
      divideInto(f, tap, blocks, tap, block);
      divideInto(f, tap, groups, tap, group);
      const place = emitTap(f, geometry, tap);
      const [firstZ, firstY, firstX] = place.firsts;
      f.sum(
        [
          [tap, rows * dyPixel],
          [block, unitRows * dyPixel],
          [group, columns * 4],
          [piece, unitColumns * 4],
        ],
        places.output,
      ).set(output);
      f.get(place.ends[2]).get(firstX).op('i32.sub').set(width);

      const writeRows = (unitHeight: number): void => {
        emitRows(f, at, output, unitHeight, dyPixel, () =>
          f
            .get(at)
            .i32(0)
            .i32(unitColumns * 4)
            .memoryFill(),
        );
        f.for(image, 0, batch, 1, () => {
          f.for(z, firstZ, place.ends[0], 1, () => {
            f.sum(
              [
                [image, product(input) * xPixel],
                [z, strides[0] * input[1] * input[2] * xPixel],
                [place.shift, xPixel],
                [firstX, strides[2] * xPixel],
                [group, rows * 4],
                [block, unitRows * 4],
              ],
              places.left,
            ).set(left);
            f.sum(
              [
                [image, product(positions) * dyPixel],
                [z, positions[1] * positions[2] * dyPixel],
                [firstX, dyPixel],
                [group, columns * 4],
                [piece, unitColumns * 4],
              ],
              places.right,
            ).set(right);
            f.for(y, firstY, place.ends[1], lines, () => {
              f.get(place.ends[1]).get(y).op('i32.sub').tee(count);
              f.i32(lines).get(count).i32(lines).op('i32.lt_s', 'select').set(count);
              f.sum([
                [scratch, 1],
                [y, 8],
              ]).set(table);
              emitProduct(module, f, {
                depth: width,
                columns: unitColumns,
                rows: unitHeight,
                groups: 1,
                left: { base: left, kind: 'columns', stride: strides[2] * xPixel, groupStride: 0 },
                right: { base: right, stride: dyPixel, panelStride: 32 },
                output: { base: output, rowStride: dyPixel, groupStride: 0 },
                finish: { accumulate: true },
                segments: { table, count },
              });
            });
          });
        });
        if (unitColumns === outputs) emitTail(f, places, output, unitHeight * columns);
        else emitRows(f, at, output, unitHeight, dyPixel, () => emitTail(f, places, at, unitColumns));
      };
      emitLast(f, block, blocks, () => writeRows(unitRows), rows % unitRows, writeRows);
      releaseTap(f, place);
      f.release(tap, group, block, output, at, image, z, y, left, right, width, count, table, piece);
    },
    (f, scratch) => {
      // Where the lines of one image begin, in x and in dy.
      const [line, at] = [f.local('i32'), f.local('i32')];
      f.for(line, 0, positions[1], 1, () => {
        f.sum([
          [scratch, 1],
          [line, 8],
        ]).set(at);
        f.storeAt('i32.store', at, 0, () => f.scaled(line, xLine));
        f.storeAt('i32.store', at, 4, () => f.scaled(line, dyLine));
      });
      f.release(line, at);
    },
  );
}

/** Runs the body for each row of the unit's part of the output, whose address is in `at`. */
function emitRows(
  f: FunctionBuilder,
  at: Local,
  output: Local,
  rows: number,
  rowStride: number,
  body: () => unknown,
): void {
  const row = f.local('i32');
  f.get(output).set(at);
  f.for(row, 0, rows, 1, () => {
    body();
    f.increment(at, rowStride);
  });
  f.release(row);
}
