/** Files that are cut off, damaged, or made to cost more than they are. Each ends in a typed error; none hangs. */

import { deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { FormatError, UnsupportedError } from '../../src/errors.ts';
import { crc32 } from '../../src/formats/keras/crc32.ts';
import { readArtifacts } from '../../src/io/read-artifacts.ts';
import type { ModelSource } from '../../src/io/source.ts';
import { memoryStore } from '../../src/storage/memory-store.ts';
import { entriesOf, fixtureBytes, readAll } from '../support/format-fixtures.ts';

/** Reads everything, and gives what is thrown, or `undefined` when nothing is. */
async function fault(source: ModelSource): Promise<unknown> {
  try {
    const artifacts = await readArtifacts(source);
    await readAll([...entriesOf(artifacts), ...(artifacts.optimizerWeights ?? [])]);
    for (const read of artifacts.assets?.values() ?? []) await read();
    return undefined;
  } catch (error) {
    return error;
  }
}

function isTyped(error: unknown): boolean {
  return error instanceof FormatError || error instanceof UnsupportedError;
}

const FILES = ['tiny.h5', 'tiny.keras', 'deflated.keras', 'tiny.weights.h5', 'numbered.h5', 'dtypes.h5'];

describe.each(FILES)('%s', (name) => {
  test('cut off at every 64th byte', async () => {
    const whole = fixtureBytes(name);
    for (let length = 0; length < whole.byteLength; length += 64) {
      const error = await fault(whole.slice(0, length));
      expect(isTyped(error), `${name} with ${length} bytes: ${error}`).toBe(true);
    }
  });

  test('with any byte of the first kilobytes changed', async () => {
    const whole = fixtureBytes(name);
    const damaged = new Set<string>();
    for (let position = 0; position < Math.min(4096, whole.byteLength); position += 5) {
      const changed = whole.slice();
      changed[position] = (changed[position] as number) ^ 0xff;
      const error = await fault(changed);
      if (error !== undefined) damaged.add((error as Error).name);
      expect(error === undefined || isTyped(error), `${name} with byte ${position} changed: ${error}`).toBe(true);
    }
    expect(damaged.size).toBeGreaterThan(0);
  });
});

test('a shard of Keras 3 that is cut off is named', async () => {
  const names = [
    'sharded.weights.json',
    'sharded_00000.weights.h5',
    'sharded_00001.weights.h5',
    'sharded_00002.weights.h5',
  ];
  const files = new Map(names.map((name) => [name, fixtureBytes(name)]));
  const shard = fixtureBytes('sharded_00001.weights.h5');
  for (let length = 0; length < shard.byteLength; length += 64) {
    files.set('sharded_00001.weights.h5', shard.slice(0, length));
    const error = await fault({ store: memoryStore(files), key: 'sharded.weights.json' });
    expect(error).toBeInstanceOf(FormatError);
    expect((error as FormatError).file).toBe('sharded_00001.weights.h5');
  }
});

describe('a table of sharded weights', () => {
  test.each([
    [{ '/layers/dense/vars': '../secret.h5' }, 'expected the name of a file beside it'],
    [{ '/layers/dense/vars': 'http://x/y.h5' }, 'expected the name of a file beside it'],
    [{ '/layers/dense/vars': ['a.h5', 3] }, 'the file of "/layers/dense/vars" is no name'],
    [{ '/layers/other/vars': 'a.h5' }, 'says that it holds "layers/other", which is not there'],
    [['a.h5'], '"weight_map" is not an object'],
  ])('of %j', async (weightMap, message) => {
    const table = new TextEncoder().encode(JSON.stringify({ weight_map: weightMap }));
    const files = new Map([
      ['t.json', table],
      ['a.h5', fixtureBytes('sharded_00000.weights.h5')],
    ]);
    const error = await fault({ store: memoryStore(files), key: 't.json' });
    expect(error).toBeInstanceOf(FormatError);
    expect(String(error)).toContain(message);
  });
});

interface Member {
  readonly name: string;
  readonly content: Uint8Array;
  /** What the directory says in place of the truth. */
  readonly claimedBytes?: number;
  readonly offset?: number;
  readonly method?: number;
}

/** A zip archive, deflated, with a directory that may lie. */
function zip(members: readonly Member[]): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const { name, content, claimedBytes = content.byteLength, offset: claimedOffset, method = 8 } of members) {
    const path = new TextEncoder().encode(name);
    const data = method === 8 ? deflateRawSync(content) : content;
    const fields = (view: DataView, at: number): void => {
      view.setUint16(at, 20, true);
      view.setUint16(at + 4, method, true);
      view.setUint32(at + 10, crc32(content), true);
      view.setUint32(at + 14, data.byteLength, true);
      view.setUint32(at + 18, claimedBytes, true);
      view.setUint16(at + 22, path.byteLength, true);
    };
    const local = new DataView(new ArrayBuffer(30));
    local.setUint32(0, 0x04034b50, true);
    fields(local, 4);
    const central = new DataView(new ArrayBuffer(46));
    central.setUint32(0, 0x02014b50, true);
    fields(central, 6);
    central.setUint32(42, claimedOffset ?? offset, true);
    parts.push(new Uint8Array(local.buffer), path, data);
    directory.push(new Uint8Array(central.buffer), path);
    offset += 30 + path.byteLength + data.byteLength;
  }
  const directoryBytes = directory.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, members.length, true);
  end.setUint16(10, members.length, true);
  end.setUint32(12, directoryBytes, true);
  end.setUint32(16, offset, true);
  return new Uint8Array(Buffer.concat([...parts, ...directory, new Uint8Array(end.buffer)]));
}

const CONFIG: Member = {
  name: 'config.json',
  content: new TextEncoder().encode('{"class_name":"Sequential","config":{"layers":[]}}'),
};

describe('a .keras archive', () => {
  test('as this file makes them is read', async () => {
    const artifacts = await readArtifacts(zip([CONFIG, { name: 'assets/a/b.txt', content: Uint8Array.of(65) }]));
    expect(artifacts.topology).toMatchObject({ class_name: 'Sequential' });
    expect(await artifacts.assets?.get('a/b.txt')?.()).toEqual(Uint8Array.of(65));
  });

  const zeros = new Uint8Array(80 << 20);

  test.each<[string, Member[], string]>([
    [
      'with a configuration of 80 MB',
      [{ name: 'config.json', content: zeros }],
      'has 83886080 bytes, expected 67108864',
    ],
    [
      'that claims to grow a thousandfold',
      [CONFIG, { name: 'model.weights.h5', content: zeros, claimedBytes: 3e9 }],
      'claims to grow from',
    ],
    ['that grows more than it claims', [{ ...CONFIG, claimedBytes: 10 }], 'is larger than the 10 bytes'],
    ['that grows less than it claims', [{ ...CONFIG, claimedBytes: 60 }], 'has 50 bytes, the directory says 60'],
    ['with two members in one place', [CONFIG, { ...CONFIG, name: 'metadata.json', offset: 0 }], 'overlap'],
    ['with two members of one name', [CONFIG, CONFIG], 'two members are named "config.json"'],
    ['with a member that leads out', [CONFIG, { ...CONFIG, name: '../../config.json' }], 'leads out of the archive'],
    ['with a member on a drive', [CONFIG, { ...CONFIG, name: 'C:/config.json' }], 'leads out of the archive'],
    ['with an absolute member', [CONFIG, { ...CONFIG, name: '/etc/passwd' }], 'leads out of the archive'],
    ['with a member compressed otherwise', [{ ...CONFIG, method: 12 }], 'zip compression method 12 is not supported'],
    ['of PyTorch', [{ ...CONFIG, name: 'archive/data.pkl' }], 'a PyTorch file, expected config.json'],
    ['with weights for Python', [CONFIG, { ...CONFIG, name: 'model.weights.npz' }], 'holds Python objects'],
    ['with weights that are none', [CONFIG, { ...CONFIG, name: 'model.weights.h5' }], 'model.weights.h5'],
  ])('%s', async (_, members, message) => {
    const before = process.memoryUsage().arrayBuffers;
    const error = await fault(zip(members));
    expect(isTyped(error), String(error)).toBe(true);
    expect(String(error)).toContain(message);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 << 20);
  });
});

test('a .keras archive whose directory claims to be longer than what is behind its beginning', async () => {
  const archive = zip([CONFIG]);
  const end = new DataView(archive.buffer, archive.byteOffset + archive.byteLength - 22, 22);
  end.setUint32(12, 1000, true);
  end.setUint32(16, archive.byteLength - 100, true);
  const error = await fault(archive);
  expect(isTyped(error), String(error)).toBe(true);
  expect(String(error)).toContain('the directory of the zip archive is damaged');
});

test('a .keras archive with a member of a name without end is refused in a short message', async () => {
  const error = await fault(zip([CONFIG, { ...CONFIG, name: `${'\0'.repeat(5000)}x` }]));
  expect(isTyped(error), String(error)).toBe(true);
  expect(String(error).length).toBeLessThan(2000);
});

test('an HDF5 file whose dataset claims more than the file holds', async () => {
  const file = fixtureBytes('numbered.h5');
  const extents = new BigUint64Array([2n, 3n, 2n, 3n]);
  const pattern = Buffer.from(extents.buffer);
  const position = Buffer.from(file).indexOf(pattern);
  expect(position).toBeGreaterThan(0);
  for (const huge of [2n ** 20n, 2n ** 40n, 2n ** 62n]) {
    const bomb = file.slice();
    new DataView(bomb.buffer).setBigUint64(position, huge, true);
    const before = process.memoryUsage().arrayBuffers;
    const error = await fault(bomb);
    expect(isTyped(error), String(error)).toBe(true);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 << 20);
  }
});

test('a manifest whose weights claim more than the shard holds', async () => {
  const json = {
    modelTopology: { class_name: 'Sequential', config: [] },
    weightsManifest: [{ paths: ['a'], weights: [{ name: 'w', shape: [2 ** 26, 2 ** 20], dtype: 'float32' }] }],
  };
  const files = new Map([
    ['model.json', new TextEncoder().encode(JSON.stringify(json))],
    ['a', new Uint8Array(64)],
  ]);
  const error = await fault({ store: memoryStore(files), key: 'model.json' });
  expect(String(error)).toContain('"a": the file has 64 bytes, the 1 weights take 281474976710656');
});

test('configurations nested without end', async () => {
  const nested = '{"a":'.repeat(100_000);
  expect(String(await fault(new TextEncoder().encode(nested)))).toContain('nests deeper than 512 levels');
  const inside = zip([{ name: 'config.json', content: new TextEncoder().encode(`{"config":${'['.repeat(100_000)}`) }]);
  expect(String(await fault(inside))).toContain('nests deeper than 512 levels');
});

test('a handler that gives specifications without data', async () => {
  const specs = [{ name: 'w', shape: [1], dtype: 'int32' }];
  const handler = { load: async () => ({ modelTopology: { class_name: 'S', config: [] }, weightSpecs: specs }) };
  expect(String(await fault(handler))).toContain('it gave no weight data');
});
