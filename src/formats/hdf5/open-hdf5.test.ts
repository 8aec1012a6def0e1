import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { bytesFile } from '../../binary/ranged-file.ts';
import { FormatError, UnsupportedError } from '../../errors.ts';
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
  return name.endsWith('.gz') ? gunzipSync(bytes) : bytes;
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

describe.each(FIXTURES)('openHdf5() on %s', (fixture) => {
  test('reads what h5py reads', async () => {
    const root = await openHdf5(bytesFile(loadFixture(fixture), fixture));
    for (const [path, expected] of loadExpected(fixture)) {
      if (expected.kind === 'refused') {
        const refusal = expect(root.get(path).then((object) => object instanceof Hdf5Dataset && object.read()));
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
