/**
 * Convolutions with a window of 3 × 3 and stride 1, and their input gradients, by Winograd's algorithm: see
 * `winograd-transform.ts`. A unit transforms some tiles of the input, multiplies them with the transformed kernel, which
 * is 36 products of matrices `[tiles, in] · [in, out]`, and transforms the result back.
 */
import type { FunctionBuilder, Local } from './assembler-function.ts';
import type { ModuleBuilder } from './assembler-module.ts';
import {
  type ContractPlaces,
  type ContractPlan,
  emitKernel,
  emitTail,
  type KernelCode,
  type Packed,
} from './contract-plan.ts';
import { emitProduct } from './contract-product.ts';
import { TILE_COLUMNS } from './contract-tile.ts';
import { rareCode } from './rare-code.ts';
import { VectorConstants } from './vector-constants.ts';
import { forVectors } from './vector-loops.ts';
import type { WinogradGeometry } from './winograd-choice.ts';
import { emitKernelTransform, floatTaps, matrixBytes, winogradPacking } from './winograd-kernel.ts';
import {
  emitEachPoint,
  emitLeast,
  emitLines,
  emitPatch,
  emitTiles,
  emitTouchOfUnit,
  inputTile,
  planTiles,
  pointStride,
  type TileGrid,
  type TilePlace,
  unitTiles,
} from './winograd-tiles.ts';
import { emitTransform, outputTransform, TILE_INPUTS, TILE_OUTPUTS, TILE_POINTS } from './winograd-transform.ts';

/** Transformed inputs and outputs of a unit, which are to stay in the second cache. */
const UNIT_BYTES = 384 << 10;

/** Tiles of a unit: enough that the transformed kernel is read seldom. */
const MOST_UNIT_TILES = 24;

/**
 * Plans a convolution, or its input gradient.
 *
 * @returns nothing when the kernel is in a narrow form whose channels are not those of the output
 */
export function planWinograd(geometry: WinogradGeometry, packed: Packed): ContractPlan | undefined {
  const { inputs, outputs } = geometry;
  const fitting = Math.floor(UNIT_BYTES / (TILE_POINTS * (inputs + outputs) * 4));
  const grid = planTiles(geometry, Math.max(6, Math.min(MOST_UNIT_TILES, fitting)));
  const tiles = unitTiles(grid);
  const [inputStride, outputStride] = [pointStride(tiles * inputs), pointStride(tiles * outputs)];
  const patchBytes = Math.max(TILE_POINTS * inputs, TILE_OUTPUTS ** 2 * outputs) * 4;
  const plan = {
    finishes: true,
    packing: winogradPacking(geometry),
    sharedBytes: packed === true ? 0 : TILE_POINTS * matrixBytes(geometry),
    privateBytes: TILE_POINTS * (inputStride + outputStride) + patchBytes,
    emit: (module: ModuleBuilder, places: ContractPlaces): KernelCode => {
      if (packed === true) return emitWinograd(module, geometry, grid, places, places.right);
      const code = emitWinograd(module, geometry, grid, places, places.sharedScratch);
      return { ...code, prepare: emitKernelTransform(module, geometry, places.sharedScratch, floatTaps(places.right)) };
    },
  };
  if (typeof packed === 'boolean') return { ...plan, form: `packed: ${packed}` };
  const narrow = rareCode('narrowWinograd').planNarrowKernel(geometry, packed);
  return (
    narrow && {
      ...plan,
      scales: true,
      packing: narrow.packing,
      emit: (module, places) => {
        const code = emitWinograd(module, geometry, grid, places, places.sharedScratch);
        const taps = narrow.taps(places.right, places.factor);
        return { ...code, prepare: emitKernelTransform(module, geometry, places.sharedScratch, taps) };
      },
    }
  );
}

function emitWinograd(
  module: ModuleBuilder,
  geometry: WinogradGeometry,
  grid: TileGrid,
  places: ContractPlaces,
  rightBase: number,
): KernelCode {
  const { inputs, outputs, low, input, output } = geometry;
  const tiles = unitTiles(grid);
  const [inputStride, outputStride] = [pointStride(tiles * inputs), pointStride(tiles * outputs)];
  const transformInput = inputTile(module, inputs, inputStride);
  const transformOutput = outputTile(module, outputs, outputStride, places);
  const panelStride = inputs * TILE_COLUMNS * 4;
  const kernel = emitKernel(module, (f, unit, scratch) => {
    const [left, right, result, patch, atY, atX] = f.localsOf('i32', 6) as [Local, Local, Local, Local, Local, Local];
    const toMatrices = (): unknown =>
      f
        .get(scratch)
        .i32(TILE_POINTS * inputStride)
        .op('i32.add');
    toMatrices();
    f.i32(TILE_POINTS * outputStride)
      .op('i32.add')
      .set(patch);
    emitTouchOfUnit(module, f, grid, unit, { image: input, channels: inputs, base: places.left });
    emitTouchOfUnit(module, f, grid, unit, { image: output, channels: outputs, base: places.output });
    emitTiles(f, grid, unit, (place) => {
      f.sum([[place.y, 1]], -low[0]).set(atY);
      f.sum([[place.x, 1]], -low[1]).set(atX);
      const source = { extent: TILE_INPUTS, image: input, channels: inputs, base: places.left };
      emitPatch(module, f, source, { image: place.image, atY, atX, scratch: patch }, (address, pitch) => {
        f.get(address).i32(pitch);
        f.sum([
          [scratch, 1],
          [place.index, inputs * 4],
        ]).call(transformInput);
      });
    });
    f.get(scratch).set(left).i32(rightBase).set(right);
    toMatrices();
    f.set(result);
    const matrices = [
      [left, inputStride],
      [right, matrixBytes(geometry)],
      [result, outputStride],
    ] as const;
    // What an incomplete unit has not written is multiplied as well, and not read.
    emitEachPoint(f, matrices, () =>
      emitProduct(module, f, {
        depth: inputs,
        columns: outputs,
        rows: tiles,
        groups: 1,
        left: { base: left, kind: 'rows', stride: inputs * 4, groupStride: 0 },
        right: { base: right, panelStride },
        output: { base: result, rowStride: outputs * 4, groupStride: 0 },
        finish: {},
      }),
    );
    emitTiles(
      f,
      grid,
      unit,
      (place) => {
        toMatrices();
        f.sum([[place.index, outputs * 4]])
          .op('i32.add')
          .set(result);
        emitTileOutput(f, geometry, places, place, { matrices: result, patch, transformOutput });
      },
      (place, firstX, endX) => emitLineTail(f, geometry, grid, places, place, firstX, endX),
    );
    f.release(left, right, result, patch, atY, atX);
  });
  return { kernel, units: grid.units };
}

/** Transforms a tile back: into the output where it lies within, else into a patch, of which a part is copied. */
function emitTileOutput(
  f: FunctionBuilder,
  { output: [height, width], outputs }: WinogradGeometry,
  places: ContractPlaces,
  { image, y, x }: TilePlace,
  { matrices, patch, transformOutput }: { matrices: Local; patch: Local; transformOutput: number },
): void {
  const pixel = outputs * 4;
  const target = f.local('i32');
  f.sum(
    [
      [image, height * width * pixel],
      [y, width * pixel],
      [x, pixel],
    ],
    places.output,
  ).set(target);
  const transform = (to: Local, pitch: number): void => {
    f.get(matrices).get(to).i32(pitch);
    if (places.bias !== undefined) f.i32(places.bias);
    f.call(transformOutput);
  };
  const whole = (): void => transform(target, width * pixel);
  const part = (): void => {
    const [row, rows, column, columns, source, at] = f.localsOf('i32', 6) as [Local, Local, Local, Local, Local, Local];
    transform(patch, TILE_OUTPUTS * pixel);
    f.i32(height).get(y).op('i32.sub').set(rows);
    emitLeast(f, rows, TILE_OUTPUTS);
    f.i32(width).get(x).op('i32.sub').set(columns);
    emitLeast(f, columns, TILE_OUTPUTS);
    f.scaled(columns, pixel).set(columns);
    f.for(row, 0, rows, 1, () => {
      f.sum([
        [patch, 1],
        [row, TILE_OUTPUTS * pixel],
      ]).set(source);
      f.get(target).set(at);
      f.for(column, 0, columns, 16, () => {
        f.storeAt('v128.store', at, 0, () => f.load('v128.load', source));
        f.increment(at, 16).increment(source, 16);
      });
      f.increment(target, width * pixel);
    });
    f.release(row, rows, column, columns, source, at);
  };
  if (height % TILE_OUTPUTS === 0 && width % TILE_OUTPUTS === 0) whole();
  else {
    f.get(y)
      .i32(height - TILE_OUTPUTS)
      .op('i32.le_s')
      .get(x)
      .i32(width - TILE_OUTPUTS)
      .op('i32.le_s', 'i32.and');
    f.if(whole, part);
  }
  f.release(target);
}

/** The tail of a line of tiles: of whole lines of the output in one run. */
function emitLineTail(
  f: FunctionBuilder,
  { output: [height, width], outputs }: WinogradGeometry,
  { pieces }: TileGrid,
  places: ContractPlaces,
  { image, y }: TilePlace,
  firstX: Local,
  endX: Local,
): void {
  if (places.tail === undefined) return;
  const pixel = outputs * 4;
  const [lines, line, at, count] = f.localsOf('i32', 4) as [Local, Local, Local, Local];
  f.i32(height).get(y).op('i32.sub').set(lines);
  emitLeast(f, lines, TILE_OUTPUTS);
  f.sum(
    [
      [image, height * width * pixel],
      [y, width * pixel],
      [firstX, pixel],
    ],
    places.output,
  ).set(at);
  if (pieces === 1) {
    f.scaled(lines, width * outputs).set(count);
    emitTail(f, places, at, count);
  } else {
    f.get(endX).set(count);
    emitLeast(f, count, width);
    f.get(count).get(firstX).op('i32.sub').i32(outputs).op('i32.mul').set(count);
    f.for(line, 0, lines, 1, () => {
      emitTail(f, places, at, count);
      f.increment(at, width * pixel);
    });
  }
  f.release(lines, line, at, count);
}

/**
 * A function of three i32 (the place of the tile in the first of 36 matrices, where the output goes, the distance of
 * the output's lines), and of the address of the bias where there is one, that transforms all channels back, adds the bias
 * and keeps the bounds.
 */
function outputTile(module: ModuleBuilder, channels: number, stride: number, places: ContractPlaces): number {
  const { lower, upper } = places;
  const hasBias = places.bias !== undefined;
  const key = `winograd output ${channels} ${stride} ${hasBias} ${lower} ${upper}`;
  return module.shared(key, hasBias ? ['i32', 'i32', 'i32', 'i32'] : ['i32', 'i32', 'i32'], [], (f) => {
    const [source, target, pitch] = [f.param(0), f.param(1), f.param(2)];
    const lines = f.localsOf('i32', TILE_OUTPUTS);
    const at = f.local('i32');
    emitLines(f, lines, target, pitch);
    const bounds = [lower, upper].filter((bound) => bound !== undefined);
    const constants = new VectorConstants(f, [...outputTransform.constants, ...bounds]);
    forVectors(module, f, at, channels, (vectors) => {
      const added = hasBias ? f.localsOf('v128', vectors) : [];
      for (const [vector, local] of added.entries()) f.load('v128.load', f.param(3), vector * 16).set(local);
      emitTransform(
        f,
        outputTransform,
        TILE_INPUTS,
        constants,
        vectors,
        (row, column, offset) => f.load('v128.load', source, (row * TILE_INPUTS + column) * stride + offset),
        (row, column, outputs) => {
          for (const [vector, output] of outputs.entries()) {
            f.storeAt('v128.store', lines[row] as Local, column * channels * 4 + vector * 16, () => {
              f.get(output);
              const term = added[vector];
              if (term) f.get(term).op('f32x4.add');
              // pmax and pmin keep a NaN that is their first operand, as maximum and minimum do.
              if (lower !== undefined) f.get(constants.get(lower)).op('f32x4.pmax');
              if (upper !== undefined) f.get(constants.get(upper)).op('f32x4.pmin');
            });
          }
        },
      );
      f.release(...added);
      for (const line of lines) f.increment(line, vectors * 16);
      f.increment(source, vectors * 16);
      if (hasBias) f.increment(f.param(3), vectors * 16);
    });
    constants.release();
  });
}
