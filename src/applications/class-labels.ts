import { FormatError } from '../errors.ts';
import { type ReadBytesOptions, readBytes } from '../io/read-bytes.ts';
import type { ModelSource } from '../io/source.ts';

/** What a class is called: an identifier such as `n02123045`, and words. */
export interface ClassLabel {
  readonly className: string;
  readonly classDescription: string;
}

/** The thousand of ImageNet take 35 KB, the 21,843 of its whole less than 2 MB. */
const MAX_BYTES = 16 << 20;

/**
 * Reads what classes are called, in the order of a model's outputs.
 *
 * The file is Keras' `imagenet_class_index.json`, `{ "0": ["n01440764", "tench"], … }`; any other JSON of that form; a JSON
 * list of names; or plain text with one name a line.
 *
 * ```ts
 * import { readLabels } from 'hornet';
 *
 * const labels = await readLabels(new Blob(['cat\ndog\n']));
 *
 * expect(labels.map((label) => label.className)).toEqual(['cat', 'dog']);
 * ```
 *
 * @throws {FormatError} when the file is none of these, or a number is missing.
 */
export async function readLabels(source: ModelSource, options: ReadBytesOptions = {}): Promise<readonly ClassLabel[]> {
  const { bytes, name } = await readBytes(source, MAX_BYTES, options);
  const text = new TextDecoder().decode(bytes).replace(/^\uFEFF/, '');
  const start = text.trimStart()[0];
  const labels = start === '{' || start === '[' ? labelsOfJson(text, name) : labelsOfLines(text, name);
  if (labels.length === 0) throw wrongLabels(name, 'no label', 'one for each class');
  return labels;
}

function labelsOfLines(text: string, file: string): ClassLabel[] {
  // A page that a server sends in place of the file has lines, too.
  if (/^\s*<(!doctype|html)/i.test(text)) throw wrongLabels(file, 'a page of HTML', 'JSON or lines of text');
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  while (lines.at(-1) === '') lines.pop();
  // An empty line in between would move all that follow to other classes, if it were left out.
  const empty = lines.indexOf('');
  if (empty >= 0) throw wrongLabels(file, `an empty line ${empty + 1}`, 'a name in every line');
  return lines.map(labelOf);
}

function labelsOfJson(text: string, file: string): ClassLabel[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw wrongLabels(file, 'damaged JSON', 'a list or an object of labels', cause);
  }
  if (Array.isArray(value)) return value.map((entry, index) => parseLabel(entry, String(index), file));
  const entries = new Map(Object.entries(value as Record<string, unknown>));
  return Array.from(entries, (_, index) => {
    if (!entries.has(String(index)))
      throw wrongLabels(file, `no label ${index}`, `the labels 0 to ${entries.size - 1}`);
    return parseLabel(entries.get(String(index)), String(index), file);
  });
}

function parseLabel(entry: unknown, key: string, file: string): ClassLabel {
  if (typeof entry === 'string') return labelOf(entry);
  const [className, classDescription] = Array.isArray(entry) ? (entry as unknown[]) : [];
  if (typeof className === 'string' && typeof classDescription === 'string') return { className, classDescription };
  const found = JSON.stringify(entry).slice(0, 40);
  throw wrongLabels(file, `${found} as label ${key}`, 'a name, or a list of an identifier and a description');
}

/** A label that is nothing but a name. */
export function labelOf(name: string): ClassLabel {
  return { className: name, classDescription: name };
}

function wrongLabels(file: string, found: string, expected: string, cause?: unknown): FormatError {
  return new FormatError(`Cannot read the labels of "${file}": found ${found}, expected ${expected}`, { file, cause });
}
