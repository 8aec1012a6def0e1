import { expect, test } from 'vitest';
import { encodeJson } from './encode-json.ts';
import { decodeJson } from './json.ts';

test('numbers that JSON has not are bare tokens, as Python has them', () => {
  const value = { a: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1.5], 'b"': 'NaN', c: null };
  expect(encodeJson(value)).toBe('{"a":[NaN,Infinity,-Infinity,1.5],"b\\"":"NaN","c":null}');
  expect(decodeJson(encodeJson(value), 'test')).toEqual(value);
});

test('what Keras takes as floats alone are floats, as Python tells them', () => {
  const value = {
    learning_rate: 1,
    loss_weights: { a: [2, 0.5] },
    optimizer: { learning_rate: { initial_learning_rate: 3, decay_steps: 10 } },
    steps: 4,
  };
  expect(encodeJson(value)).toBe(
    '{"learning_rate":1.0,"loss_weights":{"a":[2.0,0.5]},' +
      '"optimizer":{"learning_rate":{"initial_learning_rate":3.0,"decay_steps":10}},"steps":4}',
  );
  expect(decodeJson(encodeJson(value), 'test')).toEqual(value);
});
