import { readFileSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import { LocalPlace } from '../backends/wasm/place.ts';
import { bytesFile, type RangedFile } from '../binary/ranged-file.ts';
import { Dense } from '../layers/core/dense.ts';
import { input } from '../layers/input-layer.ts';
import { Model } from '../model/model.ts';
import { memoryStore } from '../storage/memory-store.ts';
import type { Store } from '../storage/store.ts';
import { loadModel } from './load.ts';

const DIGITS = 'models/digits/digits.keras';

/** How many modules are compiled while something is done. */
async function compiledDuring(action: () => Promise<unknown>): Promise<number> {
  const spy = vi.spyOn(WebAssembly, 'compile');
  try {
    await action();
    return spy.mock.calls.length;
  } finally {
    spy.mockRestore();
  }
}

describe('loadModel() with warmUp', () => {
  test('compiles while the weights are on their way', async () => {
    const { promise: isCompiling, resolve: noteCompiling } = Promise.withResolvers<void>();
    let isWaiting = false;
    const file = bytesFile(readFileSync(DIGITS), 'digits.keras');
    // From the first weight on, no byte arrives before the module is compiled: a load that compiles later never ends.
    const slow: RangedFile = {
      name: file.name,
      byteLength: file.byteLength,
      slice: async (start, end) => {
        if (isWaiting) await isCompiling;
        return await file.slice(start, end);
      },
    };
    const store: Store = { name: 'slow', open: async () => slow };
    const compile = WebAssembly.compile;
    const spy = vi.spyOn(WebAssembly, 'compile').mockImplementation(async (bytes) => {
      noteCompiling();
      return await compile.call(WebAssembly, bytes as BufferSource);
    });
    const model = await loadModel(
      { store, key: 'digits.keras' },
      { warmUp: true, onProgress: (_, { phase }) => (isWaiting ||= phase === 'weights') },
    );
    spy.mockRestore();
    const expected = await loadModel(DIGITS);
    const pixels = Float32Array.from({ length: 64 }, (_, index) => index / 64);
    expect((await model.predict(pixels)).data).toEqual((await expected.predict(pixels)).data);
  });

  test('packs weights while others are on their way', async () => {
    const x = input({ shape: [1024] });
    const layers = Array.from({ length: 4 }, () => new Dense({ units: 1024 }));
    const saved = new Model({ inputs: x, outputs: layers.reduce((y, layer) => layer.apply(y), x) });
    const store = memoryStore();
    await saved.save({ store, key: 'wide.keras' });
    const file = await store.open('wide.keras');
    const { promise: isPacking, resolve: notePacking } = Promise.withResolvers<void>();
    let requests = 0;
    // All requests for weights but the first wait until a weight is packed: else the load never ends.
    const slow: RangedFile = {
      name: file.name,
      byteLength: file.byteLength,
      slice: async (start, end) => {
        if (end - start > 1 << 20 && requests++ > 0) await isPacking;
        return await file.slice(start, end);
      },
    };
    const fill = LocalPlace.prototype.fill;
    const spy = vi.spyOn(LocalPlace.prototype, 'fill').mockImplementation(function (this: LocalPlace, ...given) {
      notePacking();
      fill.apply(this, given);
    });
    const model = await loadModel({ store: { ...store, open: async () => slow }, key: 'wide.keras' }, { warmUp: true });
    spy.mockRestore();
    expect(requests).toBeGreaterThan(1);
    expect(model.loadReport?.matched).toHaveLength(8);
    const row = Float32Array.from({ length: 1024 }, (_, index) => index / 1024);
    expect((await model.predict(row)).data).toEqual((await saved.predict(row)).data);
  });

  test('leaves nothing to compile for batches of that size', async () => {
    const model = await loadModel(DIGITS, { warmUp: 3 });
    expect(await compiledDuring(async () => await model.predict(new Float32Array(3 * 64)))).toBe(0);
    expect(await compiledDuring(async () => await model.predict(new Float32Array(2 * 64)))).toBe(1);
  });

  test('warms up what is loaded in part, or compressed', async () => {
    const features = await loadModel(DIGITS, { warmUp: true, weightDtype: 'float16' });
    expect(await compiledDuring(async () => await features.predict(new Float32Array(64)))).toBe(0);
    const until = features.layers.at(-2)?.name as string;
    const part = await loadModel(DIGITS, { warmUp: true, until });
    expect(await compiledDuring(async () => await part.predict(new Float32Array(64)))).toBe(0);
  });

  test('says what is wrong: with the number of rows, with the shapes', async () => {
    await expect(loadModel(DIGITS, { warmUp: 0.5 })).rejects.toThrow('Cannot warm up: the batch size is 0.5');
    const x = input({ shape: [null, 3] });
    const model = new Model({ inputs: x, outputs: new Dense({ units: 2 }).apply(x) });
    const store = memoryStore();
    await model.save({ store, key: 'open.keras' });
    const message = 'has shape [null, null, 3], expected known extents after the first';
    await expect(loadModel({ store, key: 'open.keras' }, { warmUp: true })).rejects.toThrow(message);
    await expect(model.warmUp(2)).rejects.toThrow(message);
  });
});
