import { describe, expect, test } from 'vitest';
import { Tensor, tensor } from '../../array/tensor.ts';
import { BackendError, ShapeError } from '../../errors.ts';
import { apply, applyAll, constant, input, parameter } from '../../graph/apply.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { Variable } from '../../graph/variable.ts';
import { evaluate } from '../reference/evaluate.ts';
import { wasmBackend } from './wasm-backend.ts';

const float = (...shape: number[]): SymbolicTensor => input('x', { shape, dtype: 'float32' });

/** A variable that holds one number everywhere. */
function variable(value: number, ...shape: number[]): Variable {
  return new Variable({ name: 'weight', shape, initialize: () => filled(value, ...shape) });
}

function filled(value: number, ...shape: number[]): Tensor {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return new Tensor(shape, 'float32', new Float32Array(size).fill(value));
}

const dot = (x: SymbolicTensor, y: SymbolicTensor): SymbolicTensor =>
  apply('dot', [x, y], { transposeLeft: false, transposeRight: false });

/** What the first output holds, rounded to float32. */
const values = (outputs: readonly Tensor[]): number[] => Array.from(outputs[0]?.data as Float32Array);

describe('wasmBackend()', () => {
  test('computes the prologue again when a variable has changed, and only then', async () => {
    const x = float(1, 2);
    const weights = variable(1, 2, 2);
    const scale = variable(3, 2);
    const wide = apply('broadcast', [apply('reshape', [parameter(scale)], { shape: [1, 2] })], { shape: [2, 2] });
    const scaled = apply('multiply', [parameter(weights), wide], {});
    const program = await wasmBackend().compile({ inputs: [x], outputs: [dot(x, scaled)] });
    const run = async (): Promise<number[]> => values(await program.run([tensor([[1, 2]])]));
    expect(await run()).toEqual([9, 9]);
    scale.assign(tensor([10, 20]));
    expect(await run()).toEqual([30, 60]);
    // Written behind the back of the version: the program must not look.
    (scale.value.data as Float32Array)[0] = 0;
    expect(await run()).toEqual([30, 60]);
    weights.assign(filled(2, 2, 2));
    expect(await run()).toEqual([0, 120]);
  });

  test('computes only that part of the prologue again which depends on what has changed', async () => {
    const x = float(2);
    const [a, b, c] = [variable(1, 2), variable(2, 2), variable(3, 2)];
    // The sum needs the root of a, which has not changed, and whose place was taken by other values since.
    const root = apply('sum', [apply('sqrt', [parameter(a)], {})], { axes: [0] });
    const wide = apply('broadcast', [apply('reshape', [root], { shape: [1] })], { shape: [2] });
    const static1 = apply('add', [apply('exp', [apply('negate', [wide], {})], {}), parameter(b)], {});
    const static2 = apply('sum', [apply('multiply', [parameter(c), parameter(c)], {})], { axes: [0] });
    const wide2 = apply('broadcast', [apply('reshape', [static2], { shape: [1] })], { shape: [2] });
    const y = apply('multiply', [apply('add', [x, static1], {}), wide2], {});
    const graph = { inputs: [x], outputs: [y] };
    const program = await wasmBackend().compile(graph);
    const check = async (): Promise<void> => {
      const given = [tensor([5, 6])];
      const actual = values(await program.run(given));
      for (const [index, value] of values(evaluate(graph, given)).entries())
        expect(actual[index]).toBeCloseTo(value, 4);
    };
    await check();
    for (const [changed, value] of [
      [b, 7],
      [c, 4],
      [a, 9],
      [b, 1],
    ] as const) {
      changed.assign(filled(value, 2));
      await check();
    }
  });

  test('sums columns of what depends on a number for each column', async () => {
    const [x, mean] = [float(9, 23), float(23)];
    const wide = apply('broadcast', [apply('reshape', [mean], { shape: [1, 23] })], { shape: [9, 23] });
    const centred = apply('subtract', [x, apply('exp', [wide], {})], {});
    const graph = { inputs: [x, mean], outputs: [apply('sum', [centred], { axes: [0] })] };
    const given = [x, mean].map(({ shape }, operand) => {
      const size = shape.reduce((product, extent) => product * extent, 1);
      return tensor(
        Float32Array.from({ length: size }, (_, index) => Math.sin(index + operand)),
        shape,
      );
    });
    const program = await wasmBackend().compile(graph);
    const actual = values(await program.run(given));
    for (const [index, value] of values(evaluate(graph, given)).entries()) expect(actual[index]).toBeCloseTo(value, 4);
  });

  test('runs of one program wait for each other', async () => {
    const x = float(3);
    const program = await wasmBackend().compile({ inputs: [x], outputs: [apply('negate', [x], {})] });
    const results = await Promise.all([1, 2, 3].map((value) => program.run([filled(value, 3)])));
    expect(results.map((outputs) => values(outputs)[0])).toEqual([-1, -2, -3]);
  });

  test('outputs are the callers own, inputs stay as they are', async () => {
    const x = float(3);
    const given = filled(2, 3);
    const program = await wasmBackend().compile({ inputs: [x], outputs: [x, apply('exp', [x], {}), x] });
    const [first, , third] = await program.run([given]);
    expect(first?.data).not.toBe(given.data);
    expect(first?.data).not.toBe(third?.data);
    (first as Tensor<'float32'>).data.fill(0);
    expect(values(await program.run([given]))).toEqual([2, 2, 2]);
  });

  test('a variable and a constant may be outputs', async () => {
    const weights = variable(4, 2);
    const outputs = [parameter(weights), constant(tensor([1, 2, 3]))];
    const program = await wasmBackend().compile({ inputs: [], outputs });
    expect((await program.run([])).map((each) => each.toArray())).toEqual([
      [4, 4],
      [1, 2, 3],
    ]);
  });

  test('refuses inputs of another shape or number', async () => {
    const x = float(3);
    const program = await wasmBackend().compile({ inputs: [x], outputs: [x] });
    await expect(program.run([filled(1, 4)])).rejects.toThrow(
      new ShapeError('Cannot run the program: input 0 is float32[4], expected float32[3]'),
    );
    await expect(program.run([])).rejects.toThrow(new ShapeError('Cannot run the program: found 0 inputs, expected 1'));
  });

  test('refuses a graph that needs more memory than there are addresses', async () => {
    const x = float(2 ** 16, 1);
    const wide = apply('broadcast', [x], { shape: [2 ** 16, 2 ** 14] });
    const compiled = wasmBackend().compile({ inputs: [x], outputs: [apply('exp', [wide], {}), wide] });
    await expect(compiled).rejects.toThrow(BackendError);
    await expect(compiled).rejects.toThrow('expected at most 4 GiB');
  });

  test('host functions run before the kernels, on strings too', async () => {
    const words = input('words', { shape: [3], dtype: 'string' });
    const [lengths] = applyAll('host', [words], {
      name: 'lengths',
      outputs: [{ shape: [3], dtype: 'int32' }],
      run: ([given]) => [
        new Tensor(
          [3],
          'int32',
          Int32Array.from((given as Tensor<'string'>).data, (word) => word.length),
        ),
      ],
    }) as [SymbolicTensor];
    const y = apply('multiply', [lengths, lengths], {});
    const program = await wasmBackend().compile({ inputs: [words], outputs: [y, words] });
    const [squares, same] = await program.run([tensor(['a', 'bee', 'sting'])]);
    expect(squares?.toArray()).toEqual([1, 9, 25]);
    expect(same?.toArray()).toEqual(['a', 'bee', 'sting']);
  });

  test('says how long each kernel takes', async () => {
    const x = float(3);
    const graph = { inputs: [x], outputs: [apply('exp', [x], {})] };
    const program = await wasmBackend({ profile: true }).compile(graph);
    expect(await program.profile([filled(0, 3)])).toEqual([
      { kernel: 'exp = loop [3]: exp(input0)', milliseconds: expect.any(Number) },
    ]);
    await expect((await wasmBackend().compile(graph)).profile([filled(0, 3)])).rejects.toThrow(BackendError);
  });

  test('a convolution followed by an inferring batch normalisation is what the interpreter computes', async () => {
    const x = float(2, 6, 6, 3);
    let seed = 1;
    const random = (low: number, ...shape: number[]): Tensor => {
      const size = shape.reduce((product, extent) => product * extent, 1);
      const data = Float32Array.from({ length: size }, () => {
        seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
        return low + (seed / 2 ** 32) * (1 - low);
      });
      return new Tensor(shape, 'float32', data);
    };
    const weight = (low: number, ...shape: number[]): SymbolicTensor => {
      const value = random(low, ...shape);
      return parameter(new Variable({ name: 'weight', shape, initialize: () => value }));
    };
    const attributes = {
      strides: [1, 1],
      padding: [
        [1, 1],
        [1, 1],
      ] as const,
      dilation: [1, 1],
      groups: 1,
    };
    let y = apply('convolve', [x, weight(-1, 3, 3, 3, 5)], attributes);
    const across = (vector: SymbolicTensor): SymbolicTensor =>
      apply('broadcast', [apply('reshape', [vector], { shape: [1, 1, 1, 5] })], { shape: y.shape });
    y = apply('add', [y, across(weight(-1, 5))], {});
    y = apply('subtract', [y, across(weight(-1, 5))], {});
    y = apply('multiply', [y, across(apply('rsqrt', [weight(0.5, 5)], {}))], {});
    y = apply('divide', [y, across(weight(0.5, 5))], {});
    y = apply('subtract', [across(weight(-1, 5)), y], {});
    const graph = { inputs: [x], outputs: [y] };
    const given = [random(-1, 2, 6, 6, 3)];
    const program = await wasmBackend().compile(graph);
    expect(program.schedule.kernels.length).toBe(1);
    const expected = values(evaluate(graph, given));
    const actual = values(await program.run(given));
    for (const [index, value] of expected.entries()) expect(actual[index]).toBeCloseTo(value, 4);
  });
});
