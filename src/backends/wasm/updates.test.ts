import { describe, expect, test } from 'vitest';
import { Tensor, tensor } from '../../array/tensor.ts';
import type { Backend } from '../../compiler/backend.ts';
import { ShapeError } from '../../errors.ts';
import { apply, applyAll, input, parameter } from '../../graph/apply.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { Variable } from '../../graph/variable.ts';
import { referenceBackend } from '../reference/reference-backend.ts';
import { wasmBackend } from './wasm-backend.ts';
import type { WasmProgram } from './wasm-program.ts';

const BACKENDS: readonly [string, () => Backend][] = [
  ['wasm', () => wasmBackend()],
  ['reference', () => referenceBackend()],
];

const float = (...shape: number[]): SymbolicTensor => input('x', { shape, dtype: 'float32' });

const variable = (...values: number[]): Variable =>
  new Variable({ name: 'weight', shape: [values.length], initialize: () => tensor(values) });

const add = (x: SymbolicTensor, y: SymbolicTensor): SymbolicTensor => apply('add', [x, y], {});
const multiply = (x: SymbolicTensor, y: SymbolicTensor): SymbolicTensor => apply('multiply', [x, y], {});
const dot = (x: SymbolicTensor, y: SymbolicTensor): SymbolicTensor =>
  apply('dot', [x, y], { transposeLeft: false, transposeRight: false });

describe.each(BACKENDS)('updates of variables on %s', (_, backend) => {
  test('a run gives what was computed from the values before it, and assigns those after it', async () => {
    const x = float(2);
    const weight = variable(1, 2);
    const old = parameter(weight);
    const next = add(old, x);
    const program = await backend().compile(
      { inputs: [x], outputs: [old, multiply(old, x), next] },
      { updates: [[weight, next]] },
    );
    const [before, product, after] = await program.run([tensor([10, 20])]);
    expect(before?.toArray()).toEqual([1, 2]);
    expect(product?.toArray()).toEqual([10, 40]);
    expect(after?.toArray()).toEqual([11, 22]);
    expect(weight.value.toArray()).toEqual([11, 22]);
    await program.run([tensor([1, 1])]);
    expect(weight.value.toArray()).toEqual([12, 23]);
  });

  test('all updates happen at once: variables change places', async () => {
    const [a, b, c] = [variable(1, 2), variable(3, 4), variable(0, 0)];
    const program = await backend().compile(
      { inputs: [], outputs: [] },
      {
        updates: [
          [a, parameter(b)],
          [b, parameter(a)],
          [c, add(parameter(a), parameter(b))],
        ],
      },
    );
    await program.run([]);
    expect([a, b, c].map((each) => each.value.toArray())).toEqual([
      [3, 4],
      [1, 2],
      [4, 6],
    ]);
    await program.run([]);
    expect([a, b, c].map((each) => each.value.toArray())).toEqual([
      [1, 2],
      [3, 4],
      [4, 6],
    ]);
  });

  test('a state that a later kernel reads, and one that is read in another order, keep their old values', async () => {
    const weight = new Variable({
      name: 'weight',
      shape: [2, 2],
      initialize: () =>
        tensor([
          [1, 2],
          [3, 4],
        ]),
    });
    const old = parameter(weight);
    const turned = apply('transpose', [add(old, old)], { permutation: [1, 0] });
    const program = await backend().compile(
      { inputs: [], outputs: [dot(turned, old)] },
      { updates: [[weight, turned]] },
    );
    const [product] = await program.run([]);
    expect(product?.toArray()).toEqual([
      [20, 28],
      [28, 40],
    ]);
    expect(weight.value.toArray()).toEqual([
      [2, 6],
      [4, 8],
    ]);
  });

  test('programs that share variables see each other’s updates, and assignments, in any order', async () => {
    const weight = variable(1, 1);
    const x = float(2);
    const [shared, one] = [parameter(weight), backend()];
    const adds = await one.compile({ inputs: [x], outputs: [] }, { updates: [[weight, add(shared, x)]] });
    const multiplies = await one.compile({ inputs: [x], outputs: [] }, { updates: [[weight, multiply(shared, x)]] });
    const reads = await one.compile({ inputs: [x], outputs: [add(shared, x)] });
    const expected = [1, 1];
    const check = async (): Promise<void> => {
      const [sum] = await reads.run([tensor([0, 0])]);
      expect(sum?.toArray()).toEqual(expected);
    };
    for (const step of 'aamamrmraasamr') {
      if (step === 'a') {
        await adds.run([tensor([1, 2])]);
        expected.forEach((value, index) => {
          expected[index] = value + index + 1;
        });
      } else if (step === 'm') {
        await multiplies.run([tensor([2, 3])]);
        expected.forEach((value, index) => {
          expected[index] = value * (index + 2);
        });
      } else if (step === 's') {
        weight.assign(tensor([5, 7]));
        expected.splice(0, 2, 5, 7);
      } else {
        await check();
      }
    }
    await check();
    expect(weight.value.toArray()).toEqual(expected);
  });

  test('weights of a contraction are trained, from inside a loop too', async () => {
    const kernel = new Variable({
      name: 'kernel',
      shape: [3, 5],
      initialize: () =>
        new Tensor(
          [3, 5],
          'float32',
          Float32Array.from({ length: 15 }, (_, index) => index),
        ),
    });
    const x = float(2, 3);
    const updates = [[kernel, add(parameter(kernel), parameter(kernel))]] as const;
    const program = await backend().compile({ inputs: [x], outputs: [dot(x, parameter(kernel))] }, { updates });
    const given = [
      tensor([
        [1, 0, 0],
        [0, 1, 1],
      ]),
    ];
    const rows = (scale: number): number[][] => [
      [0, 1, 2, 3, 4].map((value) => value * scale),
      [15, 17, 19, 21, 23].map((value) => value * scale),
    ];
    for (const scale of [1, 2, 4]) expect((await program.run(given))[0]?.toArray()).toEqual(rows(scale));
  });

  test('a value of another shape is refused', async () => {
    const compile = async () => {
      const program = await backend().compile({ inputs: [], outputs: [] }, { updates: [[variable(1), float(2)]] });
      await program.run([]);
    };
    await expect(compile()).rejects.toThrow(ShapeError);
  });
});

test('a program that trains copies nothing in or out in steady state', async () => {
  const weight = variable(1, 2, 3);
  const x = float(3);
  const program = await wasmBackend().compile(
    { inputs: [x], outputs: [] },
    { updates: [[weight, multiply(parameter(weight), x)]] },
  );
  const given = [tensor([2, 2, 2])];
  await program.run(given);
  const first = weight.value;
  // Written behind the back of the version: a program that uploaded it again would compute with it.
  (first.data as Float32Array).fill(0);
  await program.run(given);
  await program.run(given);
  expect(weight.value.toArray()).toEqual([8, 16, 24]);
  expect(first.toArray()).toEqual([0, 0, 0]);
});

test('the next value of an element-wise update is computed in place', async () => {
  const [weight, slot] = [variable(1, 2, 3), variable(0, 0, 0)];
  const x = float(3);
  const moved = add(parameter(slot), x);
  const program = await wasmBackend().compile(
    { inputs: [x], outputs: [] },
    {
      updates: [
        [slot, moved],
        [weight, apply('subtract', [parameter(weight), moved], {})],
      ],
    },
  );
  const { schedule, plan } = program;
  expect(schedule.updates.map(({ state, next }) => plan.offsets.get(next) === plan.offsets.get(state))).toEqual([
    true,
    true,
  ]);
  await program.run([tensor([1, 1, 1])]);
  await program.run([tensor([1, 1, 1])]);
  expect(weight.value.toArray()).toEqual([-2, -1, 0]);
});

test('a profile assigns what one run assigns', async () => {
  const weight = variable(1, 2);
  const next = multiply(parameter(weight), parameter(weight));
  const program = await wasmBackend({ profile: true }).compile(
    { inputs: [], outputs: [] },
    { updates: [[weight, next]] },
  );
  expect(await program.profile([])).toHaveLength(1);
  expect(weight.value.toArray()).toEqual([1, 4]);
  await program.run([]);
  expect(weight.value.toArray()).toEqual([1, 16]);
});

test('weights that a run changes are packed once for all steps of a loop', async () => {
  const values = (count: number): number[] => Array.from({ length: count }, (_, index) => Math.sin(index * 1.7));
  const square = (symbol: SymbolicTensor): SymbolicTensor => multiply(symbol, symbol);
  const results = await Promise.all(
    BACKENDS.map(async ([, backend]) => {
      const initial = tensor(values(20 * 20), [20, 20]);
      const weight = new Variable({ name: 'weight', shape: [20, 20], initialize: () => initial });
      const [x, carry, inner] = [float(5, 20), float(5, 20), float(20, 20)];
      const next = apply('tanh', [dot(dot(carry, inner), square(inner))], {});
      const [last] = applyAll('scan', [x, parameter(weight)], {
        body: { inputs: [carry, inner], outputs: [next] },
        length: 4,
        carryCount: 1,
        sequenceCount: 0,
        reverse: false,
      }) as readonly [SymbolicTensor];
      const program = await backend().compile(
        { inputs: [x], outputs: [last] },
        { updates: [[weight, multiply(parameter(weight), parameter(weight))]] },
      );
      const given = tensor(values(100), [5, 20]);
      await program.run([given]);
      const [result] = await program.run([given]);
      return { program, data: result?.data as Float32Array };
    }),
  );
  const [wasm, reference] = results as [(typeof results)[0], (typeof results)[0]];
  const { kernels } = (wasm.program as WasmProgram).schedule;
  expect(kernels.map(({ kind }) => kind)).toEqual(['pack', 'scan', 'loop']);
  for (const [index, value] of reference.data.entries()) expect(wasm.data[index]).toBeCloseTo(value, 5);
});
