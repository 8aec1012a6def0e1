/** What can be wrong between a file and the model that it makes: each fault is a typed error, or stands in the report. */

import { describe, expect, test } from 'vitest';
import {
  CustomObjectError,
  FormatError,
  LoadError,
  type LoadModelOptions,
  type LoadReport,
  loadModel,
  modelFromJSON,
} from '../../src/index.ts';
import { cutAfter, type FileServerOptions, startFileServer } from '../support/file-server.ts';
import { fixtureBytes, fixturePath } from '../support/format-fixtures.ts';

type Json = Record<string, unknown>;

const dense = (name: string, units: unknown, more: Json = {}): Json => ({
  class_name: 'Dense',
  config: { name, units, ...more },
});

const LAYERS = [dense('first', 40, { batch_input_shape: [null, 30] }), dense('second', 20)];
const WEIGHTS = [
  { name: 'first/kernel', shape: [30, 40], dtype: 'float32' },
  { name: 'first/bias', shape: [40], dtype: 'float32' },
  { name: 'second/kernel', shape: [40, 20], dtype: 'float32' },
  { name: 'second/bias', shape: [20], dtype: 'float32' },
];
const AT_ONCE: LoadModelOptions = { retry: { wait: async () => {} } };

const countOf = ({ shape }: { readonly shape: readonly number[] }): number => shape.reduce((a, b) => a * b, 1);

/** A layers-model in two shards whose numbers count up from 0. */
function filesOf(
  layers: readonly Json[] = LAYERS,
  weights: typeof WEIGHTS = WEIGHTS,
): Record<string, Uint8Array | string> {
  const numbers = Float32Array.from({ length: weights.reduce((sum, each) => sum + countOf(each), 0) }, (_, i) => i);
  const bytes = new Uint8Array(numbers.buffer);
  const half = Math.ceil(bytes.byteLength / 2);
  const json = {
    format: 'layers-model',
    modelTopology: { class_name: 'Sequential', config: { name: 'served', layers } },
    weightsManifest: [{ paths: ['a.bin', 'b.bin'], weights }],
  };
  return { 'm.json': JSON.stringify(json), 'a.bin': bytes.slice(0, half), 'b.bin': bytes.slice(half) };
}

async function fault(loading: Promise<unknown>): Promise<Error> {
  const outcome: unknown = await loading.catch((error: unknown) => error);
  if (outcome instanceof Error) return outcome;
  throw new Error('the load succeeded');
}

interface Fault {
  readonly layers?: readonly Json[];
  readonly weights?: typeof WEIGHTS;
  readonly message: string;
  readonly report: Partial<Record<keyof LoadReport, unknown>>;
}

const misfits: Record<string, Fault> = {
  'a weight is missing': {
    weights: WEIGHTS.slice(0, 3),
    message: '1 weights missing from the file: "second/bias"',
    report: { missing: ['second/bias'], matched: ['first/kernel', 'first/bias', 'second/kernel'] },
  },
  'a weight is there that the model has not': {
    weights: [...WEIGHTS, { name: 'third/bias', shape: [3], dtype: 'float32' }],
    message: '1 weights in the file that the model does not have: "third/bias"',
    report: { unexpected: ['third/bias'] },
  },
  'a weight has another shape': {
    weights: [...WEIGHTS.slice(0, 3), { name: 'second/bias', shape: [21], dtype: 'float32' }],
    message: '"second/bias" (the file has [21] as "second/bias", the layer expects [20])',
    report: { mismatched: [{ weight: 'second/bias', source: 'second/bias', found: [21], expected: [20] }] },
  },
  'a weight has a name that is near': {
    weights: [...WEIGHTS.slice(0, 3), { name: 'second/bais', shape: [21], dtype: 'float32' }],
    message: '"second/bias" (the file has "second/bais")',
    report: { missing: ['second/bias'], unexpected: ['second/bais'] },
  },
  'a configuration has a key that is not known': {
    layers: [LAYERS[0] as Json, dense('second', 20, { sharpness: 3 })],
    message: '"sharpness": 3 of Dense "second"',
    report: { unknownKeys: [{ layer: 'second', className: 'Dense', key: 'sharpness', value: 3 }] },
  },
};

describe.each(Object.entries(misfits))('%s', (_, { layers, weights, message, report: expected }) => {
  test('strict: one error with the file, the part and the report', async () => {
    await using server = await startFileServer(filesOf(layers, weights));
    let report: LoadReport | undefined;
    const onReport = (found: LoadReport): void => {
      report = found;
    };
    const error = await fault(loadModel(`${server.url}/m.json`, { onReport }));
    expect(error).toBeInstanceOf(LoadError);
    expect(error.message).toContain(`Cannot load "${server.url}/m.json": `);
    expect(error.message).toContain(message);
    expect((error as LoadError).report).toBe(report);
    // Nothing of the weights was needed to see it.
    const files = server.log.filter(({ path }) => path.endsWith('.bin'));
    expect(files.length).toBeLessThanOrEqual(2);
  });

  test('not strict: the rest is loaded, and the report says what is not', async () => {
    await using server = await startFileServer(filesOf(layers, weights));
    const model = await loadModel(`${server.url}/m.json`, { strict: false });
    expect(model.loadReport).toMatchObject(expected);
    expect([...(model.getWeights()[1]?.data ?? [])]).toEqual(Array.from({ length: 40 }, (_unused, i) => 1200 + i));
    const output = await model.predict(new Float32Array(30));
    expect(output.shape).toEqual([1, 20]);
  });
});

const configurations: Record<string, readonly [unknown, string]> = {
  'a class that is not known': [
    [LAYERS[0], { class_name: 'Densest', config: { name: 'x' } }],
    'customObjects: { "Densest"',
  ],
  'two layers of one name': [[LAYERS[0], dense('first', 2)], 'two layers named "first"'],
  'an option of another type': [
    [dense('x', 'many', { batch_input_shape: [null, 3] })],
    'layer "x": Cannot create Dense: option "units" is "many"',
  ],
  'a missing option': [[dense('x', undefined, { batch_input_shape: [null, 3] })], 'option "units" is missing'],
  'an extent below 0': [[dense('x', 2, { batch_input_shape: [null, -3] })], '[null,-3]'],
  'a layer that its input does not fit': [
    [
      dense('x', 2, { batch_input_shape: [null, 3] }),
      { class_name: 'Conv2D', config: { name: 'c', filters: 1, kernel_size: 3 } },
    ],
    'Cannot load',
  ],
  'a list that is none': ['none', 'its configuration has no list of layers'],
};

describe('a configuration with', () => {
  test.each(Object.entries(configurations))('%s', async (_, [layers, message]) => {
    await using server = await startFileServer(filesOf(layers as Json[]));
    const error = await fault(loadModel(`${server.url}/m.json`));
    expect(error instanceof FormatError || error instanceof CustomObjectError, String(error)).toBe(true);
    expect(error.message).toContain(`Cannot load "${server.url}/m.json"`);
    expect(error.message).toContain(message);
  });

  test('two layers of one name in a graph, or no class, or no outputs', async () => {
    const input = {
      class_name: 'InputLayer',
      name: 'i',
      config: { name: 'i', batch_input_shape: [null, 2] },
      inbound_nodes: [],
    };
    const node = { ...dense('d', 2), name: 'd', inbound_nodes: [[['i', 0, 0, {}]]] };
    const graph = (layers: unknown, outputs: unknown) =>
      ({
        class_name: 'Model',
        config: { name: 'g', layers, input_layers: [['i', 0, 0]], output_layers: outputs },
      }) as Parameters<typeof modelFromJSON>[0];
    await expect(modelFromJSON(graph([input, node, node], [['d', 0, 0]]))).rejects.toThrow('two layers are named "d"');
    await expect(modelFromJSON(graph([input, node], []))).rejects.toThrow('names no outputs');
    await expect(modelFromJSON({ config: {} })).rejects.toThrow('expected class_name and config');
  });
});

describe('a configuration that claims much', () => {
  test('takes no memory before it predicts', async () => {
    const before = process.memoryUsage().arrayBuffers;
    const model = await modelFromJSON({
      class_name: 'Sequential',
      config: { layers: [dense('huge', 1e9, { batch_input_shape: [null, 1000] })] },
    } as Parameters<typeof modelFromJSON>[0]);
    expect(model.countParams()).toBe(1001e9);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20);
    await expect(model.predict(new Float32Array(1000))).rejects.toThrow('Cannot compile the graph: it needs');
  });

  test.each([
    ['AdaptiveAveragePooling2D', { output_size: 1e9 }],
    ['Resizing', { height: 1e9, width: 1e9 }],
    ['CenterCrop', { height: 1e9, width: 1e9 }],
    ['CategoryEncoding', { num_tokens: 1e9 }],
    ['ContrastLimitedAdaptiveHistogramEqualization', { tile_grid_size: [1e9, 1e9] }],
    ['MelSpectrogram', { fft_length: 1e9 }],
    ['UpSampling2D', { size: 1e9 }],
    ['ZeroPadding2D', { padding: 1e9 }],
  ])('%s of %j takes neither memory nor time', async (className, config) => {
    const before = process.memoryUsage().rss;
    const started = performance.now();
    const layers = [
      { class_name: 'InputLayer', config: { batch_shape: [null, 8, 8, 3] } },
      { class_name: className, config: { name: 'bomb', ...config } },
    ];
    const json = { class_name: 'Sequential', config: { layers } };
    const outcome: unknown = await modelFromJSON(json).catch((error: unknown) => error);
    expect(!(outcome instanceof Error) || outcome instanceof FormatError, String(outcome)).toBe(true);
    expect(process.memoryUsage().rss - before).toBeLessThan(64 << 20);
    expect(performance.now() - started).toBeLessThan(5000);
  });

  test('with thousands of layers, the last first, is built in linear time', async () => {
    const count = 5000;
    const name = (index: number): string => (index < 0 ? 'i' : `d${index}`);
    const layers = [
      { class_name: 'InputLayer', name: 'i', config: { name: 'i', batch_input_shape: [null, 2] }, inbound_nodes: [] },
      ...Array.from({ length: count }, (_, index) => ({
        class_name: 'Activation',
        name: name(index),
        config: { name: name(index), activation: 'relu' },
        inbound_nodes: [[[name(index - 1), 0, 0, {}]]],
      })),
    ].reverse();
    const config = { name: 'm', layers, input_layers: [['i', 0, 0]], output_layers: [[name(count - 1), 0, 0]] };
    const started = performance.now();
    const model = await modelFromJSON({ class_name: 'Model', config });
    expect(model.layers.length).toBe(count + 1);
    // Seconds even on a slow machine; in quadratic time it were minutes.
    expect(performance.now() - started).toBeLessThan(15_000);
  });

  test('with more strange weights than a message or a call can hold ends soon', async () => {
    const weights = Array.from({ length: 150_000 }, (_, index) => ({
      name: `w${index}/kernel`,
      shape: [],
      dtype: 'float32',
    }));
    const files = filesOf(LAYERS, weights);
    await using server = await startFileServer(files);
    const error = await fault(loadModel(`${server.url}/m.json`));
    expect(error).toBeInstanceOf(LoadError);
    expect(error.message.length).toBeLessThan(2000);
    expect((error as LoadError).report.unexpected.length).toBe(150_000);
  });
});

describe('a load that breaks off', () => {
  const cutting = (files: Record<string, Uint8Array | string>): FileServerOptions => ({
    intercept: (request, response, attempt) => {
      const content = files['b.bin'] as Uint8Array;
      const asked = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
      const start = Number(asked?.[1]);
      const end = Math.min(Number(asked?.[2]) + 1, content.byteLength);
      if (request.url !== '/b.bin' || attempt > 2 || !(end - start > 100)) return false;
      const range = { 'content-range': `bytes ${start}-${end - 1}/${content.byteLength}` };
      cutAfter(response, { 'content-length': end - start, ...range }, content.subarray(start, start + 100));
      return true;
    },
  });

  test('by a connection is resumed, and the weights are the right ones', async () => {
    const files = filesOf();
    await using server = await startFileServer(files, cutting(files));
    const model = await loadModel(`${server.url}/m.json`, AT_ONCE);
    expect(model.getWeights().flatMap(({ data }) => [...data])).toEqual(Array.from({ length: 2060 }, (_, i) => i));
    expect(server.log.filter(({ path }) => path === '/b.bin').length).toBeGreaterThan(1);
  });

  test.each(['tiny.keras', 'tiny.h5'])('by an abort in the middle of %s leaves a model as it was', async (name) => {
    const model = await loadModel(fixturePath('tiny.keras'));
    const before = model.getWeights();
    const controller = new AbortController();
    await using server = await startFileServer({ [name]: fixtureBytes(name) });
    const onProgress = (_: number, { phase }: { readonly phase: string }): void => {
      if (phase === 'weights') controller.abort(new Error('enough'));
    };
    const loading = model.loadWeights(`${server.url}/${name}`, { onProgress, signal: controller.signal });
    expect((await fault(loading)).message).toBe('enough');
    expect(model.getWeights()).toEqual(before);
  });

  test('by a server that fails for the last shard leaves a model as it was', async () => {
    const files = filesOf();
    await using good = await startFileServer(files);
    const model = await loadModel(`${good.url}/m.json`);
    const before = model.getWeights();
    await using bad = await startFileServer(files, {
      intercept: (request, response) => {
        if (request.url !== '/b.bin') return false;
        response.writeHead(500).end();
        return true;
      },
    });
    const error = await fault(model.loadWeights(`${bad.url}/m.json`, AT_ONCE));
    expect(error.message).toContain('/b.bin": the server answered 500');
    expect(model.getWeights().every((value, index) => value === before[index])).toBe(true);
  });
});
