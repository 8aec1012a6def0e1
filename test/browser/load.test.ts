/** The same loader in a page: from a URL, from a Blob, from a file that a user picks. */
import { type KerasModel, loadModel } from 'hornet';
import { expect, inject, test } from 'vitest';
import { userEvent } from 'vitest/browser';
import { bitsOf, digitPixels, MODEL } from './digits.ts';

async function predictedBits(model: KerasModel): Promise<number[]> {
  const output = await model.predict(digitPixels());
  return bitsOf(output.data as Float32Array);
}

test('loadModel() from a URL predicts what Node predicts, to the bit', async () => {
  const fractions: number[] = [];
  const model = await loadModel(MODEL, { onProgress: (fraction) => fractions.push(fraction) });
  expect(await predictedBits(model)).toEqual(inject('nodeBits'));
  expect(fractions.at(-1)).toBe(1);
  expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
});

test('loadModel() from a Blob predicts what Node predicts, to the bit', async () => {
  const blob = await (await fetch(MODEL)).blob();
  expect(await predictedBits(await loadModel(blob))).toEqual(inject('nodeBits'));
});

test('loadModel() from a file input predicts what Node predicts, to the bit', async () => {
  const input = document.createElement('input');
  input.type = 'file';
  document.body.append(input);
  await userEvent.upload(input, MODEL.slice(1));
  const files = input.files as FileList;
  expect(files).toHaveLength(1);
  expect(await predictedBits(await loadModel(files))).toEqual(inject('nodeBits'));
});

test('loadModel() refuses a page where a model should be', async () => {
  await expect(loadModel('/package-that-is-not-there/')).rejects.toThrow(/HTML page|404/);
});
