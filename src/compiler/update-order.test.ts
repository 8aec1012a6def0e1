import { expect, test } from 'vitest';
import { tensor } from '../array/tensor.ts';
import { gradients } from '../autodiff/gradients.ts';
import { input, parameter } from '../graph/apply.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import { Variable } from '../graph/variable.ts';
import { relu } from '../ops/activations.ts';
import { add, multiply, subtract } from '../ops/elementwise.ts';
import { matmul } from '../ops/matrix.ts';
import { sum } from '../ops/reduce.ts';
import { atOnce } from '../pause.ts';
import type { Update } from './backend.ts';
import { lowerGraph } from './lower.ts';
import { planMemory } from './plan.ts';
import { backwards } from './update-order.ts';

const ROWS = 64;
const WIDTH = 16;

function variable(name: string): Variable {
  const shape = [WIDTH, WIDTH];
  return new Variable({ name, shape, initialize: () => tensor(new Float32Array(WIDTH * WIDTH), shape) });
}

/** A step of an optimizer with slots on layers in a row. */
function trainingStep(depth: number): { loss: SymbolicTensor; x: SymbolicTensor; updates: Update[] } {
  const x = input('x', { shape: [ROWS, WIDTH], dtype: 'float32' });
  const weights = Array.from({ length: depth }, (_, layer) => variable(`weight${layer}`));
  const loss = sum(weights.reduce((y, weight) => relu(matmul(y, parameter(weight))), x));
  const found = gradients(loss, weights.map(parameter));
  const updates = weights.flatMap((weight, layer): Update[] => {
    const slot = variable(`slot${layer}`);
    const gradient = found[layer] as SymbolicTensor;
    const next = add(multiply(parameter(slot), 0.9), multiply(gradient, gradient));
    return [
      [weight, subtract(parameter(weight), multiply(gradient, next))],
      [slot, next],
    ];
  });
  return { loss, x, updates };
}

test('weights are updated from the last layer to the first, each as soon as its gradient is used', () => {
  const { loss, x, updates } = trainingStep(6);
  const graph = { inputs: [x], outputs: [loss] };
  const schedule = atOnce(lowerGraph(graph, updates, { roots: backwards(graph, updates) }));
  const written = schedule.kernels.flatMap((kernel) => {
    const update = schedule.updates.find(({ next }) => kernel.kind === 'loop' && kernel.store.buffer === next);
    return update === undefined ? [] : [update.variable.path];
  });
  expect(written).toEqual([5, 4, 3, 2, 1, 0].flatMap((layer) => [`slot${layer}`, `weight${layer}`]));
  const plan = planMemory(schedule);
  for (const { state, next } of schedule.updates) expect(plan.offsets.get(next)).toBe(plan.offsets.get(state));
  const inGivenOrder = planMemory(atOnce(lowerGraph(graph, updates)));
  expect(plan.permanentBytes).toBe(inGivenOrder.permanentBytes);
  expect(plan.totalBytes).toBeLessThan(inGivenOrder.totalBytes);
});

test('variables that nobody updates, or that change places, need no order', () => {
  const [a, b] = [variable('a'), variable('b')];
  const updates: Update[] = [
    [a, parameter(b)],
    [b, parameter(a)],
  ];
  const x = input('x', { shape: [ROWS, WIDTH], dtype: 'float32' });
  const graph = { inputs: [x], outputs: [matmul(x, parameter(a))] };
  expect(backwards(graph, updates).length).toBeGreaterThanOrEqual(1);
  expect(atOnce(lowerGraph(graph, updates, { roots: backwards(graph, updates) })).updates.length).toBe(2);
});
