/**
 * The gradient of a 3 × 3 kernel by the transpose of Winograd's algorithm: tiles of x and of dy are transformed, their
 * products are summed over all tiles, which is 36 products of matrices `[in, tiles] · [tiles, out]`, and the sums are
 * transformed to the nine taps. See `winograd-transform.ts`.
 *
 * The tiles are cut into parts that threads can share out. Each part has sums of its own, which are added at the end in
 * one order.
 */
import type { FunctionBuilder, Local } from './assembler-function.ts';
import type { ModuleBuilder } from './assembler-module.ts';
import { type ContractPlaces, type ContractPlan, emitKernel, emitTail } from './contract-plan.ts';
import { emitProduct } from './contract-product.ts';
import { TILE_COLUMNS } from './contract-tile.ts';
import { VectorConstants } from './vector-constants.ts';
import { forVectors } from './vector-loops.ts';
import type { WinogradGeometry } from './winograd-choice.ts';
import {
  emitEachPoint,
  emitLeast,
  emitPatch,
  emitTiles,
  emitTouchOfUnit,
  inputTile,
  outputGradientTile,
  planTiles,
  pointStride,
  type TileGrid,
  unitTiles,
} from './winograd-tiles.ts';
import {
  emitTransform,
  kernelGradientTransform,
  TILE_INPUTS,
  TILE_OUTPUTS,
  TILE_POINTS,
} from './winograd-transform.ts';

/** Parts of the tiles: as many threads can work. */
const MOST_PARTS = 4;

/** Transformed tiles that are multiplied at a time. */
const BLOCK_BYTES = 512 << 10;

/** Fewer tiles at a time would spend too long on reading and writing the sums. */
const LEAST_BLOCK_TILES = 24;
const MOST_BLOCK_TILES = 48;

/** Plans the gradient of the kernel of a convolution; left is x, right dy. See `contract-plan.ts`. */
export function planWinogradFilterGradient(geometry: WinogradGeometry): ContractPlan {
  const { inputs, outputs } = geometry;
  const fitting = Math.floor(BLOCK_BYTES / (TILE_POINTS * (inputs + outputs) * 4));
  const wanted = Math.max(LEAST_BLOCK_TILES, Math.min(MOST_BLOCK_TILES, fitting));
  const grid = planTiles(geometry, wanted, MOST_PARTS);
  const parts = Math.min(MOST_PARTS, grid.units);
  const strides = pointStrides(geometry, grid);
  const patchBytes = Math.max(TILE_POINTS * inputs, TILE_OUTPUTS ** 2 * outputs) * 4;
  return {
    form: 'winograd',
    finishes: false,
    sharedBytes: parts * sumBytes(geometry),
    privateBytes: TILE_POINTS * (strides.x + strides.dy) + patchBytes,
    emit: (module, places) => ({
      prepare: { kernel: emitSums(module, geometry, grid, parts, places), units: parts },
      kernel: emitTaps(module, geometry, parts, places),
      units: inputs,
    }),
  };
}

function pointStrides({ inputs, outputs }: WinogradGeometry, grid: TileGrid): { x: number; dy: number } {
  const tiles = unitTiles(grid);
  return { x: pointStride(tiles * inputs), dy: pointStride(tiles * outputs) };
}

/** Bytes of the sums of one part. */
function sumBytes({ inputs, outputs }: WinogradGeometry): number {
  return TILE_POINTS * pointStride(inputs * outputs);
}

/** Writes the kernel of the products; a unit is a part. */
function emitSums(
  module: ModuleBuilder,
  geometry: WinogradGeometry,
  grid: TileGrid,
  parts: number,
  places: ContractPlaces,
): number {
  const { inputs, outputs, input, output, low } = geometry;
  const strides = pointStrides(geometry, grid);
  const transformX = inputTile(module, inputs, strides.x);
  const transformDy = outputGradientTile(module, outputs, strides.dy);
  const blocksInPart = Math.ceil(grid.units / parts);
  return emitKernel(module, (f, part, scratch) => {
    const [block, end, left, right, sums, patch, atY, atX, depth] = f.localsOf('i32', 9) as [
      Local,
      Local,
      Local,
      Local,
      Local,
      Local,
      Local,
      Local,
      Local,
    ];
    const toDy = (): unknown =>
      f
        .get(scratch)
        .i32(TILE_POINTS * strides.x)
        .op('i32.add');
    const toSums = (): unknown => f.sum([[part, sumBytes(geometry)]], places.sharedScratch);
    toDy();
    f.i32(TILE_POINTS * strides.dy)
      .op('i32.add')
      .set(patch);
    toSums();
    f.i32(0).i32(sumBytes(geometry)).memoryFill();
    f.scaled(part, blocksInPart).tee(block).i32(blocksInPart).op('i32.add').set(end);
    emitLeast(f, end, grid.units);
    f.for(block, block, end, 1, () => {
      f.i32(0).set(depth);
      emitTouchOfUnit(module, f, grid, block, { image: input, channels: inputs, base: places.left });
      emitTouchOfUnit(module, f, grid, block, { image: output, channels: outputs, base: places.right });
      emitTiles(f, grid, block, ({ image, y, x, index }) => {
        f.sum([[y, 1]], -low[0]).set(atY);
        f.sum([[x, 1]], -low[1]).set(atX);
        const seen = { extent: TILE_INPUTS, image: input, channels: inputs, base: places.left };
        emitPatch(module, f, seen, { image, atY, atX, scratch: patch }, (address, pitch) => {
          f.get(address).i32(pitch);
          f.sum([
            [scratch, 1],
            [index, inputs * 4],
          ]).call(transformX);
        });
        const given = { extent: TILE_OUTPUTS, image: output, channels: outputs, base: places.right };
        emitPatch(module, f, given, { image, atY: y, atX: x, scratch: patch }, (address, pitch) => {
          f.get(address).i32(pitch);
          toDy();
          f.sum([[index, outputs * 4]])
            .op('i32.add')
            .call(transformDy);
        });
        f.increment(depth, 1);
      });
      f.get(scratch).set(left);
      toDy();
      f.set(right);
      toSums();
      f.set(sums);
      const matrices = [
        [left, strides.x],
        [right, strides.dy],
        [sums, pointStride(inputs * outputs)],
      ] as const;
      emitEachPoint(f, matrices, () =>
        emitProduct(module, f, {
          depth,
          columns: outputs,
          rows: inputs,
          groups: 1,
          left: { base: left, kind: 'columns', stride: inputs * 4, groupStride: 0 },
          right: { base: right, stride: outputs * 4, panelStride: TILE_COLUMNS * 4 },
          output: { base: sums, rowStride: outputs * 4, groupStride: 0 },
          finish: { accumulate: true },
        }),
      );
    });
    f.release(block, end, left, right, sums, patch, atY, atX, depth);
  });
}

/** Writes the kernel that adds the sums of the parts and transforms them; a unit is a channel of the input. */
function emitTaps(module: ModuleBuilder, geometry: WinogradGeometry, parts: number, places: ContractPlaces): number {
  const { inputs, outputs } = geometry;
  const matrix = inputs * outputs * 4;
  return emitKernel(module, (f, channel) => {
    const [at, sums, target] = f.localsOf('i32', 3) as [Local, Local, Local];
    const constants = new VectorConstants(f, kernelGradientTransform.constants);
    f.scaled(channel, outputs * 4)
      .tee(sums)
      .i32(places.sharedScratch)
      .op('i32.add')
      .set(sums);
    f.sum([[channel, outputs * 4]], places.output).set(target);
    forVectors(module, f, at, outputs, (vectors) => {
      emitTransform(
        f,
        kernelGradientTransform,
        TILE_INPUTS,
        constants,
        vectors,
        (row, column, offset) => {
          const place = (row * TILE_INPUTS + column) * pointStride(inputs * outputs) + offset;
          f.load('v128.load', sums, place);
          for (let part = 1; part < parts; part++) {
            f.load('v128.load', sums, place + part * sumBytes(geometry)).op('f32x4.add');
          }
        },
        (row, column, taps) => {
          for (const [vector, tap] of taps.entries()) {
            f.storeAt('v128.store', target, (row * 3 + column) * matrix + vector * 16, () => f.get(tap));
          }
        },
      );
      f.increment(sums, vectors * 16).increment(target, vectors * 16);
    });
    constants.release();
    emitTapTails(f, places, channel, { matrix, outputs, target });
    f.release(at, sums, target);
  });
}

function emitTapTails(
  f: FunctionBuilder,
  places: ContractPlaces,
  channel: Local,
  { matrix, outputs, target }: { matrix: number; outputs: number; target: Local },
): void {
  if (places.tail === undefined) return;
  const tap = f.local('i32');
  f.sum([[channel, outputs * 4]], places.output).set(target);
  f.for(tap, 0, 9, 1, () => {
    emitTail(f, places, target, outputs);
    f.increment(target, matrix);
  });
  f.release(tap);
}
