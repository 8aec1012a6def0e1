import { describe, expect, test } from 'vitest';
import { numericalGradient, randomNumbers, weightedSum } from '../../../test/support/numerical-gradient.ts';
import { type Shape, sizeOf } from '../../array/shape.ts';
import { Tensor } from '../../array/tensor.ts';
import { gradients } from '../../autodiff/gradients.ts';
import { evaluate } from '../../backends/reference/evaluate.ts';
import { input as symbol } from '../../graph/apply.ts';
import { RandomState } from '../../training/random-state.ts';
import { input } from '../input-layer.ts';
import type { Layer } from '../layer.ts';
import { AdditiveAttention, Attention } from './attention.ts';
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

/** What a layer makes of values in training, and what its weights would be without dropout. */
function trained(layer: Layer, values: readonly Tensor[], seed = 1, training = true): readonly Tensor[] {
  const symbols = values.map(({ shape }, index) => symbol(`x${index}`, { shape, dtype: 'float32' }));
  const outputs = layer.trace(
    symbols.map((each) => ({ tensor: each })),
    { training, random: new RandomState(seed).step().draw, kwargs: { returnAttentionScores: true } },
  );
  return evaluate({ inputs: symbols, outputs: outputs.map((output) => output.tensor) }, values);
}

function random(shape: Shape): Tensor {
  const numbers = randomNumbers(shape.length);
  return new Tensor(
    shape,
    'float32',
    Float32Array.from({ length: sizeOf(shape) }, () => numbers() - 0.5),
  );
}

describe.each([
  ['Attention', (options: Drops) => new Attention(options)],
  ['Attention with scores of sums', (options: Drops) => new Attention({ scoreMode: 'concat', ...options })],
  ['AdditiveAttention', (options: Drops) => new AdditiveAttention(options)],
  ['MultiHeadAttention', (options: Drops) => new MultiHeadAttention({ numHeads: 2, keyDim: 4, ...options })],
  [
    'GroupQueryAttention',
    (options: Drops) => new GroupQueryAttention({ headDim: 4, numQueryHeads: 4, numKeyValueHeads: 2, ...options }),
  ],
])('%s with dropout', (name, make) => {
  const inputs = [random([4, 30, 6]), random([4, 40, 6])];
  const hasHeads = name.includes('Query') || name.includes('Head');

  test('drops in training alone, by a pattern that key or seed decide', () => {
    const layer = make({ dropout: 0.4 });
    const [plain] = trained(layer, inputs, 1, false) as [Tensor];
    const [first] = trained(layer, inputs) as [Tensor];
    expect(first.data).not.toEqual(plain.data);
    expect(trained(layer, inputs)[0]?.data).toEqual(first.data);
    expect(trained(layer, inputs, 2)[0]?.data).not.toEqual(first.data);
    const seeded = make({ dropout: 0.4, seed: 5 });
    const [stream] = trained(seeded, inputs) as [Tensor];
    expect(trained(seeded, inputs, 2)[0]?.data).toEqual(stream.data);
  });

  test('drops a share of the weights and scales up the others', () => {
    const layer = make({ dropout: 0.4 });
    const plain = trained(layer, inputs, 1, false)[1]?.data as Float32Array;
    const dropped = trained(layer, inputs)[1]?.data as Float32Array;
    // With heads Keras gives the weights as they were before the dropout.
    if (hasHeads) expect(dropped).toEqual(plain);
    else {
      const zeros = dropped.filter((value) => value === 0).length;
      expect(Math.abs(zeros / dropped.length - 0.4)).toBeLessThan(4 * Math.sqrt(0.24 / dropped.length));
      for (const [index, value] of dropped.entries()) {
        if (value !== 0) expect(value).toBeCloseTo((plain[index] as number) / 0.6, 5);
      }
    }
  });

  test('has the gradients of finite differences', () => {
    const small = [random([1, 3, 4]), random([1, 4, 4])];
    const layer = make({ dropout: 0.4 });
    const symbols = small.map(({ shape }, index) => symbol(`x${index}`, { shape, dtype: 'float32' }));
    const options = { training: true, random: new RandomState(3).step().draw };
    const outputs = layer.trace(
      symbols.map((each) => ({ tensor: each })),
      options,
    );
    const loss = weightedSum(
      outputs.map((output) => output.tensor),
      randomNumbers(5),
    );
    const found = evaluate({ inputs: symbols, outputs: gradients(loss, symbols) }, small);
    for (const [index, { data }] of found.entries()) {
      const numerical = numericalGradient({ inputs: symbols, outputs: [loss] }, small, index);
      for (const [element, value] of numerical.entries()) expect(data[element]).toBeCloseTo(value, 3);
    }
  });
});

interface Drops {
  readonly dropout: number;
  readonly seed?: number;
}

describe('Attention', () => {
  test('needs a list of inputs', () => {
    expect(() => new Attention().apply(input({ shape: [3, 8] }))).toThrow(/found 1 inputs, expected \[query, value\]/);
  });
});
