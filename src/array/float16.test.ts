import { expect, test } from 'vitest';
import { decodeFloat16, encodeFloat16 } from './float16.ts';

test('every half is encoded as what it was decoded from', () => {
  const halves = Uint16Array.from({ length: 65536 }, (_, bits) => bits);
  const values = new Float32Array(halves.length);
  decodeFloat16(halves, values);
  const again = new Uint16Array(halves.length);
  encodeFloat16(values, again);
  const isNoNumber = (bits: number): boolean => (bits & 0x7fff) > 0x7c00;
  expect([...again.keys()].filter((bits) => !isNoNumber(bits) && again[bits] !== bits)).toEqual([]);
  expect(again.every((bits, index) => !isNoNumber(index) || isNoNumber(bits))).toBe(true);
});

test('between two halves the nearest is taken, in the middle the even one', () => {
  const halves = Uint16Array.from({ length: 0x7c00 }, (_, bits) => bits);
  const values = new Float32Array(halves.length);
  decodeFloat16(halves, values);
  const middles = values.slice(0, -1).map((value, index) => (value + (values[index + 1] as number)) / 2);
  const [low, middle, high] = [-1, 0, 1].map((side) => {
    const encoded = new Uint16Array(middles.length);
    encodeFloat16(
      middles.map((value) => value * (1 + side * 2 ** -20)),
      encoded,
    );
    return encoded;
  });
  expect(low?.every((bits, index) => bits === index)).toBe(true);
  expect(high?.every((bits, index) => bits === index + 1)).toBe(true);
  expect(middle?.every((bits, index) => bits === index + (index & 1))).toBe(true);
});

test('what is too large is infinite, with its sign', () => {
  const encoded = new Uint16Array(3);
  encodeFloat16(Float32Array.of(65520, -1e30, 65519), encoded);
  expect([...encoded]).toEqual([0x7c00, 0xfc00, 0x7bff]);
});
