import { beforeAll, describe, expect, test } from 'vitest';
import { forEachProduct, outputShape } from '../../../test/support/naive-convolve.ts';
import { greatestDifference, runContract } from '../../../test/support/run-contract.ts';
import { SeededNumbers } from '../../../test/support/seeded-numbers.ts';
import { type Shape, sizeOf } from '../../array/shape.ts';
import type { ConvolveAttributes, PaddingPair } from '../../graph/primitives.ts';
import { hasRelaxedSimd } from './assembler-features.ts';
import { planConvolve, planConvolveInputGradient } from './contract-convolve.ts';
import { planConvolveFilterGradient } from './contract-filter-gradient.ts';
import { loadRareModules } from './rare-code.ts';

beforeAll(() => loadRareModules('winograd'));

interface Case {
  readonly inputShape: Shape;
  readonly kernelShape: Shape;
  readonly attributes: ConvolveAttributes;
}

/** A convolution of 1 to 3 spatial axes with everything that it may have. */
function randomCase(numbers: SeededNumbers): Case {
  const spatial = numbers.pick([1, 2, 2, 3]);
  const axes = <T>(choose: () => T): T[] => Array.from({ length: spatial }, choose);
  const isDepthwise = numbers.pick([false, false, true]);
  const groups = isDepthwise ? numbers.pick([2, 3, 4, 9, 16, 21]) : numbers.pick([1, 1, 2, 3]);
  const inputs = groups * (isDepthwise ? 1 : numbers.pick([1, 2, 3, 4, 8]));
  const outputs = groups * (isDepthwise ? numbers.pick([1, 1, 1, 2]) : numbers.pick([1, 2, 5, 8, 12]));
  return {
    inputShape: [numbers.integer(1, 2), ...axes(() => numbers.integer(1, spatial === 3 ? 5 : 14)), inputs],
    kernelShape: [...axes(() => numbers.integer(1, 3)), inputs / groups, outputs],
    attributes: {
      strides: axes(() => numbers.pick([1, 1, 2, 3])),
      padding: axes((): PaddingPair => [numbers.integer(0, 2), numbers.integer(0, 3)]),
      dilation: axes(() => numbers.pick([1, 1, 2])),
      groups,
    },
  };
}

interface Finishing {
  readonly bias?: Float32Array | undefined;
  readonly lower?: number | undefined;
  readonly tail?: boolean;
  readonly packed?: boolean;
  readonly tolerance?: number;
}

/** A window of 3 × 3 that Winograd's algorithm takes: any padding, and images that end within a tile. */
function randomTiledCase(numbers: SeededNumbers): Case {
  const channels = [16, 20, 32, 36];
  const inputs = numbers.pick(channels);
  const extents = [numbers.integer(10, 19), numbers.integer(10, 19)];
  return {
    inputShape: [2, ...extents, inputs],
    kernelShape: [3, 3, inputs, numbers.pick(channels)],
    attributes: {
      strides: [1, 1],
      padding: [0, 1].map((): PaddingPair => [numbers.integer(0, 3), numbers.integer(0, 2)]),
      dilation: [1, 1],
      groups: 1,
    },
  };
}

/** Of Winograd's sums, which round more: still well below what Keras' own backends differ by. */
const TILED_TOLERANCE = 5e-6;

function finish(sums: Float64Array, channels: number, { bias, lower, tail }: Finishing): Float64Array {
  return sums.map((sum, index) => {
    const value = Math.max(sum + (bias?.[index % channels] ?? 0), lower ?? -Infinity);
    return tail ? value * 2 : value;
  });
}

function checkForward(given: Case, seed: number, finishing: Finishing, relaxedSimd: boolean): void {
  const { inputShape, kernelShape, attributes } = given;
  const numbers = new SeededNumbers(seed);
  const [x, kernel] = [numbers.floats(sizeOf(inputShape)), numbers.floats(sizeOf(kernelShape))];
  const channels = kernelShape.at(-1) as number;
  const shape = outputShape(inputShape, kernelShape.slice(0, -2), attributes, channels);
  const sums = new Float64Array(sizeOf(shape));
  forEachProduct(inputShape, kernelShape, shape, attributes, (atX, atKernel, atY) => {
    sums[atY] = (sums[atY] as number) + (x[atX] as number) * (kernel[atKernel] as number);
  });
  const packed = finishing.packed === true;
  const plan = planConvolve({ ...given, packed });
  const result = runContract({ plan, left: x, right: kernel, outputLength: sums.length, relaxedSimd, ...finishing });
  const difference = greatestDifference(result.output, finish(sums, channels, finishing));
  expect([difference < (finishing.tolerance ?? 2e-6), difference, given]).toEqual([true, difference, given]);
  if (finishing.tail) expect([result.visits.every((count) => count === 1), given]).toEqual([true, given]);
}

function checkInputGradient(given: Case, seed: number, finishing: Finishing, relaxedSimd: boolean): void {
  const { inputShape, kernelShape, attributes } = given;
  const numbers = new SeededNumbers(seed);
  const shape = outputShape(inputShape, kernelShape.slice(0, -2), attributes, kernelShape.at(-1) as number);
  const [dy, kernel] = [numbers.floats(sizeOf(shape)), numbers.floats(sizeOf(kernelShape))];
  const sums = new Float64Array(sizeOf(inputShape));
  forEachProduct(inputShape, kernelShape, shape, attributes, (atX, atKernel, atY) => {
    sums[atX] = (sums[atX] as number) + (dy[atY] as number) * (kernel[atKernel] as number);
  });
  const packed = finishing.packed === true;
  const plan = planConvolveInputGradient({ ...given, packed });
  const result = runContract({ plan, left: dy, right: kernel, outputLength: sums.length, relaxedSimd, ...finishing });
  const difference = greatestDifference(result.output, finish(sums, inputShape.at(-1) as number, finishing));
  expect([difference < (finishing.tolerance ?? 2e-6), difference, given]).toEqual([true, difference, given]);
  if (finishing.tail) expect([result.visits.every((count) => count === 1), given]).toEqual([true, given]);
}

function checkFilterGradient(given: Case, seed: number, finishing: Finishing, relaxedSimd: boolean): void {
  const { inputShape, kernelShape, attributes } = given;
  const numbers = new SeededNumbers(seed);
  const shape = outputShape(inputShape, kernelShape.slice(0, -2), attributes, kernelShape.at(-1) as number);
  const [x, dy] = [numbers.floats(sizeOf(inputShape)), numbers.floats(sizeOf(shape))];
  const sums = new Float64Array(sizeOf(kernelShape));
  forEachProduct(inputShape, kernelShape, shape, attributes, (atX, atKernel, atY) => {
    sums[atKernel] = (sums[atKernel] as number) + (x[atX] as number) * (dy[atY] as number);
  });
  const plan = planConvolveFilterGradient(given);
  const result = runContract({ plan, left: x, right: dy, outputLength: sums.length, relaxedSimd, ...finishing });
  const difference = greatestDifference(result.output, finish(sums, 1, finishing));
  expect([difference < (finishing.tolerance ?? 2e-6), difference, given]).toEqual([true, difference, given]);
  if (finishing.tail) expect([result.visits.every((count) => count === 1), given]).toEqual([true, given]);
}

/** Shapes that are cut into units in each possible way. */
const LARGE: readonly Case[] = [
  // Lines cut into pieces.
  {
    inputShape: [1, 3000, 64],
    kernelShape: [3, 64, 9],
    attributes: { strides: [1], padding: [[1, 1]], dilation: [1], groups: 1 },
  },
  {
    inputShape: [1, 6000, 40],
    kernelShape: [2, 40, 3],
    attributes: { strides: [2], padding: [[0, 0]], dilation: [1], groups: 1 },
  },
  // Depthwise lines cut into pieces.
  {
    inputShape: [1, 900, 1000],
    kernelShape: [3, 1, 1000],
    attributes: { strides: [1], padding: [[1, 1]], dilation: [1], groups: 1000 },
  },
  {
    inputShape: [1, 30, 31, 22],
    kernelShape: [12, 12, 1, 22],
    attributes: {
      strides: [1, 1],
      padding: [
        [5, 6],
        [5, 6],
      ],
      dilation: [1, 1],
      groups: 22,
    },
  },
  // Columns cut into blocks.
  {
    inputShape: [1, 4, 5, 128],
    kernelShape: [3, 3, 128, 140],
    attributes: {
      strides: [1, 1],
      padding: [
        [1, 1],
        [1, 1],
      ],
      dilation: [1, 1],
      groups: 1,
    },
  },
  // Many blocks of lines.
  {
    inputShape: [2, 61, 57, 3],
    kernelShape: [3, 3, 3, 32],
    attributes: {
      strides: [2, 2],
      padding: [
        [0, 1],
        [0, 1],
      ],
      dilation: [1, 1],
      groups: 1,
    },
  },
];

describe.each([false, true].filter((relaxed) => !relaxed || hasRelaxedSimd()))('relaxed SIMD: %s', (relaxed) => {
  test('planConvolve() convolves along 1 to 3 axes', () => {
    const numbers = new SeededNumbers(11);
    for (let round = 0; round < 200; round++) {
      const given = randomCase(numbers);
      const finishing: Finishing = {
        bias: round % 3 === 0 ? numbers.floats(given.kernelShape.at(-1) as number) : undefined,
        lower: round % 4 === 0 ? 0 : undefined,
        tail: round % 2 === 0,
        packed: round % 5 === 0,
      };
      checkForward(given, round, finishing, relaxed);
    }
  });

  test('planConvolveInputGradient() is the transpose of the convolution', () => {
    const numbers = new SeededNumbers(12);
    for (let round = 0; round < 200; round++) {
      const given = randomCase(numbers);
      const finishing: Finishing = {
        bias: round % 3 === 0 ? numbers.floats(given.inputShape.at(-1) as number) : undefined,
        tail: round % 2 === 0,
        packed: round % 5 === 0,
      };
      checkInputGradient(given, round, finishing, relaxed);
    }
  });

  test('planConvolveFilterGradient() sums over all positions', () => {
    const numbers = new SeededNumbers(13);
    for (let round = 0; round < 200; round++) {
      checkFilterGradient(randomCase(numbers), round, { tail: round % 2 === 0 }, relaxed);
    }
  });

  test('windows of 3 × 3 are computed by tiles', () => {
    const numbers = new SeededNumbers(14);
    for (let round = 0; round < 8; round++) {
      const given = randomTiledCase(numbers);
      expect(planConvolve({ ...given, packed: false }).packing?.key).toMatch(/^winograd/);
      const finishing = { tail: round % 2 === 0, packed: round % 3 === 0, tolerance: TILED_TOLERANCE };
      const [bias, lower] = [numbers.floats(given.kernelShape.at(-1) as number), 0];
      checkForward(given, round, { ...finishing, ...(round % 4 < 2 ? { bias, lower } : {}) }, relaxed);
      checkInputGradient(given, round, finishing, relaxed);
      checkFilterGradient(given, round, { tail: round % 2 === 0, tolerance: TILED_TOLERANCE }, relaxed);
    }
  });
});

test('tiles of a line that is cut into pieces', () => {
  const given: Case = {
    inputShape: [1, 6, 237, 20],
    kernelShape: [3, 3, 20, 36],
    attributes: {
      strides: [1, 1],
      padding: [
        [1, 1],
        [1, 1],
      ],
      dilation: [1, 1],
      groups: 1,
    },
  };
  checkForward(given, 1, { tail: true, tolerance: TILED_TOLERANCE }, hasRelaxedSimd());
  checkInputGradient(given, 2, { tail: true, tolerance: TILED_TOLERANCE }, hasRelaxedSimd());
  checkFilterGradient(given, 3, { tail: true, tolerance: TILED_TOLERANCE }, hasRelaxedSimd());
});

test.each(LARGE)('planConvolve() and its gradients cut $inputShape into units', (given) => {
  checkForward(given, 5, { tail: true }, hasRelaxedSimd());
  checkInputGradient(given, 6, { tail: true }, hasRelaxedSimd());
  checkFilterGradient(given, 7, { tail: true }, hasRelaxedSimd());
});

test('a pointwise convolution is one product', () => {
  const attributes = {
    strides: [1, 1],
    padding: [
      [0, 0],
      [0, 0],
    ] as const,
    dilation: [1, 1],
    groups: 1,
  };
  checkForward({ inputShape: [2, 5, 7, 9], kernelShape: [1, 1, 9, 11], attributes }, 1, { tail: true }, false);
  checkForward(
    {
      inputShape: [2, 5, 7, 9],
      kernelShape: [1, 1, 9, 11],
      attributes: {
        ...attributes,
        padding: [
          [1, 0],
          [0, 0],
        ],
      },
    },
    1,
    {},
    false,
  );
});

test('outputs without elements, and windows without inputs', () => {
  const attributes = { strides: [1], padding: [[0, 0]] as const, dilation: [1], groups: 1 };
  for (const inputShape of [
    [0, 5, 2],
    [1, 0, 2],
    [1, 2, 2],
  ]) {
    checkForward({ inputShape, kernelShape: [3, 2, 4], attributes }, 1, { tail: true }, false);
    checkInputGradient({ inputShape, kernelShape: [3, 2, 4], attributes }, 1, { tail: true }, false);
    checkFilterGradient({ inputShape, kernelShape: [3, 2, 4], attributes }, 1, { tail: true }, false);
  }
  checkForward({ inputShape: [1, 5, 2], kernelShape: [3, 2, 0], attributes }, 1, {}, false);
  checkInputGradient({ inputShape: [1, 5, 2], kernelShape: [3, 2, 0], attributes }, 1, {}, false);
});
