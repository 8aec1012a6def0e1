import { expect, test } from 'vitest';
import { tensor } from '../array/tensor.ts';
import { gradients } from '../autodiff/gradients.ts';
import { input, parameter } from '../graph/apply.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import { Variable } from '../graph/variable.ts';
import { relu6 } from '../ops/activations.ts';
import { exp, multiply, rsqrt, subtract } from '../ops/elementwise.ts';
import { matmul } from '../ops/matrix.ts';
import { mean, sum } from '../ops/reduce.ts';
import { atOnce } from '../pause.ts';
import type { Update } from './backend.ts';
import { lowerGraph } from './lower.ts';
import { planMemory } from './plan.ts';
import { repeatableNodes } from './repeatable.ts';
import { trainingAdvice } from './training-advice.ts';

const ROWS = 256;
const WIDTH = 64;

function weight(name: string): Variable {
  const shape = [WIDTH, WIDTH];
  return new Variable({ name, shape, initialize: () => tensor(new Float32Array(WIDTH * WIDTH), shape) });
}

function normalized(x: SymbolicTensor): SymbolicTensor {
  const center = subtract(x, mean(x, [0], true));
  const variance = mean(multiply(center, center), [0], true);
  return multiply(center, rsqrt(variance));
}

test('a training step keeps neither what a normalisation nor what a bounded activation computes', () => {
  const x = input('x', { shape: [ROWS, WIDTH], dtype: 'float32' });
  const weights = [0, 1, 2, 3, 4, 5].map((layer) => weight(`weight${layer}`));
  const y = weights.reduce((sum, each) => relu6(normalized(matmul(sum, parameter(each)))), x);
  const loss = sum(multiply(y, y));
  const found = gradients(loss, weights.map(parameter));
  const updates = weights.map((each, index): Update => {
    return [each, subtract(parameter(each), found[index] as SymbolicTensor)];
  });
  const graph = { inputs: [x], outputs: [loss] };
  const [plain, advised] = [
    atOnce(lowerGraph(graph, updates)),
    atOnce(lowerGraph(graph, updates, trainingAdvice(graph, updates))),
  ];
  expect(advised.kernels.length).toBeLessThan(plain.kernels.length);
  expect(planMemory(advised).totalBytes).toBeLessThan(0.75 * planMemory(plain).totalBytes);
});

test('values are repeated that are cheap, and computed from one that is there anyway', () => {
  const [x, other] = ['x', 'other'].map((name) => input(name, { shape: [ROWS, WIDTH], dtype: 'float32' })) as [
    SymbolicTensor,
    SymbolicTensor,
  ];
  const product = matmul(x, parameter(weight('kernel')));
  const twice = multiply(product, 2);
  const curve = exp(product);
  const both = multiply(product, other);
  const outputs = [sum(product), sum(twice), sum(curve), sum(both), sum(other)];
  const isRepeatable = repeatableNodes(outputs);
  expect([twice, curve, both].map(({ node }) => isRepeatable(node))).toEqual([true, false, false]);
  // Nobody else wants the product here, so that it can be computed with what follows.
  expect(repeatableNodes([sum(twice)])(twice.node)).toBe(false);
});
