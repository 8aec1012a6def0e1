import { expect, test } from 'vitest';
import { encodeJson } from './encode-json.ts';
import { decodeJson } from './json.ts';

test('numbers that JSON has not are bare tokens, as Python has them', () => {
  const value = { a: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1.5], 'b"': 'NaN', c: null };
  expect(encodeJson(value)).toBe('{"a":[NaN,Infinity,-Infinity,1.5],"b\\"":"NaN","c":null}');
  expect(decodeJson(encodeJson(value), 'test')).toEqual(value);
});
