/** Every model of the folder of real models beside the repository: read, written as TensorFlow.js does, and read again. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { findModels } from '../../scripts/zoo/find-models.ts';
import { type KerasModel, loadModel, memoryStore, UnsupportedError } from '../../src/index.ts';
import { encodeModel } from '../../src/serialization/encode-model.ts';
import { expectSamePredictions, expectSameWeights, predictionOf } from './same-predictions.ts';
import { Tally } from './tally.ts';

const SHARED = fileURLToPath(new URL('../../../shared', import.meta.url));

/** Every so many models are predicted with; all of them, before and after, take minutes. */
const STEP = ['', '0', 'false'].includes(process.env.INTEROP_ALL ?? '') ? 8 : 1;

/** What is saved in the words of neither Keras 2 nor Keras 3. */
const CANNOT_BE_SAVED = /a function of TensorFlow/;

describe.skipIf(!existsSync(SHARED))('the models of ../shared', () => {
  test('are the same to the bit after a round trip through model.json', async () => {
    const tally = new Tally('Hornet', 'model.json');
    const counts = { loaded: 0, same: 0, refused: 0 };
    for (const { path } of findModels([`${SHARED}/fixtures`, `${SHARED}/models`])) {
      const model = await loadModel(path).catch(() => undefined);
      if (model === undefined) continue;
      counts.loaded++;
      try {
        const isPredicted = await checkRoundTrip(model, path, counts.loaded % STEP === 0);
        counts.same++;
        tally.count('models', true);
        tally.count('loaded', true);
        if (isPredicted) tally.count('equal', true);
        else tally.note('not predicted with: not in the sample');
      } catch (error) {
        if (!(error instanceof UnsupportedError)) throw error;
        expect(error.message, path).toMatch(CANNOT_BE_SAVED);
        counts.refused++;
      }
    }
    tally.write();
    console.table([counts]);
    expect(counts.same).toBeGreaterThan(800);
    expect(counts.refused).toBeLessThanOrEqual(6);
  }, 1_800_000);
});

/** Whether predictions were compared, too. */
async function checkRoundTrip(model: KerasModel, path: string, isAsked: boolean): Promise<boolean> {
  const store = memoryStore();
  await model.save({ store, key: 'model.json' });
  const again = await loadModel({ store, key: 'model.json' });
  const { missing, unexpected, mismatched, unknownKeys } = again.loadReport ?? {};
  expect([missing, unexpected, mismatched, unknownKeys], path).toEqual([[], [], [], []]);
  expectSameWeights(again, model, path);
  expect(await configurationOf(again), path).toBe(await configurationOf(model));
  const prediction = isAsked ? await predictionOf(model) : undefined;
  await expectSamePredictions(again, prediction, path);
  return prediction !== undefined;
}

/**
 * The configuration as `.keras` has it, vocabularies told, since there is no other place for them here. A penalty on
 * absolute values or on squares comes back as one on both with nothing for the other, which is all that TensorFlow.js has.
 */
async function configurationOf(model: KerasModel): Promise<string> {
  const { topology } = await encodeModel(model, { inlineAssets: true });
  return JSON.stringify(topology, (_, value: { class_name?: string; config?: { l1?: number; l2?: number } } | null) => {
    const name = value?.class_name;
    if (!/^L(?:1|2|1L2)$/.test(name ?? '')) return value;
    const { l1 = name === 'L1' ? 0.01 : 0, l2 = name === 'L2' ? 0.01 : 0 } = value?.config ?? {};
    return { l1, l2 };
  });
}
