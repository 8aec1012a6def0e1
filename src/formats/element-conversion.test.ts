import { describe, expect, test } from 'vitest';
import { convertElements, viewStored } from './element-conversion.ts';

describe('convertElements', () => {
  test('hands over float32 and int32 as they are', () => {
    const floats = new Float32Array([1, 2]);
    expect(convertElements(floats, 'float32', [2], 'w', 'f').data).toBe(floats);
    const integers = new Int32Array([1, 2]);
    expect(convertElements(integers, 'int32', [2], 'w', 'f').data).toBe(integers);
  });

  test('widens halves, narrows doubles', () => {
    expect(convertElements(new Uint16Array([0x3c00, 0xc000]), 'float16', [2], 'w', 'f').toArray()).toEqual([1, -2]);
    expect(convertElements(new Uint16Array([0x3f80, 0xc000]), 'bfloat16', [2], 'w', 'f').toArray()).toEqual([1, -2]);
    expect(convertElements(new Float64Array([0.1]), 'float64', [1], 'w', 'f').toArray()).toEqual([Math.fround(0.1)]);
  });

  test('takes integers of any width that fit into 32 bits', () => {
    const bounds = [-(2n ** 31n), 2n ** 31n - 1n];
    expect(convertElements(new BigInt64Array(bounds), 'int64', [2], 'w', 'f').toArray()).toEqual(bounds.map(Number));
    expect(() => convertElements(new Uint32Array([0, 2 ** 31]), 'uint32', [2], 'seed/state', 'm.h5')).toThrow(
      'Cannot read weight "seed/state" of "m.h5": element 1 is 2147483648, expected an integer of 32 bits',
    );
    expect(() => convertElements(new BigInt64Array([-(2n ** 31n) - 1n]), 'int64', [], 'w', 'f')).toThrow('-2147483649');
  });

  test('makes booleans 0 or 1', () => {
    expect(convertElements(new Uint8Array([0, 1, 255]), 'bool', [3], 'w', 'f').data).toEqual(Uint8Array.of(0, 1, 1));
  });
});

test('viewStored() reads elements at any alignment', () => {
  const bytes = Uint8Array.of(0xff, 0, 0, 0x80, 0x3f, 0xff).subarray(1, 5);
  expect(viewStored(bytes, 'float32')).toEqual(new Float32Array([1]));
});
