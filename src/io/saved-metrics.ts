/**
 * What was measured of a model, as files say it: an object of numbers by name, `val_` in front of those of validation.
 *
 * Numbers that have no digits are texts, as `"NaN"`, since not every reader of JSON knows them otherwise.
 */
import type { JsonObject, JsonValue } from '../formats/artifacts.ts';
import { isJsonObject } from '../formats/json.ts';
import type { Logs } from '../training/callbacks/callback.ts';

const WITHOUT_DIGITS: ReadonlySet<JsonValue> = new Set(['NaN', 'Infinity', '-Infinity']);

/** `undefined` when there is none. */
export function encodeMetrics(logs: Logs = {}): JsonObject | undefined {
  const encode = (value: number): JsonValue => (Number.isFinite(value) ? value : String(value));
  const entries = Object.entries(logs).map(([name, value]): [string, JsonValue] => [
    name,
    typeof value === 'number' ? encode(value) : value.map(encode),
  ]);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** The numbers of a file; what others have put under the key is left out, and `undefined` when that is all. */
export function decodeMetrics(value: JsonValue | undefined): Logs | undefined {
  if (!isJsonObject(value)) return undefined;
  const isNumber = (one: JsonValue): boolean => typeof one === 'number' || WITHOUT_DIGITS.has(one);
  const entries = Object.entries(value).flatMap(([name, found]): [string, Logs[string]][] => {
    if (Array.isArray(found)) return found.every(isNumber) ? [[name, found.map(Number)]] : [];
    return isNumber(found) ? [[name, Number(found)]] : [];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
