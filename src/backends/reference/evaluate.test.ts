import { expect, test } from 'vitest';
import { type Tensor, tensor } from '../../array/tensor.ts';
import { apply, input } from '../../graph/apply.ts';
import { evaluate } from './evaluate.ts';
import { referenceBackend } from './reference-backend.ts';

const vector = (...values: number[]): Tensor => tensor(values);

test('evaluate() refuses inputs of another number, shape or dtype', () => {
  const x = input('x', { shape: [2], dtype: 'float32' });
  const graph = { inputs: [x], outputs: [apply('exp', [x], {})] };
  expect(() => evaluate(graph, [])).toThrow('found 0 inputs, expected 1');
  expect(() => evaluate(graph, [vector(1)])).toThrow('input 0 is float32[1], expected float32[2]');
  expect(() => evaluate(graph, [tensor([1, 2], undefined, 'int32')])).toThrow('input 0 is int32[2]');
});

test('evaluate() names an input that the graph does not declare', () => {
  const x = input('age', { shape: [], dtype: 'float32' });
  expect(() => evaluate({ inputs: [], outputs: [x] }, [])).toThrow('reads input "age"');
});

test('evaluate() gives outputs that share no memory', () => {
  const x = input('x', { shape: [2], dtype: 'float32' });
  const y = apply('exp', [x], {});
  const flat = apply('reshape', [y], { shape: [2, 1] });
  const given = vector(0, 0);
  const outputs = evaluate({ inputs: [x], outputs: [x, y, flat, y] }, [given]);
  expect(new Set([given, ...outputs].map((output) => output.data)).size).toBe(5);
});

test('evaluate() walks a graph that is thousands of nodes deep', () => {
  const x = input('x', { shape: [1], dtype: 'float32' });
  let y = x;
  for (let depth = 0; depth < 20_000; depth++) y = apply('add', [y, x], {});
  expect(evaluate({ inputs: [x], outputs: [y] }, [vector(1)])[0]?.data[0]).toBe(20_001);
});

test('evaluate() computes a convolution of a whole image in seconds', () => {
  const x = input('x', { shape: [1, 56, 56, 16], dtype: 'float32' });
  const kernel = input('kernel', { shape: [3, 3, 16, 16], dtype: 'float32' });
  const same = [1, 1] as const;
  const y = apply('convolve', [x, kernel], { strides: [1, 1], padding: [same, same], dilation: [1, 1], groups: 1 });
  const ones = (count: number, shape: readonly number[]): Tensor => tensor(new Float32Array(count).fill(1), shape);
  const [output] = evaluate({ inputs: [x, kernel], outputs: [y] }, [
    ones(56 * 56 * 16, [1, 56, 56, 16]),
    ones(9 * 256, [3, 3, 16, 16]),
  ]);
  expect(output?.data[0]).toBe(4 * 16);
  expect(output?.data[57 * 16]).toBe(9 * 16);
});

test('referenceBackend() runs a program many times', async () => {
  const x = input('x', { shape: [1], dtype: 'float32' });
  const program = await referenceBackend().compile({ inputs: [x], outputs: [apply('negate', [x], {})] });
  expect((await program.run([vector(1)]))[0]?.data[0]).toBe(-1);
  expect((await program.run([vector(2)]))[0]?.data[0]).toBe(-2);
});
