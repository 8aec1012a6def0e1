import { CommandError, EXIT } from './exit-codes.ts';
import { findBeside, nameOf, readLocation } from './locations.ts';

/** Names of classes by index. */
export type Labels = readonly string[];

/**
 * Reads the names of a model's classes, from the file that was named or from one that lies beside the model.
 *
 * JSON may be a list, a record by index, or ImageNet's record of pairs `{ "0": ["n01440764", "tench"] }`; anything else
 * is one name a line.
 */
export async function readLabels(model: string, file: string | undefined): Promise<Labels | undefined> {
  const stem = nameOf(model).replace(/\.[^.]+$/, '');
  const names = [stem, ''].flatMap((name) => [`${name && `${name}.`}labels.json`, `${name && `${name}.`}labels.txt`]);
  const found = file ?? findBeside(model, names);
  if (found === undefined) return undefined;
  const text = new TextDecoder().decode(await readLocation(found)).trim();
  return decodeLabels(text, found);
}

/** Decodes a file of names. */
export function decodeLabels(text: string, file: string): Labels {
  if (!/^[[{]/.test(text)) return text.split(/\r?\n/).map((line) => line.trim());
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new CommandError(`Cannot read the labels in "${file}": it is no JSON`, EXIT.badInput, cause);
  }
  const entries = Array.isArray(json) ? json.map((value, index) => [index, value]) : Object.entries(json as object);
  const labels: string[] = [];
  for (const [key, value] of entries) {
    const index = Number(key);
    if (!Number.isSafeInteger(index) || index < 0 || index > 1_000_000) {
      throw new CommandError(`Cannot read the labels in "${file}": "${key}" is no index of a class`, EXIT.badInput);
    }
    labels[index] = String(Array.isArray(value) ? value.at(-1) : value);
  }
  return labels;
}
