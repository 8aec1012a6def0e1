import { afterEach, describe, expect, test, vi } from 'vitest';
import { seededTensor } from '../../../test/support/seeded-numbers.ts';
import type { Tensor } from '../../array/tensor.ts';
import { apply, input, parameter } from '../../graph/apply.ts';
import type { Graph, SymbolicTensor } from '../../graph/node.ts';
import { Variable } from '../../graph/variable.ts';
import { LocalPlace } from './place.ts';
import { wasmBackend } from './wasm-backend.ts';
import type { WasmProgram } from './wasm-program.ts';

const UNITS = 24;
const LAYERS = 6;

afterEach(() => vi.restoreAllMocks());

interface Layers {
  readonly graph: Graph;
  readonly kernels: readonly Variable[];
  readonly scales: readonly Variable[];
  readonly biases: readonly Variable[];
}

/** Products one after the other, with kernels that the prologue scales by what it computes of other weights. */
function layers(): Layers {
  const variables = (...shape: number[]): Variable[] =>
    Array.from({ length: LAYERS }, (_, layer) => {
      const initialize = (): Tensor => seededTensor(layer + shape.length, ...shape);
      return new Variable({ name: 'weight', shape, initialize });
    });
  const [kernels, scales, biases] = [variables(UNITS, UNITS), variables(UNITS), variables(UNITS)];
  const wide = (vector: SymbolicTensor): SymbolicTensor =>
    apply('broadcast', [apply('reshape', [vector], { shape: [1, UNITS] })], { shape: [UNITS, UNITS] });
  const x = input('x', { shape: [UNITS, UNITS], dtype: 'float32' });
  let y = x;
  for (const [layer, kernel] of kernels.entries()) {
    const norm = apply('exp', [parameter(scales[layer] as Variable)], {});
    const sum = apply('sum', [norm], { axes: [0] });
    const share = apply(
      'divide',
      [norm, apply('broadcast', [apply('reshape', [sum], { shape: [1] })], { shape: [UNITS] })],
      {},
    );
    const scaled = apply('multiply', [parameter(kernel), wide(share)], {});
    const product = apply('dot', [y, scaled], { transposeLeft: false, transposeRight: false });
    y = apply('add', [product, wide(parameter(biases[layer] as Variable))], {});
  }
  return { graph: { inputs: [x], outputs: [y] }, kernels, scales, biases };
}

const given = [seededTensor(99, UNITS, UNITS)];

/** What a program says that nobody has prepared. */
async function unprepared(graph: Graph): Promise<Tensor> {
  const program = await wasmBackend({ threads: 1 }).compile(graph);
  return (await program.run(given))[0] as Tensor;
}

/** Prepares all that can be, and gives how many weights were packed. */
async function prepared(program: WasmProgram, ...arrived: Variable[]): Promise<number> {
  const spy = vi.spyOn(LocalPlace.prototype, 'fill');
  while (await program.prepare(new Set(arrived)));
  const { length } = spy.mock.calls;
  spy.mockRestore();
  return length;
}

describe('WasmProgram.prepare()', () => {
  test('packs a weight as soon as all is there that is folded into it, and the run packs no more', async () => {
    const { graph, kernels, scales, biases } = layers();
    const program = await wasmBackend({ threads: 1 }).compile(graph);
    expect(await prepared(program, ...kernels, ...biases)).toBe(0);
    expect(await prepared(program, ...kernels, ...biases, scales[4] as Variable)).toBe(1);
    expect(await prepared(program, ...kernels, ...biases, ...scales.slice(2))).toBe(3);
    expect(await prepared(program, ...kernels, ...biases, ...scales)).toBe(2);
    const [fill, write] = [vi.spyOn(LocalPlace.prototype, 'fill'), vi.spyOn(LocalPlace.prototype, 'write')];
    const [output] = await program.run(given);
    // What is written is the input.
    expect([fill.mock.calls.length, write.mock.calls.length]).toEqual([0, 1]);
    expect(output).toEqual(await unprepared(graph));
  });

  test('gives the same bits whatever arrives in whichever order', async () => {
    for (let seed = 1; seed <= 12; seed++) {
      const { graph, kernels, scales, biases } = layers();
      const order = [...kernels, ...scales, ...biases];
      const ranks = seededTensor(seed, order.length).data as Float32Array;
      const shuffled = order.map((_, index) => index).sort((a, b) => (ranks[a] as number) - (ranks[b] as number));
      const program = await wasmBackend({ threads: 1 }).compile(graph);
      const arrived = new Set<Variable>();
      // The last ones are left to the run.
      for (const index of shuffled.slice(0, order.length - (seed % 4))) {
        arrived.add(order[index] as Variable);
        await program.prepare(arrived);
      }
      expect((await program.run(given))[0]).toEqual(await unprepared(graph));
    }
  });

  test('packs again what was assigned since, before the rest was packed or after', async () => {
    const { graph, kernels, scales, biases } = layers();
    const program = await wasmBackend({ threads: 1 }).compile(graph);
    const all = [...kernels, ...scales, ...biases];
    await prepared(program, ...all.slice(0, LAYERS + 2));
    scales[1]?.assign(seededTensor(55, UNITS));
    await prepared(program, ...all);
    kernels[3]?.assign(seededTensor(66, UNITS, UNITS));
    expect((await program.run(given))[0]).toEqual(await unprepared(graph));
    biases[0]?.assign(seededTensor(77, UNITS));
    expect((await program.run(given))[0]).toEqual(await unprepared(graph));
  });

  test('leaves to the run what fails', async () => {
    const { graph, kernels, scales, biases } = layers();
    const program = await wasmBackend({ threads: 1 }).compile(graph);
    const spy = vi.spyOn(LocalPlace.prototype, 'fill').mockImplementationOnce(() => {
      throw new RangeError('no');
    });
    await expect(program.prepare(new Set([...kernels, ...scales, ...biases]))).rejects.toThrow('no');
    spy.mockRestore();
    expect((await program.run(given))[0]).toEqual(await unprepared(graph));
  });
});
