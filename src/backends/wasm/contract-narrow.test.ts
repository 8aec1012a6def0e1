import { describe, expect, test } from 'vitest';
import { NarrowArray, type WeightDtype } from '../../array/narrow-array.ts';
import { type Shape, sizeOf } from '../../array/shape.ts';
import { Tensor } from '../../array/tensor.ts';
import { apply, input, parameter } from '../../graph/apply.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import type { ConvolveAttributes } from '../../graph/primitives.ts';
import { Variable } from '../../graph/variable.ts';
import { evaluate } from '../reference/evaluate.ts';
import { wasmBackend } from './wasm-backend.ts';

function draws(shape: Shape, seed: number): Tensor<'float32'> {
  const data = Float32Array.from({ length: sizeOf(shape) }, (_, index) => Math.sin(index * 12.9898 + seed) * 3);
  return new Tensor(shape, 'float32', data);
}

/** A weight in a narrow form, and one with the floats that it stands for. */
function pairOf(shape: Shape, dtype: WeightDtype, count: number, inner = 1): [narrow: Variable, wide: Variable] {
  const make = (): Variable => new Variable({ name: 'kernel', shape, initialize: () => draws(shape, 7) });
  const [narrow, wide] = [make(), make()];
  narrow.assignNarrow(NarrowArray.of(draws(shape, 3).data, dtype, { count, inner }) as NarrowArray);
  wide.assign(narrow.value);
  return [narrow, wide];
}

interface Case {
  readonly x: Shape;
  readonly kernel: Shape;
  /** Of the channels; along the last axis unless given. */
  readonly inner?: number;
  readonly count?: number;
  readonly apply: (x: SymbolicTensor, kernel: SymbolicTensor) => SymbolicTensor;
  /** Whether floats are computed otherwise: by Winograd's algorithm, or with the scaling at the end. */
  readonly isRounded?: boolean;
}

const dot =
  (transposeRight = false, transposeLeft = false) =>
  (x: SymbolicTensor, kernel: SymbolicTensor): SymbolicTensor =>
    apply('dot', [x, kernel], { transposeLeft, transposeRight });

const convolve =
  (given: Partial<ConvolveAttributes> = {}) =>
  (x: SymbolicTensor, kernel: SymbolicTensor): SymbolicTensor => {
    const padding = [
      [1, 1],
      [0, 1],
    ] as const;
    const attributes = { strides: [1, 1], padding, dilation: [1, 1], groups: 1, ...given };
    return apply('convolve', [x, kernel], attributes);
  };

const transposed = (x: SymbolicTensor, kernel: SymbolicTensor): SymbolicTensor =>
  apply('convolveInputGradient', [x, kernel], {
    strides: [2, 2],
    padding: [
      [0, 1],
      [0, 1],
    ],
    dilation: [1, 1],
    groups: 1,
    inputShape: [2, 10, 8, kernel.shape[2] as number],
  });

const CASES: Readonly<Record<string, Case>> = {
  'a row': { x: [1, 23], kernel: [23, 13], apply: dot(), isRounded: true },
  'a deep row': { x: [1, 2500], kernel: [2500, 20], apply: dot(), isRounded: true },
  'a row of many columns': { x: [1, 70], kernel: [70, 100], apply: dot(), isRounded: true },
  'a whole panel': { x: [5, 4], kernel: [4, 8], apply: dot() },
  'three rows': { x: [3, 37], kernel: [37, 5], apply: dot() },
  'many rows': { x: [83, 19], kernel: [19, 50], apply: dot() },
  'columns that are shared out': { x: [7, 40], kernel: [40, 100], apply: dot() },
  'a deep product': { x: [5, 3000], kernel: [3000, 21], apply: dot() },
  'a transposed left': { x: [300, 9], kernel: [300, 20], apply: dot(false, true) },
  'rows as columns': { x: [4, 24], kernel: [30, 24], count: 30, inner: 24, apply: dot(true) },
  'several matrices': { x: [3, 4, 9], kernel: [3, 9, 18], apply: dot() },
  'an image': { x: [2, 9, 7, 5], kernel: [3, 2, 5, 11], apply: convolve() },
  'an image with strides': { x: [1, 9, 8, 4], kernel: [3, 2, 4, 20], apply: convolve({ strides: [2, 2] }) },
  groups: { x: [1, 6, 6, 6], kernel: [3, 2, 2, 27], apply: convolve({ groups: 3 }) },
  pixels: {
    x: [1, 9, 9, 12],
    kernel: [1, 1, 12, 20],
    apply: convolve({
      padding: [
        [0, 0],
        [0, 0],
      ],
    }),
  },
  'a few large lines': { x: [1, 3, 3, 256], kernel: [3, 3, 256, 160], apply: convolve() },
  'a window for Winograd': { x: [1, 16, 16, 16], kernel: [3, 3, 16, 24], apply: convolve(), isRounded: true },
  'a transposed convolution': {
    x: [2, 5, 4, 7],
    kernel: [3, 3, 9, 7],
    count: 9,
    inner: 7,
    apply: transposed,
    isRounded: true,
  },
};

describe.each(['int8', 'float16'] as const)('weights kept as %s', (dtype) => {
  describe.each(Object.entries(CASES))('%s', (_, { x, kernel, count, inner, apply: contract, isRounded }) => {
    const [narrow, wide] = pairOf(kernel, dtype, count ?? (kernel.at(-1) as number), inner);
    const symbol = input('x', { shape: x, dtype: 'float32' });
    const given = draws(x, 1);
    const plain = (weight: Variable): SymbolicTensor => contract(symbol, parameter(weight));
    const channels = plain(wide).shape.at(-1) as number;
    const vectors = [2, 5].map((seed) => draws([channels], seed));
    const [gamma, beta] = vectors.map((value) => {
      return parameter(new Variable({ name: 'vector', shape: [channels], initialize: () => value }));
    }) as [SymbolicTensor, SymbolicTensor];
    const spread = (vector: SymbolicTensor, { shape }: SymbolicTensor): SymbolicTensor => {
      const own = shape.map((extent, axis) => (axis === shape.length - 1 ? extent : 1));
      return apply('broadcast', [apply('reshape', [vector], { shape: own })], { shape });
    };
    /** What a batch normalisation and an activation do. */
    const scaled = (weight: Variable): SymbolicTensor => {
      const sums = plain(weight);
      const product = apply('multiply', [sums, spread(gamma, sums)], {});
      return apply('relu', [apply('add', [product, spread(beta, sums)], {})], {});
    };

    test.each([
      ['alone', plain],
      ['scaled, shifted and bounded', scaled],
    ] as const)('%s gives the bits of the floats that they stand for', async (_name, graphOf) => {
      const run = async (weight: Variable): Promise<{ output: Float32Array; bytes: number }> => {
        const program = await wasmBackend({ threads: 1 }).compile({ inputs: [symbol], outputs: [graphOf(weight)] });
        const [output] = await program.run([given]);
        return { output: output?.data as Float32Array, bytes: program.plan.permanentBytes };
      };
      const [found, expected] = [await run(narrow), await run(wide)];
      if (isRounded !== true) expect(found.output).toEqual(expected.output);
      const [reference] = evaluate({ inputs: [symbol], outputs: [graphOf(narrow)] }, [given]);
      // Sums that nearly cancel are about as far off as those of floats are.
      const exact = reference?.data as Float32Array;
      const limit = Math.max(3e-6, 4 * errorOf(expected.output, exact));
      expect(errorOf(found.output, exact)).toBeLessThan(limit);
      // Panels of eight columns, and the vectors.
      const packed = (sizeOf(kernel) / channels) * Math.ceil(channels / 8) * 8 * (dtype === 'int8' ? 1 : 2);
      expect(found.bytes).toBeLessThan(packed * 1.5 + channels * 4 * 6 + 512);
    });
  });
});

/** The greatest distance, as a part of the greatest number. */
function errorOf(found: Float32Array, exact: Float32Array): number {
  expect(found.length).toBe(exact.length);
  const size = exact.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  const distances = found.map((value, index) => Math.abs(value - (exact[index] as number)));
  return distances.reduce((largest, value) => Math.max(largest, value), 0) / size;
}

test('threads widen panels of their own', async () => {
  const [narrow] = pairOf([512, 600], 'int8', 600);
  const x = input('x', { shape: [300, 512], dtype: 'float32' });
  const graph = { inputs: [x], outputs: [dot()(x, parameter(narrow))] };
  const given = [draws([300, 512], 1)];
  const [one, two] = [
    await wasmBackend({ threads: 1 }).compile(graph),
    await wasmBackend({ threads: 2 }).compile(graph),
  ];
  const expected = await one.run(given);
  // The second thread comes some time after the first run.
  const end = performance.now() + 30_000;
  while (two.threads < 2 && performance.now() < end) expect(await two.run(given)).toEqual(expected);
  expect(two.threads).toBe(2);
  for (let run = 0; run < 5; run++) expect(await two.run(given)).toEqual(expected);
});
