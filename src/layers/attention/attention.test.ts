import { describe, expect, test } from 'vitest';
import { input } from '../input-layer.ts';
import { Attention } from './attention.ts';
import { GroupQueryAttention } from './grouped-query-attention.ts';
import { MultiHeadAttention } from './multi-head-attention.ts';

describe('attention with heads', () => {
  const [query, value, key] = [input({ shape: [3, 8] }), input({ shape: [5, 8] }), input({ shape: [5, 6] })];

  test.each([
    ['MultiHeadAttention', () => new MultiHeadAttention({ numHeads: 2, keyDim: 4 })],
    ['GroupQueryAttention', () => new GroupQueryAttention({ headDim: 4, numQueryHeads: 2, numKeyValueHeads: 1 })],
  ])('%s takes its inputs in order or by name', (_, make) => {
    const layers = [make(), make(), make()];
    layers[0]?.apply([query, value, key]);
    layers[1]?.apply([query, value], { key });
    layers[2]?.apply([], { key, value, query });
    for (const layer of layers) {
      expect(layer.calls[0]?.inputs).toEqual([query, value, key]);
      expect(layer.output.shape).toEqual([null, 3, 8]);
      expect(layer.weights.map(({ shape }) => shape[0])).toEqual(layers[0]?.weights.map(({ shape }) => shape[0]));
    }
  });

  test('groups of heads must be even', () => {
    expect(() => new GroupQueryAttention({ headDim: 4, numQueryHeads: 3, numKeyValueHeads: 2 })).toThrow(
      /found 3 query heads and 2 heads of keys and values/,
    );
  });
});

describe('Attention', () => {
  test('needs a list of inputs', () => {
    expect(() => new Attention().apply(input({ shape: [3, 8] }))).toThrow(/found 1 inputs, expected \[query, value\]/);
  });
});
