import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { startFileServer } from '../../test/support/file-server.ts';
import { fixtureBytes, fixturePath, fixtureValues } from '../../test/support/format-fixtures.ts';
import { Tensor } from '../array/tensor.ts';
import { LoadError } from '../serialization/load-error.ts';
import type { LoadReport } from '../serialization/report.ts';
import { memoryStore } from '../storage/memory-store.ts';
import { loadLayersModel, loadModel, loadWeights } from './load.ts';
import type { ProgressDetails } from './progress.ts';

const EXPECTED = Object.values(fixtureValues('tiny.keras')).map((values) => [...new Float32Array(values)]);
const EXPECTED_H5 = Object.values(fixtureValues('tiny.h5')).map((values) => [...new Float32Array(values)]);

describe('loadModel', () => {
  test.each(['tiny.keras', 'deflated.keras', 'tiny.h5'])('loads %s', async (name) => {
    const model = await loadModel(fixturePath(name));
    expect(model.getWeights().map(({ data }) => [...data])).toEqual(name === 'tiny.h5' ? EXPECTED_H5 : EXPECTED);
  });

  test('ends at a layer, with the weights that it needs alone', async () => {
    let report: LoadReport | undefined;
    const model = await loadModel(fixturePath('tiny.keras'), {
      until: 'norm',
      onReport: (found) => {
        report = found;
      },
    });
    expect(model.outputShape).toEqual([null, 4]);
    expect(model.getWeights().map(({ data }) => [...data])).toEqual(EXPECTED.slice(0, 6));
    expect(report).toMatchObject({ missing: [] });
    expect(report?.ignored).toContain('2 weights of layers that were not asked for');
  });

  test('tells how far it is, in bytes', async () => {
    const seen: [number, ProgressDetails][] = [];
    await loadModel(fixturePath('tiny.h5'), { onProgress: (...progress) => seen.push(progress) });
    const fractions = seen.map(([fraction]) => fraction);
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
    expect(seen[0]?.[0]).toBe(0);
    expect(seen.at(-1)?.[0]).toBe(1);
    expect(fractions.filter((fraction) => fraction === 1).length).toBeLessThan(4);
    const byteCount = EXPECTED.flat().length * 4;
    expect(seen.at(-1)?.[1]).toMatchObject({ phase: 'done', loadedBytes: byteCount, totalBytes: byteCount });
    expect(new Set(seen.map(([, { phase }]) => phase))).toEqual(new Set(['open', 'weights', 'done']));
  });

  test('refuses in strict mode a topology without weights', async () => {
    const json = {
      class_name: 'Sequential',
      config: { layers: [{ class_name: 'Dense', config: { units: 2, batch_input_shape: [null, 3] } }] },
    };
    const file = new TextEncoder().encode(JSON.stringify({ modelTopology: json }));
    await expect(loadModel(file)).rejects.toThrow(LoadError);
    const model = await loadModel(file, { strict: false });
    expect(model.outputShape).toEqual([null, 2]);
  });
});

describe.each(['deep.keras', 'deep.h5'])('%s, a hundred layers, from a server', (name) => {
  const content = new Uint8Array(gunzipSync(fixtureBytes(`${name}.gz`)));

  test.each(['step_29', 'step_49', 'step_99'])('until %s transfers little more than the weights', async (until) => {
    await using server = await startFileServer({ [name]: content });
    const model = await loadModel(`${server.url}/${name}`, { until });
    const count = Number(until.slice(5)) + 1;
    expect(model.weights.length).toBe(2 * count);
    for (const [index, { data }] of model.getWeights().entries()) {
      const layer = Math.floor(index / 2);
      expect(data[0]).toBe(index % 2 === 0 ? layer : 0 - layer);
    }
    const needed = count * 4 * (192 * 192 + 192);
    expect(server.sentBytes()).toBeLessThanOrEqual(needed * 1.05 + 65_536);
  });

  test('as a whole comes with two requests', async () => {
    await using server = await startFileServer({ [name]: content });
    await loadModel(`${server.url}/${name}`);
    expect(server.log.length).toBe(2);
    expect(server.sentBytes()).toBe(content.byteLength);
  });
});

describe('loadLayersModel', () => {
  test('takes the options of TensorFlow.js', async () => {
    const fractions: number[] = [];
    const requests: unknown[] = [];
    await using server = await startFileServer({ 'tiny.keras': fixtureBytes('tiny.keras') });
    const model = await loadLayersModel(`${server.url}/tiny.keras`, {
      onProgress: (fraction) => fractions.push(fraction),
      fetchFunc: async (...request) => {
        requests.push(request[0]);
        return await fetch(...request);
      },
    });
    expect(model.getWeights().map(({ data }) => [...data])).toEqual(EXPECTED);
    expect(fractions.at(-1)).toBe(1);
    expect(requests.length).toBe(server.log.length);
  });
});

describe('loadWeights', () => {
  test.each(['tiny.weights.h5', 'sharded.weights.json', 'tiny.h5', 'tiny.keras'])('takes those of %s', async (name) => {
    const model = await loadModel(fixturePath('tiny.keras'));
    model.setWeights(
      model.getWeights().map(({ shape, data }) => new Tensor(shape, 'float32', new Float32Array(data.length))),
    );
    const report = await loadWeights(model, fixturePath(name));
    expect(report.matched.length).toBe(8);
    const expected = Object.values(fixtureValues(name)).map((values) => [...new Float32Array(values)]);
    expect(model.getWeights().map(({ data }) => [...data])).toEqual(expected);
  });

  test('leaves the model as it was when it fails', async () => {
    const model = await loadModel(fixturePath('tiny.keras'));
    const before = model.getWeights();
    await expect(loadWeights(model, fixturePath('dtypes.h5'))).rejects.toThrow(LoadError);
    const cut = fixtureBytes('tiny.weights.h5').slice(0, 20_000);
    const store = memoryStore(new Map([['cut.weights.h5', cut]]));
    await expect(loadWeights(model, { store, key: 'cut.weights.h5' })).rejects.toThrow('Cannot read "cut.weights.h5"');
    await expect(loadWeights(model, fixturePath('tiny.h5'), { signal: AbortSignal.abort() })).rejects.toThrow('abort');
    expect(model.getWeights()).toEqual(before);
  });
});

test('reads that begin before the model is built do not hide that it cannot be', async () => {
  const bytes = fixtureBytes('tiny.h5').slice();
  const at = new TextDecoder('latin1').decode(bytes).indexOf('"BatchNormalization"');
  expect(at).toBeGreaterThan(0);
  bytes.set(new TextEncoder().encode('"BatchNormalisation"'), at);
  await expect(loadModel(new Blob([bytes]))).rejects.toThrow('BatchNormalisation');
});

test('progress of a remote file counts every byte once', async () => {
  await using server = await startFileServer({ 'model.h5': fixtureBytes('tiny.h5') });
  const fractions: number[] = [];
  await loadModel(`${server.url}/model.h5`, { onProgress: (fraction) => fractions.push(fraction) });
  expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
  expect(Math.max(...fractions)).toBe(1);
});
