/** Tables of embeddings that stay in a narrow form: rows of codes, and one scale for each; a row is widened when it is taken. */
import { bytesPerElement } from '../../array/dtype.ts';
import type { NarrowArray, NarrowCodes } from '../../array/narrow-array.ts';
import { type Shape, sizeOf } from '../../array/shape.ts';
import type { NarrowForm } from '../../compiler/schedule.ts';
import type { FunctionBuilder, Local } from './assembler-function.ts';
import { codesOf, loadNarrow } from './contract-narrow.ts';
import type { Packing } from './contract-plan.ts';
import { storeLanes } from './contract-tile.ts';

/** Rows that are copied in a step. */
const ROWS_AT_ONCE = 256;

/** Elements that are widened at once. */
const LANES = 8;

interface TableLayout {
  /** Bytes from one row to the next; all begin a whole vector. */
  readonly rowStride: number;
  /** Where the scales begin. */
  readonly scalesAt: number;
}

function tableLayout([rows = 0, ...row]: Shape, { dtype }: NarrowForm): TableLayout {
  const rowStride = Math.ceil(sizeOf(row) / LANES) * LANES * bytesPerElement(dtype);
  return { rowStride, scalesAt: Math.ceil((rows * rowStride) / 16) * 16 };
}

/** How a table is packed; undefined where its channels are not its rows. */
export function tablePacking(shape: Shape, form: NarrowForm): Packing | undefined {
  const [rows = 0, ...row] = shape;
  const length = sizeOf(row);
  const { dtype, channels } = form;
  const isScaled = dtype === 'int8';
  if (isScaled && (channels.count !== rows || channels.inner !== length)) return undefined;
  const { rowStride, scalesAt } = tableLayout(shape, form);
  const elements = rowStride / bytesPerElement(dtype);
  const rowsOf = (target: Float32Array): NarrowCodes => codesOf(dtype, target, rows * elements);
  return {
    byteLength: scalesAt + (isScaled ? rows * 4 : 0),
    key: `table:${dtype}`,
    packNarrow: function* ({ codes, scales }: NarrowArray, target: Float32Array): Generator<void, void> {
      const copy = rowsOf(target);
      for (let each = 0; each < rows; each++) {
        if (each % ROWS_AT_ONCE === 0) yield;
        copy.set(codes.subarray(each * length, (each + 1) * length), each * elements);
      }
      if (isScaled) target.set(scales, scalesAt / 4);
    },
    unpackNarrow: (packed, codes) => {
      const copy = rowsOf(packed);
      for (let each = 0; each < rows; each++) {
        codes.set(copy.subarray(each * elements, each * elements + length), each * length);
      }
    },
  };
}

/** Writes the widening of the row of a number, from a table at an address, to where `to` points, which moves. */
export function emitWideRow(
  f: FunctionBuilder,
  shape: Shape,
  form: NarrowForm,
  table: number,
  row: Local,
  to: Local,
): void {
  const { dtype } = form;
  const length = sizeOf(shape.slice(1));
  const { rowStride, scalesAt } = tableLayout(shape, form);
  const [from, count] = f.localsOf('i32', 2) as [Local, Local];
  const [low, high, scale] = f.localsOf('v128', 3) as [Local, Local, Local];
  f.sum([[row, rowStride]], table).set(from);
  if (dtype === 'int8')
    f.sum([[row, 4]], table + scalesAt)
      .load('v128.load32_splat')
      .set(scale);
  const widen = (): void => {
    loadNarrow(f, dtype, from, 0, [low, high]);
    if (dtype === 'int8') for (const lanes of [low, high]) f.get(lanes).get(scale).op('f32x4.mul').set(lanes);
  };
  f.for(count, 0, Math.floor(length / LANES), 1, () => {
    widen();
    f.storeAt('v128.store', to, 0, () => f.get(low)).storeAt('v128.store', to, 16, () => f.get(high));
    f.increment(from, rowStride / Math.ceil(length / LANES)).increment(to, LANES * 4);
  });
  const rest = length % LANES;
  if (rest > 0) {
    widen();
    storeLanes(f, to, 0, low, Math.min(4, rest));
    if (rest > 4) storeLanes(f, to, 16, high, rest - 4);
  }
  f.release(from, count, low, high, scale);
}
