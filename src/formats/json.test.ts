import { describe, expect, test } from 'vitest';
import { decodeJson, decodeJsonObject } from './json.ts';

describe('decodeJson', () => {
  test('takes the bare numbers of Python, and leaves strings alone', () => {
    const text = '{"a": [NaN, -Infinity, Infinity, 1e5], "NaN": "Infinity, \\"NaN\\" \\\\", "b": "-Infinity"}';
    expect(decodeJson(text, 'f')).toEqual({
      a: [Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 1e5],
      NaN: 'Infinity, "NaN" \\',
      b: '-Infinity',
    });
    expect(decodeJson('["\\u0001NaN", NaN]', 'f')).toEqual(['\u0001NaN', Number.NaN]);
  });

  test.each(['{"a": NaNa}', '{a: NaN}', '[+Infinity]', '', 'null null', "{'a': 1}"])('refuses %j', (text) => {
    expect(() => decodeJson(text, 'f')).toThrow('Cannot read "f": found');
  });

  test('refuses deep nesting without running out of stack', () => {
    expect(() => decodeJson('['.repeat(1_000_000), 'f')).toThrow('nests deeper than 512 levels');
    expect(decodeJson('['.repeat(512) + ']'.repeat(512), 'f')).toBeDefined();
    expect(decodeJson(JSON.stringify('['.repeat(1000)), 'f')).toBe('['.repeat(1000));
  });

  test.each(['{"__proto__": {}}', '[{"a": {"\\u005f_proto__": 1}}]'])('refuses the key of %s', (text) => {
    expect(() => decodeJson(text, 'f')).toThrow('the key "__proto__" is not allowed');
  });

  test('takes the same word in a string', () => {
    expect(decodeJson('["__proto__"]', 'f')).toEqual(['__proto__']);
  });
});

test('decodeJsonObject() refuses what is no object', () => {
  expect(() => decodeJsonObject('[1]', 'f', 'config.json')).toThrow('Cannot read config.json of "f": found an array');
  expect(() => decodeJsonObject('3', 'f')).toThrow('found 3, expected an object');
});
