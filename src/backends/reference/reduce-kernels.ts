import { sizeOf, stridesOf } from '../../array/shape.ts';
import type { CumulativeName, ReduceName } from '../../graph/primitives.ts';
import { fill, inputOf, type Kernel, numbersOf, offsetsOf, outputOf, splitAt } from './kernel.ts';

/** A running result: where it starts, and how it takes one more element. */
interface Fold {
  readonly start: number;
  readonly step: (result: number, x: number) => number;
}

/** One fold for each dtype; floats run in double precision and are rounded once, at the end. */
interface Folds {
  readonly float32: Fold;
  readonly int32: Fold;
  readonly bool: Fold;
}

const MAX: Folds = {
  float32: { start: Number.NEGATIVE_INFINITY, step: Math.max },
  int32: { start: -(2 ** 31), step: Math.max },
  bool: { start: 0, step: Math.max },
};
const MIN: Folds = {
  float32: { start: Number.POSITIVE_INFINITY, step: Math.min },
  int32: { start: 2 ** 31 - 1, step: Math.min },
  bool: { start: 1, step: Math.min },
};
const SUM_INT32: Fold = { start: 0, step: (sum, x) => (sum + x) | 0 };
const SUM: Folds = { float32: { start: 0, step: (sum, x) => sum + x }, int32: SUM_INT32, bool: SUM_INT32 };
const PRODUCT_INT32: Fold = { start: 1, step: Math.imul };
const PRODUCT: Folds = {
  float32: { start: 1, step: (product, x) => product * x },
  int32: PRODUCT_INT32,
  bool: PRODUCT_INT32,
};

function foldFor(folds: Folds, dtype: string): Fold {
  return folds[dtype as keyof Folds];
}

function reduce<K extends 'sum' | 'product' | 'max' | 'min'>(folds: Folds): Kernel<K> {
  return (call) => {
    const input = inputOf(call, 0);
    const { start, step } = foldFor(folds, input.dtype);
    const spec = outputOf(call);
    const axes: readonly number[] = call.attributes.axes;
    const kept = stridesOf(spec.shape);
    let next = 0;
    // Reduced axes have stride 0, so their elements meet in one place of the output.
    const strides = input.shape.map((_, axis) => (axes.includes(axis) ? 0 : (kept[next++] as number)));
    const offsets = offsetsOf(input.shape, strides);
    const x = numbersOf(input);
    const results = new Float64Array(sizeOf(spec.shape)).fill(start);
    for (let index = 0; index < x.length; index++) {
      const offset = offsets[index] as number;
      results[offset] = step(results[offset] as number, x[index] as number);
    }
    return [fill(spec, (index) => results[index] as number)];
  };
}

function argReduce<K extends 'argMax' | 'argMin'>(isBetter: (candidate: number, best: number) => boolean): Kernel<K> {
  return (call) => {
    const input = inputOf(call, 0);
    const x = numbersOf(input);
    const { extent, inner } = splitAt(input.shape, call.attributes.axis);
    return [
      fill(outputOf(call), (index) => {
        const start = Math.floor(index / inner) * extent * inner + (index % inner);
        let best = 0;
        for (let position = 1; position < extent; position++) {
          const [candidate, champion] = [x[start + position * inner] as number, x[start + best * inner] as number];
          if (Number.isNaN(champion)) break;
          if (Number.isNaN(candidate) || isBetter(candidate, champion)) best = position;
        }
        return best;
      }),
    ];
  };
}

function cumulate<K extends CumulativeName>(folds: Folds): Kernel<K> {
  return (call) => {
    const input = inputOf(call, 0);
    const x = numbersOf(input);
    const { axis, reverse } = call.attributes;
    const { start, step } = foldFor(folds, input.dtype);
    const { outer, extent, inner } = splitAt(input.shape, axis);
    const results = new Float64Array(x.length);
    for (let lane = 0; lane < outer * inner; lane++) {
      const first = Math.floor(lane / inner) * extent * inner + (lane % inner);
      let result = start;
      for (let count = 0; count < extent; count++) {
        const offset = first + (reverse ? extent - 1 - count : count) * inner;
        result = step(result, x[offset] as number);
        results[offset] = result;
      }
    }
    return [fill(outputOf(call), (index) => results[index] as number)];
  };
}

export const reduceKernels: { readonly [K in ReduceName]: Kernel<K> } = {
  sum: reduce(SUM),
  product: reduce(PRODUCT),
  max: reduce(MAX),
  min: reduce(MIN),
  argMax: argReduce((candidate, best) => candidate > best),
  argMin: argReduce((candidate, best) => candidate < best),
};

export const cumulativeKernels: { readonly [K in CumulativeName]: Kernel<K> } = {
  cumulativeSum: cumulate(SUM),
  cumulativeProduct: cumulate(PRODUCT),
  cumulativeMax: cumulate(MAX),
  cumulativeMin: cumulate(MIN),
};
