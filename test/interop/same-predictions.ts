/** Whether a model predicts the same after a round trip, to the bit. */
import { expect } from 'vitest';
import { BackendError, type KerasModel, type PredictOutputs, ShapeError, type Tensor } from '../../src/index.ts';
import { inputsOf, predictSeeded, type SeededPrediction, tensorsOf } from '../../src/io/seeded-inputs.ts';

/** Larger inputs are volumes of scanners, whose programs take gigabytes. */
const MAX_INPUTS = 600_000;

/** What a model predicts on seeded inputs; `undefined` for one whose inputs are too large, or that takes none of them. */
export async function predictionOf(model: KerasModel): Promise<SeededPrediction | undefined> {
  const sizes = model.inputs.map(({ shape }) => shape.reduce<number>((product, extent) => product * (extent ?? 2), 1));
  if (Math.max(...sizes) > MAX_INPUTS) return undefined;
  try {
    return await predictSeeded(model);
  } catch (error) {
    if (error instanceof ShapeError || error instanceof BackendError) return undefined;
    throw error;
  }
}

export async function expectSamePredictions(
  model: KerasModel,
  prediction: SeededPrediction | undefined,
  what: string,
): Promise<void> {
  if (prediction === undefined) return;
  const found = tensorsOf(await model.predict<PredictOutputs>(inputsOf(model, prediction.inputs)));
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
