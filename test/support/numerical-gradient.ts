/** Gradients by finite differences, to compare those of the rules with. */
import { Tensor } from '../../src/array/tensor.ts';
import { evaluate } from '../../src/backends/reference/evaluate.ts';
import { constant } from '../../src/graph/apply.ts';
import type { Graph, SymbolicTensor } from '../../src/graph/node.ts';
import { add, multiply } from '../../src/ops/elementwise.ts';
import { sum } from '../../src/ops/reduce.ts';

/** Numbers in [0, 1) from a linear congruential generator. */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Σ output · weight over all float32 outputs, with random weights: a loss that everything counts in. */
export function weightedSum(outputs: readonly SymbolicTensor[], random: () => number): SymbolicTensor {
  return outputs
    .filter(({ dtype }) => dtype === 'float32')
    .map((output) => {
      const size = output.shape.reduce((product, extent) => product * extent, 1);
      const weights = Float32Array.from({ length: size }, () => 0.25 + random());
      return sum(multiply(output, constant(new Tensor(output.shape, 'float32', weights))));
    })
    .reduce((left, right) => add(left, right));
}

/** Large, since values are float32: the error of rounding is some 10⁻⁷ / step, that of the formula step⁴. */
const STEP = 2 ** -5;

/**
 * The gradient of the sum of the graph's output elements with respect to one input, by differences of four points.
 *
 * The outputs are added up in double precision.
 */
export function numericalGradient(graph: Graph, inputs: readonly Tensor[], index: number): Float64Array {
  const given = inputs[index] as Tensor;
  const at = (element: number, offset: number): number => {
    const data = Float32Array.from(given.data as Float32Array);
    data[element] = (data[element] as number) + offset;
    const moved = inputs.map((input, other) => (other === index ? new Tensor(given.shape, 'float32', data) : input));
    return evaluate(graph, moved).reduce(
      (total, output) => (output.data as Float32Array).reduce((partial, value) => partial + value, total),
      0,
    );
  };
  return Float64Array.from({ length: given.data.length }, (_, element) => {
    const near = at(element, STEP) - at(element, -STEP);
    const far = at(element, 2 * STEP) - at(element, -2 * STEP);
    return (8 * near - far) / (12 * STEP);
  });
}
