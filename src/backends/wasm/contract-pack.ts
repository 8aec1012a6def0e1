/**
 * Packed right matrices: panels of 8 columns, each `[depth, 8]`, so that a tile reads them in order. The columns of
 * the last panel beyond the matrix hold anything.
 */
import type { FunctionBuilder, Local, Operand } from './assembler-function.ts';
import { TILE_COLUMNS } from './contract-tile.ts';

const PANEL_BYTES = TILE_COLUMNS * 4;

/** Bytes of one packed matrix. */
export function packedBytes(depth: number, columns: number): number {
  return Math.ceil(columns / TILE_COLUMNS) * depth * PANEL_BYTES;
}

/**
 * Packs `[depth, columns]` (or, transposed, `[columns, depth]`) from `sourceStart` on, whose rows lie `rowLength`
 * elements apart.
 */
export function packMatrix(
  source: Float32Array,
  target: Float32Array,
  { depth, columns, transposed, rowLength, sourceStart, targetStart }: MatrixPlace,
): void {
  const [stepLength, columnLength] = transposed ? [1, rowLength] : [rowLength, 1];
  let at = targetStart;
  for (let first = 0; first < columns; first += TILE_COLUMNS) {
    const width = Math.min(TILE_COLUMNS, columns - first);
    for (let step = 0; step < depth; step++, at += TILE_COLUMNS) {
      const from = sourceStart + step * stepLength + first * columnLength;
      for (let column = 0; column < width; column++) {
        target[at + column] = source[from + column * columnLength] as number;
      }
    }
  }
}

export interface MatrixPlace {
  readonly depth: number;
  readonly columns: number;
  readonly transposed: boolean;
  readonly rowLength: number;
  readonly sourceStart: number;
  readonly targetStart: number;
}

/**
 * Writes code that packs one panel: `width` columns that begin at the address `source`, to the address `target`.
 * Rows of the source lie `rowLength` elements apart. Both locals are changed.
 */
export function emitPackPanel(
  f: FunctionBuilder,
  { depth, width, transposed, rowLength }: { depth: number; width: number; transposed: boolean; rowLength: number },
  source: Local,
  target: Local,
): void {
  if (transposed) emitTransposedPanel(f, depth, width, rowLength * 4, source, target);
  else emitStraightPanel(f, depth, width, rowLength * 4, source, target);
}

function emitStraightPanel(
  f: FunctionBuilder,
  depth: Operand,
  width: number,
  rowBytes: number,
  source: Local,
  target: Local,
): void {
  const step = f.local('i32');
  f.for(step, 0, depth, 1, () => {
    for (let offset = 0; offset < width * 4; offset += 16) {
      f.storeAt('v128.store', target, offset, () => f.load('v128.load', source, offset));
    }
    f.increment(source, rowBytes).increment(target, PANEL_BYTES);
  });
  f.release(step);
}

/** Four steps at a time: 4 × 4 blocks are transposed in registers. */
function emitTransposedPanel(
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
