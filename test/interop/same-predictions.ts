/** Whether a model predicts the same after a round trip, to the bit. */
import { expect } from 'vitest';
import type { KerasModel, PredictOutputs, Tensor } from '../../src/index.ts';
import { predictSeeded, type SeededPrediction, tensorsOf } from '../../src/io/seeded-inputs.ts';
import { withSmallInputs } from './small-inputs.ts';

/** What a model predicts on seeded inputs. */
export async function predictionOf(model: KerasModel): Promise<SeededPrediction> {
  return predictSeeded(await withSmallInputs(model));
}

export async function expectSamePredictions(
  model: KerasModel,
  prediction: SeededPrediction | undefined,
  what: string,
): Promise<void> {
  if (prediction === undefined) return;
  const asked = await withSmallInputs(model);
  const found = tensorsOf(await asked.predict<PredictOutputs>(prediction.inputs));
  expect(found.length, `${what}: outputs`).toBe(prediction.outputs.length);
  for (const [index, expected] of prediction.outputs.entries()) {
    const { shape, dtype } = found[index] as Tensor;
    expect([shape, dtype], `${what}: output ${index}`).toEqual([expected.shape, expected.dtype]);
    expect(bitsOf(found[index] as Tensor).equals(bitsOf(expected)), `${what}: output ${index}`).toBe(true);
  }
}

/** The bytes of a tensor; of strings those of the list. */
export function bitsOf({ data, dtype }: Tensor): Buffer {
  if (dtype === 'string') return Buffer.from(JSON.stringify(data));
  const { buffer, byteOffset, byteLength } = data as Float32Array;
  return Buffer.from(buffer, byteOffset, byteLength);
}

export function expectSameWeights(found: KerasModel, expected: KerasModel, what: string): void {
  const [before, after] = [expected.getWeights(), found.getWeights()];
  expect(after.length, what).toBe(before.length);
  for (const [index, value] of before.entries()) {
    expect(Buffer.compare(bitsOf(value), bitsOf(after[index] as Tensor)), `${what}: weight ${index}`).toBe(0);
  }
}
