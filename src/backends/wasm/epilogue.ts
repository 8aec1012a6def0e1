/** Recognises the tails that kernels do on the way: a number for each column, then bounds; or a mask. */

import { isFlat } from '../../compiler/index-map.ts';
import type { Access, Buffer, Expression, Tail } from '../../compiler/schedule.ts';

export interface Epilogue {
  /** Contiguous, one element for each column. */
  readonly bias: Access | undefined;
  /** Likewise. */
  readonly factor: Access | undefined;
  readonly lower: number | undefined;
  readonly upper: number | undefined;
}

/**
 * `min(max(output · factor + bias, lower), upper)` with any of its parts left out; undefined for other tails.
 *
 * @param scales whether there may be a factor
 */
export function matchEpilogue(
  { domain, value }: Tail,
  output: Buffer,
  columns: number,
  scales = false,
): Epilogue | undefined {
  const isOutput = (part: Expression): boolean =>
    part.kind === 'load' && part.access.buffer === output && isFlat(part.access, domain);
  let rest = value;
  let [lower, upper]: (number | undefined)[] = [undefined, undefined];
  for (;;) {
    // From the outside in: an upper bound may lie outside a lower one, not the other way round.
    const bound = boundOf(rest);
    if (bound === undefined || (bound.side === 'lower' ? lower : (upper ?? lower)) !== undefined) break;
    if (bound.side === 'lower') lower = bound.value;
    else upper = bound.value;
    rest = bound.of;
  }
  /** What a vector of the columns is added to, or multiplied by, and the vector. */
  const split = (part: Expression, primitive: 'add' | 'multiply'): [of: Expression, vector: Access] | undefined => {
    if (part.kind !== 'apply' || part.primitive !== primitive) return undefined;
    const [left, right] = part.operands as readonly [Expression, Expression];
    for (const [of, other] of [
      [left, right],
      [right, left],
    ] as const) {
      if (other.kind !== 'load' || other.dtype !== 'float32' || other.access.buffer === output) continue;
      if (isPerColumn(other.access, domain, columns)) return [of, other.access];
    }
    return undefined;
  };
  const [sum, bias] = split(rest, 'add') ?? [rest, undefined];
  const [source, factor] = (scales && split(sum, 'multiply')) || [sum, undefined];
  return isOutput(source) ? { bias, factor, lower, upper } : undefined;
}

/** The mask of `select(greater(mask, 0), output, 0)`, the gradient of a relu, element by element; undefined for other tails. */
export function maskOf({ domain, value }: Tail, output: Buffer): Buffer | undefined {
  if (value.kind !== 'apply' || value.primitive !== 'select' || value.dtype !== 'float32') return undefined;
  const [test, chosen, other] = value.operands as readonly [Expression, Expression, Expression];
  const isZero = (part?: Expression): boolean => part?.kind === 'immediate' && part.value === 0;
  if (test.kind !== 'apply' || test.primitive !== 'greater' || !isZero(test.operands[1]) || !isZero(other))
    return undefined;
  if (chosen.kind !== 'load' || chosen.access.buffer !== output || !isFlat(chosen.access, domain)) return undefined;
  const [mask] = test.operands as readonly [Expression];
  const isMask = mask.kind === 'load' && mask.dtype === 'float32' && isFlat(mask.access, domain);
  return isMask && mask.access.buffer !== output ? mask.access.buffer : undefined;
}

function boundOf(part: Expression): { side: 'lower' | 'upper'; value: number; of: Expression } | undefined {
  if (part.kind !== 'apply' || (part.primitive !== 'maximum' && part.primitive !== 'minimum')) return undefined;
  if (part.dtype !== 'float32') return undefined;
  const [left, right] = part.operands as readonly [Expression, Expression];
  const side = part.primitive === 'maximum' ? 'lower' : 'upper';
  if (right.kind === 'immediate') return { side, value: right.value, of: left };
  if (left.kind === 'immediate') return { side, value: left.value, of: right };
  return undefined;
}

function isPerColumn({ strides }: Access, domain: readonly number[], columns: number): boolean {
  const long = domain.map((extent, axis) => [extent, strides[axis]] as const).filter(([extent]) => extent !== 1);
  const last = long.pop();
  return last !== undefined && last[0] === columns && last[1] === 1 && long.every(([, stride]) => stride === 0);
}
