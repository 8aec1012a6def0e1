import { shapesEqual } from '../array/shape.ts';
import { apply } from '../graph/apply.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import { add } from '../ops/elementwise.ts';

/** The sum of the terms of a gradient; `undefined` when there are none. */
export function sumTerms(terms: readonly SymbolicTensor[]): SymbolicTensor | undefined {
  const [first, ...others] = joinParts(terms);
  return first === undefined ? undefined : others.reduce((sum, term) => add(sum, term), first);
}

/** A term that is 0 but for a range along one axis. */
interface Part {
  readonly term: SymbolicTensor;
  readonly source: SymbolicTensor;
  readonly axis: number;
  readonly start: number;
  readonly stop: number;
}

/** Parts that lie side by side, as of a value that was cut up, are put together: no zeros are added. */
function joinParts(terms: readonly SymbolicTensor[]): readonly SymbolicTensor[] {
  const parts = terms.flatMap((term) => partOf(term) ?? []);
  const extent = (part: Part): number => part.term.shape[part.axis] as number;
  const ordered = parts.sort((a, b) => a.start - b.start);
  const isWhole =
    ordered.length > 1 &&
    ordered.every((part, index) => {
      const before = ordered[index - 1];
      return part.axis === ordered[0]?.axis && part.start === (before?.stop ?? 0);
    }) &&
    ordered.at(-1)?.stop === extent(ordered[0] as Part);
  if (!isWhole) return terms;
  const { axis } = ordered[0] as Part;
  const joined = apply(
    'concatenate',
    ordered.map(({ source }) => source),
    { axis },
  );
  const joinedTerms = new Set(ordered.map(({ term }) => term));
  return [joined, ...terms.filter((term) => !joinedTerms.has(term))];
}

function partOf(term: SymbolicTensor): Part | undefined {
  const { node } = term;
  if (node.primitive !== 'pad' || node.attributes.value !== 0) return undefined;
  const [source] = node.inputs as readonly [SymbolicTensor];
  const axes = [...term.shape.keys()].filter((axis) => source.shape[axis] !== term.shape[axis]);
  const [axis] = axes;
  if (axes.length !== 1 || axis === undefined || shapesEqual(source.shape, term.shape)) return undefined;
  const [start] = node.attributes.padding[axis] as readonly [number, number];
  return { term, source, axis, start, stop: start + (source.shape[axis] as number) };
}
