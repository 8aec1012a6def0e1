/** Kernels that steps of trainings have: they give what the interpreter gives, and the same bits for any number of threads. */
import { describe, expect, test } from 'vitest';
import { Tensor } from '../../array/tensor.ts';
import type { Update } from '../../compiler/backend.ts';
import { formatSchedule } from '../../compiler/format-schedule.ts';
import { apply, constant, input, parameter } from '../../graph/apply.ts';
import type { Graph, SymbolicTensor } from '../../graph/node.ts';
import { Variable } from '../../graph/variable.ts';
import { referenceBackend } from '../reference/reference-backend.ts';
import { wasmBackend } from './wasm-backend.ts';

interface Step {
  readonly graph: Graph;
  readonly updates: readonly Update[];
  readonly inputs: readonly Tensor[];
}

const transposed = { transposeLeft: true, transposeRight: false };

function values(shape: readonly number[], seed: number): Tensor<'float32'> {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return new Tensor(
    shape,
    'float32',
    Float32Array.from({ length: size }, (_, index) => Math.sin(index * 0.7 + seed)),
  );
}

const variable = (shape: readonly number[], seed: number): Variable =>
  new Variable({ name: 'weight', shape, initialize: () => values(shape, seed) });

const float = (...shape: number[]): SymbolicTensor => input('x', { shape, dtype: 'float32' });
const filled = (x: SymbolicTensor, value: number): SymbolicTensor =>
  apply(
    'broadcast',
    [
      constant(
        new Tensor(
          x.shape.map(() => 1),
          'float32',
          Float32Array.of(value),
        ),
      ),
    ],
    { shape: x.shape },
  );
const scaled = (x: SymbolicTensor, factor: number): SymbolicTensor => apply('multiply', [x, filled(x, factor)], {});
const multiply = (x: SymbolicTensor, y: SymbolicTensor): SymbolicTensor => apply('multiply', [x, y], {});
const add = (x: SymbolicTensor, y: SymbolicTensor): SymbolicTensor => apply('add', [x, y], {});

/** The updates of a weight, and of two slots that each keep something of its gradient. */
function slots(weight: Variable, gradient: SymbolicTensor): Update[] {
  const [first, second] = [variable(weight.shape, 5), variable(weight.shape, 6)];
  const momentum = add(scaled(parameter(first), 0.9), scaled(gradient, 0.1));
  const velocity = add(scaled(parameter(second), 0.99), multiply(gradient, gradient));
  const scale = apply('sqrt', [add(velocity, filled(velocity, 2))], {});
  return [
    [first, momentum],
    [second, velocity],
    [weight, apply('subtract', [parameter(weight), apply('divide', [momentum, scale], {})], {})],
  ];
}

const STEPS: Readonly<Record<string, () => Step>> = {
  'slots of the product that is the gradient': () => {
    const [x, dy] = [float(48, 301), float(48, 67)];
    const gradient = apply('dot', [x, dy], transposed);
    return {
      graph: { inputs: [x, dy], outputs: [] },
      updates: slots(variable([301, 67], 1), gradient),
      inputs: [values(x.shape, 2), values(dy.shape, 3)],
    };
  },
  'slots of a product of the weight itself': () => {
    const weight = variable([130, 130], 1);
    const gradient = apply('dot', [parameter(weight), parameter(weight)], transposed);
    return { graph: { inputs: [], outputs: [] }, updates: slots(weight, gradient), inputs: [] };
  },
  'long sums to few numbers': () => {
    const x = float(16, 41, 29, 23);
    const bias = variable([23], 1);
    const sum = apply('sum', [multiply(x, x)], { axes: [0, 1, 2] });
    const updates: Update[] = [[bias, apply('subtract', [parameter(bias), scaled(sum, 0.01)], {})]];
    return {
      graph: { inputs: [x], outputs: [apply('sum', [x], { axes: [1, 2] })] },
      updates,
      inputs: [values(x.shape, 2)],
    };
  },
  'the gradient of a pool of what a relu gave': () => {
    const [given, dy] = [float(6, 16, 20, 33), float(6, 8, 10, 33)];
    const pool = {
      window: [2, 2],
      strides: [2, 2],
      dilation: [1, 1],
      padding: [
        [0, 0],
        [0, 0],
      ],
    } as const;
    const x = apply('maximum', [given, filled(given, 0)], {});
    const dx = apply('maxPoolGradient', [x, apply('maxPool', [x], pool), dy], pool);
    const mask = apply('greater', [x, filled(x, 0)], {});
    const outputs = [apply('select', [mask, dx, filled(dx, 0)], {})];
    return {
      graph: { inputs: [given, dy], outputs },
      updates: [],
      inputs: [values(given.shape, 2), values(dy.shape, 3)],
    };
  },
};

async function run(backend: ReturnType<typeof wasmBackend>, { graph, updates, inputs }: Step): Promise<Tensor[]> {
  const program = await backend.compile(graph, { updates });
  let outputs: Tensor[] = [];
  // Helpers have the program from its second run on.
  for (let step = 0; step < 3; step++) outputs = await program.run(inputs);
  return [...outputs, ...updates.map(([each]) => each.value)];
}

describe.each(Object.entries(STEPS))('%s', (_, step) => {
  test('are as the interpreter has them', async () => {
    const found = await run(wasmBackend({ threads: 1 }), step());
    const expected = await run(referenceBackend() as ReturnType<typeof wasmBackend>, step());
    for (const [index, { data }] of found.entries()) {
      const other = (expected[index] as Tensor<'float32'>).data;
      expect(data).toHaveLength(other.length);
      for (const [at, value] of (data as Float32Array).entries()) {
        const wanted = other[at] as number;
        if (Math.abs(value - wanted) > 2e-5 * Math.max(1, Math.abs(wanted))) expect(value).toBeCloseTo(wanted, 5);
      }
    }
  });

  test('are the same bits for any number of threads', async () => {
    const alone = await run(wasmBackend({ threads: 1 }), step());
    for (const threads of [2, 3]) {
      const shared = await run(wasmBackend({ threads }), step());
      expect(shared.map(({ data }) => data)).toEqual(alone.map(({ data }) => data));
    }
  });
});

test('a long sum is cut into parts in a program that assigns', async () => {
  const { graph, updates } = (STEPS['long sums to few numbers'] as () => Step)();
  const { schedule } = await wasmBackend().compile(graph, { updates });
  expect(formatSchedule(schedule)).toMatch(/= sum \[8, 23\] over \[2, 41, 29\]: .*\n.*= sum \[23\] over \[8\]: /);
});
