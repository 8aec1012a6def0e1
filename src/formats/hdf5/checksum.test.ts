import { expect, test } from 'vitest';
import { fletcher32, lookup3 } from './checksum.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

// The values are those that the comments of lookup3.c promise.
test('lookup3() gives the published values', () => {
  expect(lookup3(bytesOf(''))).toBe(0xdeadbeef);
  expect(lookup3(bytesOf('Four score and seven years ago'))).toBe(0x17770551);
});

// Every length up to two rounds has its own tail; a checksum that ignores a byte would not see it change.
test('lookup3() depends on every byte', () => {
  for (let length = 1; length <= 26; length++) {
    const bytes = new Uint8Array(length);
    const sums = new Set([lookup3(bytes)]);
    for (let index = 0; index < length; index++) {
      bytes[index] = 1;
      sums.add(lookup3(bytes));
      bytes[index] = 0;
    }
    expect(sums.size).toBe(length + 1);
  }
});

// Examples of the article on Fletcher's checksum, with the bytes of each word in HDF5's order.
test('fletcher32() adds big-endian words, the odd last byte as a high one', () => {
  expect(fletcher32(bytesOf('badc'))).toBe(0x2926c6c4);
  expect(fletcher32(bytesOf('badcfe'))).toBe(0x56502d2a);
  expect(fletcher32(Uint8Array.of(1, 2, 3))).toBe((((0x0102 + 0x0402) << 16) | 0x0402) >>> 0);
  expect(fletcher32(new Uint8Array(5000).fill(0xff))).toBe(0xffffffff);
});
