import { describe, expect, test, vi } from 'vitest';
import { seededTensor } from '../../../test/support/seeded-numbers.ts';
import { tensor } from '../../array/tensor.ts';
import { apply, input, parameter } from '../../graph/apply.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { Variable } from '../../graph/variable.ts';
import { evaluate } from '../reference/evaluate.ts';
import { wasmBackend } from './wasm-backend.ts';

let seed = 1;

function variable(...shape: number[]): SymbolicTensor {
  const value = seededTensor(seed++, ...shape);
  return parameter(new Variable({ name: 'weight', shape, initialize: () => value }));
}

const wide = (vector: SymbolicTensor, ...shape: number[]): SymbolicTensor =>
  apply('broadcast', [apply('reshape', [vector], { shape: [...shape.slice(1).map(() => 1), ...vector.shape] })], {
    shape,
  });

/** What is written into a module, and how far the outcome is from the interpreter's. */
async function compiled(statics: readonly SymbolicTensor[]): Promise<{ names: string[]; error: number }> {
  const x = input('x', { shape: [1], dtype: 'float32' });
  const outputs = statics.map((value) => {
    const one = apply('broadcast', [apply('reshape', [x], { shape: value.shape.map(() => 1) })], {
      shape: value.shape,
    });
    return apply('multiply', [apply('add', [one, value], {}), value], {});
  });
  const spy = vi.spyOn(WebAssembly, 'compile');
  const program = await wasmBackend().compile({ inputs: [x], outputs });
  const module = (await spy.mock.results[0]?.value) as WebAssembly.Module;
  spy.mockRestore();
  const given = [tensor([0.25])];
  const found = await program.run(given);
  const expected = evaluate({ inputs: [x], outputs }, given);
  return {
    names: WebAssembly.Module.exports(module).map(({ name }) => name),
    error: Math.max(
      ...found.flatMap(({ data }, index) => {
        const right = expected[index]?.data as Float32Array;
        return Array.from(data as Float32Array, (value, place) => Math.abs(value / (right[place] as number) - 1));
      }),
    ),
  };
}

const scaled = (kernel: SymbolicTensor, scale: SymbolicTensor): SymbolicTensor =>
  apply('multiply', [kernel, wide(scale, ...kernel.shape)], {});

describe('loops of the prologue', () => {
  test('of one kind are one function, whatever their extents', async () => {
    const shapes = [
      [3, 5],
      [7, 4],
      [2, 3, 9],
      [1, 6],
    ];
    const { names, error } = await compiled(
      shapes.map((shape) => scaled(variable(...shape), variable(shape.at(-1) as number))),
    );
    expect(error).toBe(0);
    // That of one row has operands that are rows both.
    expect(names.sort()).toEqual(['loops0', 'loops1', 'run']);
  });

  test('tell apart what is read once and what is read twice', async () => {
    const [a, b, c] = [variable(6), variable(6), variable(6)];
    const { names, error } = await compiled([apply('multiply', [a, a], {}), apply('multiply', [b, c], {})]);
    expect(error).toBe(0);
    expect(names.sort()).toEqual(['loops0', 'loops1', 'run']);
  });

  test('tell constants apart, and keep single numbers and columns', async () => {
    const rooted = (x: SymbolicTensor, epsilon: number): SymbolicTensor => {
      const value = apply('constant', [], { value: tensor([epsilon]) });
      return apply('rsqrt', [apply('add', [apply('multiply', [x, x], {}), wide(value, ...x.shape)], {})], {});
    };
    const column = apply('broadcast', [apply('reshape', [variable(4)], { shape: [4, 1] })], { shape: [4, 5] });
    const { error, names } = await compiled([
      rooted(variable(5), 0.5),
      rooted(variable(9), 0.5),
      rooted(variable(5), 0.25),
      apply('multiply', [variable(4, 5), column], {}),
      apply('multiply', [variable(4, 5), wide(variable(1), 4, 5)], {}),
      scaled(apply('transpose', [variable(3, 8)], { permutation: [1, 0] }), variable(3)),
    ]);
    // The interpreter rounds a root's reciprocal once.
    expect(error).toBeLessThan(3e-7);
    expect(names.filter((name) => name.startsWith('loops')).length).toBeGreaterThanOrEqual(2);
  });
});
