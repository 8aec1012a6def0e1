import { Dense, input, Model, Sequential, type Tensor } from 'hornet';
import { describe, expect, test } from 'vitest';
import { planImage } from './image-input.ts';
import { decodeCsv, readSamples } from './inputs.ts';
import { decodeLabels } from './labels.ts';

const text = (content: string): Uint8Array => new TextEncoder().encode(content);
const urlOf = (content: string): string => `https://example.invalid/${encodeURIComponent(content)}`;

/** Answers each address with its own name: a web of files that nobody has to write. */
function withAnswers<T>(run: () => Promise<T>): Promise<T> {
  const { fetch } = globalThis;
  globalThis.fetch = async (url) => new Response(decodeURIComponent(new URL(String(url)).pathname.slice(1)));
  return run().finally(() => {
    globalThis.fetch = fetch;
  });
}

describe('decodeCsv', () => {
  test('takes a header, semicolons and empty lines', () => {
    const { shape, data } = decodeCsv(text('a;b\r\n1;2\r\n\r\n-3e1;.5\r\n'), 'x.csv');
    expect([shape, [...data]]).toEqual([
      [2, 2],
      [1, 2, -30, 0.5],
    ]);
  });

  test('names the line that is no row of numbers', () => {
    expect(() => decodeCsv(text('1,2\n3,x\n'), 'x.csv')).toThrow(
      'Cannot read "x.csv": line 2 has "x", expected a number',
    );
    expect(() => decodeCsv(text('1,2\n3\n'), 'x.csv')).toThrow('line 2 has 1 cells, expected 2');
    expect(() => decodeCsv(text('a,b\n'), 'x.csv')).toThrow('it has no rows of numbers');
  });
});

describe('planImage', () => {
  const size = { width: 40, height: 30 };

  test.each([
    [[null, 224, 200, 3], [1, 224, 200, 3], false],
    [[null, null, null, 3], [1, 30, 40, 3], false],
    [[null, 3, 224, 200], [1, 3, 224, 200], true],
    [[null, 28, 28], [1, 28, 28], false],
    [[null, 784], [1, 784], false],
    [[null, 3072], [1, 3072], false],
  ] as const)('reads %j as the shape of an image', (shape, expected, isChannelsFirst) => {
    expect(planImage(shape, size)).toMatchObject({ shape: expected, isChannelsFirst });
  });

  test('refuses a shape that is not an image', () => {
    expect(() => planImage([null, 10, 4, 7], size)).toThrow('the model expects [null, 10, 4, 7]');
  });
});

test('decodeLabels() takes lists, records, pairs and lines', () => {
  expect(decodeLabels('["a", "b"]', 'l')).toEqual(['a', 'b']);
  expect(decodeLabels('{"1": "b", "0": "a"}', 'l')).toEqual(['a', 'b']);
  expect(decodeLabels('{"0": ["n01440764", "tench"]}', 'l')).toEqual(['tench']);
  expect(decodeLabels('a\r\nb', 'l')).toEqual(['a', 'b']);
  expect(() => decodeLabels('{"x": "b"}', 'l')).toThrow('"x" is no index of a class');
});

describe('readSamples', () => {
  const one = new Sequential({ layers: [new Dense({ units: 2 })] });
  const a = input({ shape: [2], name: 'a' });
  const b = input({ shape: [2], name: 'b' });
  const two = new Model({
    inputs: [a, b],
    outputs: [new Dense({ units: 1 }).apply(a), new Dense({ units: 1 }).apply(b)],
  });

  test('runs a model with one input on each file', async () => {
    one.ensureBuilt([[null, 3]]);
    const samples = await withAnswers(() => readSamples(one, [urlOf('[1, 2, 3]'), urlOf('4,5,6\n7,8,9')], undefined));
    expect(samples.map(({ inputs }) => (inputs as Tensor).shape)).toEqual([
      [1, 3],
      [2, 3],
    ]);
  });

  test('gives each input of a model its file, by name or in order', async () => {
    const read = async (words: string[]): Promise<unknown> => {
      const [sample] = await withAnswers(() => readSamples(two, words, undefined));
      return ((sample?.inputs ?? []) as Tensor[]).map((value) => [...value.data]);
    };
    const [first, second] = [urlOf('[1, 2]'), urlOf('[3, 4]')];
    const expected = [
      [1, 2],
      [3, 4],
    ];
    expect(await read([first, second])).toEqual(expected);
    expect(await read([`b=${second}`, `a=${first}`])).toEqual(expected);
    await expect(read([`a=${first}`, `a=${first}`])).rejects.toThrow('found 2 inputs, expected 2: a, b');
    await expect(read([first, second, second])).rejects.toThrow('found 3 inputs, expected 2: a, b');
  });
});
