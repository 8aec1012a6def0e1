import { describe, expect, test } from 'vitest';
import { tensor } from '../array/tensor.ts';
import { referenceBackend } from '../backends/reference/reference-backend.ts';
import { wasmBackend } from '../backends/wasm/wasm-backend.ts';
import type { Backend } from '../compiler/backend.ts';
import { Dense } from '../layers/core/dense.ts';
import { Lambda } from '../layers/core/lambda.ts';
import { LSTM } from '../layers/rnn/lstm.ts';
import { subtract } from '../ops/elementwise.ts';
import { mean } from '../ops/reduce.ts';
import { Sequential } from './sequential.ts';

/** Writes down for how many rows it has compiled. */
function listening(backend: Backend): { backend: Backend; compiled: number[] } {
  const compiled: number[] = [];
  const compile: Backend['compile'] = (graph, options) => {
    compiled.push(graph.inputs[0]?.shape[0] as number);
    return backend.compile(graph, options);
  };
  return { backend: { name: backend.name, compile }, compiled };
}

const ROWS = 11;
const values = Float32Array.from({ length: ROWS * 6 * 3 }, (_, index) => Math.sin(index));
const x = tensor(values, [ROWS, 6, 3]);

describe('the last batch of a prediction', () => {
  test('is run by the program of the others, with the same results', async () => {
    const model = new Sequential({ layers: [new LSTM({ units: 5 }), new Dense({ units: 2, activation: 'softmax' })] });
    const { backend, compiled } = listening(wasmBackend({ threads: 1 }));
    const found = await model.predict(x, { backend, batchSize: 4 });
    expect(compiled).toEqual([4]);
    expect(found.shape).toEqual([ROWS, 2]);
    const expected = await model.predict(x, { backend: referenceBackend() });
    for (const [index, value] of (expected.data as Float32Array).entries()) {
      expect(found.data[index]).toBeCloseTo(value, 5);
    }
  });

  test('has a program of its own where rows meet', async () => {
    const model = new Sequential({
      layers: [new Lambda({ function: ([batch]) => subtract(batch, mean(batch, 0, true)) })],
    });
    const { backend, compiled } = listening(wasmBackend({ threads: 1 }));
    const found = await model.predict(x, { backend, batchSize: 4 });
    expect(compiled).toEqual([4, 3]);
    const rest = await model.predict(tensor(values.slice(8 * 18), [3, 6, 3]), { backend: referenceBackend() });
    for (const [index, value] of (rest.data as Float32Array).entries()) {
      expect(found.data[8 * 18 + index]).toBeCloseTo(value, 5);
    }
  });

  test('has a program of its own where filling it up would take longer than compiling', async () => {
    const model = new Sequential({ layers: [new Dense({ units: 3000 }), new Dense({ units: 3000 })] });
    const wide = tensor(new Float32Array(9 * 64 * 3000), [9 * 64, 3000]);
    const { backend, compiled } = listening({
      name: 'compiles only',
      compile: async (graph, options) => {
        const { cost } = await wasmBackend({ threads: 1 }).compile(graph, options);
        return {
          cost,
          run: async () =>
            graph.outputs.map(({ shape }) => tensor(new Float32Array(shape[0] as number), [shape[0] as number, 1])),
        };
      },
    });
    await model.predict(wide, { backend, batchSize: 512 });
    expect(compiled).toEqual([512, 64]);
  });
});
