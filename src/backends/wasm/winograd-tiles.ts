/** Tiles of Winograd's convolutions: where they lie, and the ways between images and transformed tiles. */
import type { FunctionBuilder, Local, Operand } from './assembler-function.ts';
import type { ModuleBuilder } from './assembler-module.ts';
import { divideInto } from './contract-plan.ts';
import { TILE_ROWS } from './contract-tile.ts';
import { emitTouch } from './touch-code.ts';
import { VectorConstants } from './vector-constants.ts';
import { forVectors } from './vector-loops.ts';
import {
  emitTransform,
  inputTransform,
  outputGradientTransform,
  TILE_INPUTS,
  TILE_OUTPUTS,
  TILE_POINTS,
  type Transform,
} from './winograd-transform.ts';

/** Height and width. */
export type Extents = readonly [y: number, x: number];

/** Outputs of a 3 × 3 window with stride 1, cut into tiles of 4 × 4; the last ones may reach beyond the output. */
export interface TileGrid {
  readonly batch: number;
  readonly input: Extents;
  readonly output: Extents;
  /** Padding in front: the first output sees the input from −low on. */
  readonly low: Extents;
  /** Tiles of one image. */
  readonly tiles: Extents;
  /** Lines of tiles in a unit, counted over all images. */
  readonly unitLines: number;
  /** Tiles of a line in a unit. */
  readonly unitColumns: number;
  /** Pieces that a line is cut into. */
  readonly pieces: number;
  readonly units: number;
}

/**
 * Cuts the outputs into units of about `wanted` tiles.
 *
 * @param parts of how many units each to be as equal as they can; none when units are shared out one by one
 */
export function planTiles(
  geometry: Pick<TileGrid, 'batch' | 'input' | 'output' | 'low'>,
  wanted: number,
  parts?: number,
): TileGrid {
  const { batch, output } = geometry;
  const tiles: Extents = [Math.ceil(output[0] / TILE_OUTPUTS), Math.ceil(output[1] / TILE_OUTPUTS)];
  const pieces = Math.max(1, Math.ceil(tiles[1] / Math.max(wanted, 1)));
  const unitColumns = Math.ceil(tiles[1] / pieces);
  const lines = batch * tiles[0];
  const unitLines =
    pieces > 1 ? 1 : Math.min(lines, linesOfUnit(tiles[1], wanted, parts === undefined ? undefined : { lines, parts }));
  return { ...geometry, tiles, unitLines, unitColumns, pieces, units: Math.ceil(lines / unitLines) * pieces };
}

/** So many lines that their tiles are about as many as wanted, and nearly fill the rows of products, or make equal parts. */
function linesOfUnit(tilesOfLine: number, wanted: number, cut?: { lines: number; parts: number }): number {
  const most = Math.max(1, Math.floor((1.35 * wanted) / tilesOfLine));
  const least = Math.min(most, Math.ceil((0.75 * wanted) / tilesOfLine));
  const fill = (unitLines: number): number => {
    // The longest part is waited for.
    if (cut !== undefined) return cut.lines / (unitLines * Math.ceil(cut.lines / unitLines / cut.parts));
    return (unitLines * tilesOfLine) / Math.ceil((unitLines * tilesOfLine) / TILE_ROWS);
  };
  const candidates = Array.from({ length: most - least + 1 }, (_, index) => least + index);
  return candidates.reduce((best, lines) => (fill(lines) > fill(best) ? lines : best));
}

/** Tiles of a unit. */
export function unitTiles({ unitLines, unitColumns }: TileGrid): number {
  return unitLines * unitColumns;
}

/**
 * Bytes from one of 36 matrices to the next, for so many numbers in each. An odd number of cache lines, so that the
 * numbers of one tile do not all fall into one set of the cache.
 */
export function pointStride(length: number): number {
  const lines = Math.ceil((length * 4) / 64);
  return (lines + 1 - (lines % 2)) * 64;
}

/** A tile: its image, the output's first line and column in it, and its number in the unit. */
export interface TilePlace {
  readonly image: Local;
  readonly y: Local;
  readonly x: Local;
  readonly index: Local;
}

/**
 * Writes loops over the tiles of a unit.
 *
 * @param afterLine runs after each line of tiles, whose place is that after its last tile
 */
export function emitTiles(
  f: FunctionBuilder,
  grid: TileGrid,
  unit: Local,
  tile: (place: TilePlace) => void,
  afterLine?: (place: TilePlace, firstX: Local, endX: Local) => void,
): void {
  const { batch, tiles, unitLines, unitColumns, pieces } = grid;
  const [image, y, x, index, line, lastLine, piece, firstX, endX] = f.localsOf('i32', 9) as [
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
  divideInto(f, unit, pieces, line, piece);
  f.scaled(line, unitLines).tee(line).i32(unitLines).op('i32.add').set(lastLine);
  emitLeast(f, lastLine, batch * tiles[0]);
  f.scaled(piece, unitColumns * TILE_OUTPUTS)
    .tee(firstX)
    .i32(unitColumns * TILE_OUTPUTS)
    .op('i32.add')
    .set(endX);
  emitLeast(f, endX, tiles[1] * TILE_OUTPUTS);
  f.i32(0).set(index);
  const place: TilePlace = { image, y, x, index };
  f.for(line, line, lastLine, 1, () => {
    divideInto(f, line, tiles[0], image, y);
    f.scaled(y, TILE_OUTPUTS).set(y);
    f.for(x, firstX, endX, TILE_OUTPUTS, () => {
      tile(place);
      f.increment(index, 1);
    });
    afterLine?.(place, firstX, endX);
  });
  f.release(image, y, x, index, line, lastLine, piece, firstX, endX);
}

/** Writes a look ahead at what a unit reads of images, or writes. */
export function emitTouchOfUnit(
  module: ModuleBuilder,
  f: FunctionBuilder,
  { batch, units, pieces }: TileGrid,
  unit: Local,
  { image, channels, base }: Omit<Patch, 'extent'>,
): void {
  // Pieces of lines do not lie one after the other.
  if (pieces > 1) return;
  const range = { start: base, byteLength: batch * image[0] * image[1] * channels * 4 };
  emitTouch(module, f, range, units, () => f.get(unit));
}

/** Sets a local to the lesser of it and a number. */
export function emitLeast(f: FunctionBuilder, value: Local, greatest: number): void {
  f.get(value).i32(greatest).get(value).i32(greatest).op('i32.lt_s', 'select').set(value);
}

/** A square of an image that may reach beyond it. */
export interface Patch {
  /** Rows and columns. */
  readonly extent: number;
  readonly image: Extents;
  readonly channels: number;
  /** Address of the first image. */
  readonly base: number;
}

/**
 * Writes code that calls `use` with the address of a patch's first pixel and the distance of its lines: in the image
 * where the patch lies within it, else in a copy in `scratch` with zeros around it. `atY` and `atX` may be negative.
 */
export function emitPatch(
  module: ModuleBuilder,
  f: FunctionBuilder,
  { extent, image: [height, width], channels, base }: Patch,
  { image, atY, atX, scratch }: { image: Local; atY: Local; atX: Local; scratch: Local },
  use: (address: Local, linePitch: number) => void,
): void {
  const pixel = channels * 4;
  const address = f.local('i32');
  const pushPixel = (y: Local, x: Local): unknown =>
    f.sum(
      [
        [image, height * width * pixel],
        [y, width * pixel],
        [x, pixel],
      ],
      base,
    );
  const copy = (): void => {
    pushPixel(atY, atX);
    f.get(atY)
      .get(atX)
      .get(scratch)
      .call(patchCopy(module, { extent, image: [height, width], channels }));
    f.get(scratch).set(address);
    use(address, extent * pixel);
  };
  const direct = (): void => {
    pushPixel(atY, atX);
    f.set(address);
    use(address, width * pixel);
  };
  if (height < extent || width < extent) copy();
  else {
    f.get(atY)
      .i32(height - extent)
      .op('i32.le_u')
      .get(atX)
      .i32(width - extent)
      .op('i32.le_u', 'i32.and');
    f.if(direct, copy);
  }
  f.release(address);
}

/**
 * A function of four i32 (the address of a patch's first pixel, its line and its column in the image, where the copy goes)
 * that copies what of the patch lies in the image, with zeros around it.
 */
function patchCopy(module: ModuleBuilder, { extent, image: [height, width], channels }: Omit<Patch, 'base'>): number {
  const pixel = channels * 4;
  const key = `winograd patch ${extent} ${height} ${width} ${channels}`;
  return module.shared(key, ['i32', 'i32', 'i32', 'i32'], [], (f) => {
    const [source, y, x, target] = [f.param(0), f.param(1), f.param(2), f.param(3)];
    const [row, before, within, after, at] = f.localsOf('i32', 5) as [Local, Local, Local, Local, Local];
    const step = [64, 32, 16].find((bytes) => pixel % bytes === 0) as number;
    /** Writes so many bytes: those of the line, or zeros. */
    const run = (bytes: Operand, isCopy: boolean): void => {
      f.for(at, 0, bytes, step, () => {
        for (let offset = 0; offset < step; offset += 16) {
          f.storeAt('v128.store', target, offset, () => (isCopy ? f.load('v128.load', source, offset) : f.f32x4(0)));
        }
        f.increment(target, step);
        if (isCopy) f.increment(source, step);
      });
    };
    // Of columns, how many lie before the image, in it, and after it.
    f.i32(0).get(x).op('i32.sub').i32(0).get(x).i32(0).op('i32.lt_s', 'select').set(before);
    f.i32(width).get(x).op('i32.sub').set(within);
    emitLeast(f, within, extent);
    f.i32(extent).get(within).op('i32.sub').i32(pixel).op('i32.mul').set(after);
    f.get(within).get(before).op('i32.sub').i32(pixel).op('i32.mul').set(within);
    f.scaled(before, pixel).set(before);
    f.for(row, 0, extent, 1, () => {
      f.get(y).i32(height).op('i32.lt_u');
      f.if(
        () => {
          run(before, false);
          f.get(source).get(before).op('i32.add').set(source);
          run(within, true);
          run(after, false);
          // To the next line.
          f.get(source)
            .get(before)
            .get(within)
            .op('i32.add', 'i32.sub')
            .i32(width * pixel)
            .op('i32.add')
            .set(source);
        },
        () => {
          run(extent * pixel, false);
          f.increment(source, width * pixel);
        },
      );
      f.increment(y, 1);
    });
  });
}

/**
 * A function of three i32 (the first pixel of a patch of 6 × 6, the distance of its lines, the place of the tile in the
 * first of 36 matrices) that transforms all channels.
 */
export function inputTile(module: ModuleBuilder, channels: number, stride: number): number {
  return tileTransform(module, `winograd input ${channels} ${stride}`, inputTransform, TILE_INPUTS, channels, stride);
}

/** A function of three i32, as that of `inputTile`, for a patch of 4 × 4 of dy. */
export function outputGradientTile(module: ModuleBuilder, channels: number, stride: number): number {
  const name = `winograd output gradient ${channels} ${stride}`;
  return tileTransform(module, name, outputGradientTransform, TILE_OUTPUTS, channels, stride);
}

/** A patch has `extent` lines and columns. */
function tileTransform<Inputs extends readonly Local[], Outputs extends readonly Local[]>(
  module: ModuleBuilder,
  name: string,
  transform: Transform<Inputs, Outputs>,
  extent: number,
  channels: number,
  stride: number,
): number {
  return module.shared(name, ['i32', 'i32', 'i32'], [], (f) => {
    const [source, pitch, target] = [f.param(0), f.param(1), f.param(2)];
    const lines = f.localsOf('i32', extent);
    const count = f.local('i32');
    emitLines(f, lines, source, pitch);
    const constants = new VectorConstants(f, transform.constants);
    forVectors(module, f, count, channels, (vectors) => {
      emitTransform(
        f,
        transform,
        extent,
        constants,
        vectors,
        (row, column, offset) => f.load('v128.load', lines[row] as Local, column * channels * 4 + offset),
        (row, column, outputs) => {
          const at = (row * TILE_INPUTS + column) * stride;
          for (const [vector, output] of outputs.entries()) {
            f.storeAt('v128.store', target, at + vector * 16, () => f.get(output));
          }
        },
      );
      for (const line of lines) f.increment(line, vectors * 16);
      f.increment(target, vectors * 16);
    });
    constants.release();
  });
}

/** Sets locals to the beginnings of lines. */
export function emitLines(f: FunctionBuilder, lines: readonly Local[], first: Local, pitch: Local): void {
  let previous = first;
  for (const [index, line] of lines.entries()) {
    f.get(previous);
    if (index > 0) f.get(pitch).op('i32.add');
    f.set(line);
    previous = line;
  }
}

/** Writes a loop over the 36 matrices; `first` holds addresses that step from one to the next by `strides`. */
export function emitEachPoint(
  f: FunctionBuilder,
  addresses: readonly (readonly [address: Local, stride: number])[],
  body: () => void,
): void {
  const point = f.local('i32');
  f.for(point, 0, TILE_POINTS, 1, () => {
    body();
    for (const [address, stride] of addresses) f.increment(address, stride);
  });
  f.release(point);
}
