/** Gradients of contractions and of pools. */
import { type Shape, shapesEqual } from '../array/shape.ts';
import { apply } from '../graph/apply.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import type { ContractAttributes, PoolAttributes, PoolingAttributes } from '../graph/primitives.ts';
import { equal, isnan, logicalAnd, logicalNot, logicalOr, where } from '../ops/compare.ts';
import { zerosLike } from '../ops/creation.ts';
import { add } from '../ops/elementwise.ts';
import type { GradientRules } from './gradient-rule.ts';

type Pair = readonly [SymbolicTensor, SymbolicTensor];

/** The product of matrices, each read as its transpose where said. */
function dot(
  left: SymbolicTensor,
  transposeLeft: boolean,
  right: SymbolicTensor,
  transposeRight: boolean,
): SymbolicTensor {
  return apply('dot', [left, right], { transposeLeft, transposeRight });
}

export const contractRules: GradientRules<keyof ContractAttributes> = {
  dot: (dy, { inputs, attributes: { transposeLeft, transposeRight } }) => {
    const [left, right] = inputs as Pair;
    return [
      transposeLeft ? dot(right, transposeRight, dy, true) : dot(dy, false, right, !transposeRight),
      transposeRight ? dot(dy, true, left, transposeLeft) : dot(left, !transposeLeft, dy, false),
    ];
  },
  // The three are the derivatives of one trilinear form, Σ x · kernel · dy, so each has the other two as gradients.
  convolve: (dy, { inputs, attributes }) => {
    const [x, kernel] = inputs as Pair;
    return [
      apply('convolveInputGradient', [dy, kernel], { ...attributes, inputShape: x.shape }),
      apply('convolveFilterGradient', [x, dy], { ...attributes, kernelShape: kernel.shape }),
    ];
  },
  convolveInputGradient: (x, { inputs, attributes: { inputShape: _, ...attributes } }) => {
    const [dy, kernel] = inputs as Pair;
    return [
      apply('convolve', [x, kernel], attributes),
      apply('convolveFilterGradient', [x, dy], { ...attributes, kernelShape: kernel.shape }),
    ];
  },
  convolveFilterGradient: (kernel, { inputs, attributes: { kernelShape: _, ...attributes } }) => {
    const [x, dy] = inputs as Pair;
    return [
      apply('convolveInputGradient', [dy, kernel], { ...attributes, inputShape: x.shape }),
      apply('convolve', [x, kernel], attributes),
    ];
  },
};

export const poolRules: GradientRules<keyof PoolingAttributes> = {
  maxPool: (dy, { inputs: [x], outputs: [y], attributes }) => [
    apply('maxPoolGradient', [x as SymbolicTensor, y as SymbolicTensor, dy], attributes),
  ],
  averagePool: (dy, { inputs: [x], attributes }) => [
    apply('averagePoolGradient', [dy], { ...attributes, inputShape: (x as SymbolicTensor).shape }),
  ],
  // Which element is the greatest does not change, so only dy has a gradient: what lies where its window found it.
  maxPoolGradient: (dx, { inputs: [x, y], attributes }) => [
    null,
    null,
    takeGreatest(dx, x as SymbolicTensor, y as SymbolicTensor, attributes),
  ],
  averagePoolGradient: (dx, { attributes: { inputShape: _, ...attributes } }) => [
    apply('averagePool', [dx], attributes),
  ],
};

/** For each window the element of `values` at the place of the first element of x that equals y, or is NaN. */
function takeGreatest(
  values: SymbolicTensor,
  x: SymbolicTensor,
  y: SymbolicTensor,
  { window, strides, padding, dilation }: PoolAttributes,
): SymbolicTensor {
  const around = [[0, 0], ...padding, [0, 0]] as const;
  const [paddedX, paddedValues] = [x, values].map((symbol, index) =>
    apply('pad', [symbol], { padding: around, value: index === 0 ? Number.NEGATIVE_INFINITY : 0 }),
  ) as [SymbolicTensor, SymbolicTensor];
  const taps = window.reduce<number[][]>(
    (lists, extent) => lists.flatMap((list) => Array.from({ length: extent }, (_, tap) => [...list, tap])),
    [[]],
  );
  let result = zerosLike(y);
  let isTaken: SymbolicTensor | undefined;
  for (const tap of taps) {
    const starts = [0, ...tap.map((position, axis) => position * (dilation[axis] as number)), 0];
    const seen = (symbol: SymbolicTensor): SymbolicTensor => everyStep(symbol, y.shape, starts, [1, ...strides, 1]);
    const candidate = seen(paddedX);
    const isGreatest = logicalOr(equal(candidate, y), isnan(candidate));
    const isFirst = isTaken === undefined ? isGreatest : logicalAnd(isGreatest, logicalNot(isTaken));
    isTaken = isTaken === undefined ? isGreatest : logicalOr(isTaken, isGreatest);
    result = add(result, where(isFirst, seen(paddedValues), zerosLike(y)));
  }
  return result;
}

function everyStep(
  x: SymbolicTensor,
  shape: Shape,
  starts: readonly number[],
  strides: readonly number[],
): SymbolicTensor {
  const stops = shape.map((extent, axis) =>
    extent === 0 ? (starts[axis] as number) : (starts[axis] as number) + (extent - 1) * (strides[axis] as number) + 1,
  );
  return shapesEqual(x.shape, shape) && strides.every((stride) => stride === 1)
    ? x
    : apply('slice', [x], { starts, stops, strides });
}
