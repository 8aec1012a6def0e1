import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { bytesFile } from '../../binary/ranged-file.ts';
import { UnsupportedError } from '../../errors.ts';
import { Hdf5Dataset } from './hdf5-dataset.ts';
import { Hdf5Group } from './hdf5-group.ts';
import { openHdf5 } from './open-hdf5.ts';
import type { AttributeValue } from './values.ts';

const FOLDER = new URL('../../../test/fixtures/hdf5/', import.meta.url);

/** `family.libver.h5` or `family.libver.h5.gz`: see interop/make-hdf5-fixtures.py. */
const FIXTURES = readdirSync(FOLDER).filter((name) => /\.h5(\.gz)?$/.test(name));

/** What h5py reads at a path. */
type Expected =
  | { readonly kind: 'group'; readonly names: unknown; readonly attributes: Record<string, unknown> }
  | {
      readonly kind: 'dataset';
      readonly shape: number[];
      readonly dtype: string;
      readonly data: string | string[];
      readonly attributes: Record<string, unknown>;
    }
  | { readonly kind: 'refused'; readonly feature: string };

function loadFixture(name: string): Uint8Array {
  const bytes = readFileSync(new URL(name, FOLDER));
  return new Uint8Array(name.endsWith('.gz') ? gunzipSync(bytes) : bytes);
}

function loadExpected(name: string): [string, Expected][] {
  const text = readFileSync(new URL(`${name.split('.')[0]}.json`, FOLDER), 'utf8');
  return Object.entries(JSON.parse(text) as Record<string, Expected>);
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

function shorten(values: readonly unknown[]): unknown {
  return values.length <= 200 ? values : { sha256: sha256(JSON.stringify(values)) };
}

function toJson(value: AttributeValue): unknown {
  if (value instanceof Uint8Array) return { hex: Buffer.from(value).toString('hex') };
  if (Array.isArray(value)) return shorten(value.map(toJson));
  if (typeof value === 'bigint') return { bigint: String(value) };
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

function attributesToJson(attributes: Map<string, AttributeValue>): Record<string, unknown> {
  return Object.fromEntries([...attributes].map(([name, value]) => [name, toJson(value)]));
}

async function dataToJson(dataset: Hdf5Dataset): Promise<unknown> {
  const data = await dataset.read();
  if (Array.isArray(data)) return data;
  expect(data.byteLength).toBe(dataset.byteLength);
  // At an odd place of a larger buffer, as weights are read into.
  const bytes = new Uint8Array(dataset.byteLength + 3).subarray(3);
  await dataset.readInto(bytes);
  expect(Buffer.from(data.buffer)).toEqual(Buffer.from(bytes));
  return bytes.byteLength <= 256 ? Buffer.from(bytes).toString('hex') : `sha256:${sha256(bytes)}`;
}

async function readObject(root: Hdf5Group, path: string): Promise<void> {
  const object = await root.get(path);
  if (object instanceof Hdf5Dataset) await object.read();
}

describe.each(FIXTURES)('openHdf5() on %s', (fixture) => {
  test('reads what h5py reads', async () => {
    const root = await openHdf5(bytesFile(loadFixture(fixture), fixture));
    for (const [path, expected] of loadExpected(fixture)) {
      if (expected.kind === 'refused') {
        const refusal = expect(readObject(root, path));
        await refusal.rejects.toSatisfy((error) => {
          expect(error).toBeInstanceOf(UnsupportedError);
          expect((error as Error).message).toContain(`"${path}" in "${fixture}"`);
          expect((error as UnsupportedError).feature).toContain(expected.feature);
          return true;
        });
        continue;
      }
      const object = await root.get(path);
      expect(object?.path, path).toBe(path);
      if (object === undefined) continue;
      expect(attributesToJson(await object.attributes()), path).toEqual(expected.attributes);
      if (expected.kind === 'group') {
        expect(object, path).toBeInstanceOf(Hdf5Group);
        expect(shorten(await (object as Hdf5Group).names()), path).toEqual(expected.names);
      } else {
        const dataset = await root.dataset(path);
        expect({ shape: dataset.shape, dtype: dataset.dtype }, path).toEqual({
          shape: expected.shape,
          dtype: expected.dtype,
        });
        expect(await dataToJson(dataset), path).toEqual(expected.data);
      }
    }
  });
});

describe('openHdf5()', () => {
  const load = async (name: string): Promise<Hdf5Group> => await openHdf5(bytesFile(loadFixture(name), name));

  test('says what it was given when that is no HDF5 file', async () => {
    const page = new TextEncoder().encode('<!doctype html><title>404</title>'.padEnd(5000));
    await expect(openHdf5(bytesFile(page, 'model.h5'))).rejects.toThrow(
      'Cannot read "model.h5": it is no HDF5 file, the signature is missing',
    );
    await expect(openHdf5(bytesFile(new Uint8Array(0), 'model.h5'))).rejects.toThrow('the file is empty');
  });

  test('reads a file to which something was prepended, as its addresses count from the superblock', async () => {
    const bytes = loadFixture('keras.latest.h5');
    const longer = new Uint8Array(512 + bytes.byteLength);
    longer.set(bytes, 512);
    const root = await openHdf5(bytesFile(longer));
    expect(await root.attribute('keras_version')).toBe('3.15.1');
  });

  test('reads superblock version 1, which has four bytes more than version 0', async () => {
    const bytes = loadFixture('keras.earliest.h5');
    expect(bytes[8]).toBe(0);
    bytes[8] = 1;
    // The last bytes of the root's entry, which nobody reads, make room.
    bytes.copyWithin(28, 24, 92).fill(0, 24, 28);
    const root = await openHdf5(bytesFile(bytes));
    expect(await root.attribute('keras_version')).toBe('3.15.1');
  });

  test('tells groups and datasets apart, and what is not there', async () => {
    const root = await load('keras.earliest.h5');
    await expect(root.group('model_weights/dense/dense/kernel:0')).rejects.toThrow('it is a dataset');
    await expect(root.dataset('model_weights')).rejects.toThrow('there is no dataset "/model_weights": it is a group');
    await expect(root.dataset('/model_weights/none')).rejects.toThrow(
      'there is no dataset "/model_weights/none": nothing is there',
    );
    expect(await root.get('model_weights/dense/dense/kernel:0/below')).toBeUndefined();
    expect(await root.attribute('none')).toBeUndefined();
    expect(await root.get('')).toBe(root);
  });

  test('reads on from a group below the root', async () => {
    const weights = await (await load('keras.v108.h5')).group('model_weights');
    const layer = await weights.group('größe');
    expect((await layer.dataset('größe/bias:0')).path).toBe('/model_weights/größe/größe/bias:0');
    expect(await layer.attribute('weight_names')).toEqual(['größe/kernel:0', 'größe/bias:0']);
  });

  test('orders names by their UTF-8 bytes', async () => {
    const names = await (await (await load('groups.latest.h5.gz')).group('ordered')).names();
    expect(names.filter((name) => !name.startsWith('more'))).toEqual(['a', 'back\\slash', 'm', 'z', 'ä', '～', '𝄞']);
  });

  test('tells where the bytes of a dataset are', async () => {
    const bytes = loadFixture('keras.earliest.h5');
    const root = await openHdf5(bytesFile(bytes));
    const kernel = await root.dataset('model_weights/dense/dense/kernel:0');
    const [range, ...others] = await kernel.storedRanges();
    expect(others).toEqual([]);
    const stored = bytes.slice(range?.start, range?.end);
    expect(new Float32Array(stored.buffer, stored.byteOffset, 12)).toEqual(await kernel.read());
    expect(await kernel.storedBytes()).toBe(48);

    const chunked = await load('chunks.earliest.h5.gz');
    expect(await (await chunked.dataset('edges')).storedBytes()).toBe(9 * 3 * 4 * 4);
    expect(await (await chunked.dataset('gzip')).storedBytes()).toBeLessThan(280);
    expect(await (await chunked.dataset('never written')).storedRanges()).toEqual([]);
  });

  test('reads into a target of the exact size only, and no strings', async () => {
    const root = await load('dtypes.latest.h5.gz');
    await expect((await root.dataset('le/f4')).readInto(new Float32Array(8))).rejects.toThrow(RangeError);
    await expect((await root.dataset('fixed')).readInto(new Uint8Array(16))).rejects.toThrow(TypeError);
  });
});
