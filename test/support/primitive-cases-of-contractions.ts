/** Products, convolutions and pools of many shapes. */
import type { Shape } from '../../src/array/shape.ts';
import type { Tensor } from '../../src/array/tensor.ts';
import { evaluate } from '../../src/backends/reference/evaluate.ts';
import { applyAll, input } from '../../src/graph/apply.ts';
import type { ContractAttributes, PoolAttributes, PoolingAttributes } from '../../src/graph/primitives.ts';
import { shapeRules } from '../../src/graph/shape-rules.ts';
import { type PrimitiveCases, random, spec, values } from './primitive-case.ts';

interface Window {
  readonly x: Shape;
  readonly window: readonly number[];
  readonly strides: readonly number[];
  readonly padding: readonly (readonly [number, number])[];
  readonly dilation: readonly number[];
}

const WINDOWS: readonly Window[] = [
  { x: [2, 9, 3], window: [3], strides: [1], padding: [[1, 1]], dilation: [1] },
  { x: [1, 9, 5], window: [3], strides: [2], padding: [[0, 0]], dilation: [2] },
  {
    x: [2, 7, 6, 4],
    window: [3, 3],
    strides: [1, 1],
    padding: [
      [1, 1],
      [1, 1],
    ],
    dilation: [1, 1],
  },
  {
    x: [1, 8, 9, 3],
    window: [2, 3],
    strides: [2, 2],
    padding: [
      [0, 1],
      [1, 0],
    ],
    dilation: [1, 1],
  },
  {
    x: [1, 5, 5, 9],
    window: [1, 1],
    strides: [1, 1],
    padding: [
      [0, 0],
      [0, 0],
    ],
    dilation: [1, 1],
  },
  {
    x: [1, 4, 5, 4, 3],
    window: [2, 3, 2],
    strides: [1, 2, 1],
    padding: [
      [0, 1],
      [1, 1],
      [0, 0],
    ],
    dilation: [1, 1, 1],
  },
  {
    x: [0, 5, 5, 2],
    window: [3, 3],
    strides: [1, 1],
    padding: [
      [1, 1],
      [1, 1],
    ],
    dilation: [1, 1],
  },
];

const CONVOLUTIONS = WINDOWS.flatMap(({ x, window, strides, padding, dilation }) => {
  const channels = x.at(-1) as number;
  return [1, channels].flatMap((groups) =>
    [channels, 2 * channels].map((filters) => {
      const kernel = [...window, channels / groups, filters];
      const attributes = { strides, padding, dilation, groups };
      const y = shapeRules.convolve([spec(x), spec(kernel)], attributes)[0]?.shape as Shape;
      return { x, kernel, y, attributes };
    }),
  );
});

const POOLS = WINDOWS.map(({ x, window, strides, padding, dilation }) => {
  const attributes: PoolAttributes = { window, strides, padding, dilation };
  return { x, attributes, y: shapeRules.maxPool([spec(x)], attributes)[0]?.shape as Shape };
});

export const CONTRACTION_CASES: PrimitiveCases<keyof ContractAttributes | keyof PoolingAttributes> = {
  dot: [false, true].flatMap((transposeLeft) =>
    [false, true].flatMap((transposeRight) =>
      (
        [
          [[], 1, 1, 1],
          [[], 5, 7, 9],
          [[], 33, 20, 19],
          [[2, 3], 4, 5, 6],
          [[], 0, 3, 4],
          [[], 3, 0, 4],
        ] as [Shape, number, number, number][]
      ).flatMap(([batch, m, k, n]) =>
        [[], [1]].map((constants) => ({
          attributes: { transposeLeft, transposeRight },
          inputs: [
            values([...batch, ...(transposeLeft ? [k, m] : [m, k])], 'float32', 'plain'),
            values([...batch, ...(transposeRight ? [n, k] : [k, n])], 'float32', 'plain'),
          ],
          constants,
        })),
      ),
    ),
  ),
  convolve: CONVOLUTIONS.flatMap(({ x, kernel, attributes }) =>
    [[], [1]].map((constants) => ({
      attributes,
      inputs: [values(x, 'float32', 'plain'), values(kernel, 'float32', 'plain')],
      constants,
    })),
  ),
  convolveInputGradient: CONVOLUTIONS.flatMap(({ x, kernel, y, attributes }) =>
    [[], [1]].map((constants) => ({
      attributes: { ...attributes, inputShape: x },
      inputs: [values(y, 'float32', 'plain'), values(kernel, 'float32', 'plain')],
      constants,
    })),
  ),
  convolveFilterGradient: CONVOLUTIONS.map(({ x, kernel, y, attributes }) => ({
    attributes: { ...attributes, kernelShape: kernel },
    inputs: [values(x, 'float32', 'plain'), values(y, 'float32', 'plain')],
  })),
  maxPool: POOLS.flatMap(({ x, attributes }) => [
    { attributes, inputs: [values(x, 'float32', 'special')] },
    { attributes, inputs: [values(x, 'float32', () => -1 - random())] },
  ]),
  averagePool: POOLS.map(({ x, attributes }) => ({ attributes, inputs: [values(x, 'float32', 'plain')] })),
  maxPoolGradient: POOLS.flatMap(({ x, y, attributes }) =>
    // Few different values: ties must go to the first.
    [() => Math.floor(random() * 3) - 5, () => random()].map((element) => {
      const operand = values(x, 'float32', element);
      const node = input('x', spec(x));
      const pooled = applyAll('maxPool', [node], attributes);
      const [result] = evaluate({ inputs: [node], outputs: pooled }, [operand]);
      return { attributes, inputs: [operand, result as Tensor, values(y, 'float32', 'plain')] };
    }),
  ),
  averagePoolGradient: POOLS.map(({ x, y, attributes }) => ({
    attributes: { ...attributes, inputShape: x },
    inputs: [values(y, 'float32', 'plain')],
  })),
};
