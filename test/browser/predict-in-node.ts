/** Runs under Node, before the browser starts: what the browser has to equal. */
import { loadModel } from 'hornet';
import type { TestProject } from 'vitest/node';
import { bitsOf, digitPixels, MODEL } from './digits.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Bits of the probabilities that Node computes. */
    nodeBits: readonly number[];
  }
}

/** Hands the predictions of Node to the tests. */
export async function setup(project: TestProject): Promise<void> {
  const model = await loadModel(`.${MODEL}`);
  const output = await model.predict(digitPixels());
  project.provide('nodeBits', bitsOf(output.data as Float32Array));
}
