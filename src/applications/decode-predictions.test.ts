import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { applicationFixture } from '../../test/support/application-case.ts';
import { Tensor, tensor } from '../array/tensor.ts';
import { FormatError } from '../errors.ts';
import { readLabels } from './class-labels.ts';
import { decodePredictions } from './decode-predictions.ts';

interface Decoded {
  /** Times 4096. */
  readonly scores: readonly number[];
  readonly top: number;
  readonly decoded: readonly (readonly (readonly [string, string, number])[])[];
}

const classIndex = Object.fromEntries(
  Array.from({ length: 1000 }, (_, index) => [index, [`n${String(index).padStart(8, '0')}`, `class_${index}`]]),
);

describe('decodePredictions()', () => {
  test('gives what Keras gives', async () => {
    const fixture = JSON.parse(readFileSync(applicationFixture('predictions.json'), 'utf8')) as Decoded;
    const labels = await readLabels(file(JSON.stringify(classIndex)));
    const predictions = new Tensor(
      [3, 1000],
      'float32',
      Float32Array.from(fixture.scores, (score) => score / 4096),
    );
    const decoded = decodePredictions(predictions, { labels, top: fixture.top });
    const found = decoded.map((sample) =>
      sample.map(({ className, classDescription, score }) => [className, classDescription, score]),
    );
    expect(found).toEqual(fixture.decoded);
    expect(decoded[0]?.every(({ index, className }) => className === labels[index]?.className)).toBe(true);
  });

  test('gives five unless told otherwise, and no more than there are', () => {
    const scores = tensor([[0, 6, 1, 5, 2, 4]]);
    const labels = [...'abcdef'];
    const names = (top?: number): string | undefined =>
      decodePredictions(scores, { labels, ...(top === undefined ? {} : { top }) })[0]
        ?.map(({ className }) => className)
        .join('');
    expect(names()).toBe('bdfec');
    expect(names(9)).toBe('bdfeca');
  });

  test('puts the first of equal scores first, and what is no number before all', () => {
    const [sample] = decodePredictions(tensor([[1, Number.NaN, 1, 2]]), { labels: [...'abcd'] });
    expect(sample?.map(({ className }) => className).join('')).toBe('bdac');
  });

  test('refuses labels of another number, and tops that count nothing', () => {
    const scores = tensor([[1, 2]]);
    expect(() => decodePredictions(scores, { labels: ['a'] })).toThrow(
      'Cannot decode predictions: found float32[1, 2], expected numbers of shape [samples, 1], as there are 1 labels',
    );
    expect(() => decodePredictions(scores, { labels: ['a', 'b'], top: 0 })).toThrow(RangeError);
  });
});

describe('readLabels()', () => {
  test('reads lists, objects and lines', async () => {
    const expected = [
      { className: 'cat', classDescription: 'cat' },
      { className: 'dog', classDescription: 'dog' },
    ];
    expect(await readLabels(file('cat\r\ndog\r\n'))).toEqual(expected);
    expect(await readLabels(file('["cat", "dog"]'))).toEqual(expected);
    expect(await readLabels(file('{"1": "dog", "0": "cat"}'))).toEqual(expected);
    expect(await readLabels(file('\uFEFF[["n1", "cat"]]'))).toEqual([{ className: 'n1', classDescription: 'cat' }]);
  });

  test.each([
    ['nothing', '', 'no label'],
    ['damaged JSON', '["cat"', 'damaged JSON'],
    ['a number that is left out', '{"0": "cat", "2": "dog"}', 'no label 1'],
    ['a label of another form', '[["cat"]]', '["cat"] as label 0'],
    ['an empty line in between', 'cat\n\ndog\n', 'an empty line 2'],
    ['a page of HTML', '<!DOCTYPE html>\n<p>404</p>', 'a page of HTML'],
  ])('refuses %s', async (_, text, found) => {
    const reading = readLabels(file(text));
    await expect(reading).rejects.toThrow(FormatError);
    await expect(reading).rejects.toThrow(`found ${found}, expected`);
  });

  test('refuses a file that is too large, and a source that is no file', async () => {
    await expect(readLabels(new Uint8Array((16 << 20) + 1))).rejects.toThrow(/expected no more than 16777216/);
    await expect(readLabels({ load: async () => ({}) })).rejects.toThrow(TypeError);
  });
});

function file(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
