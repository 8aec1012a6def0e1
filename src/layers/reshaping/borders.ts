import { anything, type Field } from '../fields.ts';

/** What is added or cut at the low and the high end of each spatial axis. */
export type Borders = readonly (readonly [low: number, high: number])[];

/** How borders may be given: one number for all, one for each axis, or a pair for each axis. */
export type BordersInput = number | readonly (number | readonly number[])[];

/** A field of borders for `rank` axes. With one axis, two numbers are its low and its high end. */
export function borders(rank: number, fallback: number): Field<Borders> {
  const parse = (value: unknown): Borders | undefined => {
    const list: unknown[] = Array.isArray(value) ? value : new Array<unknown>(rank).fill(value);
    const isFlatPair = rank === 1 && list.length === 2;
    const pairs = (isFlatPair ? [list] : list).map(pairOf);
    return pairs.length === rank && pairs.every((pair) => pair !== undefined) ? (pairs as Borders) : undefined;
  };
  const expected =
    rank === 1 ? 'a whole number or a pair of them' : `a whole number, or ${rank} numbers or pairs of them`;
  return { ...anything<Borders>(expected, () => true, parse(fallback) as Borders), parse };
}

function pairOf(value: unknown): readonly [number, number] | undefined {
  const pair: unknown[] = Array.isArray(value) ? value : [value, value];
  const fits = pair.length === 2 && pair.every((extent) => Number.isInteger(extent) && (extent as number) >= 0);
  return fits ? (pair as [number, number]) : undefined;
}
