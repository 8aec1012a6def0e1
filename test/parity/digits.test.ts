/** The model that the project ships, against what Keras says of it. */
import { readFileSync } from 'node:fs';
import { loadModel } from 'hornet';
import { expect, test } from 'vitest';
import { decodeImage } from '../../src/cli/image.ts';

interface Expected {
  readonly heldBack: number;
  readonly correct: number;
  readonly samples: readonly {
    readonly file: string;
    readonly label: number;
    readonly probabilities: readonly number[];
  }[];
}

const FOLDER = 'models/digits';
/** Probabilities are float32: what sums in another order may differ by this much. */
const TOLERANCE = 1e-5;

const readJson = (name: string): unknown => JSON.parse(readFileSync(`${FOLDER}/${name}`, 'utf8'));
const expected = readJson('expected.json') as Expected;
const model = await loadModel(`${FOLDER}/digits.keras`);

test.each(expected.samples)('$file has the probabilities that Keras gives', async ({ file, probabilities }) => {
  const { data } = await decodeImage(new Uint8Array(readFileSync(`${FOLDER}/${file}`)), file);
  const output = await model.predict(data);
  const error = Math.max(...probabilities.map((value, index) => Math.abs(value - (output.data[index] as number))));
  expect(error).toBeLessThanOrEqual(TOLERANCE);
});

test('as many of the images that were held back are read right as Keras reads', async () => {
  const { images, labels } = readJson('held-back.json') as { images: string; labels: string };
  const pixels = Float32Array.from(Buffer.from(images, 'base64'));
  const output = await model.predict(pixels);
  const [rows = 0, classes = 0] = output.shape;
  expect(rows).toBe(expected.heldBack);
  const answers = Array.from({ length: rows }, (_, row) => {
    const scores = (output.data as Float32Array).subarray(row * classes, (row + 1) * classes);
    return scores.indexOf(Math.max(...scores));
  });
  const correct = answers.filter((answer, row) => answer === Number(labels[row])).length;
  expect(correct).toBe(expected.correct);
  expect(correct / rows).toBeGreaterThanOrEqual(0.975);
});
