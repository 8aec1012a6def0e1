/**
 * JSON as Python writes it: `json.dumps` lets the bare tokens `NaN`, `Infinity` and `-Infinity` through, which the
 * bounds of a clip or a mask in a Keras configuration do contain. `JSON.parse` takes none of them.
 */

import { FormatError } from '../errors.ts';
import type { JsonObject, JsonValue } from './artifacts.ts';

/** The JSON of a model with thousands of layers, or with a vocabulary inside, takes some 10 MB. */
export const MAX_JSON_BYTES: number = 64 << 20;

/** Python's own parser gives up at about a thousand; models of models come to less than 100. */
const MAX_JSON_DEPTH = 512;

/**
 * Decodes JSON text.
 *
 * @param part What is decoded, for messages: `config.json`, `the attribute "model_config"`.
 * @throws {FormatError} when it is no JSON, is nested too deeply, or has a key `__proto__`.
 */
export function decodeJson(text: string, file: string, part = ''): JsonValue {
  const fail = (problem: string, cause?: unknown): FormatError =>
    new FormatError(`Cannot read ${part === '' ? '' : `${part} of `}"${file}": ${problem}`, { file, cause });
  if (nestingDepth(text) > MAX_JSON_DEPTH) throw fail(`the JSON nests deeper than ${MAX_JSON_DEPTH} levels`);
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch (cause) {
    const strict = withoutBareNumbers(text);
    if (strict === undefined) throw fail(`found ${describeText(text)}, expected JSON`, cause);
    try {
      value = strict.restore(JSON.parse(strict.text) as JsonValue);
    } catch (secondCause) {
      throw fail(`found ${describeText(text)}, expected JSON`, secondCause);
    }
  }
  // The key would change the prototype of whatever object it is copied to. It may be spelt with escapes.
  if (/__proto__|\\u005f/i.test(text) && hasKey(value, '__proto__')) throw fail('the key "__proto__" is not allowed');
  return value;
}

/** Decodes JSON text whose outermost value is an object. */
export function decodeJsonObject(text: string, file: string, part = ''): JsonObject {
  const value = decodeJson(text, file, part);
  if (isJsonObject(value)) return value;
  const found = Array.isArray(value) ? 'an array' : JSON.stringify(value).slice(0, 40);
  throw new FormatError(
    `Cannot read ${part === '' ? '' : `${part} of `}"${file}": found ${found}, expected an object`,
    {
      file,
    },
  );
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value of a key that is an object, else `undefined`. */
export function objectAt(object: JsonObject, key: string): JsonObject | undefined {
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  return isJsonObject(value) ? value : undefined;
}

/** The value of a key that is a string, else `undefined`. */
export function stringAt(object: JsonObject, key: string): string | undefined {
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** Decodes the bytes of a text file, which must be UTF-8. */
export function decodeText(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FormatError(`Cannot read "${file}": it is not UTF-8 text`, { file, cause });
  }
}

/** Strings with their escapes, so that what lies outside of them can be told. */
const STRING_OR_BARE_NUMBER = /"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/gs;

interface StrictJson {
  readonly text: string;
  restore(value: JsonValue): JsonValue;
}

/** The text with its bare numbers in a form that `JSON.parse` takes; `undefined` when it has none. */
function withoutBareNumbers(text: string): StrictJson | undefined {
  let found = false;
  const strict = text.replace(STRING_OR_BARE_NUMBER, (token) => {
    // Every string gets a letter in front, so that the one that stands for NaN is none of them.
    if (token.startsWith('"')) return `"s${token.slice(1)}`;
    found = true;
    if (token === 'NaN') return '"n"';
    return token.startsWith('-') ? '-1e999' : '1e999';
  });
  return found ? { text: strict, restore } : undefined;
}

function restore(value: JsonValue): JsonValue {
  if (typeof value === 'string') return value === 'n' ? Number.NaN : value.slice(1);
  if (Array.isArray(value)) return value.map(restore);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key.slice(1), restore(inner)]));
}

function nestingDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (inString) {
      if (code === 0x5c) index++;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) {
      inString = true;
    } else if (code === 0x5b || code === 0x7b) {
      depth++;
      if (depth > deepest) deepest = depth;
    } else if (code === 0x5d || code === 0x7d) {
      depth--;
    }
  }
  return deepest;
}

function hasKey(value: JsonValue, key: string): boolean {
  if (Array.isArray(value)) return value.some((item) => hasKey(item, key));
  if (!isJsonObject(value)) return false;
  return Object.hasOwn(value, key) || Object.values(value).some((item) => hasKey(item, key));
}

function describeText(text: string): string {
  const start = text.trimStart().slice(0, 40);
  if (/^<(?:!doctype html|html)/i.test(start)) return 'an HTML page';
  return start === '' ? 'an empty file' : `text that begins ${JSON.stringify(start)}`;
}
