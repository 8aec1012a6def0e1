import type { JsonValue } from './artifacts.ts';
import { isJsonObject } from './json.ts';

/** JSON text as Python writes and reads it, in which `NaN` and the infinities are bare tokens. */
export function encodeJson(value: JsonValue): string {
  // `JSON.stringify` takes the sign from a zero.
  if (Object.is(value, -0)) return '-0.0';
  if (typeof value === 'number') return Number.isFinite(value) ? JSON.stringify(value) : String(value);
  if (Array.isArray(value)) return `[${value.map(encodeJson).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, inner]) => {
    const text = encodeJson(inner);
    return `${JSON.stringify(key)}:${FLOAT_KEYS.test(key) && /^-?\d+$/.test(text) ? `${text}.0` : text}`;
  });
  return `{${entries.join(',')}}`;
}

/** Options of optimizers and schedules that Keras takes as floats alone, which an integer is not in Python. */
const FLOAT_KEYS = /^(?:(?:initial_|end_)?learning_rate|momentum)$/;
