import { describe, expect, test } from 'vitest';
import { tensor } from '../../array/tensor.ts';
import type { Buffer, Expression, Kernel, LoopKernel } from '../../compiler/schedule.ts';
import { apply, input, parameter } from '../../graph/apply.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { Variable } from '../../graph/variable.ts';
import { referenceBackend } from '../reference/reference-backend.ts';
import { groupLoops } from './loop-groups.ts';
import { wasmBackend } from './wasm-backend.ts';

const SIZE = 10_000;

const buffer = (name: string, size: number = SIZE): Buffer => ({ name, role: 'temporary', dtype: 'float32', size });

/** `to = Σ from`, element by element. */
function loop(to: Buffer, from: readonly Buffer[], stride = 1): LoopKernel {
  const load = (source: Buffer): Expression => ({
    kind: 'load',
    dtype: 'float32',
    access: { buffer: source, offset: 0, strides: [source.size === 1 ? 0 : stride] },
  });
  const value = from
    .map(load)
    .reduce(
      (left, right): Expression => ({ kind: 'apply', dtype: 'float32', primitive: 'add', operands: [left, right] }),
    );
  return { kind: 'loop', name: to.name, domain: [to.size], store: { buffer: to, offset: 0, strides: [1] }, value };
}

const [a, b, c, d, scalar] = [buffer('a'), buffer('b'), buffer('c'), buffer('d'), buffer('scalar', 1)];

function groupsOf(kernels: readonly Kernel[], addresses: Readonly<Record<string, number>> = {}): number[] {
  const places: Record<string, number> = { a: 0, b: 50_000, c: 100_000, d: 150_000, scalar: 200_000, ...addresses };
  return groupLoops(kernels, ({ name }) => places[name] as number).map((group) => group.length);
}

describe('groupLoops()', () => {
  test('joins loops that walk the same elements', () => {
    expect(groupsOf([loop(b, [a]), loop(c, [a, b]), loop(d, [c, scalar])])).toEqual([3]);
  });

  test('joins a loop that overwrites what it and others read at the same place', () => {
    expect(groupsOf([loop(b, [a]), loop(c, [b, a])], { c: 0 })).toEqual([2]);
  });

  test('leaves alone what would overwrite elements that are still to be read', () => {
    expect(groupsOf([loop(b, [a]), loop(c, [b])], { c: 64 })).toEqual([1, 1]);
    expect(groupsOf([loop(b, [a]), loop(c, [d])], { d: 50_064 })).toEqual([1, 1]);
    expect(groupsOf([loop(b, [a]), loop(c, [a])], { c: 49_936 })).toEqual([1, 1]);
  });

  test('leaves alone loops of other sizes, small ones, and those that walk otherwise', () => {
    expect(groupsOf([loop(b, [a]), loop(buffer('c', 9000), [d])])).toEqual([1, 1]);
    expect(groupsOf([loop(buffer('b', 100), [scalar]), loop(buffer('c', 100), [scalar])])).toEqual([1, 1]);
    expect(groupsOf([loop(b, [a]), loop(c, [d], 2)])).toEqual([1, 1]);
  });
});

test('loops that are run together compute what the interpreter does', async () => {
  const values = (scale: number): Float32Array =>
    Float32Array.from({ length: SIZE }, (_, index) => Math.fround(Math.sin(index * scale)));
  const binary = (name: 'add' | 'multiply' | 'subtract', left: SymbolicTensor, right: SymbolicTensor): SymbolicTensor =>
    apply(name, [left, right], {});
  const steps = await Promise.all(
    [wasmBackend(), referenceBackend()].map(async (backend) => {
      const variables = [0.1, 0.2, 0.3].map(
        (scale) => new Variable({ name: 'weight', shape: [SIZE], initialize: () => tensor(values(scale), [SIZE]) }),
      );
      const gradient = input('gradient', { shape: [SIZE], dtype: 'float32' });
      const [weight, momentum, velocity] = variables.map(parameter) as [SymbolicTensor, SymbolicTensor, SymbolicTensor];
      const nextMomentum = binary('add', momentum, binary('subtract', gradient, momentum));
      const nextVelocity = binary('add', velocity, binary('multiply', gradient, gradient));
      const nextWeight = binary('subtract', weight, binary('multiply', nextMomentum, nextVelocity));
      const next = [nextWeight, nextMomentum, nextVelocity];
      const program = await backend.compile(
        { inputs: [gradient], outputs: [] },
        { updates: variables.map((variable, index) => [variable, next[index] as SymbolicTensor] as const) },
      );
      for (let step = 0; step < 3; step++) await program.run([tensor(values(0.7), [SIZE])]);
      return variables.map((variable) => variable.value.data);
    }),
  );
  expect(steps[0]).toEqual(steps[1]);
});
