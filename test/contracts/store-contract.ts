/** What every store keeps, whatever it stores in. Runs in Node and in browsers, so it imports neither's modules. */
import { NotFoundError, type Store } from 'hornet';
import { expect, test } from 'vitest';

type WritableFile = Parameters<NonNullable<Store['write']>>[1];

type Look = NonNullable<NonNullable<Parameters<NonNullable<Store['write']>>[2]>['beforeSwap']>;

/** Larger than a part of any store, and no multiple of one. */
export const LARGE_BYTES: number = (1 << 20) + 54_321;

/** Bytes that differ by seed, and at every place. */
export function patternBytes(byteLength: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: byteLength }, (_, index) => (index * 31 + (index >> 8) * 7 + seed * 101) & 255);
}

/** A file that comes in pieces of odd sizes, and fails after some bytes where that is asked for. */
export function pieces(
  bytes: Uint8Array,
  options: { failAfter?: number; pause?: () => Promise<void> } = {},
): WritableFile {
  const { failAfter = Number.POSITIVE_INFINITY, pause } = options;
  return {
    byteLength: bytes.byteLength,
    writeTo: async (sink) => {
      for (let start = 0; start < bytes.byteLength; ) {
        if (start >= failAfter) throw new Error('the model gave out');
        const end = Math.min(start + 70_001, bytes.byteLength, start < failAfter ? failAfter : bytes.byteLength);
        // A writer may use its buffer again.
        const piece = bytes.slice(start, end);
        await sink.write(piece);
        piece.fill(0);
        await pause?.();
        start = end;
      }
      if (bytes.byteLength >= failAfter) throw new Error('the model gave out');
    },
  };
}

export async function contentOf(store: Store, key: string): Promise<Uint8Array> {
  const file = await store.open(key);
  return await file.slice(0, file.byteLength);
}

/** Compares without printing a megabyte. */
export function expectBytes(found: Uint8Array, expected: Uint8Array): void {
  expect(found.byteLength).toBe(expected.byteLength);
  expect(found.findIndex((byte, index) => byte !== expected[index])).toBe(-1);
}

type Writing = Required<Pick<Store, 'write' | 'list' | 'remove' | 'info'>> & Store;

/** A store that can do all that managing models takes; an optional method that is missing fails here, by name. */
export function complete(store: Store): Writing {
  for (const method of ['write', 'list', 'remove', 'info'] as const)
    expect(store[method], method).toBeTypeOf('function');
  return store as Writing;
}

export interface ContractOptions {
  /** Bytes of the large file, `LARGE_BYTES` unless given. */
  readonly largeBytes?: number;
}

/** The tests that every store passes; `make` gives an empty store. */
export function testStore(
  make: () => Store | Promise<Store>,
  { largeBytes = LARGE_BYTES }: ContractOptions = {},
): void {
  const large = patternBytes(largeBytes, 1);
  const made = async (): Promise<Writing> => complete(await make());

  test('what is written can be read, in parts and as a whole', async () => {
    const store = await made();
    await store.write('models/large.bin', pieces(large));
    const file = await store.open('models/large.bin');
    expect(file.byteLength).toBe(largeBytes);
    expectBytes(await file.slice(0, largeBytes), large);
    for (const [start, end] of [
      [0, 1],
      [largeBytes - 1, largeBytes],
      // Across the end of a part, in every store that has parts.
      [196_600, 196_620],
      [70_000, largeBytes - 70_000],
      [5, 5],
    ] as const) {
      expectBytes(await file.slice(start, end), large.subarray(start, end));
    }
    await expect(file.slice(0, largeBytes + 1)).rejects.toThrow('were asked for');
  });

  test('an empty file is a file', async () => {
    const store = await made();
    await store.write('empty.bin', pieces(new Uint8Array(0)));
    expect((await contentOf(store, 'empty.bin')).byteLength).toBe(0);
    expect((await store.info('empty.bin')).byteLength).toBe(0);
    expect(await store.list()).toEqual(['empty.bin']);
  });

  test('what is not there is a NotFoundError', async () => {
    const store = await made();
    await expect(store.open('none.bin')).rejects.toBeInstanceOf(NotFoundError);
    await expect(store.open('no/folder/none.bin')).rejects.toBeInstanceOf(NotFoundError);
    await expect(store.info('none.bin')).rejects.toBeInstanceOf(NotFoundError);
  });

  test('files are listed by folder', async () => {
    const store = await made();
    expect(await store.list()).toEqual([]);
    expect(await store.list('no/folder')).toEqual([]);
    const keys = ['a.bin', 'models/b.bin', 'models/deep/größe 1%.bin', 'models2/c.bin'];
    for (const [index, key] of keys.entries()) await store.write(key, pieces(patternBytes(10, index)));
    expect((await store.list()).sort()).toEqual(keys);
    expect((await store.list('models')).sort()).toEqual(keys.slice(1, 3));
    expect((await store.list('models/')).sort()).toEqual(keys.slice(1, 3));
    for (const [index, key] of keys.entries()) expectBytes(await contentOf(store, key), patternBytes(10, index));
  });

  test('size and date are told', async () => {
    const store = await made();
    await store.write('a.bin', pieces(patternBytes(1234, 1)));
    const { byteLength, modifiedAt } = await store.info('a.bin');
    expect(byteLength).toBe(1234);
    // Some file systems keep seconds, and clocks differ.
    if (modifiedAt !== undefined) expect(Math.abs(Date.now() - modifiedAt.getTime())).toBeLessThan(60_000);
  });

  test('a file is replaced as a whole', async () => {
    const store = await made();
    await store.write('a.bin', pieces(large));
    await store.write('a.bin', pieces(patternBytes(100, 2)));
    expectBytes(await contentOf(store, 'a.bin'), patternBytes(100, 2));
    await store.write('a.bin', pieces(patternBytes(largeBytes, 3)));
    expectBytes(await contentOf(store, 'a.bin'), patternBytes(largeBytes, 3));
    expect(await store.list()).toEqual(['a.bin']);
  });

  test.each([0, 1, 70_001, 200_000, largeBytes])(
    'a save that fails after %d bytes leaves what was there',
    async (failAfter) => {
      const store = await made();
      await store.write('old.bin', pieces(patternBytes(500, 1)));
      await expect(store.write('old.bin', pieces(large, { failAfter }))).rejects.toThrow('the model gave out');
      await expect(store.write('new.bin', pieces(large, { failAfter }))).rejects.toThrow('the model gave out');
      expectBytes(await contentOf(store, 'old.bin'), patternBytes(500, 1));
      expect(await store.list()).toEqual(['old.bin']);
      await expect(store.open('new.bin')).rejects.toBeInstanceOf(NotFoundError);
    },
  );

  test('what is looked at and found wrong does not take the place of what was there', async () => {
    const store = await made();
    await store.write('a.bin', pieces(patternBytes(500, 1)));
    let looks = 0;
    const beforeSwap: Look = async (written) => {
      looks++;
      expectBytes(await written.slice(0, written.byteLength), large);
      expectBytes(await contentOf(store, 'a.bin'), patternBytes(500, 1));
      throw new Error('found wrong');
    };
    const error = await store.write('a.bin', pieces(large), { beforeSwap }).catch((cause: unknown) => cause);
    // A store that writes in place does not ask.
    expectBytes(await contentOf(store, 'a.bin'), looks === 0 ? large : patternBytes(500, 1));
    expect(error).toEqual(looks === 0 ? undefined : new Error('found wrong'));
    expect(await store.list()).toEqual(['a.bin']);
  });

  test('of writers at once the last one that completes wins, whole', async () => {
    const store = await made();
    const writers = Array.from({ length: 6 }, (_, seed) => patternBytes(200_000 + seed, seed));
    const pause = async (): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
    };
    await Promise.all(writers.map(async (bytes) => await store.write('a.bin', pieces(bytes, { pause }))));
    const found = await contentOf(store, 'a.bin');
    expectBytes(found, writers[found.byteLength - 200_000] as Uint8Array);
    expect(await store.list()).toEqual(['a.bin']);
  });

  test('what is removed is gone, and nothing else', async () => {
    const store = await made();
    await store.write('a.bin', pieces(large));
    await store.write('b.bin', pieces(patternBytes(10, 2)));
    await store.write('a.bin', pieces(patternBytes(10, 3)));
    await store.remove('a.bin');
    await store.remove('a.bin');
    await store.remove('none/at/all.bin');
    await expect(store.open('a.bin')).rejects.toBeInstanceOf(NotFoundError);
    expect(await store.list()).toEqual(['b.bin']);
    expectBytes(await contentOf(store, 'b.bin'), patternBytes(10, 2));
  });

  test('reading reports bytes and is aborted', async () => {
    const store = await made();
    await store.write('a.bin', pieces(large));
    let reported = 0;
    const controller = new AbortController();
    const file = await store.open('a.bin', {
      signal: controller.signal,
      onBytes: (_, byteCount) => {
        reported += byteCount;
      },
    });
    await file.slice(0, 50_000);
    expect(reported).toBe(50_000);
    controller.abort(new Error('enough'));
    await expect(file.slice(50_000, largeBytes)).rejects.toThrow('enough');
  });

  test('several files are put in place as one, where a store can do that', async () => {
    const store = await made();
    const writeAll = store.writeAll;
    if (writeAll === undefined) return expect(store.writeAll).toBeUndefined();
    const model = (seed: number, shards: number, failAfter?: number): Map<string, WritableFile> =>
      new Map([
        ...Array.from({ length: shards }, (_, index): [string, WritableFile] => [
          `m/shard${index}.bin`,
          pieces(patternBytes(90_000, seed + index)),
        ]),
        ['m/model.json', pieces(patternBytes(100, seed), failAfter === undefined ? {} : { failAfter })],
      ]);
    await writeAll(model(1, 3));
    await expect(writeAll(model(10, 2, 50))).rejects.toThrow('the model gave out');
    expectBytes(await contentOf(store, 'm/model.json'), patternBytes(100, 1));
    for (const index of [0, 1, 2]) {
      expectBytes(await contentOf(store, `m/shard${index}.bin`), patternBytes(90_000, 1 + index));
    }
    await writeAll(model(10, 2));
    expectBytes(await contentOf(store, 'm/model.json'), patternBytes(100, 10));
    for (const index of [0, 1]) {
      expectBytes(await contentOf(store, `m/shard${index}.bin`), patternBytes(90_000, 10 + index));
    }
    await store.write('m/shard1.bin', pieces(patternBytes(5, 5)));
    expectBytes(await contentOf(store, 'm/shard1.bin'), patternBytes(5, 5));
    expectBytes(await contentOf(store, 'm/shard0.bin'), patternBytes(90_000, 10));
    for (const key of ['m/model.json', 'm/shard0.bin', 'm/shard1.bin', 'm/shard2.bin']) await store.remove(key);
    expect(await store.list()).toEqual([]);
  });
}
