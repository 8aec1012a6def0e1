import { describe, expect, test } from 'vitest';
import type { StorageDtype } from '../../array/dtype.ts';
import { Tensor } from '../../array/tensor.ts';
import { bytesOfFile } from '../../binary/byte-sink.ts';
import { bytesFile } from '../../binary/ranged-file.ts';
import { sha256 } from '../../binary/sha256.ts';
import { FormatError, UnsupportedError } from '../../errors.ts';
import type { JsonObject, ModelArtifacts, WeightEntry } from '../artifacts.ts';
import { decodeJsonObject } from '../json.ts';
import { readLayersModel } from './read-layers-model.ts';
import { type WriteLayersModelOptions, type WrittenLayersModel, writeLayersModel } from './write-layers-model.ts';

const entry = (name: string, value: Tensor, dtype: StorageDtype = value.dtype): WeightEntry => ({
  name,
  dtype,
  shape: value.shape,
  file: 'memory',
  storedBytes: 0,
  read: async () => value,
});

const float = (...values: number[]): Tensor => new Tensor([values.length], 'float32', Float32Array.from(values));

function record(...entries: WeightEntry[]): ModelArtifacts {
  const topology = { class_name: 'Sequential', config: { name: 's', layers: [] } };
  return { format: 'layers-model', source: 'memory', topology, weights: { kind: 'named', entries } };
}

async function write(artifacts: ModelArtifacts, options: Partial<WriteLayersModelOptions> = {}) {
  const written = await writeLayersModel(artifacts, { id: 'id', fields: { format: 'layers-model' }, ...options });
  const files = new Map<string, Uint8Array>();
  for (const [path, shard] of written.shards) files.set(path, await bytesOfFile(shard));
  const json = decodeJsonObject(new TextDecoder().decode(await bytesOfFile(written.file)), 'model.json');
  return { written, files, json };
}

async function readBack({ files, json }: { files: ReadonlyMap<string, Uint8Array>; json: JsonObject }) {
  const open = async (path: string) => bytesFile(files.get(path) ?? new Uint8Array(), path);
  return await readLayersModel(json, 'model.json', open);
}

async function valuesOf(artifacts: ModelArtifacts): Promise<unknown[]> {
  const entries = artifacts.weights?.kind === 'named' ? artifacts.weights.entries : [];
  return await Promise.all(entries.map(async ({ read }) => Array.from((await read()).data as Float32Array)));
}

describe('writeLayersModel', () => {
  test('what it writes is read as it was, however it is cut', async () => {
    const artifacts = record(
      entry('a/kernel', float(1.5, -2, Number.NaN)),
      entry('a/words', new Tensor([2], 'string', ['häuser', ''])),
      entry('b/count', new Tensor([], 'int32', Int32Array.of(-7))),
      entry('b/flags', new Tensor([3], 'bool', Uint8Array.of(1, 0, 1))),
      entry('c/spectrum', new Tensor([1, 2], 'float32', Float32Array.of(3, 4)), 'complex64'),
      entry('c/none', new Tensor([0], 'float32', new Float32Array())),
    );
    const values = [[1.5, -2, Number.NaN], ['häuser', ''], [-7], [1, 0, 1], [3, 4], []];
    for (const splitByLayer of [false, true]) {
      for (const shardSize of [1, 3, 5, 100]) {
        const saved = await write(artifacts, { shardSize, splitByLayer });
        const read = await readBack(saved);
        expect((await valuesOf(read)).toSorted()).toEqual(values.toSorted());
        expect(Math.max(...[...saved.files.values()].map(({ byteLength }) => byteLength))).toBeLessThanOrEqual(
          shardSize,
        );
      }
    }
    const specs = JSON.stringify((await write(artifacts)).json.weightsManifest);
    expect(specs).toContain('{"name":"c/spectrum","shape":[1],"dtype":"complex64"}');
  });

  test('tells the size of each file before it is written', async () => {
    const { written, files, json } = await write(record(entry('a', float(1, 2, 3))), { shardSize: 8 });
    for (const [path, shard] of written.shards) expect(shard.byteLength).toBe(files.get(path)?.byteLength);
    expect(written.file.byteLength).toBe((await bytesOfFile(written.file)).byteLength);
    expect(json.weightsManifest).toMatchObject([{ paths: ['group1-shard1of2-id.bin', 'group1-shard2of2-id.bin'] }]);
  });

  test('a shard that is damaged is refused by its checksum', async () => {
    const saved = await write(record(entry('a', float(1, 2, 3))));
    const [bytes = new Uint8Array()] = saved.files.values();
    bytes[5] = 1;
    await expect(valuesOf(await readBack(saved))).rejects.toThrow(/its SHA-256 is/);
  });

  test('a large shard has a checksum for each of its slices', async () => {
    const [before, count] = [3, 4_200_000];
    const large = new Tensor([count], 'float32', new Float32Array(count).fill(1.5));
    const saved = await write(record(entry('a', float(1, 2, 3)), entry('b', large), entry('c', float(7))), {
      shardSize: 1 << 30,
    });
    const [[path = '', bytes = new Uint8Array()] = []] = saved.files;
    const sliceBytes = 2 ** 24;
    const [{ sha256: checksums } = {}] = saved.json.weightsManifest as { sha256?: unknown }[];
    const slices = [bytes.subarray(0, sliceBytes), bytes.subarray(sliceBytes)];
    expect(checksums).toEqual({ [path]: { sliceBytes, digests: await Promise.all(slices.map(sha256)) } });
    expect((await bytesOfFile(saved.written.file)).byteLength).toBe(saved.written.file.byteLength);
    const read = async (): Promise<number[]> => {
      const { weights } = await readBack(saved);
      const entries = weights?.kind === 'named' ? weights.entries : [];
      return await Promise.all(entries.map(async (one) => (await one.read()).data.at(-1) as number));
    };
    expect(await read()).toEqual([3, 1.5, 7]);
    bytes[4 * (before + count) + 1] = 1;
    await expect(read()).rejects.toThrow(/bytes 16777216 to 16800016": its SHA-256 is/);
  });

  test('model.json knows the checksums when it is written first', async () => {
    const artifacts = record(entry('a', float(1, 2)));
    const written = await writeLayersModel(artifacts, { id: 'id', fields: {} });
    const before = await bytesOfFile(written.file);
    for (const shard of written.shards.values()) await bytesOfFile(shard);
    expect(await bytesOfFile(written.file)).toEqual(before);
  });

  test('the last file is not the only larger one, which TensorFlow.js 4.22 reads as zeros', async () => {
    const saved = await write(record(entry('a/w', float(1)), entry('b/w', float(1, 2, 3))), { splitByLayer: true });
    expect([...saved.files.values()].map(({ byteLength }) => byteLength)).toEqual([12, 4]);
  });

  test('refuses weights by path, and shards of no size', async () => {
    const byPath: ModelArtifacts = { ...record(), weights: { kind: 'paths', groups: new Map() } };
    await expect(write(byPath)).rejects.toThrow(FormatError);
    await expect(write(record(), { shardSize: 0 })).rejects.toThrow(RangeError);
  });
});

describe('quantization', () => {
  const values = float(-0.3, 0, 0.25, 0.7, 0.1);

  const quantized = async (dtype: 'uint8' | 'uint16' | 'float16', tensor: Tensor = values) => {
    const saved = await write(record(entry('w', tensor)), { quantize: () => dtype });
    const [found] = (await valuesOf(await readBack(saved))) as number[][];
    const [report] = (saved.written satisfies WrittenLayersModel).quantized;
    return { saved, found: found ?? [], largestError: report?.largestError ?? Number.NaN };
  };

  test.each(['uint8', 'uint16', 'float16'] as const)('%s: the largest error is the largest error', async (dtype) => {
    const { found, largestError, saved } = await quantized(dtype);
    const errors = Array.from(values.data as Float32Array, (value, index) => Math.abs((found[index] ?? 0) - value));
    expect(Math.max(...errors)).toBe(largestError);
    expect(largestError).toBeGreaterThan(0);
    expect(largestError).toBeLessThan(dtype === 'uint8' ? 1 / 255 : 1e-3);
    expect([...saved.files.values()][0]?.byteLength).toBe(dtype === 'uint8' ? 5 : 10);
  });

  test('zero stays zero where it lies between the others', async () => {
    expect((await quantized('uint8')).found[1]).toBe(0);
  });

  test('has the scale and the smallest value of the converter of TensorFlow.js', async () => {
    const { saved } = await quantized('uint8', float(-1, 0, 1.55));
    // (1.55 + 1) / 255, and -round(1 / scale) · scale.
    const scale = (Math.fround(1.55) + 1) / 255;
    expect(saved.json.weightsManifest).toMatchObject([
      { weights: [{ dtype: 'float32', quantization: { dtype: 'uint8', scale, min: -100 * scale } }] },
    ]);
  });

  test('elements that are all the same are exact', async () => {
    expect(await quantized('uint8', float(0.1, 0.1))).toMatchObject({ largestError: 0 });
    expect((await quantized('uint16', new Tensor([0], 'float32', new Float32Array()))).found).toEqual([]);
  });

  test('weights that are cut in the middle of an element are read as they were', async () => {
    const artifacts = record(entry('w', values), entry('v', values));
    for (const shardSize of [1, 3, 7]) {
      const saved = await write(artifacts, { shardSize, quantize: () => 'uint16' });
      const [first, second] = await valuesOf(await readBack(saved));
      expect(second).toEqual(first);
    }
  });

  test('refuses what the fewer bits cannot hold', async () => {
    await expect(quantized('uint8', float(1, Number.NaN))).rejects.toThrow(UnsupportedError);
    await expect(quantized('float16', float(1e6))).rejects.toThrow(/found an element 1000000/);
    expect((await quantized('float16', float(Number.POSITIVE_INFINITY, 65504))).found).toEqual([Infinity, 65504]);
  });

  test('leaves integers and truths as they are', async () => {
    const integers = new Tensor([2], 'int32', Int32Array.of(1, 2));
    const saved = await write(record(entry('n', integers)), { quantize: () => 'uint8' });
    expect(saved.written.quantized).toEqual([]);
    expect(await valuesOf(await readBack(saved))).toEqual([[1, 2]]);
  });
});
