/** Every model of the folder of real models beside the repository: read, written as `.keras`, and read again. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { findModels } from '../../scripts/zoo/find-models.ts';
import { type KerasModel, loadModel, type Tensor, UnsupportedError } from '../../src/index.ts';
import { encodeModel } from '../../src/serialization/encode-model.ts';

const SHARED = fileURLToPath(new URL('../../../shared', import.meta.url));

/** What Keras 3 has no form for; everything else that loads is saved. */
const CANNOT_BE_SAVED = /a function of TensorFlow/;

describe.skipIf(!existsSync(SHARED))('the models of ../shared', () => {
  test('are the same to the bit after a round trip', async () => {
    const counts = { loaded: 0, same: 0, refused: 0 };
    for (const { path } of findModels([`${SHARED}/fixtures`, `${SHARED}/models`])) {
      const model = await loadModel(path).catch(() => undefined);
      if (model === undefined) continue;
      counts.loaded++;
      try {
        await checkRoundTrip(model, path);
        counts.same++;
      } catch (error) {
        if (!(error instanceof UnsupportedError)) throw error;
        expect(error.message, path).toMatch(CANNOT_BE_SAVED);
        counts.refused++;
      }
    }
    console.log(`${counts.same} of ${counts.loaded} models that load are the same; ${counts.refused} cannot be saved`);
    expect(counts.same).toBeGreaterThan(800);
    expect(counts.refused).toBeLessThanOrEqual(6);
  });
});

async function checkRoundTrip(model: KerasModel, path: string): Promise<void> {
  const bytes = await model.toBytes();
  const again = await loadModel(bytes);
  const { missing, unexpected, mismatched, unknownKeys } = again.loadReport ?? {};
  expect([missing, unexpected, mismatched, unknownKeys], path).toEqual([[], [], [], []]);
  const [before, after] = [model.getWeights(), again.getWeights()];
  expect(after.length, path).toBe(before.length);
  for (const [index, value] of before.entries()) {
    expect(Buffer.compare(bytesOf(value), bytesOf(after[index] as Tensor)), `${path}: weight ${index}`).toBe(0);
  }
  const [first, second] = [(await encodeModel(model)).topology, (await encodeModel(again)).topology];
  expect(JSON.stringify(second), path).toBe(JSON.stringify(first));
  expect(Buffer.compare(await again.toBytes(), bytes), `${path}: bytes`).toBe(0);
}

function bytesOf({ data }: Tensor): Buffer {
  const { buffer, byteOffset, byteLength } = data as Float32Array;
  return Buffer.from(buffer, byteOffset, byteLength);
}
