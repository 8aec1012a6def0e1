/** Fewer, longer axes: loops over a domain are generated after axes that always move together have been joined. */
import type { Access, Expression } from './schedule.ts';

export interface CollapsedDomain {
  /** The groups of axes, each collapsed; no axis has extent 1. */
  readonly groups: readonly (readonly number[])[];
  /** Strides over the old axes become strides over the new ones. */
  readonly strides: (strides: readonly number[]) => number[];
}

/**
 * Joins neighbouring axes of a group wherever each of the given strides steps through both as through one, and drops
 * axes of extent 1. Axes of different groups are never joined.
 */
export function collapseDomain(
  groups: readonly (readonly number[])[],
  allStrides: readonly (readonly number[])[],
): CollapsedDomain {
  const collapsed: number[][] = [];
  /** For each new axis, the last of the old axes that it joins: its stride is the stride of all. */
  const representatives: number[] = [];
  let axis = 0;
  for (const group of groups) {
    const extents: number[] = [];
    for (const extent of group) {
      const own = axis++;
      if (extent === 1) continue;
      const previous = representatives.at(-1);
      const joins =
        extents.length > 0 &&
        previous !== undefined &&
        allStrides.every((strides) => strides[previous] === (strides[own] as number) * extent);
      if (joins) {
        extents[extents.length - 1] = (extents.at(-1) as number) * extent;
        representatives[representatives.length - 1] = own;
      } else {
        extents.push(extent);
        representatives.push(own);
      }
    }
    collapsed.push(extents);
  }
  return {
    groups: collapsed,
    strides: (strides) => representatives.map((representative) => strides[representative] as number),
  };
}

/** The strides of all loads and counters of an expression. */
export function stridesIn(values: readonly Expression[]): (readonly number[])[] {
  const found: (readonly number[])[] = [];
  const seen = new Set<Expression>();
  const walk = (part: Expression): void => {
    if (seen.has(part)) return;
    seen.add(part);
    if (part.kind === 'load') found.push(part.access.strides);
    else if (part.kind === 'affine') found.push(part.strides);
    else if (part.kind === 'apply') part.operands.forEach(walk);
  };
  values.forEach(walk);
  return found;
}

/** The same expressions over other axes; what was shared stays shared. */
export function withStrides(
  values: readonly Expression[],
  change: (strides: readonly number[]) => readonly number[],
): Expression[] {
  const known = new Map<Expression, Expression>();
  const rewrite = (part: Expression): Expression => {
    const before = known.get(part);
    if (before !== undefined) return before;
    const after = rewritten(part);
    known.set(part, after);
    return after;
  };
  const rewritten = (part: Expression): Expression => {
    switch (part.kind) {
      case 'load':
        return { ...part, access: { ...part.access, strides: change(part.access.strides) } satisfies Access };
      case 'affine':
        return { ...part, strides: change(part.strides) };
      case 'apply':
        return { ...part, operands: part.operands.map(rewrite) };
      case 'immediate':
        return part;
    }
  };
  return values.map(rewrite);
}
