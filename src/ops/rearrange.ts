import { formatShape, sizeOf } from '../array/shape.ts';
import { ShapeError } from '../errors.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import { type Operand, toSymbol } from './operand.ts';
import { reshape, transpose } from './shape.ts';

/**
 * Splits, reorders and joins axes by their names, as in `b (h w) c -> b h (w c)`: names in brackets are one axis together.
 *
 * @throws {ShapeError} when the pattern does not fit the shape or leaves an extent open.
 */
export function rearrange(x: Operand, pattern: string, extents: Readonly<Record<string, number>> = {}): SymbolicTensor {
  const symbol = toSymbol(x);
  const [left, right] = pattern.split('->').map(parseGroups) as [string[][], string[][]];
  if (right === undefined || left.length !== symbol.shape.length) fail(symbol, pattern);
  const known = new Map(Object.entries(extents));
  for (const [axis, group] of left.entries()) solveGroup(group, symbol.shape[axis] as number, known);
  const names = left.flat();
  const targets = right.flat();
  if (names.length !== targets.length || targets.some((name) => !names.includes(name))) fail(symbol, pattern);
  const extentOf = (name: string): number => known.get(name) ?? fail(symbol, pattern);
  const parts = names.map(extentOf);
  if (sizeOf(parts) !== sizeOf(symbol.shape)) fail(symbol, pattern);
  const moved = transpose(
    reshape(symbol, parts),
    targets.map((name) => names.indexOf(name)),
  );
  return reshape(
    moved,
    right.map((group) => sizeOf(group.map(extentOf))),
  );
}

function parseGroups(side: string): string[][] {
  const groups = side.match(/\([^)]*\)|[^\s()]+/g) ?? [];
  return groups.map((group) => group.match(/\w+/g) ?? []);
}

/** At most one extent of a group may be open: it is what the others leave. */
function solveGroup(group: readonly string[], extent: number, known: Map<string, number>): void {
  const open = group.filter((name) => !known.has(name));
  if (open.length !== 1) return;
  const product = sizeOf(group.filter((name) => known.has(name)).map((name) => known.get(name) as number));
  known.set(open[0] as string, extent / product);
}

function fail(symbol: SymbolicTensor, pattern: string): never {
  throw new ShapeError(
    `Cannot rearrange by "${pattern}": found shape ${formatShape(symbol.shape)}, expected one that fits the pattern, ` +
      'with at most one open extent in brackets',
  );
}
