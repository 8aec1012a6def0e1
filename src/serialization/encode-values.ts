/** JavaScript values in the JSON of Keras 3; the counterpart of `Decoder.value`. */
import { UnsupportedError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../formats/artifacts.ts';

/** `num_oov_indices` of `numOovIndices`: the counterpart of `camelCaseOf`. */
export function underscoredOf(key: string): string {
  return key.replace(/(?<=.)[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** An object as Keras 3 stores one of its own classes. */
export function kerasObject(module: string | null, className: string, config: JsonObject): JsonObject {
  return { module, class_name: className, config, registered_name: null };
}

/** An object of a class that only its author has: readers must be given it by its name. */
export function customObject(fullName: string, config: JsonObject): JsonObject {
  const className = fullName.slice(fullName.lastIndexOf('>') + 1);
  return { module: null, class_name: className, config, registered_name: fullName };
}

/**
 * A plain value as JSON. Keys of records stay as they are.
 *
 * @param what Whose value it is, for messages: `layer "lookup"`.
 * @throws {UnsupportedError} for a function or another value that a file cannot hold.
 */
export function encodeValue(value: unknown, what: string): JsonValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') {
    return value;
  }
  if (Array.isArray(value) || isTypedArray(value)) return Array.from(value, (element) => encodeValue(element, what));
  if (isRecord(value)) {
    const entries = Object.entries(value).filter(([, element]) => element !== undefined);
    return Object.fromEntries(entries.map(([key, element]) => [key, encodeValue(element, what)]));
  }
  const found = typeof value === 'function' ? 'a function' : `a value of type ${typeof value}`;
  throw new UnsupportedError(`Cannot save ${what}: found ${found}, which a file cannot hold`, `${found} in a file`);
}

/** Whether two values are the same JSON, so that one may be left out where the other is the default. */
export function isSameJson(a: JsonValue, b: JsonValue): boolean {
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((element, index) => isSameJson(element, b[index] as JsonValue));
  }
  if (isRecord(a) && isRecord(b)) {
    const [keysA, keysB] = [Object.keys(a), Object.keys(b)];
    return (
      keysA.length === keysB.length &&
      keysA.every((key) => Object.hasOwn(b, key) && isSameJson(a[key] as JsonValue, b[key] as JsonValue))
    );
  }
  return Object.is(a, b) || a === b;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function isTypedArray(value: unknown): value is ArrayLike<number> {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}
