/** Recognises the tails that contraction kernels do on the way: a number for each column, then bounds. */

import { isFlat } from '../../compiler/index-map.ts';
import { type Access, type Buffer, type Expression, loadsOf, type Tail } from '../../compiler/schedule.ts';

export interface Epilogue {
  /** Contiguous, one element for each column. */
  readonly bias: Access | undefined;
  readonly lower: number | undefined;
  readonly upper: number | undefined;
}

/** `min(max(output + bias, lower), upper)` with any of its parts left out; undefined for other tails. */
export function matchEpilogue({ domain, value }: Tail, output: Buffer, columns: number): Epilogue | undefined {
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
  if (isOutput(rest)) return { bias: undefined, lower, upper };
  if (rest.kind !== 'apply' || rest.primitive !== 'add') return undefined;
  const [left, right] = rest.operands as readonly [Expression, Expression];
  const other = isOutput(left) ? right : isOutput(right) ? left : undefined;
  if (other?.kind !== 'load' || other.dtype !== 'float32' || !isPerColumn(other.access, domain, columns)) {
    return undefined;
  }
  return loadsOf(other).some((access) => access.buffer === output) ? undefined : { bias: other.access, lower, upper };
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
