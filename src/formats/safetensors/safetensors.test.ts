import { describe, expect, test } from 'vitest';
import { tensor } from '../../array/tensor.ts';
import { bytesOfFile } from '../../binary/byte-sink.ts';
import { bytesFile } from '../../binary/ranged-file.ts';
import { FormatError, UnsupportedError } from '../../errors.ts';
import { readSafetensors } from './read-safetensors.ts';
import { type SafetensorsEntry, writeSafetensors } from './write-safetensors.ts';

function entryOf(name: string, value: ReturnType<typeof tensor>): SafetensorsEntry {
  return { name, dtype: value.dtype, shape: value.shape, read: async () => value };
}

/** A file of a header and so many bytes of data. */
function fileOf(header: string, dataBytes = 0, length: number = header.length): Uint8Array {
  const bytes = new Uint8Array(8 + header.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(new TextEncoder().encode(header), 8);
  return bytes;
}

const open = (bytes: Uint8Array) => readSafetensors(bytesFile(bytes, 'a.safetensors'));

test('what is written is read: every dtype, scalars, nothing at all, names of all kinds, metadata', async () => {
  const values = new Map([
    ['flags', tensor([true, false, true])],
    [
      'dense/kernel',
      tensor([
        [1.5, -0, Number.NaN],
        [2 ** -149, 3e38, Number.NEGATIVE_INFINITY],
      ]),
    ],
    ['10', tensor(7, [], 'int32')],
    ['empty', tensor(new Float32Array(0), [0, 4])],
    ['größe "x"', tensor(Int32Array.of(-1, 2 ** 31 - 1))],
  ]);
  const file = writeSafetensors(
    [...values].map(([name, value]) => entryOf(name, value)),
    { format: 'pt', note: 'ä"\\' },
  );
  const bytes = await bytesOfFile(file);
  expect(bytes.byteLength).toBe(file.byteLength);
  const { entries, metadata } = await open(bytes);
  expect(metadata).toEqual({ format: 'pt', note: 'ä"\\' });
  expect(entries.map(({ name }) => name).sort()).toEqual([...values.keys()].sort());
  for (const entry of entries) {
    const { shape, dtype, data } = await entry.read();
    const expected = values.get(entry.name) as ReturnType<typeof tensor>;
    expect([shape, dtype]).toEqual([expected.shape, expected.dtype]);
    expect(new Uint8Array((data as Float32Array).slice().buffer)).toEqual(
      new Uint8Array((expected.data as Float32Array).slice().buffer),
    );
  }
});

test('the bytes are those of the specification', async () => {
  const file = writeSafetensors([entryOf('b', tensor([true])), entryOf('a', tensor([1]))], { k: 'v' });
  const bytes = await bytesOfFile(file);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  expect((8 + length) % 8).toBe(0);
  const header = new TextDecoder().decode(bytes.subarray(8, 8 + length));
  expect(header.trimEnd()).toBe(
    '{"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},' +
      '"b":{"dtype":"BOOL","shape":[1],"data_offsets":[4,5]}}',
  );
  expect([...bytes.subarray(8 + length)]).toEqual([0, 0, 0x80, 0x3f, 1]);
});

test('element types of other writers are converted', async () => {
  const header =
    '{"h":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"BF16","shape":[1],"data_offsets":[4,6]},' +
    '"u":{"dtype":"U8","shape":[2],"data_offsets":[6,8]},"i":{"dtype":"I64","shape":[1],"data_offsets":[8,16]}}';
  const bytes = fileOf(header, 16);
  bytes.set(
    [0x00, 0x3c, 0x00, 0xc0, 0x80, 0x3f, 7, 255, ...[0xfe, 255, 255, 255, 255, 255, 255, 255]],
    8 + header.length,
  );
  const { entries } = await open(bytes);
  const found = await Promise.all(
    entries.map(async (entry) => [entry.name, entry.dtype, (await entry.read()).toArray()]),
  );
  expect(found).toEqual([
    ['h', 'float16', [1, -2]],
    ['b', 'bfloat16', [1]],
    ['u', 'uint8', [7, 255]],
    ['i', 'int64', [-2]],
  ]);
});

test('only the header is read before an array is asked for', async () => {
  const bytes = await bytesOfFile(writeSafetensors([entryOf('a', tensor(new Float32Array(1000)))]));
  const reads: number[] = [];
  const memory = bytesFile(bytes, 'a');
  const { readInto: _, ...plain } = memory;
  const { entries } = await readSafetensors({
    ...plain,
    slice: async (start, end) => {
      reads.push(end - start);
      return await memory.slice(start, end);
    },
  });
  expect(reads.reduce((sum, count) => sum + count, 0)).toBe(bytes.byteLength - 4000);
  await entries[0]?.read();
  expect(reads.at(-1)).toBe(4000);
});

describe('damaged files are refused', () => {
  const tensorOf = (offsets: string, shape = '[1]', dtype = 'F32'): string =>
    `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`;
  test.each([
    ['less than a length', new Uint8Array(7), 'it has 7 bytes'],
    ['a header longer than the file', fileOf('{}', 0, 3), 'should have 3 bytes'],
    ['a header longer than numbers go', fileOf('{}', 0, 2 ** 60), 'should have'],
    ['no object', fileOf('[]'), 'does not begin with "{"'],
    ['no JSON', fileOf('{"a"'), 'expected JSON'],
    ['a key twice', fileOf(`{"a":${tensorOf('[0,4]')},"\\u0061":${tensorOf('[0,4]')}}`, 4), 'has the key "a" twice'],
    ['a key twice in a tensor', fileOf('{"a":{"dtype":"F32","dtype":"F32"}}'), 'has the key "dtype" twice'],
    ['a tensor without a description', fileOf('{"a":1}'), 'not described by an object'],
    ['a shape that is none', fileOf(`{"a":${tensorOf('[0,4]', '[-1]')}}`, 4), 'no shape of whole numbers'],
    ['offsets that are none', fileOf(`{"a":${tensorOf('[0]')}}`, 4), 'no data_offsets'],
    ['offsets in the wrong order', fileOf(`{"a":${tensorOf('[4,0]')}}`, 4), 'has -4 bytes, expected 4'],
    ['a size that does not fit', fileOf(`{"a":${tensorOf('[0,4]', '[2]')}}`, 4), 'expected 8 for F32 of shape [2]'],
    ['an endless shape', fileOf(`{"a":${tensorOf('[0,4]', '[9007199254740991,4]')}}`, 4), 'expected'],
    ['an overlap', fileOf(`{"a":${tensorOf('[0,4]')},"b":${tensorOf('[2,6]')}}`, 6), 'overlaps the one before it'],
    ['a hole', fileOf(`{"a":${tensorOf('[0,4]')},"b":${tensorOf('[8,12]')}}`, 12), 'leaves a hole'],
    ['a hole at the beginning', fileOf(`{"a":${tensorOf('[4,8]')}}`, 8), 'leaves a hole'],
    ['bytes at the end', fileOf(`{"a":${tensorOf('[0,4]')}}`, 5), 'the file has 5 of data'],
    ['bytes that are missing', fileOf(`{"a":${tensorOf('[0,4]')}}`, 3), 'the file has 3 of data'],
    ['metadata that are none', fileOf('{"__metadata__":{"a":1}}'), 'not a record of texts'],
  ])('%s', async (_, bytes, message) => {
    const error = await open(bytes).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(FormatError);
    expect((error as FormatError).message).toContain(message);
    expect((error as FormatError).file).toBe('a.safetensors');
  });

  test('an element type that is not known is named', async () => {
    const file = fileOf(`{"a":${tensorOf('[0,1]', '[1]', 'F8_E4M3')}}`, 1);
    const error = await open(file).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(UnsupportedError);
    expect((error as UnsupportedError).feature).toBe('the dtype "F8_E4M3"');
  });
});

test('a file with any byte changed is read, or refused with an error of its own', async () => {
  const file = writeSafetensors([entryOf('a', tensor([[1, 2]])), entryOf('b', tensor([true]))], { note: 'x' });
  const bytes = await bytesOfFile(file);
  let refused = 0;
  for (let index = 0; index < bytes.byteLength; index++) {
    for (const change of [1, 4, 0x20, 0x80]) {
      const changed = bytes.slice();
      changed[index] = (changed[index] as number) ^ change;
      try {
        const { entries } = await open(changed);
        for (const entry of entries) await entry.read();
      } catch (error) {
        refused++;
        if (!(error instanceof FormatError || error instanceof UnsupportedError)) throw error;
      }
    }
  }
  expect(refused).toBeGreaterThan(bytes.byteLength);
});

test('names that cannot be told apart are not written', () => {
  const one = entryOf('a', tensor([1]));
  expect(() => writeSafetensors([one, one])).toThrow('two tensors named "a"');
  expect(() => writeSafetensors([entryOf('__metadata__', tensor([1]))])).toThrow('"__metadata__"');
  expect(() => writeSafetensors([entryOf('a', tensor(['x']))])).toThrow('Cannot write tensor "a" as string');
});
