import { describe, expect, test } from 'vitest';
import { Tensor } from '../array/tensor.ts';
import { apply, applyAll, constant, input } from './apply.ts';
import type { Graph, SymbolicTensor } from './node.ts';
import { isRowWise } from './row-wise.ts';

const ROWS = 6;
const plain = { transposeLeft: false, transposeRight: false };
const fixed = (...shape: number[]): SymbolicTensor =>
  constant(new Tensor(shape, 'float32', new Float32Array(shape.reduce((size, extent) => size * extent, 1))));
const graphOf = (shape: readonly number[], compute: (x: SymbolicTensor) => SymbolicTensor): Graph => {
  const x = input('x', { shape: [ROWS, ...shape], dtype: 'float32' });
  return { inputs: [x], outputs: [compute(x)] };
};
const window = { strides: [1], dilation: [1], padding: [[1, 1]] } as const;

/** A loop over the steps of `[ROWS, 5, 4]`, from zeros, as recurrent layers make it. */
function loop(x: SymbolicTensor, state: SymbolicTensor): SymbolicTensor {
  const steps = apply('transpose', [x], { permutation: [1, 0, 2] });
  const [h, step, kernel] = [
    input('h', { shape: [ROWS, 4], dtype: 'float32' }),
    input('step', { shape: [ROWS, 4], dtype: 'float32' }),
    input('kernel', { shape: [4, 4], dtype: 'float32' }),
  ];
  const next = apply('tanh', [apply('add', [apply('dot', [h, kernel], plain), step], {})], {});
  const body: Graph = { inputs: [h, step, kernel], outputs: [next, next] };
  const attributes = { body, length: 5, carryCount: 1, sequenceCount: 1, reverse: false };
  const [, stacked] = applyAll('scan', [state, steps, fixed(4, 4)], attributes);
  return apply('transpose', [stacked as SymbolicTensor], { permutation: [1, 0, 2] });
}

describe('isRowWise', () => {
  test.each<[string, Graph]>([
    [
      'a dense layer',
      graphOf([4], (x) => {
        const bias = apply('broadcast', [fixed(1, 3)], { shape: [ROWS, 3] });
        return apply('add', [apply('dot', [x, fixed(4, 3)], plain), bias], {});
      }),
    ],
    [
      'a dense layer on steps, which are rows of one product',
      graphOf([5, 4], (x) => {
        const flat = apply('reshape', [x], { shape: [ROWS * 5, 4] });
        return apply('reshape', [apply('dot', [flat, fixed(4, 3)], plain)], { shape: [ROWS, 5, 3] });
      }),
    ],
    ['a convolution', graphOf([5, 4], (x) => apply('convolve', [x, fixed(3, 4, 2)], { ...window, groups: 1 }))],
    ['a product of each row with itself', graphOf([5, 5], (x) => apply('dot', [x, x], plain))],
    ['a mean over features', graphOf([5, 4], (x) => apply('sum', [x], { axes: [1, 2] }))],
    [
      'rows of a table by indices',
      graphOf([3], (x) => apply('gather', [fixed(9, 4), apply('cast', [x], { dtype: 'int32' })], { axis: 0 })),
    ],
    ['a loop from zeros', graphOf([5, 4], (x) => loop(x, apply('broadcast', [fixed(1, 4)], { shape: [ROWS, 4] })))],
  ])('sees that rows do not meet in %s', (_, graph) => {
    expect(isRowWise(graph)).toBe(true);
  });

  test.each<[string, Graph]>([
    [
      'a mean over the batch that is taken off',
      graphOf([4], (x) => {
        const sum = apply('reshape', [apply('sum', [x], { axes: [0] })], { shape: [1, 4] });
        return apply('subtract', [x, apply('broadcast', [sum], { shape: [ROWS, 4] })], {});
      }),
    ],
    ['a running sum over the batch', graphOf([4], (x) => apply('cumulativeSum', [x], { axis: 0, reverse: false }))],
    ['rows in another order', graphOf([4], (x) => apply('reverse', [x], { axes: [0] }))],
    ['every other row', graphOf([4], (x) => apply('slice', [x], { starts: [0, 0], stops: [6, 4], strides: [2, 1] }))],
    ['numbers for each place of the batch', graphOf([4], (x) => apply('add', [x, fixed(ROWS, 4)], {}))],
    [
      'products of rows with rows',
      graphOf([4], (x) => apply('dot', [x, x], { transposeLeft: false, transposeRight: true })),
    ],
    ['rows that lie along the last axis', graphOf([4], (x) => apply('transpose', [x], { permutation: [1, 0] }))],
    [
      'steps of all rows, mixed and cut anew',
      graphOf([5, 4], (x) => {
        const mixed = apply('transpose', [x], { permutation: [1, 0, 2] });
        return apply('reshape', [mixed], { shape: [ROWS, 5, 4] });
      }),
    ],
    [
      'a loop over the batch',
      graphOf([4], (x) => apply('gather', [x, apply('argMax', [x], { axis: 1 })], { axis: 0 })),
    ],
    ['a loop from a state for each place of the batch', graphOf([5, 4], (x) => loop(x, fixed(ROWS, 4)))],
  ])('sees that rows may meet in %s', (_, graph) => {
    expect(isRowWise(graph)).toBe(false);
  });

  test('is careful with a batch of one row, which any extent is a multiple of', () => {
    const x = input('x', { shape: [1, 4], dtype: 'float32' });
    expect(isRowWise({ inputs: [x], outputs: [apply('exp', [x], {})] })).toBe(false);
  });
});
