/** Real models with weights in fewer bytes, against what Keras and TensorFlow.js predict with all of them. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { compareWithAnswer } from '../../scripts/zoo/compare.ts';
import { findModels } from '../../scripts/zoo/find-models.ts';
import { readAnswers } from '../../scripts/zoo/read-answers.ts';
import { CustomObjectError, loadModel, readArtifacts, UnsupportedError, type WeightDtype } from '../../src/index.ts';

const MODELS = fileURLToPath(new URL('../../../shared/models', import.meta.url));

interface Found {
  readonly file: string;
  /** The greatest error, as a part of the greatest output. */
  readonly error: number;
  /** What the weights take, as a part of what float32 takes. */
  readonly share: number;
}

/** The errors of all models below the folder that have an answer and weights to compress. */
async function errorsOf(weightDtype: WeightDtype): Promise<Found[]> {
  const found: Found[] = [];
  for (const { path } of findModels([MODELS])) {
    try {
      const { topology, weights } = await readArtifacts(path);
      const [answer] = topology && weights ? await readAnswers(path) : [];
      if (answer === undefined || answer.outputs.some(({ dtype }) => dtype !== 'float32')) continue;
      const model = await loadModel(path, { numbersOf: answer.numbersOf, compile: false, weightDtype });
      const { weights: compressed = [], bytes = 0, float32Bytes = 0 } = model.weightCompression ?? {};
      if (compressed.length === 0) continue;
      const { maxError } = await compareWithAnswer(model, answer, { tolerance: 1, why: 'fewer bytes' });
      const outputs = answer.outputs.flatMap(({ tensor }) => Array.from(tensor.data as Float32Array, Math.abs));
      const greatest = outputs.reduce((most, value) => Math.max(most, value), 0);
      // One model divides 0 by 0, in Keras too.
      if (greatest > 0) found.push({ file: path, error: maxError / greatest, share: bytes / float32Bytes });
    } catch (error) {
      // What only its author can load, checkpoints and graph-models.
      if (!(error instanceof CustomObjectError || error instanceof UnsupportedError)) {
        expect(`${path}: ${error}`).toContain('index of a TensorFlow checkpoint');
      }
    }
  }
  return found;
}

const middle = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] as number;

describe.skipIf(!existsSync(MODELS))('the models of ../shared', () => {
  test.each([
    ['float16', 3e-4, 0.01, 0.53],
    ['int8', 6e-3, 0.1, 0.3],
  ] as const)('as %s predict nearly what they did', async (dtype, usual, rare, share) => {
    const found = await errorsOf(dtype);
    expect(found.length).toBeGreaterThan(50);
    expect(middle(found.map((each) => each.error))).toBeLessThan(usual);
    expect(middle(found.map((each) => each.share))).toBeLessThan(share);
    // Two decoders, a translator and a classifier of noise are off by more with integers.
    expect(found.filter(({ error }) => !(error < rare)).length).toBeLessThanOrEqual(dtype === 'int8' ? 4 : 0);
  });
});
