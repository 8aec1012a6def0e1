/** Programs that several threads run: the same bits as one thread gives, however many there are. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Tensor } from '../../array/tensor.ts';
import { BackendError } from '../../errors.ts';
import { apply, applyAll, constant, input, parameter } from '../../graph/apply.ts';
import type { Graph } from '../../graph/node.ts';
import { Variable } from '../../graph/variable.ts';
import { wasmBackend } from './wasm-backend.ts';
import type { WasmProgram } from './wasm-program.ts';

const THREADS = [2, 3];

function values(shape: readonly number[], seed: number): Tensor<'float32'> {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return new Tensor(
    shape,
    'float32',
    Float32Array.from({ length: size }, (_, index) => Math.sin(index * 0.7 + seed)),
  );
}

const window = {
  strides: [1, 1],
  dilation: [1, 1],
  padding: [
    [1, 1],
    [1, 1],
  ],
  groups: 1,
} as const;
const plain = { transposeLeft: false, transposeRight: false };

/** Graphs whose kernels are large enough to be shared, one for each kind of kernel. */
const GRAPHS: Readonly<Record<string, () => { graph: Graph; inputs: readonly Tensor[] }>> = {
  'an element-wise chain of an odd length': () => {
    const x = input('x', { shape: [203, 509], dtype: 'float32' });
    return {
      graph: { inputs: [x], outputs: [apply('tanh', [apply('exp', [x], {})], {})] },
      inputs: [values(x.shape, 1)],
    };
  },
  'reductions over rows and over columns': () => {
    const x = input('x', { shape: [301, 477], dtype: 'float32' });
    const outputs = [apply('sum', [x], { axes: [0] }), apply('sum', [apply('exp', [x], {})], { axes: [1] })];
    return { graph: { inputs: [x], outputs }, inputs: [values(x.shape, 2)] };
  },
  'matrix products in a row': () => {
    const [x, y] = [
      input('x', { shape: [133, 187], dtype: 'float32' }),
      input('y', { shape: [187, 211], dtype: 'float32' }),
    ];
    const z = apply('dot', [x, y], plain);
    const outputs = [apply('dot', [apply('tanh', [z], {}), z], { transposeLeft: true, transposeRight: false })];
    return { graph: { inputs: [x, y], outputs }, inputs: [values(x.shape, 3), values(y.shape, 4)] };
  },
  'convolutions, with both gradients': () => {
    const x = input('x', { shape: [3, 23, 19, 9], dtype: 'float32' });
    const kernel = input('kernel', { shape: [3, 3, 9, 21], dtype: 'float32' });
    const y = apply('convolve', [x, kernel], window);
    const outputs = [
      y,
      apply('convolveInputGradient', [y, kernel], { ...window, inputShape: x.shape }),
      apply('convolveFilterGradient', [x, y], { ...window, kernelShape: kernel.shape }),
    ];
    return { graph: { inputs: [x, kernel], outputs }, inputs: [values(x.shape, 5), values(kernel.shape, 6)] };
  },
  'a sort, a running sum and a pool': () => {
    const x = input('x', { shape: [7, 31, 33, 11], dtype: 'float32' });
    const pool = {
      window: [3, 3],
      strides: [2, 2],
      dilation: [1, 1],
      padding: [
        [1, 1],
        [1, 1],
      ],
    } as const;
    const outputs = [
      apply('argSort', [x], { axis: 2, descending: true }),
      apply('cumulativeSum', [x], { axis: 1, reverse: false }),
      apply('maxPool', [x], pool),
    ];
    return { graph: { inputs: [x], outputs }, inputs: [values(x.shape, 7)] };
  },
  'a loop with products inside': () => {
    const x = input('x', { shape: [9, 48, 96], dtype: 'float32' });
    const weights = input('weights', { shape: [96, 96], dtype: 'float32' });
    const step = input('step', { shape: [48, 96], dtype: 'float32' });
    const state = input('state', { shape: [48, 96], dtype: 'float32' });
    const matrix = input('matrix', { shape: [96, 96], dtype: 'float32' });
    const next = apply('tanh', [apply('add', [apply('dot', [state, matrix], plain), step], {})], {});
    const body: Graph = { inputs: [state, step, matrix], outputs: [next, next] };
    const attributes = { body, length: 9, carryCount: 1, sequenceCount: 1, reverse: false };
    const outputs = applyAll('scan', [apply('sum', [x], { axes: [0] }), x, weights], attributes);
    return { graph: { inputs: [x, weights], outputs }, inputs: [values(x.shape, 8), values(weights.shape, 9)] };
  },
};

/** Runs until as many threads take part as were asked for; they start while the first runs are done. */
async function runTogether(program: WasmProgram, inputs: readonly Tensor[], threads: number): Promise<Tensor[]> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const outputs = await program.run(inputs);
    if (program.threads === threads) return outputs;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`Cannot test: ${program.threads} threads came, expected ${threads}`);
}

const bitsOf = (tensors: readonly Tensor[]): string[] =>
  tensors.map(({ data }) => {
    const { buffer, byteOffset, byteLength } = data as Float32Array;
    return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
  });

test('threads that are there take part in the first run of a program', async () => {
  const backend = wasmBackend({ threads: 2 });
  backend.prepare?.();
  const { graph, inputs } = (GRAPHS['matrix products in a row'] as (typeof GRAPHS)[string])();
  let first = 1;
  for (let attempt = 0; attempt < 1000 && first === 1; attempt++) {
    const program = await backend.compile(graph);
    await new Promise((resolve) => setTimeout(resolve, 10));
    await program.run(inputs);
    first = program.threads;
  }
  expect(first).toBe(2);
});

describe.each(THREADS)('%i threads give the bits of one', (threads) => {
  test.each(Object.keys(GRAPHS))('%s', async (name) => {
    const { graph, inputs } = (GRAPHS[name] as (typeof GRAPHS)[string])();
    const alone = await wasmBackend({ threads: 1 }).compile(graph);
    const together = await wasmBackend({ threads }).compile(graph);
    const expected = bitsOf(await alone.run(inputs));
    expect(alone.threads).toBe(1);
    for (let repeat = 0; repeat < 5; repeat++) {
      expect(bitsOf(await runTogether(together, inputs, threads))).toEqual(expected);
    }
  });

  test('programs that assign variables', async () => {
    const train = async (count: number): Promise<string[]> => {
      const weights = new Variable({ name: 'weights', shape: [150, 150], initialize: (shape) => values(shape, 1) });
      const x = input('x', { shape: [90, 150], dtype: 'float32' });
      const y = apply('tanh', [apply('dot', [x, parameter(weights)], plain)], {});
      const step = apply('dot', [x, y], { transposeLeft: true, transposeRight: false });
      const next = apply('add', [parameter(weights), step], {});
      const graph = { inputs: [x], outputs: [apply('sum', [y], { axes: [0, 1] })] };
      const program = await wasmBackend({ threads: count }).compile(graph, { updates: [[weights, next]] });
      const losses: Tensor[] = [];
      for (let index = 0; index < 4; index++) losses.push(...(await program.run([values(x.shape, index)])));
      return bitsOf([...losses, weights.value]);
    };
    // Its threads come when they come: the bits are the same however many have.
    expect(await train(threads)).toEqual(await train(1));
  });
});

const SMALL: Readonly<Record<string, () => Graph>> = {
  'a few numbers': () => {
    const x = input('x', { shape: [4], dtype: 'float32' });
    return { inputs: [x], outputs: [apply('exp', [x], {})] };
  },
  'one row through a dense layer, whose weights are most of what is read': () => {
    const x = input('x', { shape: [1, 784], dtype: 'float32' });
    return { inputs: [x], outputs: [apply('dot', [x, constant(values([784, 128], 1))], plain)] };
  },
};

test.each(Object.keys(SMALL))("a small program is one thread's alone, and says so: %s", async (name) => {
  const graph = (SMALL[name] as (typeof SMALL)[string])();
  const inputs = graph.inputs.map(({ shape }) => values(shape, 1));
  const program = await wasmBackend({ threads: 2 }).compile(graph);
  await program.run(inputs);
  await new Promise((resolve) => setTimeout(resolve, 200));
  await program.run(inputs);
  expect(program.threads).toBe(1);
});

describe('a thread that dies', () => {
  const host = process.getBuiltinModule('node:worker_threads');
  const { Worker } = host;
  const started: InstanceType<typeof Worker>[] = [];

  beforeAll(() => {
    host.Worker = class extends Worker {
      constructor(...given: ConstructorParameters<typeof Worker>) {
        super(...given);
        started.push(this);
      }
    };
  });

  afterAll(() => {
    host.Worker = Worker;
  });

  /** Ends the thread that was started last; nobody hears of it before the next run. */
  const kill = async (): Promise<void> => {
    // It has gone back to its messages.
    await new Promise((resolve) => setTimeout(resolve, 50));
    void started.at(-1)?.terminate();
  };

  // As many threads as no test above has, so that they are started here.
  const options = { threads: 4, patienceSeconds: 0.5 };

  test('is waited for for a while; then one thread gives the same', async () => {
    const { graph, inputs } = (GRAPHS['matrix products in a row'] as (typeof GRAPHS)[string])();
    const program = await wasmBackend(options).compile(graph);
    const expected = bitsOf(await runTogether(program, inputs, 4));
    await kill();
    expect(bitsOf(await program.run(inputs))).toEqual(expected);
    expect(program.threads).toBe(1);
    const next = await wasmBackend(options).compile(graph);
    expect(bitsOf(await runTogether(next, inputs, 4))).toEqual(expected);
  });

  test('between two runs is replaced', async () => {
    const { graph, inputs } = (GRAPHS['matrix products in a row'] as (typeof GRAPHS)[string])();
    const program = await wasmBackend(options).compile(graph);
    const expected = bitsOf(await runTogether(program, inputs, 4));
    const before = started.length;
    await kill();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(bitsOf(await runTogether(program, inputs, 4))).toEqual(expected);
    expect(started.length).toBe(before + 3);
  });

  test('in a run that assigns variables is told of, and the next run goes on', async () => {
    const weights = new Variable({ name: 'weights', shape: [150, 150], initialize: (shape) => values(shape, 1) });
    const x = input('x', { shape: [90, 150], dtype: 'float32' });
    const y = apply('tanh', [apply('dot', [x, parameter(weights)], plain)], {});
    const next = apply(
      'add',
      [parameter(weights), apply('dot', [x, y], { transposeLeft: true, transposeRight: false })],
      {},
    );
    const graph = { inputs: [x], outputs: [apply('sum', [y], { axes: [0, 1] })] };
    const program = await wasmBackend(options).compile(graph, { updates: [[weights, next]] });
    await runTogether(program, [values(x.shape, 1)], 4);
    await kill();
    await expect(program.run([values(x.shape, 2)])).rejects.toThrow(BackendError);
    const alone = await wasmBackend({ threads: 1 }).compile(graph, { updates: [[weights, next]] });
    weights.assign(values(weights.shape, 3));
    const found = bitsOf([...(await program.run([values(x.shape, 4)])), weights.value]);
    weights.assign(values(weights.shape, 3));
    expect(found).toEqual(bitsOf([...(await alone.run([values(x.shape, 4)])), weights.value]));
  });
});
