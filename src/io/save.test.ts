import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { tensor } from '../array/tensor.ts';
import { writableBytes } from '../binary/byte-sink.ts';
import { UnsupportedError } from '../errors.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import { Attention } from '../layers/attention/attention.ts';
import { MultiHeadAttention } from '../layers/attention/multi-head-attention.ts';
import { Dense } from '../layers/core/dense.ts';
import { Lambda } from '../layers/core/lambda.ts';
import { anything } from '../layers/fields.ts';
import { input } from '../layers/input-layer.ts';
import { Layer, layerFields } from '../layers/layer.ts';
import { Add } from '../layers/merging/merge.ts';
import { StringLookup } from '../layers/preprocessing/string-lookup.ts';
import { LSTM } from '../layers/rnn/lstm.ts';
import type { KerasModel } from '../model/keras-model.ts';
import { Model } from '../model/model.ts';
import { Sequential } from '../model/sequential.ts';
import { encodeModel } from '../serialization/encode-model.ts';
import { writePath } from '../storage/file-system-store.ts';
import { memoryStore } from '../storage/memory-store.ts';
import { loadModel } from './load.ts';

const folder = mkdtempSync(join(tmpdir(), 'save-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

function small(...layers: Layer[]): KerasModel {
  const x = input({ shape: [4], name: 'x' });
  const outputs = layers.reduce((tensor, layer) => layer.apply(tensor), x);
  return new Model({ inputs: x, outputs, name: 'small' });
}

const bitsOf = (model: KerasModel): unknown[] =>
  model.getWeights().map(({ data, shape }) => [shape, Buffer.from((data as Float32Array).buffer).toString('hex')]);

async function expectRoundTrip(model: KerasModel): Promise<KerasModel> {
  const bytes = await model.toBytes();
  const loaded = await loadModel(bytes);
  expect(loaded.loadReport).toMatchObject({ missing: [], unexpected: [], unknownKeys: [], ignored: [] });
  expect(bitsOf(loaded)).toEqual(bitsOf(model));
  expect((await encodeModel(loaded)).topology).toEqual((await encodeModel(model)).topology);
  expect(Buffer.compare(await loaded.toBytes(), bytes)).toBe(0);
  return loaded;
}

describe('a model that is saved and loaded is the same', () => {
  test('a shared layer, a nested model called twice, states as inputs', async () => {
    const inner = small(new Dense({ units: 4, name: 'inside', activation: 'relu' }));
    const [a, b] = [input({ shape: [4], name: 'a' }), input({ shape: [3, 4], name: 'b' })];
    const first = inner.apply(a);
    const states = [first, inner.apply(first)];
    const sequence = new LSTM({ units: 4, name: 'lstm' }).apply([b, ...states]);
    const sum = new Add({ name: 'sum' }).apply([first, sequence]);
    const outputs = { sum, again: inner.apply(sum) };
    const model = new Model({ inputs: { a, b }, outputs, name: 'outer' });
    const loaded = await expectRoundTrip(model);
    const inputs = {
      a: tensor([[1, -2, 3, 4]]),
      b: tensor([
        [
          [1, 2, 3, 4],
          [0, 1, 0, 1],
          [2, 2, 2, 2],
        ],
      ]),
    };
    expect(await loaded.predict(inputs)).toEqual(await model.predict(inputs));
  });

  test('attention, whose inner layers have no names of their own', async () => {
    const x = input({ shape: [5, 8], name: 'x' });
    const attended = new MultiHeadAttention({ numHeads: 2, keyDim: 4, name: 'mha' }).applyAll([x, x]);
    await expectRoundTrip(new Model({ inputs: x, outputs: attended[0] as typeof x, name: 'attending' }));
  });

  test("a layer of one's own, whose options have names that mean something else in others", async () => {
    const options = { causal: true, vocabularySize: 4, inputDim: 5, implementation: 6, fused: 7 };
    const own = Object.fromEntries(Object.keys(options).map((name) => [name, anything('anything', () => true)]));
    class Shift extends Layer {
      static readonly className = 'Shift';
      static readonly fields = { ...layerFields, ...own };
      constructor(given: object) {
        super(Shift.className, Shift.fields, given as Record<string, unknown>);
      }
      override call([x]: Parameters<Layer['call']>[0]): ReturnType<Layer['call']> {
        return x as SymbolicTensor;
      }
    }
    const loaded = await loadModel(await small(new Shift({ ...options, name: 'shift' })).toBytes(), {
      customObjects: { Shift },
    });
    expect(loaded.getLayer('shift').config).toMatchObject(options);
  });

  test('attention that looks back only', async () => {
    const x = input({ shape: [3, 2], name: 'x' });
    const attended = new Attention({ causal: true, name: 'attention' }).applyAll([x, x]);
    const loaded = await loadModel(await new Model({ inputs: x, outputs: attended }).toBytes());
    const [call] = loaded.getLayer('attention').calls;
    expect(call?.kwargs).toMatchObject({ useCausalMask: true });
  });

  test('a part of a model begins with an input of its own', async () => {
    const model = small(new Dense({ units: 3, name: 'one' }), new Dense({ units: 2, name: 'two' }));
    const rest = new Model({ inputs: model.getLayer('one').output, outputs: model.output, name: 'rest' });
    const loaded = await loadModel(await rest.toBytes());
    expect(loaded.layers.map(({ name }) => name)).toEqual(['one_input', 'two']);
    expect(bitsOf(loaded)).toEqual(bitsOf(rest));
  });

  test('Sequential, frozen layers and initializers with options', async () => {
    const dense = new Dense({ units: 2, name: 'dense', kernelInitializer: 'he_normal', dtype: 'mixed_float16' });
    const model = new Sequential({ layers: [dense], name: 'line' });
    model.ensureBuilt([[null, 3]]);
    dense.trainable = false;
    const loaded = await expectRoundTrip(model);
    expect(loaded.layers[0]).toMatchObject({ trainable: false, config: { dtype: 'mixed_float16' } });
  });

  test('a vocabulary is an asset where the configuration has none', async () => {
    const lookup = new StringLookup({ name: 'lookup' });
    lookup.setVocabulary(['a', 'é b', 'c']);
    const x = input({ shape: [1], dtype: 'string', name: 'x' });
    const model = new Model({ inputs: x, outputs: lookup.apply(x), name: 'words' });
    const loaded = await expectRoundTrip(model);
    expect((loaded.getLayer('lookup') as unknown as StringLookup).vocabulary).toEqual(['[UNK]', 'a', 'é b', 'c']);
  });
});

test('weights alone are loaded into a model that is there', async () => {
  const [from, to] = [small(new Dense({ units: 2, name: 'd' })), small(new Dense({ units: 2, name: 'other' }))];
  const path = join(folder, 'deep/er/a.weights.h5');
  expect(await from.saveWeights(path)).toEqual({ format: 'weights.h5', needs: [], omitted: [] });
  await to.loadWeights(path);
  expect(bitsOf(to)).toEqual(bitsOf(from));
});

test('to a store, and to a path', async () => {
  const files = new Map<string, Uint8Array>();
  const model = small(new Dense({ units: 2, name: 'd' }));
  await model.save({ store: memoryStore(files), key: 'a.keras' });
  await model.save(join(folder, 'a.keras'));
  expect(Buffer.compare(readFileSync(join(folder, 'a.keras')), files.get('a.keras') as Uint8Array)).toBe(0);
});

describe('a write that fails', () => {
  test('leaves what was there, and nothing beside it', async () => {
    const path = join(folder, 'kept/model.keras');
    await writePath(path, writableBytes(Uint8Array.of(1, 2, 3)));
    const failing = {
      byteLength: 10,
      writeTo: async (sink: { write(bytes: Uint8Array): unknown }) => {
        await sink.write(new Uint8Array(5));
        throw new RangeError('half way');
      },
    };
    await expect(writePath(path, failing)).rejects.toThrow(new RangeError('half way'));
    expect([...readFileSync(path)]).toEqual([1, 2, 3]);
    expect(readdirSync(join(folder, 'kept'))).toEqual(['model.keras']);
  });

  test('says which path', async () => {
    writeFileSync(join(folder, 'plain'), '');
    await expect(writePath(join(folder, 'plain/a.keras'), writableBytes(new Uint8Array(1)))).rejects.toThrow(
      /^Cannot write ".*plain\/a\.keras": /,
    );
  });

  test('a weight that changes meanwhile fails the save', async () => {
    const model = small(new Dense({ units: 2, name: 'd' }));
    const [kernel] = model.weights;
    const store = {
      ...memoryStore(),
      write: async (_: string, file: { writeTo(sink: { write(): void }): Promise<void> }) => {
        kernel?.assign(tensor(new Float32Array(8), [4, 2]));
        await file.writeTo({ write: () => {} });
      },
    };
    await expect(model.save({ store, key: 'a.keras' })).rejects.toThrow('Cannot save weight "d/kernel"');
  });
});

describe('what a file cannot hold names the layer', () => {
  test.each([
    ['a Lambda', new Lambda({ name: 'odd', function: ([x]) => x })],
    ['a function as activation', new Dense({ units: 1, name: 'odd', activation: (x) => x })],
  ])('%s', async (_, layer) => {
    const path = join(folder, 'never.keras');
    await expect(small(layer).save(path)).rejects.toThrow('Cannot save layer "odd"');
    await expect(small(layer).save(path)).rejects.toThrow(UnsupportedError);
    expect(existsSync(path)).toBe(false);
  });

  test('a class of the user under the name of one of Keras', async () => {
    class Mine extends Dense {}
    await expect(small(new Mine({ units: 1, name: 'odd' })).toBytes()).rejects.toThrow('its class "Mine"');
  });

  test('a name without a known ending', async () => {
    await expect(small(new Dense({ units: 1 })).save('model.xyz')).rejects.toThrow('ends in one of');
  });
});

test('classes of the user are saved by their names, which the report tells', async () => {
  class Scale extends Dense {
    static override readonly className = 'mine>Scale' as never;
    override readonly className: string = 'mine>Scale';
  }
  const encoded = await encodeModel(small(new Scale({ units: 4, name: 'scale' })));
  expect(encoded.needs).toEqual(['mine>Scale']);
  expect(encoded.topology).toMatchObject({
    config: { layers: [{}, { module: null, class_name: 'Scale', registered_name: 'mine>Scale' }] },
  });
});
