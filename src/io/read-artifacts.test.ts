import { describe, expect, test } from 'vitest';
import { entriesOf, fixtureBytes, fixturePath, fixtureValues, readAll } from '../../test/support/format-fixtures.ts';
import type { PathWeights } from '../formats/artifacts.ts';
import { memoryStore } from '../storage/memory-store.ts';
import { readArtifacts } from './read-artifacts.ts';

/** The order in which the file by paths lists what the model lists as it was built: groups by name. */
const BY_PATH = [2, 3, 4, 5, 0, 1, 6, 7];

function float32(values: readonly number[]): number[] {
  return [...new Float32Array(values)];
}

describe('readArtifacts', () => {
  test.each(['tiny.keras', 'deflated.keras', 'tiny.weights.h5', 'sharded.weights.json'])('reads %s', async (name) => {
    const artifacts = await readArtifacts(fixturePath(name));
    const expected = Object.values(fixtureValues(name)).map(float32);
    expect(await readAll(entriesOf(artifacts))).toEqual(BY_PATH.map((index) => expected[index]));
    const { groups } = artifacts.weights as PathWeights;
    expect(
      [...groups].flatMap(([path, { layerName }]) => (path.startsWith('layers/') ? [path, layerName] : [])),
    ).toEqual(['layers/batch_normalization', 'norm', 'layers/dense', 'hidden', 'layers/dense_1', 'answer']);
    // Iteration, learning rate, and two slots for each of six trainable weights.
    expect(artifacts.optimizerWeights?.length).toBe(14);
    expect(await artifacts.optimizerWeights?.[0]?.read()).toMatchObject({ dtype: 'int32', shape: [] });
  });

  test('reads the configuration of a .keras archive', async () => {
    const artifacts = await readArtifacts(fixturePath('tiny.keras'));
    expect(artifacts).toMatchObject({
      format: 'keras',
      kerasVersion: '3.15.1',
      topology: { class_name: 'Sequential', config: { name: 'tiny' } },
      trainingConfig: { loss: 'mse' },
    });
  });

  test('reads a whole model in HDF5', async () => {
    const artifacts = await readArtifacts(fixturePath('tiny.h5'));
    expect(artifacts).toMatchObject({
      format: 'hdf5',
      kerasVersion: '3.15.1',
      backend: 'jax',
      topology: { class_name: 'Sequential' },
      trainingConfig: { loss: 'mse' },
      weights: { kind: 'layers', layers: [{ name: 'hidden' }, { name: 'norm' }, { name: 'answer' }] },
    });
    expect(await readAll(entriesOf(artifacts))).toEqual(Object.values(fixtureValues('tiny.h5')).map(float32));
    expect(artifacts.optimizerWeights?.length).toBe(14);
  });

  test('reads the numbered layers of Keras 0', async () => {
    const artifacts = await readArtifacts(fixturePath('numbered.h5'));
    expect(artifacts).toMatchObject({
      format: 'hdf5-weights',
      weights: { layers: [{ name: 'layer_0' }, { name: 'layer_1', entries: [] }, { name: 'layer_2' }] },
    });
    expect(await readAll(entriesOf(artifacts))).toEqual(Object.values(fixtureValues('numbered.h5')));
  });

  test('reads lists of names in pieces, and every dtype', async () => {
    const artifacts = await readArtifacts(fixturePath('dtypes.h5'));
    expect(artifacts.weights).toMatchObject({ layers: [{ name: 'first' }, { name: 'second' }, { name: 'third' }] });
    const entries = entriesOf(artifacts);
    const expected = fixtureValues('dtypes.h5');
    expect(entries.map(({ name }) => name)).toEqual(Object.keys(expected));
    expect(entries.map(({ dtype }) => dtype)).toEqual(Object.keys(expected));
    const tensors = await Promise.all(entries.map(async (entry) => await entry.read()));
    expect(tensors.map(({ dtype }) => dtype)).toEqual([
      ...['float32', 'float32', 'float32'],
      ...['int32', 'int32', 'int32', 'int32', 'int32', 'bool'],
    ]);
    expect(tensors.map(({ data }) => [...data])).toEqual(Object.values(expected));
  });

  test('reads the paths of old releases and of Windows', async () => {
    const artifacts = await readArtifacts(fixturePath('old-paths.weights.h5'));
    const { groups } = artifacts.weights as PathWeights;
    expect([...groups.keys()]).toEqual(['', 'layers/dense', 'layers/dense_1']);
    expect(artifacts.ignoredParts).toEqual(['metrics/mean']);
    expect((await readAll(artifacts.optimizerWeights ?? [])).flat()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  test('reads bytes, a Blob, files, a store and a file: URL alike', async () => {
    const bytes = fixtureBytes('tiny.keras');
    const sources = [
      bytes,
      bytes.slice().buffer,
      new Blob([bytes as Uint8Array<ArrayBuffer>]),
      [new File([bytes as Uint8Array<ArrayBuffer>], 'any-name')],
      { store: memoryStore(new Map([['folder/model', bytes]])), key: 'folder/model' },
      new URL('../../test/fixtures/formats/tiny.keras', import.meta.url),
    ];
    const expected = await readAll(entriesOf(await readArtifacts(fixturePath('tiny.keras'))));
    for (const source of sources) expect(await readAll(entriesOf(await readArtifacts(source)))).toEqual(expected);
  });

  test('finds the shards of picked files by their names', async () => {
    const names = [
      'sharded_00001.weights.h5',
      'sharded.weights.json',
      'sharded_00002.weights.h5',
      'sharded_00000.weights.h5',
    ];
    const files = names.map((name) => new File([fixtureBytes(name) as Uint8Array<ArrayBuffer>], name));
    const artifacts = await readArtifacts(files);
    expect(await readAll(entriesOf(artifacts))).toEqual(
      await readAll(entriesOf(await readArtifacts(fixturePath('tiny.weights.h5')))),
    );
    await expect(readArtifacts(files.slice(1))).rejects.toThrow(
      'Cannot read "sharded_00001.weights.h5": it is not among',
    );
  });

  test('reads only the layers that are wanted', async () => {
    const h5 = await readArtifacts(fixturePath('tiny.h5'), { until: 'norm' });
    expect(h5.weights).toMatchObject({ layers: [{ name: 'hidden' }, { name: 'norm' }] });
    const keras = await readArtifacts(fixturePath('tiny.keras'), { exclude: ['hidden'] });
    expect([...(keras.weights as PathWeights).groups.keys()]).toEqual([
      '',
      'layers/batch_normalization',
      'layers/dense_1',
    ]);
    await expect(readArtifacts(fixturePath('tiny.h5'), { until: 'nrom' })).rejects.toThrow('no layer of that name');
  });

  test('takes what a handler of TensorFlow.js loads', async () => {
    const handler = {
      load: async () => ({
        modelTopology: { class_name: 'Sequential', config: [], keras_version: 'tfjs-layers 4.22.0' },
        weightSpecs: [
          { name: 'a', shape: [2], dtype: 'float32' },
          { name: 'b', shape: [3], dtype: 'float32' },
        ],
        // A first piece that is shorter than the second, cut within a weight, and a view into a longer buffer.
        weightData: [new Float32Array([1]).buffer, new Float32Array([0, 2, 3, 4, 5]).subarray(1)],
      }),
    };
    const artifacts = await readArtifacts(handler);
    expect(artifacts).toMatchObject({ format: 'layers-model', kerasVersion: 'tfjs-layers 4.22.0' });
    expect(await readAll(entriesOf(artifacts))).toEqual([
      [1, 2],
      [3, 4, 5],
    ]);
  });

  test('verifies the file by its checksum', async () => {
    const integrity = 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';
    await expect(readArtifacts(fixturePath('tiny.h5'), { integrity })).rejects.toThrow(
      /its SHA-256 is [0-9a-f]{64}, expected sha256-47/,
    );
  });

  test.each([
    ['<!DOCTYPE html><title>Not found</title>', 'found an HTML page'],
    ['version https://git-lfs.github.com/spec/v1\noid sha256:4d7a', 'found a Git LFS pointer'],
    ['\x08\x01\x12\x8f\xa2', 'found a TensorFlow SavedModel'],
    ['\x80\x04\x95\x10', 'found a Python pickle'],
    ['GGUF\x03\x00\x00\x00', 'found a GGUF file'],
    ['\x40\x00\x00\x00\x00\x00\x00\x00{"weight":{}}', 'as safetensors: the header should have 64 bytes'],
    ['', 'the file is empty'],
    ['{"format":"graph-model","modelTopology":{"node":[]}}', 'found a TensorFlow.js graph-model'],
    ['{"a":1}', 'found JSON with the keys "a", expected "modelTopology"'],
    ['{"modelTopology":', 'found text that begins'],
    ['hello', 'found bytes that begin "hello"'],
  ])('names what is no model: %j', async (content, message) => {
    const bytes = Uint8Array.from(content, (character) => character.charCodeAt(0));
    await expect(readArtifacts(bytes)).rejects.toThrow(message);
  });

  test('names what a path leads to when it is no model', async () => {
    await expect(readArtifacts(fixturePath('none.h5'))).rejects.toThrow('there is no such file');
    await expect(readArtifacts(fixturePath(''))).rejects.toThrow('expected config.json or model.json');
    await expect(readArtifacts('indexeddb://model')).rejects.toThrow('Cannot use IndexedDB: this host has none');
  });
});
