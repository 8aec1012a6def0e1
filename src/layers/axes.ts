import { anything, type Field } from './fields.ts';

const isAxis = (value: unknown): boolean => Number.isInteger(value);

/** A field of one axis or several, which may count from the end. */
export function axes(fallback: number): Field<number | readonly number[]> {
  return anything<number | readonly number[]>(
    'an axis or a list of axes',
    (value) => isAxis(value) || (Array.isArray(value) && value.length > 0 && value.every(isAxis)),
    fallback,
  );
}
