import { normalizeAxis } from '../array/shape.ts';
import { Tensor } from '../array/tensor.ts';
import { apply, constant } from '../graph/apply.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import type { PaddingPair } from '../graph/primitives.ts';
import { type Operand, toSymbol } from './operand.ts';

/**
 * What padding repeats: a constant, the border element (`edge`), the elements mirrored at the border element
 * (`reflect`) or behind it (`symmetric`), or those of the other end (`wrap`).
 */
export type PadMode = 'constant' | 'edge' | 'reflect' | 'symmetric' | 'wrap';

/** One number for all, one pair for all, or one pair for each axis. */
export type PadWidth = number | readonly number[] | readonly (readonly number[])[];

/** Adds elements before and after each axis. */
export function pad(x: Operand, padWidth: PadWidth, mode: PadMode = 'constant', constantValue = 0): SymbolicTensor {
  const symbol = toSymbol(x);
  const pairs = paddingPairs(padWidth, symbol.shape.length);
  if (pairs.every(([low, high]) => low === 0 && high === 0)) return symbol;
  if (mode === 'constant') return apply('pad', [symbol], { padding: pairs, value: constantValue });
  return pairs.reduce((padded, [low, high], axis) => {
    if (low === 0 && high === 0) return padded;
    const extent = padded.shape[normalizeAxis(axis, padded.shape.length)] as number;
    if (extent === 0)
      throw new RangeError(`Cannot pad axis ${axis} by ${mode}: found no elements, expected at least one`);
    const indices = Int32Array.from({ length: low + extent + high }, (_, index) => SOURCES[mode](index - low, extent));
    return apply('gather', [padded, constant(new Tensor([indices.length], 'int32', indices))], { axis });
  }, symbol);
}

function paddingPairs(padWidth: PadWidth, ndim: number): PaddingPair[] {
  const list = typeof padWidth === 'number' ? [padWidth] : padWidth;
  const rows = typeof list[0] === 'number' ? [list as readonly number[]] : (list as readonly (readonly number[])[]);
  const pairs = rows.map((row): PaddingPair => [row[0] as number, row[1] ?? (row[0] as number)]);
  if (pairs.length === ndim) return pairs;
  if (pairs.length === 1) return Array.from({ length: ndim }, () => pairs[0] as PaddingPair);
  throw new RangeError(`Cannot pad: found ${pairs.length} pairs, expected one or ${ndim}`);
}

function modulo(x: number, y: number): number {
  return ((x % y) + y) % y;
}

/** Which element stands at a position outside 0 … extent − 1. */
const SOURCES: { readonly [M in Exclude<PadMode, 'constant'>]: (position: number, extent: number) => number } = {
  edge: (position, extent) => Math.min(Math.max(position, 0), extent - 1),
  reflect: (position, extent) => {
    if (extent === 1) return 0;
    const phase = modulo(position, 2 * (extent - 1));
    return phase < extent ? phase : 2 * (extent - 1) - phase;
  },
  symmetric: (position, extent) => {
    const phase = modulo(position, 2 * extent);
    return phase < extent ? phase : 2 * extent - 1 - phase;
  },
  wrap: modulo,
};
