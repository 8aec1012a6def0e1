import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { bytesOfFile } from '../binary/byte-sink.ts';
import { FormatError, UnsupportedError } from '../errors.ts';
import { Dense } from '../layers/core/dense.ts';
import { Embedding } from '../layers/core/embedding.ts';
import { input } from '../layers/input-layer.ts';
import { LSTM } from '../layers/rnn/lstm.ts';
import { Model } from '../model/model.ts';
import { memoryStore } from '../storage/memory-store.ts';
import type { Store } from '../storage/store.ts';
import { loadModel } from './load.ts';
import type { SaveFormat } from './save-formats.ts';

const folder = mkdtempSync(join(tmpdir(), 'verify-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

function made(): Model {
  const x = input({ shape: [null], dtype: 'int32', name: 'x' });
  const embedded = new Embedding({ inputDim: 20, outputDim: 4, name: 'table' }).apply(x);
  const outputs = new Dense({ units: 3, name: 'dense' }).apply(new LSTM({ units: 5, name: 'lstm' }).apply(embedded));
  return new Model({ inputs: x, outputs, name: 'made' });
}

describe('save with verify', () => {
  test.each<SaveFormat>(['keras', 'h5', 'layers-model', 'weights.h5', 'safetensors', 'npz'])(
    'loads what was written as %s, and finds it the same',
    async (format) => {
      const { verified } = await made().save({ store: memoryStore(), key: 'model' }, { format, verify: true });
      expect(verified).toEqual({ weightDifference: 0, predictionDifference: 0 });
    },
  );

  test('tells how far quantized weights and their predictions are off', async () => {
    const model = made();
    const destination = { store: memoryStore(), key: 'model.json' };
    const { verified, quantized } = await model.save(destination, { quantize: 'uint8', verify: true });
    expect(verified?.weightDifference).toBe(Math.max(...(quantized ?? []).map(({ largestError }) => largestError)));
    expect(verified?.predictionDifference).toBeGreaterThan(0);
    const tooFine = { quantize: 'uint8', verify: { tolerance: 1e-9 } } as const;
    await expect(model.save(destination, tooFine)).rejects.toThrow(/predictions differ by .*, expected 1e-9 at most/);
  });

  test.each(['model.json', 'model.keras'])('what is damaged on its way never takes the place of %s', async (name) => {
    const path = join(folder, name);
    const old = made();
    await old.save(path);
    const files = readdirSync(folder).sort();
    // A model that changes in the middle of its save.
    const changing = made();
    const kernel = changing.weights.at(-2);
    const onProgress = (): void => kernel?.assign(old.weights.at(-2)?.value as never);
    await expect(changing.save(path, { verify: true, onProgress })).rejects.toThrow(/it was changed|differs/);
    expect(readdirSync(folder).sort()).toEqual(files);
    expect((await loadModel(path)).getWeights()[0]).toEqual(old.getWeights()[0]);
  });

  test('a store that loses bytes is found out', async () => {
    const files = new Map<string, Uint8Array>();
    const inner = memoryStore(files);
    const lossy: Store = {
      name: 'lossy',
      open: inner.open,
      write: async (key, file) => {
        const bytes = await bytesOfFile(file);
        const last = bytes.length - 1;
        bytes[last] = (bytes[last] as number) ^ 1;
        files.set(key, bytes);
      },
    };
    const save = async (key: string): Promise<unknown> => await made().save({ store: lossy, key }, { verify: true });
    await expect(save('m.safetensors')).rejects.toThrow(
      'Cannot verify "m.safetensors": the weight "dense/bias" differs by',
    );
    await expect(save('m.json')).rejects.toThrow(FormatError);
  });

  test('refuses to verify what is not all of the model', async () => {
    const save = made().save({ store: memoryStore(), key: 'm.json' }, { verify: true, trainableOnly: true });
    await expect(save).rejects.toThrow(UnsupportedError);
    const handler = { save: async () => ({}) };
    await expect(made().save(handler, { verify: true })).rejects.toThrow(/there is nothing to load/);
  });
});
