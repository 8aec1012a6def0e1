/** Every model of the folder of real models beside the repository: read, written in every format of Keras, and read again. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { findModels } from '../../scripts/zoo/find-models.ts';
import { type KerasModel, loadModel, memoryStore, Tensor, UnsupportedError } from '../../src/index.ts';
import type { SeededPrediction } from '../../src/io/seeded-inputs.ts';
import { encodeModel } from '../../src/serialization/encode-model.ts';
import { expectSamePredictions, expectSameWeights, predictionOf } from './same-predictions.ts';
import { Tallies } from './tally.ts';

const SHARED = fileURLToPath(new URL('../../../shared', import.meta.url));

/** Every so many different models are predicted with; all of them, before and after, take minutes. */
const STEP = ['', '0', 'false'].includes(process.env.INTEROP_ALL ?? '') ? 4 : 1;

/** What Keras 3 has no form for; everything else that loads is saved. */
const CANNOT_BE_SAVED = /a function of TensorFlow/;

/** Formats of weights alone, by what their names end in. */
const WEIGHT_ENDINGS = ['weights.h5', 'weights.json', 'h5', 'safetensors', 'npz'] as const;

describe.skipIf(!existsSync(SHARED))('the models of ../shared', () => {
  test('are the same to the bit after a round trip', async () => {
    const counts: Record<string, number> = { loaded: 0, 'cannot be saved': 0 };
    const count = (what: string): void => {
      counts[what] = (counts[what] ?? 0) + 1;
    };
    const tallies = new Tallies();
    const tell = (format: string, predicted: boolean): void => {
      const tally = tallies.of('Hornet', format);
      tally.count('models', true);
      tally.count('loaded', true);
      if (predicted) tally.count('equal', true);
      else tally.note('not predicted with: not in the sample');
    };
    const seen = new Set<string>();
    for (const { path } of findModels([`${SHARED}/fixtures`, `${SHARED}/models`])) {
      const model = await loadModel(path).catch(() => undefined);
      if (model === undefined) continue;
      count('loaded');
      try {
        const bytes = await model.toBytes();
        await checkKeras(model, bytes, path);
        count('.keras');
        // Most models are there in several formats; once they are the same model, they are saved the same.
        const digest = createHash('sha256').update(bytes).digest('hex');
        if (seen.has(digest)) continue;
        seen.add(digest);
        const prediction = seen.size % STEP === 0 ? await predictionOf(model) : undefined;
        const other = await loadModel(bytes);
        await expectSamePredictions(other, prediction, path);
        tell('.keras', prediction !== undefined);
        await checkHdf5(model, prediction, path);
        count('.h5, of different models');
        tell('.h5', prediction !== undefined);
        for (const ending of WEIGHT_ENDINGS) {
          await checkWeights(model, other, ending, path);
          await expectSamePredictions(other, prediction, `${path} as .${ending}`);
          tell(ending === 'h5' ? '.h5 of weights' : `.${ending}`, prediction !== undefined);
          count(`weights as .${ending}, of different models`);
        }
      } catch (error) {
        if (!(error instanceof UnsupportedError)) throw error;
        expect(error.message, path).toMatch(CANNOT_BE_SAVED);
        count('cannot be saved');
      }
    }
    tallies.write();
    console.log(`The same after a round trip\n${JSON.stringify(counts, undefined, 1)}`);
    expect(counts['.keras']).toBeGreaterThan(800);
    expect(counts['.h5, of different models']).toBe(seen.size);
    expect(counts['cannot be saved']).toBeLessThanOrEqual(6);
  }, 1_800_000);
});

async function checkKeras(model: KerasModel, bytes: Uint8Array, path: string): Promise<void> {
  const again = await loadModel(bytes);
  expectClean(again, path);
  expectSameWeights(again, model, path);
  const [first, second] = [(await encodeModel(model)).topology, (await encodeModel(again)).topology];
  expect(JSON.stringify(second), path).toBe(JSON.stringify(first));
  expect(Buffer.compare(await again.toBytes(), bytes), `${path}: bytes`).toBe(0);
}

/** The configuration is compared in the words of the format, which differ from those of others. */
async function checkHdf5(model: KerasModel, prediction: SeededPrediction | undefined, path: string): Promise<void> {
  const bytes = await model.toBytes({ format: 'h5' });
  const again = await loadModel(bytes);
  expectClean(again, `${path} as .h5`);
  expectSameWeights(again, model, `${path} as .h5`);
  await expectSamePredictions(again, prediction, `${path} as .h5`);
  expect(Buffer.compare(await again.toBytes({ format: 'h5' }), bytes), `${path} as .h5: bytes`).toBe(0);
}

async function checkWeights(from: KerasModel, to: KerasModel, ending: string, path: string): Promise<void> {
  to.setWeights(to.getWeights().map(zerosLike));
  const place = { store: memoryStore(), key: `weights.${ending}` };
  await from.saveWeights(place);
  await to.loadWeights(place);
  expectSameWeights(to, from, `${path} as .${ending}`);
}

function zerosLike({ shape, dtype, data }: Tensor): Tensor {
  return new Tensor(shape, dtype, (data as Float32Array).slice().fill(0));
}

function expectClean({ loadReport }: KerasModel, what: string): void {
  const { missing, unexpected, mismatched, unknownKeys } = loadReport ?? {};
  expect([missing, unexpected, mismatched, unknownKeys], what).toEqual([[], [], [], []]);
}
