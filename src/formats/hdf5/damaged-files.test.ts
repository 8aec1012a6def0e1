/** Files that were cut off or changed: each ends in a typed error or reads, soon, and without a large allocation. */

import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { bytesFile } from '../../binary/ranged-file.ts';
import { FormatError, UnsupportedError } from '../../errors.ts';
import { Hdf5Dataset } from './hdf5-dataset.ts';
import type { Hdf5Group } from './hdf5-group.ts';
import { openHdf5 } from './open-hdf5.ts';

const FOLDER = new URL('../../../test/fixtures/hdf5/', import.meta.url);
const FIXTURES = readdirSync(FOLDER).filter((name) => /\.h5(\.gz)?$/.test(name));

/** Enough to come to every kind of object of a fixture; links by the thousand are all alike. */
const MAX_OBJECTS = 300;

/** Far above what reading a damaged fixture takes, far below what a hang would. */
const MAX_MILLISECONDS = 5000;

function loadFixture(name: string): Uint8Array {
  const bytes = readFileSync(new URL(name, FOLDER));
  return new Uint8Array(name.endsWith('.gz') ? gunzipSync(bytes) : bytes);
}

/** Reads everything that can be read; `values` is what was found, `errors` what was thrown on the way. */
async function readAll(bytes: Uint8Array, name: string): Promise<{ errors: unknown[]; values: unknown[] }> {
  const errors: unknown[] = [];
  const values: unknown[] = [];
  const attempt = async <T>(promise: Promise<T>): Promise<T | undefined> =>
    await promise.catch((error: unknown) => {
      errors.push(error);
      return undefined;
    });
  const seen = new Set<number>();
  const visit = async (object: Hdf5Group | Hdf5Dataset | undefined): Promise<void> => {
    if (object === undefined || seen.has(object.address) || seen.size > MAX_OBJECTS) return;
    seen.add(object.address);
    values.push(object.path, await attempt(object.attributes()));
    if (object instanceof Hdf5Dataset) {
      values.push(await attempt(object.read()));
      return;
    }
    const names = (await attempt(object.names())) ?? [];
    for (const child of names.slice(0, MAX_OBJECTS)) await visit(await attempt(object.get(child)));
  };
  await visit(await attempt(openHdf5(bytesFile(bytes, name))));
  return { errors, values };
}

function expectTyped(errors: readonly unknown[], name: string): void {
  for (const error of errors) {
    if (!(error instanceof FormatError || error instanceof UnsupportedError)) throw error;
    expect(error.message).toContain(`"${name}"`);
  }
}

/** A linear congruential generator: the same positions in every run. */
function makeRandom(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state % limit;
  };
}

describe.each(FIXTURES)('%s', (fixture) => {
  test('cut off anywhere does not open', async () => {
    const bytes = loadFixture(fixture);
    const random = makeRandom(1);
    const lengths = [...Array.from({ length: 100 }, (_, index) => index), bytes.byteLength - 1];
    for (let count = 0; count < 20; count++) lengths.push(random(bytes.byteLength));
    for (const length of lengths) {
      const error = await openHdf5(bytesFile(bytes.subarray(0, length), fixture)).catch((thrown: unknown) => thrown);
      expect(error, `at ${length}`).toBeInstanceOf(FormatError);
      expect((error as FormatError).file).toBe(fixture);
    }
  });

  test('with changed bytes throws typed errors or reads, in bounded time', async () => {
    const bytes = loadFixture(fixture);
    const random = makeRandom(bytes.byteLength);
    const started = performance.now();
    for (let count = 0; count < 40; count++) {
      const damaged = bytes.slice();
      // Most metadata lies at the beginning.
      const at = random(count % 2 === 0 ? bytes.byteLength : Math.min(bytes.byteLength, 2000));
      damaged[at] = count % 3 === 0 ? 0xff : (bytes[at] as number) ^ (1 << random(8));
      expectTyped((await readAll(damaged, fixture)).errors, fixture);
    }
    expect(performance.now() - started).toBeLessThan(MAX_MILLISECONDS);
  });
});

describe('a file that says it is shorter than it was', () => {
  // The end of the file stands at byte 40 of superblock 0, without a checksum.
  const adapted = (bytes: Uint8Array, length: number): Uint8Array => {
    const cut = bytes.slice(0, length);
    new DataView(cut.buffer).setBigUint64(40, BigInt(length), true);
    return cut;
  };

  test.each(['keras.earliest.h5', 'chunks.earliest.h5.gz', 'groups.earliest.h5.gz'])('%s', async (fixture) => {
    const bytes = loadFixture(fixture);
    const whole = await readAll(bytes, fixture);
    expect(whole.errors).toEqual([]);
    for (let length = 100; length < bytes.byteLength; length += Math.ceil(bytes.byteLength / 60)) {
      const cut = await readAll(adapted(bytes, length), fixture);
      expectTyped(cut.errors, fixture);
      // Where only padding was lost, nothing else is.
      if (cut.errors.length === 0) expect(cut.values, `at ${length}`).toEqual(whole.values);
    }
  });
});

describe('a changed field', () => {
  /** The only place where `value` stands as a number of 8 bytes. */
  const placeOf = (bytes: Uint8Array, value: bigint): number => {
    const wanted = Buffer.alloc(8);
    wanted.writeBigUInt64LE(value);
    const at = Buffer.from(bytes).indexOf(wanted);
    expect(at).toBeGreaterThan(0);
    return at;
  };

  test('an extent of 2^40 is refused before memory is taken', async () => {
    const bytes = loadFixture('storage.earliest.h5.gz');
    const root = await openHdf5(bytesFile(bytes, 'bomb.h5'));
    expect((await root.dataset('never written')).byteLength).toBe(24);
    // The shapes [3, 2] of all datasets become [2^40, 2].
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    for (let at = 0; at + 16 <= bytes.byteLength; at += 8) {
      const isShape = view.getBigUint64(at, true) === 3n && view.getBigUint64(at + 8, true) === 2n;
      if (isShape) view.setBigUint64(at, 1n << 40n, true);
    }
    const bomb = await openHdf5(bytesFile(bytes, 'bomb.h5'));
    for (const name of ['compact', 'contiguous', 'never written', 'fill value']) {
      const dataset = await bomb.dataset(name);
      expect(dataset.byteLength).toBe(2 ** 43);
      await expect(dataset.read(), name).rejects.toThrow(FormatError);
    }
  });

  test('an integer beyond 2^53 is refused', async () => {
    const bytes = loadFixture('storage.earliest.h5.gz');
    const at = placeOf(bytes, 3n);
    new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(at, 1n << 60n, true);
    const { errors } = await readAll(bytes, 'large.h5');
    expect(errors.join()).toContain('an integer exceeds 2^53');
  });

  test('a group that contains itself shows its own address', async () => {
    const bytes = loadFixture('groups.earliest.h5.gz');
    const root = await openHdf5(bytesFile(bytes));
    const inner = await root.group('level 0/level 1');
    const at = placeOf(bytes, BigInt(inner.address));
    new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(at, BigInt((await root.group('level 0')).address), true);
    const changed = await openHdf5(bytesFile(bytes));
    expect((await changed.group('level 0/level 1')).address).toBe((await changed.group('level 0')).address);
  });
});
