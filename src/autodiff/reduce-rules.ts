/** Gradients of reductions and running results. */
import { applyAll, input } from '../graph/apply.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import type { CumulativeName, ReduceName } from '../graph/primitives.ts';
import { equal, where } from '../ops/compare.ts';
import { onesLike, zerosLike } from '../ops/creation.ts';
import { add, divide, multiply, subtract } from '../ops/elementwise.ts';
import { broadcastTo, cast, withShape } from '../ops/operand.ts';
import { cumprod, cumsum, sum } from '../ops/reduce.ts';
import { between, concatenate, moveaxis, reshape, transpose } from '../ops/shape.ts';
import type { GradientRule, GradientRules } from './gradient-rule.ts';

/** The result of a reduction, stretched over what was reduced. */
function spread(y: SymbolicTensor, x: SymbolicTensor, axes: readonly number[]): SymbolicTensor {
  const kept = x.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
  return broadcastTo(withShape(y, kept), x.shape);
}

/** Equal extremes share the gradient evenly, as in Keras on JAX and on TensorFlow. */
function extremum<K extends 'max' | 'min'>(): GradientRule<K> {
  const rule: GradientRule<'max'> = (dy, { inputs: [given], outputs: [result], attributes: { axes } }) => {
    const [x, y] = [given as SymbolicTensor, result as SymbolicTensor];
    const isExtreme = equal(x, spread(y, x, axes));
    const share = divide(dy, sum(cast(isExtreme, 'float32'), axes));
    return [where(isExtreme, spread(share, x, axes), zerosLike(x))];
  };
  return rule as GradientRule<K>;
}

/** Elements before each one along the axis, with `first` before all of them; seen from the end when `reverse`. */
function shifted(x: SymbolicTensor, axis: number, reverse: boolean, first: SymbolicTensor): SymbolicTensor {
  const extent = x.shape[axis] as number;
  const edge = between(first, axis, 0, Math.min(1, extent));
  return reverse
    ? concatenate([between(x, axis, Math.min(1, extent), extent), edge], axis)
    : concatenate([edge, between(x, axis, 0, Math.max(0, extent - 1))], axis);
}

/** The product of the elements before each one. */
function productBefore(x: SymbolicTensor, axis: number, reverse: boolean): SymbolicTensor {
  return shifted(cumprod(x, axis, reverse), axis, reverse, onesLike(x));
}

/** The product of all other elements: no division, so that zeros are no trouble. */
const product: GradientRule<'product'> = (dy, { inputs: [given], attributes: { axes } }) => {
  const x = given as SymbolicTensor;
  const order = [...x.shape.keys()].filter((axis) => !axes.includes(axis)).concat(axes);
  const moved = transpose(x, order);
  const kept = moved.shape.slice(0, x.shape.length - axes.length);
  const count = axes.reduce((size, axis) => size * (x.shape[axis] as number), 1);
  const flat = reshape(moved, [...kept, count]);
  const last = kept.length;
  const others = multiply(productBefore(flat, last, false), productBefore(flat, last, true));
  const back = [...x.shape.keys()].map((axis) => order.indexOf(axis));
  const dx = multiply(broadcastTo(withShape(dy, [...kept, 1]), flat.shape), others);
  return [transpose(withShape(dx, moved.shape), back)];
};

export const reduceRules: GradientRules<ReduceName> = {
  sum: (dy, { inputs: [x], attributes: { axes } }) => [spread(dy, x as SymbolicTensor, axes)],
  product,
  max: extremum(),
  min: extremum(),
  argMax: 'not differentiable',
  argMin: 'not differentiable',
};

/**
 * Runs against a running result: `c[i] = dy[i] + factor[i + 1] · c[i + 1]`, where `i + 1` is the element that came
 * after `i`. The last element has no factor.
 */
function carryBack(dy: SymbolicTensor, factors: SymbolicTensor, axis: number, reverse: boolean): SymbolicTensor {
  const next = shifted(factors, axis, !reverse, zerosLike(factors));
  const [gradients, weights] = [moveaxis(dy, axis, 0), moveaxis(next, axis, 0)];
  const spec = { shape: gradients.shape.slice(1), dtype: gradients.dtype };
  const [carry, gradient, weight] = ['carry', 'gradient', 'weight'].map((name) => input(name, spec)) as [
    SymbolicTensor,
    SymbolicTensor,
    SymbolicTensor,
  ];
  const total = add(gradient, multiply(weight, carry));
  const [, totals] = applyAll('scan', [broadcastTo(0, spec.shape), gradients, weights], {
    body: { inputs: [carry, gradient, weight], outputs: [total, total] },
    length: gradients.shape[0] as number,
    carryCount: 1,
    sequenceCount: 2,
    reverse: !reverse,
  });
  return moveaxis(totals as SymbolicTensor, 0, axis);
}

/** An element takes what comes to its place when it set the record, half of it when it equalled the one before. */
function runningExtremum<K extends 'cumulativeMax' | 'cumulativeMin'>(): GradientRule<K> {
  const rule: GradientRule<'cumulativeMax'> = (dy, { inputs, outputs, attributes: { axis, reverse } }) => {
    const [x, y] = [inputs[0] as SymbolicTensor, outputs[0] as SymbolicTensor];
    // Before the first element there is nothing, so NaN stands there: it equals no record.
    const before = shifted(y, axis, reverse, broadcastTo(Number.NaN, x.shape));
    const isRecord = equal(x, y);
    const share = where(isRecord, where(equal(before, y), 0.5, 1), zerosLike(x));
    return [multiply(share, carryBack(dy, subtract(1, share), axis, reverse))];
  };
  return rule as GradientRule<K>;
}

export const cumulativeRules: GradientRules<CumulativeName> = {
  cumulativeSum: (dy, { attributes: { axis, reverse } }) => [cumsum(dy, axis, !reverse)],
  cumulativeProduct: (dy, { inputs, attributes: { axis, reverse } }) => {
    const x = inputs[0] as SymbolicTensor;
    return [multiply(productBefore(x, axis, reverse), carryBack(dy, x, axis, reverse))];
  },
  cumulativeMax: runningExtremum(),
  cumulativeMin: runningExtremum(),
};
