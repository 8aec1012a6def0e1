import { describe, expect, test } from 'vitest';
import { entriesOf, readAll } from '../../../test/support/format-fixtures.ts';
import { bytesFile, type RangedFile } from '../../binary/ranged-file.ts';
import { sha256 } from '../../binary/sha256.ts';
import type { JsonValue } from '../artifacts.ts';
import { readLayersModel } from './read-layers-model.ts';

const TOPOLOGY = {
  class_name: 'Sequential',
  config: { name: 's', layers: [] },
  keras_version: '2.4.0',
  backend: 'tensorflow',
};

/** Opens shards from a record of their bytes. */
function shards(files: Readonly<Record<string, ArrayLike<number>>>): (path: string) => Promise<RangedFile> {
  return async (path) => bytesFile(Uint8Array.from(files[path] ?? []), path);
}

function manifest(weights: JsonValue, paths: readonly string[] = ['a.bin'], more: Record<string, JsonValue> = {}) {
  return { modelTopology: TOPOLOGY, weightsManifest: [{ paths, weights, ...more }] };
}

function bytesOf(...arrays: readonly ArrayBufferView[]): number[] {
  return arrays.flatMap(({ buffer, byteOffset, byteLength }) => [...new Uint8Array(buffer, byteOffset, byteLength)]);
}

describe('readLayersModel', () => {
  test('reads every dtype and quantization', async () => {
    const text = (value: string): number[] => {
      const bytes = new TextEncoder().encode(value);
      return [...bytesOf(new Uint32Array([bytes.length])), ...bytes];
    };
    const weights = [
      { name: 'float', shape: [2], dtype: 'float32' },
      { name: 'text', shape: [2], dtype: 'string' },
      { name: 'integer', shape: [], dtype: 'int32' },
      { name: 'truth', shape: [3], dtype: 'bool' },
      { name: 'complex', shape: [1], dtype: 'complex64' },
      { name: 'byte', shape: [2], dtype: 'float32', quantization: { dtype: 'uint8', min: -1, scale: 0.1 } },
      { name: 'word', shape: [2], dtype: 'float32', quantization: { dtype: 'uint16', min: 0.5, scale: 2 } },
      { name: 'rounded', shape: [2], dtype: 'int32', quantization: { dtype: 'uint8', min: 0.5, scale: 1 } },
      { name: 'half', shape: [3], dtype: 'float32', quantization: { dtype: 'float16', original_dtype: 'float32' } },
      { name: 'plain', shape: [1], dtype: 'float32', quantization: null },
    ];
    const content = [
      ...bytesOf(new Float32Array([1.5, -2])),
      ...[...text('häuser'), ...text('')],
      ...bytesOf(new Int32Array([-7])),
      ...[1, 0, 2],
      ...bytesOf(new Float32Array([3, 4])),
      ...[0, 255],
      ...bytesOf(new Uint16Array([0, 65535])),
      ...[0, 2],
      ...bytesOf(new Uint16Array([0x3c00, 0x0001, 0xfc00])),
      ...bytesOf(new Float32Array([9])),
    ];
    const artifacts = await readLayersModel(manifest(weights), 'model.json', shards({ 'a.bin': content }));
    expect(await readAll(entriesOf(artifacts))).toEqual([
      [1.5, -2],
      ['häuser', ''],
      [-7],
      [1, 0, 1],
      [3, 4],
      [-1, Math.fround(255 * 0.1 - 1)],
      [0.5, 131070.5],
      [1, 3],
      [1, 2 ** -24, Number.NEGATIVE_INFINITY],
      [9],
    ]);
    const { shape } = await (entriesOf(artifacts)[4]?.read() ?? Promise.reject());
    expect(shape).toEqual([1, 2]);
  });

  test('reads weights that straddle shards, of several groups, wherever they are cut', async () => {
    const content = bytesOf(new Float32Array([1, 2, 3]), new Int32Array([4, 5]));
    const weights = [
      { name: 'a', shape: [3], dtype: 'float32' },
      { name: 'b', shape: [2], dtype: 'int32', group: 'optimizer' },
    ];
    for (let cut = 0; cut <= content.length; cut++) {
      const json = {
        modelTopology: TOPOLOGY,
        weightsManifest: [
          { paths: ['x', 'y'], weights },
          { paths: ['z'], weights: [{ name: 'c', shape: [1], dtype: 'bool' }] },
        ],
      };
      const files = { x: content.slice(0, cut), y: content.slice(cut), z: [1] };
      const artifacts = await readLayersModel(json, 'model.json', shards(files));
      expect(await readAll(entriesOf(artifacts))).toEqual([[1, 2, 3], [1]]);
      expect(await readAll(artifacts.optimizerWeights ?? [])).toEqual([[4, 5]]);
    }
  });

  test('reads both shapes of a topology, and what else the file says', async () => {
    const converted = {
      modelTopology: {
        keras_version: '2.2.4',
        backend: 'tensorflow',
        model_config: TOPOLOGY,
        training_config: { loss: 'mse' },
      },
      convertedBy: 'TensorFlow.js Converter v1.2.2',
      userDefinedMetadata: { labels: ['a'] },
    };
    expect(await readLayersModel(converted, 'model.json', shards({}))).toEqual({
      format: 'layers-model',
      source: 'model.json',
      topology: TOPOLOGY,
      kerasVersion: '2.2.4',
      backend: 'tensorflow',
      trainingConfig: { loss: 'mse' },
      userDefinedMetadata: { labels: ['a'] },
      metadata: { convertedBy: 'TensorFlow.js Converter v1.2.2' },
    });
    expect(await readLayersModel({ modelTopology: TOPOLOGY }, 'model.json', shards({}))).toMatchObject({
      topology: TOPOLOGY,
      kerasVersion: '2.4.0',
    });
  });

  const float = { name: 'w', shape: [2], dtype: 'float32' };

  test.each([7, 9, 0, 4])('refuses a shard of %d bytes where 8 are needed', async (byteLength) => {
    const open = shards({ 'a.bin': new Uint8Array(byteLength) });
    await expect(readLayersModel(manifest([float]), 'model.json', open)).rejects.toThrow(
      `Cannot read "a.bin": the file has ${byteLength} bytes, the 1 weights take 8`,
    );
  });

  test('names the shard that differs from the others', async () => {
    const json = manifest([{ ...float, shape: [10] }], ['a', 'b', 'c', 'd']);
    const files = { a: new Uint8Array(12), b: new Uint8Array(11), c: new Uint8Array(12), d: new Uint8Array(4) };
    await expect(readLayersModel(json, 'model.json', shards(files))).rejects.toThrow('"b" alone has 11 bytes');
  });

  test('verifies checksums of the manifest and of the option before a byte is believed', async () => {
    const files = { a: new Uint8Array(4).fill(1), b: new Uint8Array(4).fill(2) };
    const checksums = { a: await sha256(files.a), b: await sha256(files.b) };
    const json = manifest([float], ['a', 'b'], { sha256: checksums });
    const good = await readLayersModel(json, 'model.json', shards(files));
    expect(await readAll(entriesOf(good))).toEqual([
      [...new Float32Array(Uint8Array.of(1, 1, 1, 1, 2, 2, 2, 2).buffer)],
    ]);
    const swapped = await readLayersModel(json, 'model.json', shards({ a: files.b, b: files.a }));
    // Both are wrong, and are looked at side by side.
    await expect(readAll(entriesOf(swapped))).rejects.toThrow(/Cannot read "[ab]": its SHA-256 is/);
    const integrity = { b: checksums.a };
    const chosen = await readLayersModel(manifest([float], ['a', 'b']), 'model.json', shards(files), { integrity });
    await expect(readAll(entriesOf(chosen))).rejects.toThrow('Cannot read "b": its SHA-256 is');
  });

  test('verifies the slices that a read touches, and no others', async () => {
    const bytes = Uint8Array.from({ length: 10 }, (_, index) => index);
    const digests = await Promise.all([0, 4, 8].map(async (at) => await sha256(bytes.subarray(at, at + 4))));
    const weights = [
      { name: 'a', shape: [1], dtype: 'int32' },
      { name: 'b', shape: [6], dtype: 'bool' },
    ];
    const read = async (checksum: JsonValue, content: Uint8Array): Promise<PromiseSettledResult<unknown>[]> => {
      const json = manifest(weights, ['f'], { sha256: { f: checksum } });
      const entries = entriesOf(await readLayersModel(json, 'model.json', shards({ f: content })));
      return await Promise.allSettled(entries.map(async (entry) => (await entry.read()).data[0]));
    };
    const checksum = { sliceBytes: 4, digests };
    const value = new Int32Array(bytes.slice(0, 4).buffer)[0];
    expect(await read(checksum, bytes)).toEqual([
      { status: 'fulfilled', value },
      { status: 'fulfilled', value: 1 },
    ]);
    const [first, second] = await read(checksum, bytes.with(9, 0));
    expect(first).toEqual({ status: 'fulfilled', value });
    expect(String((second as PromiseRejectedResult).reason)).toContain('Cannot read "f, bytes 8 to 10": its SHA-256');
    await expect(read({ ...checksum, sliceBytes: 2 }, bytes)).rejects.toThrow('expected 3 slices of 2 bytes');
    for (const wrong of [7, { sliceBytes: 0, digests }, { sliceBytes: 4, digests: [1] }, { digests }]) {
      await expect(read(wrong, bytes)).rejects.toThrow('the checksum of "f" is neither');
    }
  });

  test.each<[string, JsonValue, string]>([
    ['two weights of one name', [float, float], 'two weights are named "w"'],
    ['a weight without a name', [{ shape: [], dtype: 'float32' }], 'a weight has no name'],
    ['a shape that is none', [{ ...float, shape: [-1] }], 'the weight "w" has no shape'],
    ['a shape beyond all bounds', [{ ...float, shape: [2 ** 30, 2 ** 30] }], 'the weight "w" is impossibly large'],
    ['a dtype that is unknown', [{ ...float, dtype: 'int4' }], 'the dtype "int4" is not supported'],
    ['an unknown quantization', [{ ...float, quantization: { dtype: 'int8' } }], 'quantization of float32 to int8'],
    ['a quantization without scale', [{ ...float, quantization: { dtype: 'uint8', min: 0 } }], 'no "scale"'],
    ['text without end', [{ ...float, dtype: 'string', shape: [1000000] }], 'element 0 of 1000000 ends behind "a.bin"'],
  ])('refuses %s', async (_, weights, message) => {
    const open = shards({ 'a.bin': [255, 255, 255, 127] });
    await expect(readLayersModel(manifest(weights), 'model.json', open)).rejects.toThrow(message);
  });

  test.each(['../a.bin', '/etc/a', 'http://x/a', 'C:\\a', 'a/../../b', '', 'a\0'])(
    'refuses the path %j',
    async (path) => {
      await expect(readLayersModel(manifest([float], [path]), 'model.json', shards({}))).rejects.toThrow(
        'is not beside it',
      );
    },
  );
});
