import { FormatError } from '../../errors.ts';
import type { Hdf5Group } from '../hdf5/hdf5-group.ts';

/**
 * An attribute that is text. `undefined` when it is not there.
 *
 * @throws {FormatError} when it is something else.
 */
export async function textAttribute(group: Hdf5Group, name: string, file: string): Promise<string | undefined> {
  const value = await group.attribute(name);
  if (value === undefined || value === null) return undefined;
  const text = Array.isArray(value) && value.length === 1 ? value[0] : value;
  if (typeof text === 'string') return withoutTrailingNuls(text);
  if (text instanceof Uint8Array) return withoutTrailingNuls(new TextDecoder().decode(text));
  throw new FormatError(`Cannot read the attribute "${name}" of "${group.path}" in "${file}": it is not text`, {
    file,
  });
}

/**
 * An attribute that is a list of names. An object header holds 64 KB, so that Keras splits longer lists into
 * `name0`, `name1` and so on. An empty list has been written as floats, there being no text to tell the type from.
 *
 * @throws {FormatError} when it is something else.
 */
export async function namesAttribute(group: Hdf5Group, name: string, file: string): Promise<string[] | undefined> {
  const whole = await namesOf(group, name, file);
  if (whole !== undefined) return whole;
  const first = await namesOf(group, `${name}0`, file);
  if (first === undefined) return undefined;
  const names = first;
  for (let index = 1; ; index++) {
    const next = await namesOf(group, `${name}${index}`, file);
    if (next === undefined) return names;
    names.push(...next);
  }
}

async function namesOf(group: Hdf5Group, name: string, file: string): Promise<string[] | undefined> {
  const value = await group.attribute(name);
  if (value === undefined) return undefined;
  if (value === null) return [];
  const list = Array.isArray(value) ? value : [value];
  return list.map((item) => {
    if (typeof item === 'string') return withoutTrailingNuls(item);
    throw new FormatError(
      `Cannot read the attribute "${name}" of "${group.path}" in "${file}": it is no list of names`,
      {
        file,
      },
    );
  });
}

function withoutTrailingNuls(text: string): string {
  return text.replace(/\0+$/, '');
}
