import type { JsonValue } from './artifacts.ts';
import { isJsonObject } from './json.ts';

/** JSON text as Python writes and reads it, in which `NaN` and the infinities are bare tokens. */
export function encodeJson(value: JsonValue, isFloat = false): string {
  // `JSON.stringify` takes the sign from a zero.
  if (Object.is(value, -0)) return '-0.0';
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return String(value);
    return isFloat && Number.isSafeInteger(value) ? `${value}.0` : JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map((element) => encodeJson(element, isFloat)).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, inner]) => {
    const isFloatHere = isFloat || key === 'loss_weights' || (FLOAT_KEYS.test(key) && typeof inner === 'number');
    return `${JSON.stringify(key)}:${encodeJson(inner, isFloatHere)}`;
  });
  return `{${entries.join(',')}}`;
}

/** Options of optimizers and schedules that Keras takes as floats alone, which an integer is not in Python. */
const FLOAT_KEYS = /^(?:(?:initial_|end_)?learning_rate|momentum)$/;
