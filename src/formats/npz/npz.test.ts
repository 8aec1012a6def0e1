/** The arrays in Base64 are those that NumPy 2.4 writes. */
import { describe, expect, test } from 'vitest';
import { type Tensor, tensor } from '../../array/tensor.ts';
import { bytesOfFile } from '../../binary/byte-sink.ts';
import { bytesFile } from '../../binary/ranged-file.ts';
import { FormatError, UnsupportedError } from '../../errors.ts';
import type { WeightEntry } from '../artifacts.ts';
import { openZip } from '../keras/zip-archive.ts';
import { decodeNpy, encodeNpy } from './npy.ts';
import { readNpz } from './read-npz.ts';
import { writeNpz } from './write-npz.ts';

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, 'base64'));

/** A file with this header, in the layout of a version, and so many zeros. */
function fileOf(header: string, dataBytes: number, version = 1): Uint8Array {
  const start = version === 1 ? 10 : 12;
  const bytes = new Uint8Array(start + header.length + dataBytes);
  bytes.set(Uint8Array.from('\x93NUMPY', (letter) => letter.charCodeAt(0)));
  bytes[6] = version;
  new DataView(bytes.buffer).setUint16(8, header.length, true);
  bytes.set(new TextEncoder().encode(header), start);
  return bytes;
}

const headerOf = (descr: string, shape: string, order = 'False'): string =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }\n`;

describe('decodeNpy', () => {
  test('reads float32', () => {
    const array = decodeNpy(
      bytesOf(
        'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAACAPwAAAEAAAEBAAACAQAAAoEA=',
      ),
      'x.npy',
    );
    expect([array.shape, [...array.data]]).toEqual([
      [2, 3],
      [0, 1, 2, 3, 4, 5],
    ]);
  });

  test('reads big-endian integers in Fortran order', () => {
    const array = decodeNpy(
      bytesOf(
        'k05VTVBZAQB2AHsnZGVzY3InOiAnPmkyJywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMyksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAADAAEABAACAAU=',
      ),
      'x.npy',
    );
    expect([array.dtype, array.toArray()]).toEqual([
      'int32',
      [
        [0, 1, 2],
        [3, 4, 5],
      ],
    ]);
  });

  test('reads float16 and bool', () => {
    const half = bytesOf(
      'k05VTVBZAQB2AHsnZGVzY3InOiAnPGYyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDQsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAPgDAAQAAfA==',
    );
    expect([...decodeNpy(half, 'x.npy').data]).toEqual([1.5, -2, 2 ** -24, Number.POSITIVE_INFINITY]);
    const bool = bytesOf(
      'k05VTVBZAQB2AHsnZGVzY3InOiAnfGIxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDEsIDIpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoBAA==',
    );
    expect(decodeNpy(bool, 'x.npy').toArray()).toEqual([[true, false]]);
    expect(() => decodeNpy(half.subarray(0, -1), 'x.npy')).toThrow('Cannot read "x.npy": it has 7 bytes of elements');
    expect(() => decodeNpy(half.subarray(0, 40), 'x.npy')).toThrow('cut off');
  });

  test('reads every element type of every version', () => {
    for (const version of [1, 2, 3]) {
      const found = ['|b1', '|u1', '|i1', '<u2', '<i2', '<u4', '<i4', '<u8', '>i8', '<f2', '|V2', '>f4', '<f8'].map(
        (descr) => {
          const width = Number(descr.slice(2));
          return decodeNpy(fileOf(headerOf(descr, '(2, 3)', 'True'), 6 * width, version)).dtype;
        },
      );
      expect(found).toEqual(['bool', ...new Array(8).fill('int32'), ...new Array(4).fill('float32')]);
    }
  });
});

test('what is encoded is decoded, and begins where the specification says', () => {
  const values: Tensor[] = [
    tensor([
      [1.5, Number.NaN],
      [-0, 3e38],
    ]),
    tensor(7, [], 'int32'),
    tensor([true, false]),
    tensor(new Float32Array(0), [0, 4]),
  ];
  for (const value of values) {
    const bytes = encodeNpy(value);
    expect((bytes.byteLength - (value.data as Float32Array).byteLength) % 64).toBe(0);
    expect(decodeNpy(bytes)).toEqual(value);
  }
  expect(new TextDecoder('latin1').decode(encodeNpy(tensor([1])).subarray(10, 70))).toBe(
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }   ",
  );
});

describe('arrays that are not read', () => {
  test.each([
    ['pickled objects', fileOf(headerOf('|O', '(1,)'), 8), UnsupportedError, 'never executed'],
    ['text', fileOf(headerOf('<U3', '(1,)'), 12), UnsupportedError, 'elements of the type U3'],
    ['structures', fileOf("{'descr': [('a', '<f4')], 'shape': (1,), }", 4), UnsupportedError, 'elements of the type'],
    ['another version', fileOf(headerOf('<f4', '(1,)'), 4, 4), FormatError, 'the version 4'],
    ['a header of no end', fileOf(' '.repeat(20_000), 4), FormatError, 'its header has 20000 bytes'],
    ['no order', fileOf("{'descr': '<f4', 'shape': (1,)}", 4), FormatError, 'its header is'],
    ['a shape beyond numbers', fileOf(headerOf('<f4', `(${2 ** 40}, ${2 ** 40})`), 4), FormatError, 'its shape is'],
    ['too many elements', fileOf(headerOf('<f4', '(1,)'), 8), FormatError, 'it has 8 bytes of elements'],
    ['something else', new Uint8Array(100), FormatError, 'does not begin as an array'],
  ])('%s', (_, bytes, type, message) => {
    expect(() => decodeNpy(bytes)).toThrow(type);
    expect(() => decodeNpy(bytes)).toThrow(message);
  });
});

describe('archives', () => {
  const entryOf = (name: string, value: Tensor): WeightEntry => {
    const { dtype, shape } = value;
    return { name, dtype, shape, file: 'a', storedBytes: 0, read: async () => value };
  };

  test('what is written is read, under names that are paths', async () => {
    const values = new Map([
      ['dense/kernel', tensor([[1, 2]])],
      ['größe', tensor([3], [1], 'int32')],
    ]);
    const bytes = await bytesOfFile(writeNpz([...values].map(([name, value]) => entryOf(name, value))));
    const entries = await readNpz(await openZip(bytesFile(bytes, 'a.npz')), 'a.npz');
    expect(await Promise.all(entries.map(async (entry) => [entry.name, await entry.read()]))).toEqual([...values]);
  });

  test('compressed ones of NumPy are read', async () => {
    const archive = bytesOf(
      'UEsDBC0AAAAIAAAAIQDKk3AD//////////8FABQAYS5ucHkBABAAoAAAAAAAAABPAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TZqGuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GiY6mjoKtQoUAC4GFPDBHspwgFAcDgBQSwMELQAAAAgAAAAhAOPuNij//////////wUAFABiLm5weQEAEACCAAAAAAAAAEgAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgXpNpqK6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaRjoKhpo6CrUKZAMuxn8AUEsBAi0DLQAAAAgAAAAhAMqTcANPAAAAoAAAAAUAAAAAAAAAAAAAAIABAAAAAGEubnB5UEsBAi0DLQAAAAgAAAAhAOPuNihIAAAAggAAAAUAAAAAAAAAAAAAAIABhgAAAGIubnB5UEsFBgAAAAACAAIAZgAAAAUBAAAAAA==',
    );
    const entries = await readNpz(await openZip(bytesFile(archive, 'c.npz')), 'c.npz');
    const found = await Promise.all(entries.map(async ({ name, read }) => [name, (await read()).toArray()]));
    expect(found).toEqual([
      ['a', [0, 1, 2, 3]],
      ['b', [[1], [-2]]],
    ]);
  });

  test('two arrays of one name are refused', () => {
    expect(() => writeNpz([entryOf('a', tensor([1])), entryOf('a', tensor([1]))])).toThrow('two arrays named "a"');
  });
});
