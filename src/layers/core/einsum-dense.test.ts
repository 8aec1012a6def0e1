import { expect, test } from 'vitest';
import { input as kerasInput } from '../input-layer.ts';
import { EinsumDense } from './einsum-dense.ts';

test('EinsumDense keeps unknown extents unknown', () => {
  const layer = new EinsumDense({ equation: 'abc,cde->abde', outputShape: [null, 2, 3], biasAxes: 'de' });
  expect(layer.apply(kerasInput({ shape: [null, 4] })).shape).toEqual([null, null, 2, 3]);
  expect(layer.weights.map(({ shape }) => shape)).toEqual([
    [4, 2, 3],
    [2, 3],
  ]);
});

test.each([
  ['ab,bc', 'found the equation "ab,bc"'],
  ['...ab,bc->ac', 'found the equation "...ab,bc->ac"'],
  ['ab,bc->adc', 'found "d" only behind the arrow'],
  ['ac,bc->ab', 'do not fit the equation'],
])('EinsumDense refuses the equation %s', (equation, message) => {
  const layer = new EinsumDense({ equation, outputShape: [null, 5] });
  expect(() => layer.apply(kerasInput({ shape: [4] }))).toThrow(message);
});

test('EinsumDense refuses bias axes that the output has not', () => {
  const layer = new EinsumDense({ equation: 'ab,bc->ac', outputShape: 3, biasAxes: 'b' });
  expect(() => layer.apply(kerasInput({ shape: [4] }))).toThrow('expected letters of the output "ac"');
});
