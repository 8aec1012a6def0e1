/**
 * Packed right matrices: panels of 8 columns, each `[depth, 8]`, so that a tile reads them in order. The columns of
 * the last panel beyond the matrix hold anything.
 */
import { atOnce } from '../../pause.ts';
import type { FunctionBuilder, Local } from './assembler-function.ts';
import type { ModuleBuilder } from './assembler-module.ts';
import { divideInto, emitKernel, emitLast, type Packing } from './contract-plan.ts';
import { TILE_COLUMNS } from './contract-tile.ts';

const PANEL_BYTES = TILE_COLUMNS * 4;

/** Rows that are brought back together. */
const UNPACKED_STEPS = 32;

/**
 * Right matrices as they lie in an operand; lengths in elements.
 *
 * There are `count` of them (batches or groups). The depth of each comes in `taps` parts of `depth`: the elements of a
 * convolution's window. A part is `[depth, columns]`, or `[columns, depth]` when transposed.
 */
export interface MatrixLayout {
  readonly count: number;
  /** From one matrix to the next. */
  readonly countLength: number;
  readonly taps: number;
  /** From one tap to the next. */
  readonly tapLength: number;
  /** The last tap is packed first. */
  readonly reversed: boolean;
  readonly depth: number;
  readonly columns: number;
  readonly transposed: boolean;
  /** From one row of a part to the next. */
  readonly rowLength: number;
}

/** Bytes from one panel of a packed matrix to the next. */
export function panelBytes({ taps, depth }: MatrixLayout, elementBytes = 4): number {
  return taps * depth * TILE_COLUMNS * elementBytes;
}

/** Bytes of one packed matrix. */
export function packedBytes(layout: MatrixLayout, elementBytes = 4): number {
  return Math.ceil(layout.columns / TILE_COLUMNS) * panelBytes(layout, elementBytes);
}

/** How to pack all matrices on the host. */
export function packingOf(layout: MatrixLayout): Packing {
  return {
    byteLength: layout.count * packedBytes(layout),
    key: Object.values(layout).join(':'),
    pack: (source, target) => packMatrices(layout, source, target),
    unpack: (packed, weights) => unpackMatrices(layout, packed, weights),
    emit: (module, source, target) => emitPacking(module, layout, source, target),
  };
}

type Elements = Float32Array | Int8Array | Uint16Array;

/** Packs elements of any kind, in steps of some thousand. */
export function packMatrices(layout: MatrixLayout, source: Elements, target: Elements): Generator<void, void> {
  return moveMatrices(layout, source, target, false);
}

/** The reverse, at once. */
export function unpackMatrices(layout: MatrixLayout, packed: Elements, target: Elements): void {
  atOnce(moveMatrices(layout, target, packed, true));
}

/**
 * Packs elements, or brings them back: some rows of all panels before the next ones, so that the cache holds what is
 * written. What is only read the processor fetches ahead.
 */
function* moveMatrices(
  layout: MatrixLayout,
  weights: Elements,
  packed: Elements,
  isUnpacking: boolean,
): Generator<void, void> {
  const { count, taps, depth, columns, transposed, rowLength } = layout;
  const [stepLength, columnLength] = transposed ? [1, rowLength] : [rowLength, 1];
  const panelLength = taps * depth * TILE_COLUMNS;
  const mostSteps = isUnpacking ? UNPACKED_STEPS : depth;
  const matrixLength = Math.ceil(columns / TILE_COLUMNS) * panelLength;
  for (let matrix = 0; matrix < count; matrix++) {
    for (let tap = 0; tap < taps; tap++) {
      const tapStart = matrix * layout.countLength + (layout.reversed ? taps - 1 - tap : tap) * layout.tapLength;
      for (let firstStep = 0; firstStep < depth; firstStep += mostSteps) {
        const steps = Math.min(mostSteps, depth - firstStep);
        let start = matrix * matrixLength + (tap * depth + firstStep) * TILE_COLUMNS;
        for (let first = 0; first < columns; first += TILE_COLUMNS, start += panelLength) {
          yield;
          const width = Math.min(TILE_COLUMNS, columns - first);
          let from = tapStart + firstStep * stepLength + first * columnLength;
          let at = start;
          for (let step = 0; step < steps; step++, at += TILE_COLUMNS, from += stepLength) {
            if (isUnpacking) {
              for (let column = 0; column < width; column++) {
                weights[from + column * columnLength] = packed[at + column] as number;
              }
            } else {
              for (let column = 0; column < width; column++) {
                packed[at + column] = weights[from + column * columnLength] as number;
              }
            }
          }
        }
      }
    }
  }
}

/** Writes a kernel that packs all matrices from one address to another; a unit is a panel. */
export function emitPacking(
  module: ModuleBuilder,
  layout: MatrixLayout,
  sourceStart: number,
  targetStart: number,
): { kernel: number; units: number } {
  const { count, countLength, taps, tapLength, depth, columns, transposed, rowLength } = layout;
  const panels = Math.ceil(columns / TILE_COLUMNS);
  const kernel = emitKernel(module, (f, unit) => {
    const [matrix, panel, first, tap, source, target] = f.localsOf('i32', 6) as Locals6;
    divideInto(f, unit, panels, matrix, panel);
    const columnBytes = transposed ? rowLength * 4 : 4;
    f.sum(
      [
        [matrix, countLength * 4],
        [panel, TILE_COLUMNS * columnBytes],
      ],
      sourceStart + (layout.reversed ? (taps - 1) * tapLength * 4 : 0),
    ).set(first);
    f.sum([[unit, panelBytes(layout)]], targetStart).set(target);
    const pack = (width: number): void => {
      f.for(tap, 0, taps, 1, () => {
        f.get(first).set(source);
        if (transposed) emitTransposedPanel(f, depth, width, rowLength * 4, source, target);
        else emitPanels(f, depth, width, rowLength * 4, source, target);
        f.increment(first, (layout.reversed ? -tapLength : tapLength) * 4);
      });
    };
    emitLast(f, panel, panels, () => pack(TILE_COLUMNS), columns % TILE_COLUMNS, pack);
    f.release(matrix, panel, first, tap, source, target);
  });
  return { kernel, units: count * panels };
}

/**
 * Writes a copy of some rows of a matrix into panels. Both locals are moved. It goes row by row: rows that lie a power of two
 * apart share sets of the cache, which would not keep them until the next panel.
 */
export function emitPanels(
  f: FunctionBuilder,
  rows: number,
  columns: number,
  rowBytes: number,
  source: Local,
  target: Local,
): void {
  const row = f.local('i32');
  f.for(row, 0, rows, 1, () => {
    for (let offset = 0; offset < columns * 4; offset += 16) {
      const panel = Math.floor(offset / PANEL_BYTES);
      const at = panel * rows * PANEL_BYTES + (offset % PANEL_BYTES);
      f.storeAt('v128.store', target, at, () => f.load('v128.load', source, offset));
    }
    f.increment(source, rowBytes).increment(target, PANEL_BYTES);
  });
  f.release(row);
}

type Locals6 = [Local, Local, Local, Local, Local, Local];

/**
 * Writes a copy of some columns of a matrix that lie as rows into a panel; both locals are moved. Four steps at a time:
 * 4 × 4 blocks are transposed in registers.
 */
export function emitTransposedPanel(
  f: FunctionBuilder,
  depth: number,
  width: number,
  rowBytes: number,
  source: Local,
  target: Local,
): void {
  const step = f.local('i32');
  const rows = f.localsOf('v128', 4) as [Local, Local, Local, Local];
  // Columns beyond the matrix repeat the last one, so that nothing is read beyond it.
  const rowOffset = (column: number): number => Math.min(column, width - 1) * rowBytes;
  f.for(step, 0, depth - (depth % 4), 4, () => {
    for (let first = 0; first < width; first += 4) {
      for (const [index, row] of rows.entries()) f.load('v128.load', source, rowOffset(first + index)).set(row);
      emitTranspose(f, rows);
      for (const [index, row] of rows.entries()) {
        f.storeAt('v128.store', target, index * PANEL_BYTES + first * 4, () => f.get(row));
      }
    }
    f.increment(source, 16).increment(target, 4 * PANEL_BYTES);
  });
  f.for(step, 0, depth % 4, 1, () => {
    for (let column = 0; column < width; column++) {
      f.storeAt('f32.store', target, column * 4, () => f.load('f32.load', source, rowOffset(column)));
    }
    f.increment(source, 4).increment(target, PANEL_BYTES);
  });
  f.release(step, ...rows);
}

/** Transposes four vectors in place. */
function emitTranspose(f: FunctionBuilder, [a, b, c, d]: readonly [Local, Local, Local, Local]): void {
  const [ab, abHigh, cd, cdHigh] = f.localsOf('v128', 4) as [Local, Local, Local, Local];
  f.get(a).get(b).shuffle32(0, 4, 1, 5).set(ab).get(a).get(b).shuffle32(2, 6, 3, 7).set(abHigh);
  f.get(c).get(d).shuffle32(0, 4, 1, 5).set(cd).get(c).get(d).shuffle32(2, 6, 3, 7).set(cdHigh);
  f.get(ab).get(cd).shuffle32(0, 1, 4, 5).set(a).get(ab).get(cd).shuffle32(2, 3, 6, 7).set(b);
  f.get(abHigh).get(cdHigh).shuffle32(0, 1, 4, 5).set(c).get(abHigh).get(cdHigh).shuffle32(2, 3, 6, 7).set(d);
  f.release(ab, abHigh, cd, cdHigh);
}
