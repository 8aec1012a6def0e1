import { describe, expect, test } from 'vitest';
import { type Tensor, tensor } from '../../array/tensor.ts';
import { evaluate } from '../../backends/reference/evaluate.ts';
import { FormatError, UnsupportedError } from '../../errors.ts';
import { input as symbol } from '../../graph/apply.ts';
import { input } from '../input-layer.ts';
import type { Layer } from '../layer.ts';
import { RandomFlip, RandomHeight, RandomWidth } from './augmentation.ts';
import { IntegerLookup } from './integer-lookup.ts';
import { RandomCrop } from './random-crop.ts';
import { StringLookup } from './string-lookup.ts';
import { TextVectorization } from './text-vectorization.ts';

function run(layer: Layer, value: Tensor): unknown {
  const x = symbol('x', { shape: value.shape, dtype: value.dtype });
  const outputs = layer.trace([{ tensor: x }], { training: false }).map((output) => output.tensor);
  return evaluate({ inputs: [x], outputs }, [value])[0]?.toArray();
}

const file = (text: string): ReadonlyMap<string, Uint8Array> =>
  new Map([['vocabulary.txt', new TextEncoder().encode(text)]]);

describe('loadAssets', () => {
  test('StringLookup reads its vocabulary, special tokens and lines of Windows included', () => {
    const layer = new StringLookup({ maskToken: '', vocabularySize: 4 });
    expect(layer.apply(input({ shape: [2], dtype: 'string' })).shape).toEqual([null, 2]);
    layer.loadAssets(file('\r\n[UNK]\r\nearth\r\nwind\r\n'));
    expect(layer.vocabulary).toEqual(['', '[UNK]', 'earth', 'wind']);
    expect(run(layer, tensor([['wind', 'sea', '', 'earth']]))).toEqual([[3, 1, 0, 2]]);
  });

  test('the size of an encoding is known before the vocabulary', () => {
    const layer = new StringLookup({ outputMode: 'multi_hot', vocabularySize: 3 });
    expect(layer.apply(input({ shape: [2], dtype: 'string' })).shape).toEqual([null, 3]);
    layer.loadAssets(file('[UNK]\na\nb'));
    expect(run(layer, tensor([['b', 'x']]))).toEqual([[1, 0, 1]]);
  });

  test('weights of tokens are read before them', () => {
    const layer = new TextVectorization({ outputMode: 'tf_idf', vocabularySize: 3 });
    layer.loadValues(new Map([['idf_weights', tensor([0.5, 2, 4])]]));
    layer.loadAssets(file('[UNK]\na\nb'));
    expect(run(layer, tensor(['A b a?', 'no']))).toEqual([
      [0, 4, 4],
      [0.5, 0, 0],
    ]);
  });

  test('IntegerLookup reads integers and refuses other lines', () => {
    const layer = new IntegerLookup({ vocabularySize: 3 });
    layer.loadAssets(file('-1\n42\n-7\n'));
    expect(run(layer, tensor(Int32Array.from([-7, 42, 1])))).toEqual([2, 1, 0]);
    expect(() => new IntegerLookup().loadAssets(file('-1\nforty'))).toThrow(FormatError);
  });

  test('a missing file is named, and a layer without a vocabulary does not run', () => {
    const layer = new StringLookup({ name: 'words' });
    expect(() => layer.loadAssets(new Map())).toThrow(
      /layer "words": found nothing, expected the asset vocabulary.txt/,
    );
    expect(() => run(layer, tensor(['a']))).toThrow(/it has no vocabulary/);
  });

  test('a vocabulary of the configuration stays', () => {
    const layer = new StringLookup({ vocabulary: ['a'] });
    layer.loadAssets(file('[UNK]\nb'));
    expect(layer.vocabulary).toEqual(['[UNK]', 'a']);
  });
});

describe('vocabularies', () => {
  test('without repetitions, and not beyond maxTokens', () => {
    expect(() => new StringLookup({ vocabulary: ['a', 'b', 'a'] })).toThrow(/found a token twice/);
    expect(() => new StringLookup({ vocabulary: ['a', 'b'], maxTokens: 2 })).toThrow(/expected at most 2/);
  });

  test('an unknown token is refused when there is no index for such', () => {
    const layer = new IntegerLookup({ vocabulary: [5], numOovIndices: 0 });
    expect(run(layer, tensor(Int32Array.from([5])))).toEqual([0]);
    expect(() => run(layer, tensor(Int32Array.from([6])))).toThrow(/found 6, which the vocabulary has not/);
  });

  test('integers of more than 32 bits are refused', () => {
    expect(() => new IntegerLookup({ vocabulary: [2 ** 31] })).toThrow(UnsupportedError);
  });
});

describe('TextVectorization', () => {
  test('takes functions of the user', () => {
    const layer = new TextVectorization({
      vocabulary: ['x', 'y'],
      standardize: (text) => text.toLowerCase(),
      split: (text) => text.split('-'),
      outputSequenceLength: 3,
    });
    expect(run(layer, tensor(['Y-X']))).toEqual([[3, 2, 0]]);
  });

  test('needs a length for indices', () => {
    const layer = new TextVectorization({ vocabulary: ['x'] });
    expect(() => layer.apply(input({ shape: [], dtype: 'string' }))).toThrow(/give an outputSequenceLength/);
  });
});

describe('augmentation', () => {
  const image = tensor(
    Float32Array.from({ length: 16 }, (_, index) => index),
    [1, 4, 4, 1],
  );

  test('of Keras 2 gives images back too', () => {
    for (const layer of [new RandomHeight({ factor: 0.3 }), new RandomWidth({ factor: [0.1, 0.2] })]) {
      expect(run(layer, image)).toEqual(image.toArray());
    }
  });

  test('a strength without a default must be given', () => {
    expect(() => new RandomHeight()).toThrow(/option "factor" is missing/);
  });

  test('refuses to train', () => {
    const x = symbol('x', { shape: image.shape, dtype: 'float32' });
    expect(() => new RandomFlip().trace([{ tensor: x }], { training: true })).toThrow(UnsupportedError);
  });

  test('RandomCrop of Keras 2 cuts out the middle and resizes it at inference', () => {
    const layer = new RandomCrop({ height: 2, width: 1, resizeAtInference: true });
    expect(layer.apply(input({ shape: [4, 4, 1] })).shape).toEqual([null, 2, 1, 1]);
    // The middle two columns, halved in both directions.
    expect(run(layer, image)).toEqual([[[[3.5]], [[11.5]]]]);
  });
});
