import { describe, expect, test } from 'vitest';
import { bytesFile } from '../../binary/ranged-file.ts';
import { FormatError } from '../../errors.ts';
import { Hdf5Group } from './hdf5-group.ts';
import { openHdf5 } from './open-hdf5.ts';
import type { WritableAttribute } from './write-attribute.ts';
import type { WritableDtype } from './write-datatype.ts';
import { type Attributes, type DatasetSpec, type GroupSpec, writeHdf5 } from './write-hdf5.ts';

const group = (members: Record<string, GroupSpec | DatasetSpec>, attributes: Attributes = {}): GroupSpec => ({
  kind: 'group',
  attributes,
  members: new Map(Object.entries(members)),
});

const dataset = (dtype: WritableDtype, shape: readonly number[], elements: ArrayBufferView): DatasetSpec => ({
  kind: 'dataset',
  attributes: {},
  dtype,
  shape,
  read: () => new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength),
});

async function bytesOf(root: GroupSpec): Promise<Uint8Array> {
  const file = writeHdf5(root);
  const bytes = new Uint8Array(file.byteLength);
  let length = 0;
  await file.writeTo({
    write: (part) => {
      bytes.set(part, length);
      length += part.byteLength;
    },
  });
  expect(length).toBe(file.byteLength);
  return bytes;
}

const reopen = async (root: GroupSpec): Promise<Hdf5Group> => openHdf5(bytesFile(await bytesOf(root), 'written.h5'));

describe('what is written is read back', () => {
  const DATASETS: Record<string, DatasetSpec> = {
    float32: dataset('float32', [2, 3], Float32Array.of(0, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 1e-45)),
    float64: dataset('float64', [1], Float64Array.of(1 / 3)),
    float16: dataset('float16', [2], Uint16Array.of(0x3c00, 0x8001)),
    bfloat16: dataset('bfloat16', [2], Uint16Array.of(0x3f80, 0xc000)),
    int8: dataset('int8', [2], Int8Array.of(-128, 127)),
    uint8: dataset('uint8', [3], Uint8Array.of(0, 1, 255)),
    int16: dataset('int16', [1], Int16Array.of(-300)),
    uint16: dataset('uint16', [1], Uint16Array.of(65535)),
    int32: dataset('int32', [2, 1], Int32Array.of(-5, 7)),
    uint32: dataset('uint32', [1], Uint32Array.of(2 ** 32 - 1)),
    int64: dataset('int64', [], BigInt64Array.of(-(2n ** 60n))),
    uint64: dataset('uint64', [1], BigUint64Array.of(2n ** 64n - 1n)),
    bool: dataset('bool', [3], Uint8Array.of(0, 1, 1)),
  };

  test.each(Object.entries(DATASETS))('%s', async (name, spec) => {
    const found = await (await reopen(group({ [name]: spec }))).dataset(name);
    expect(found.dtype).toBe(spec.dtype);
    expect(found.shape).toEqual(spec.shape);
    const data = (await found.read()) as Uint8Array;
    expect(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)).toEqual(await spec.read());
  });

  test('a dataset without elements', async () => {
    const found = await (await reopen(group({ none: dataset('float32', [0, 4], new Float32Array()) }))).dataset('none');
    expect(found.shape).toEqual([0, 4]);
    expect(await found.read()).toHaveLength(0);
  });

  const ATTRIBUTES: [string, WritableAttribute][] = [
    ['a text', 'dense_1 ✓'],
    ['an empty text', ''],
    ['a text of 700 KB', 'x'.repeat(700_000)],
    ['a list of texts', ['dense', 'cônv', '']],
    ['an empty list', []],
    ['an integer', -3],
    ['a float', 0.25],
  ];

  test.each(ATTRIBUTES)('%s as an attribute', async (_, value) => {
    const root = await reopen(group({}, { first: 'one', value }));
    expect(await root.attribute('value')).toEqual(value);
    expect(await root.attribute('first')).toBe('one');
  });

  // 8 entries fit a node, 32 nodes a tree of one level, 1024 one of two levels.
  test.each([0, 1, 8, 9, 256, 257, 8192, 8193])('a group of %i members', async (count) => {
    const names = Array.from({ length: count }, (_, index) => `layer_${index}`);
    const leaf = group({});
    const root = await reopen(group(Object.fromEntries(names.map((name) => [name, leaf]))));
    expect(await root.names()).toEqual(names.sort());
  });

  test('names go by their bytes, and thousands of texts by several heaps', async () => {
    const names = ['é', 'z', 'Z', '😀', '가', 'a b'];
    const members = names.map((name): [string, GroupSpec] => [name, group({}, { name: name.repeat(9000) })]);
    const root = await reopen(group(Object.fromEntries(members)));
    for (const name of names) {
      const member = await root.get(name);
      expect(member instanceof Hdf5Group && (await member.attribute('name'))).toBe(name.repeat(9000));
    }
  });
});

test('what several names lead to is there once', async () => {
  const values = dataset('float32', [2], Float32Array.of(1, 2));
  const part = group({ values });
  const root = await reopen(group({ part, other: group({ part, again: values }) }));
  const [first, second] = [await root.group('part'), await root.group('other/part')];
  expect(second.address).toBe(first.address);
  expect((await root.dataset('other/again')).address).toBe((await first.dataset('values')).address);
  const once = writeHdf5(group({ part })).byteLength;
  expect(writeHdf5(group({ part, also: part })).byteLength - once).toBeLessThanOrEqual(16);
});

test('the same tree gives the same bytes', async () => {
  const make = (): GroupSpec => group({ a: group({}, { name: 'a' }), b: dataset('int8', [1], Int8Array.of(1)) });
  expect(await bytesOf(make())).toEqual(await bytesOf(make()));
});

test('data are asked for one at a time, each when its turn comes', async () => {
  const order: string[] = [];
  const spec = (name: string): DatasetSpec => ({
    ...dataset('uint8', [9], new Uint8Array(9)),
    read: async () => {
      order.push(`read ${name}`);
      return new Uint8Array(9);
    },
  });
  const file = writeHdf5(group({ b: spec('b'), a: spec('a') }));
  expect(order).toEqual([]);
  await file.writeTo({ write: (bytes) => void order.push(`write ${bytes.byteLength}`) });
  expect(order.slice(1)).toEqual(['read a', 'write 9', 'write 7', 'read b', 'write 9']);
});

describe('refused', () => {
  test('data of another size than the shape says', async () => {
    const file = writeHdf5(group({ a: dataset('float32', [3], new Float32Array(2)) }));
    await expect(file.writeTo({ write: () => {} })).rejects.toThrow('Cannot write "/a": found 8 bytes, expected 12');
  });

  test.each(['', '.', 'a/b', 'a\0b'])('the name %j', (name) => {
    expect(() => writeHdf5(group({ [name]: group({}) }))).toThrow(FormatError);
  });

  test('an attribute beyond 64 KB', () => {
    const names = Array.from({ length: 1000 }, (_, index) => `layer_${index}`.padEnd(70, '_'));
    expect(() => writeHdf5(group({}, { layer_names: names }))).toThrow('the attribute "layer_names" takes 70048 bytes');
  });
});
