import { isRecord } from '../model/read-inputs.ts';

/** A value for all outputs, one for each as a list, or a record by output name. */
export type PerOutput<T> = T | readonly (T | null)[] | { readonly [output: string]: T | null };

/**
 * The value of each output; `undefined` for those that have none.
 *
 * @param isLeaf whether something is one value; what is an array or a record otherwise, is split
 * @param option what the values are, for messages
 * @throws {RangeError} when a name is that of no output, or a list has another length.
 */
export function perOutput<T>(
  values: PerOutput<T> | null | undefined,
  names: readonly string[],
  isLeaf: (value: unknown) => boolean,
  option: string,
): (T | undefined)[] {
  if (values === null || values === undefined) return names.map(() => undefined);
  if (isLeaf(values)) return names.map(() => values as T);
  if (Array.isArray(values)) {
    if (values.length !== names.length) {
      throw new RangeError(
        `Cannot compile the model: ${option} has ${values.length} entries, expected one for each of the outputs ${names.join(', ')}`,
      );
    }
    return (values as readonly (T | null)[]).map((value) => value ?? undefined);
  }
  if (isRecord(values)) {
    const record = values as unknown as Readonly<Record<string, T | null>>;
    const unknown = Object.keys(record).filter((name) => !names.includes(name));
    if (unknown.length === 0) return names.map((name) => record[name] ?? undefined);
    throw new RangeError(
      `Cannot compile the model: ${option} names ${unknown.join(', ')}, expected outputs ${names.join(', ')}`,
    );
  }
  throw new RangeError(`Cannot compile the model: ${option} is none that is known, found ${String(values)}`);
}
