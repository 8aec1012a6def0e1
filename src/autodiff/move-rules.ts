/** Gradients of what moves elements: they move back. */
import { shapesEqual, sizeOf } from '../array/shape.ts';
import { apply } from '../graph/apply.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import type { IndexAttributes, MoveAttributes } from '../graph/primitives.ts';
import { greaterEqual, less, logicalAnd, where } from '../ops/compare.ts';
import { coordinates, zerosLike } from '../ops/creation.ts';
import { add, multiply } from '../ops/elementwise.ts';
import { broadcastTo, withShape } from '../ops/operand.ts';
import { sum } from '../ops/reduce.ts';
import { between } from '../ops/shape.ts';
import type { GradientRules } from './gradient-rule.ts';

export const moveRules: GradientRules<keyof MoveAttributes> = {
  reshape: (dy, { inputs: [x] }) => [withShape(dy, (x as SymbolicTensor).shape)],
  transpose: (dy, { attributes: { permutation } }) => [
    apply('transpose', [dy], { permutation: permutation.map((_, axis) => permutation.indexOf(axis)) }),
  ],
  broadcast: (dy, { inputs: [x] }) => {
    const { shape } = x as SymbolicTensor;
    const stretched = [...shape.keys()].filter((axis) => shape[axis] !== dy.shape[axis]);
    return [withShape(sum(dy, stretched), shape)];
  },
  slice: (dy, { inputs: [x], attributes: { starts, strides } }) => [
    placeAt(dy, (x as SymbolicTensor).shape, starts, strides),
  ],
  pad: (dy, { inputs: [x], attributes: { padding } }) => {
    const { shape } = x as SymbolicTensor;
    const starts = padding.map(([low]) => low);
    const stops = padding.map(([low], axis) => low + (shape[axis] as number));
    return [apply('slice', [dy], { starts, stops, strides: starts.map(() => 1) })];
  },
  concatenate: (dy, { inputs, attributes: { axis } }) => {
    let position = 0;
    return inputs.map(({ shape }) => {
      const start = position;
      position += shape[axis] as number;
      return between(dy, axis, start, position);
    });
  },
  reverse: (dy, { attributes }) => [apply('reverse', [dy], attributes)],
};

/** Zeros of a shape, but for the elements `start`, `start + stride`, … of each axis. */
function placeAt(
  x: SymbolicTensor,
  shape: readonly number[],
  starts: readonly number[],
  strides: readonly number[],
): SymbolicTensor {
  let spaced = x;
  if (strides.some((stride) => stride > 1)) {
    // Zeros between the elements: each gets an axis of its own, which is padded to the stride.
    const gaps = strides.flatMap((stride): [number, number][] => [
      [0, 0],
      [0, stride - 1],
    ]);
    const split = apply('reshape', [x], { shape: x.shape.flatMap((extent) => [extent, 1]) });
    const joined = x.shape.map((extent, axis) => extent * (strides[axis] as number));
    spaced = withShape(apply('pad', [split], { padding: gaps, value: 0 }), joined);
    // After the last element there may be more zeros than the shape has room for.
    for (const [axis, start] of starts.entries()) {
      const room = (shape[axis] as number) - start;
      spaced = between(spaced, axis, 0, Math.min(room, spaced.shape[axis] as number));
    }
  }
  const padding = starts.map((start, axis): [number, number] => [
    start,
    (shape[axis] as number) - start - (spaced.shape[axis] as number),
  ]);
  return shapesEqual(spaced.shape, shape) ? spaced : apply('pad', [spaced], { padding, value: 0 });
}

/** Whether an index reads an element, from the start or from the end. */
function isInside(indices: SymbolicTensor, extent: number): SymbolicTensor {
  return logicalAnd(greaterEqual(indices, -extent), less(indices, extent));
}

export const indexRules: GradientRules<keyof IndexAttributes> = {
  gather: (dy, { inputs, attributes: { axis } }) => {
    const [x, indices] = inputs as readonly [SymbolicTensor, SymbolicTensor];
    return [apply('scatterAdd', [indices, dy], { axis, extent: x.shape[axis] as number }), null];
  },
  takeAlongAxis: (dy, { inputs, attributes: { axis } }) => {
    const [x, indices] = inputs as readonly [SymbolicTensor, SymbolicTensor];
    const extent = x.shape[axis] as number;
    const size = sizeOf(x.shape);
    // Each element's place in x, counted through all axes.
    const counted = where(less(indices, 0), add(indices, extent), indices);
    let place = multiply(counted, sizeOf(x.shape.slice(axis + 1)));
    for (const other of x.shape.keys()) {
      if (other === axis || x.shape[other] === 1) continue;
      const step = multiply(coordinates(indices.shape, other), sizeOf(x.shape.slice(other + 1)));
      place = add(place, step);
    }
    const flat = withShape(where(isInside(indices, extent), place, size), [sizeOf(indices.shape)]);
    const dx = apply('scatterAdd', [flat, withShape(dy, flat.shape)], { axis: 0, extent: size });
    return [withShape(dx, x.shape), null];
  },
  scatterAdd: (dy, { inputs, attributes: { axis, extent } }) => {
    const [indices, updates] = inputs as readonly [SymbolicTensor, SymbolicTensor];
    const taken = apply('gather', [dy, indices], { axis });
    // Updates out of range went nowhere, where a gather reads NaN.
    const kept = updates.shape.map((size, other) => (other >= axis && other < axis + indices.shape.length ? size : 1));
    const isUsed = broadcastTo(withShape(isInside(indices, extent), kept), taken.shape);
    return [null, where(isUsed, taken, zerosLike(taken))];
  },
  argSort: 'not differentiable',
};
