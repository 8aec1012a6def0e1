import { describe, expect, test, vi } from 'vitest';
import { seededTensor } from '../../../test/support/seeded-numbers.ts';
import { NarrowArray } from '../../array/narrow-array.ts';
import type { Shape } from '../../array/shape.ts';
import type { Tensor } from '../../array/tensor.ts';
import { apply, input, parameter } from '../../graph/apply.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { Variable } from '../../graph/variable.ts';
import { LocalPlace } from './place.ts';
import { wasmBackend } from './wasm-backend.ts';
import type { WasmProgram } from './wasm-program.ts';

function variableOf(shape: Shape): Variable {
  const variable = new Variable({ name: 'weight', shape, initialize: () => seededTensor(0, ...shape) });
  variable.assign(seededTensor(3, ...shape));
  return variable;
}

const dot = (x: SymbolicTensor, y: SymbolicTensor, transposeRight = false): SymbolicTensor =>
  apply('dot', [x, y], { transposeLeft: false, transposeRight });

const padding = [
  [1, 1],
  [0, 1],
] as const;

const convolve = (x: SymbolicTensor, kernel: SymbolicTensor, groups = 1): SymbolicTensor =>
  apply('convolve', [x, kernel], { strides: [2, 1], padding, dilation: [1, 1], groups });

/** Rows of a table, by numbers that are known in the run. */
const gathered = (x: SymbolicTensor, table: SymbolicTensor): SymbolicTensor => {
  const rows = apply('cast', [apply('multiply', [x, x], {})], { dtype: 'int32' });
  return apply('gather', [table, rows], { axis: 0 });
};

interface Case {
  readonly x: Shape;
  readonly weight: Shape;
  /** Elements from one channel to the next, of a narrow form; 1 unless given. */
  readonly inner?: number;
  readonly graph: (x: SymbolicTensor, weight: SymbolicTensor) => SymbolicTensor;
}

/** Weights that a program has in each of the orders that there are. */
const CASES: Readonly<Record<string, Case>> = {
  'a matrix': { x: [50, 301], weight: [301, 77], graph: dot },
  'a transposed matrix': { x: [50, 301], weight: [77, 301], inner: 301, graph: (x, weight) => dot(x, weight, true) },
  'several matrices': { x: [3, 40, 99], weight: [3, 99, 91], graph: dot },
  windows: { x: [1, 9, 9, 60], weight: [3, 2, 60, 61], graph: convolve },
  'windows in groups': { x: [1, 9, 9, 90], weight: [3, 3, 30, 93], graph: (x, weight) => convolve(x, weight, 3) },
  'a transposed convolution': {
    x: [2, 5, 4, 70],
    weight: [3, 3, 39, 70],
    inner: 70,
    graph: (x, weight) =>
      apply('convolveInputGradient', [x, weight], {
        strides: [2, 2],
        padding,
        dilation: [1, 1],
        groups: 1,
        inputShape: [2, 9, 8, 39],
      }),
  },
  'a table': { x: [400], weight: [500, 64], inner: 64, graph: (x, weight) => gathered(x, weight) },
  'a table that is a matrix, too': {
    x: [400],
    weight: [400, 64],
    inner: 64,
    graph: (x, weight) => dot(gathered(x, weight), weight, true),
  },
};

/** Whether the variable has let its array go: it gives a new one each time. */
function isEntrusted(variable: Variable): boolean {
  const { value } = variable;
  return value !== variable.value;
}

async function compiled({ x, graph }: Case, variable: Variable): Promise<{ program: WasmProgram; given: Tensor[] }> {
  const symbol = input('x', { shape: x, dtype: 'float32' });
  const program = await wasmBackend().compile({ inputs: [symbol], outputs: [graph(symbol, parameter(variable))] });
  return { program, given: [seededTensor(1, ...x)] };
}

describe.each(Object.entries(CASES))('%s', (_, given) => {
  test('is brought back from the program to the bit, whatever it is assigned', async () => {
    const variable = variableOf(given.weight);
    const { program, given: inputs } = await compiled(given, variable);
    for (const seed of [3, 5]) {
      const value = seededTensor(seed, ...given.weight);
      variable.assign(value);
      const { version } = variable;
      expect(variable.value).toBe(value);
      const [output] = await program.run(inputs);
      expect(isEntrusted(variable)).toBe(true);
      expect(variable.value).toEqual(value);
      expect(variable.version).toBe(version);
      // It is neither written nor packed again.
      const [fill, write] = [vi.spyOn(LocalPlace.prototype, 'fill'), vi.spyOn(LocalPlace.prototype, 'write')];
      expect(await program.run(inputs)).toEqual([output]);
      expect([fill.mock.calls.length, write.mock.calls.length]).toEqual([0, 1]);
      vi.restoreAllMocks();
      // Another program gets it from this one.
      const other = await compiled(given, variable);
      expect(await other.program.run(inputs)).toEqual([output]);
      expect(variable.value).toEqual(value);
    }
  });

  test('is brought back when it was packed before the run', async () => {
    const variable = variableOf(given.weight);
    const { program, given: inputs } = await compiled(given, variable);
    while (await program.prepare(new Set([variable])));
    expect(isEntrusted(variable)).toBe(true);
    expect(variable.value).toEqual(seededTensor(3, ...given.weight));
    const [output] = await program.run(inputs);
    const fresh = await compiled(given, variableOf(given.weight));
    expect(await fresh.program.run(inputs)).toEqual([output]);
  });
});

/** Kernels that are transformed in the run; as floats they do not come back. */
const tiled = (shape: Shape, inner: number, isGradient: boolean): Case => ({
  x: [1, 16, 16, 32],
  weight: shape,
  inner,
  graph: (x, weight) => {
    const attributes = { strides: [1, 1], padding, dilation: [1, 1], groups: 1 };
    if (!isGradient) return apply('convolve', [x, weight], attributes);
    return apply('convolveInputGradient', [x, weight], { ...attributes, inputShape: [1, 16, 17, 64] });
  },
});

const NARROW_CASES = {
  ...CASES,
  tiles: tiled([3, 3, 32, 64], 1, false),
  'tiles of a gradient': tiled([3, 3, 64, 32], 32, true),
};

describe.each(['int8', 'float16'] as const)('kept as %s', (dtype) => {
  test.each(Object.entries(NARROW_CASES))('%s gives its codes back', async (_, given) => {
    const { weight: shape, inner = 1 } = given;
    const variable = variableOf(shape);
    const count = inner === 1 ? (shape.at(-1) as number) : (shape.at(-2) as number);
    const narrow = NarrowArray.of(variable.value.data as Float32Array, dtype, { count, inner }) as NarrowArray;
    variable.assignNarrow(narrow);
    const { value } = variable;
    const { program, given: inputs } = await compiled(given, variable);
    const [output] = await program.run(inputs);
    expect(variable.narrow).not.toBe(narrow);
    expect(variable.narrow?.codes).not.toBe(variable.narrow?.codes);
    expect(variable.narrow?.codes).toEqual(narrow.codes);
    expect(variable.narrow?.byteLength).toBe(narrow.byteLength);
    expect(variable.value).toEqual(value);
    const other = await compiled(given, variable);
    expect(await other.program.run(inputs)).toEqual([output]);
    variable.assign(seededTensor(5, ...shape));
    await program.run(inputs);
    expect(variable.narrow?.codes).toEqual(
      NarrowArray.of(seededTensor(5, ...shape).data as Float32Array, dtype, { count, inner })?.codes,
    );
  });
});

test('what others are folded into keeps its array, and so does what is small', async () => {
  const [weights, small, scale] = [variableOf([200, 200]), variableOf([9, 9]), variableOf([200])];
  const x = input('x', { shape: [40, 200], dtype: 'float32' });
  const wide = apply('broadcast', [apply('reshape', [parameter(scale)], { shape: [1, 200] })], { shape: [200, 200] });
  const scaled = apply('multiply', [parameter(weights), wide], {});
  const y = input('y', { shape: [9, 9], dtype: 'float32' });
  const outputs = [dot(x, scaled), dot(y, parameter(small))];
  const program = await wasmBackend().compile({ inputs: [x, y], outputs });
  await program.run([seededTensor(1, 40, 200), seededTensor(2, 9, 9)]);
  expect([weights, small, scale].map(isEntrusted)).toEqual([false, false, false]);
});

test('what a run assigns is read from the program that has assigned it last', async () => {
  const variable = variableOf([200, 200]);
  const x = input('x', { shape: [40, 200], dtype: 'float32' });
  const reader = await wasmBackend().compile({ inputs: [x], outputs: [dot(x, parameter(variable))] });
  const writer = await wasmBackend().compile(
    { inputs: [], outputs: [] },
    { updates: [[variable, apply('add', [parameter(variable), parameter(variable)], {})]] },
  );
  const given = [seededTensor(1, 40, 200)];
  await reader.run(given);
  expect(isEntrusted(variable)).toBe(true);
  await writer.run([]);
  const doubled = seededTensor(3, 200, 200);
  for (const [index, value] of (doubled.data as Float32Array).entries())
    (doubled.data as Float32Array)[index] = 2 * value;
  expect(variable.value).toEqual(doubled);
  await reader.run(given);
  expect(isEntrusted(variable)).toBe(true);
  expect(variable.value).toEqual(doubled);
});
