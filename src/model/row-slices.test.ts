import { describe, expect, test } from 'vitest';
import { type Tensor, tensor } from '../array/tensor.ts';
import { referenceBackend } from '../backends/reference/reference-backend.ts';
import { wasmBackend } from '../backends/wasm/wasm-backend.ts';
import type { Backend } from '../compiler/backend.ts';
import { Conv2D } from '../layers/convolutional/conv.ts';
import { Dense } from '../layers/core/dense.ts';
import { Lambda } from '../layers/core/lambda.ts';
import { input } from '../layers/input-layer.ts';
import { Flatten } from '../layers/reshaping/reshape.ts';
import { LSTM } from '../layers/rnn/lstm.ts';
import { multiply, subtract } from '../ops/elementwise.ts';
import { mean } from '../ops/reduce.ts';
import { reshape } from '../ops/shape.ts';
import { Model } from './model.ts';
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

/** Of a typed array; bytes are compared faster than numbers. */
function bytesOf(data: unknown): Buffer {
  const { buffer, byteOffset, byteLength } = data as Float32Array;
  return Buffer.from(buffer, byteOffset, byteLength);
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
    const model = new Sequential({ layers: [1, 2, 3].map(() => new Dense({ units: 1000 })) });
    const wide = tensor(new Float32Array(9 * 64 * 1000), [9 * 64, 1000]);
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

describe('a large batch', () => {
  const [ROWS, SIDE] = [45, 56];
  const images = tensor(
    Float32Array.from({ length: ROWS * SIDE * SIDE * 3 }, (_, index) => Math.sin(index * index)),
    [ROWS, SIDE, SIDE, 3],
  );

  /** Two outputs; the greatest activation of a row has 200 KB, so that ten rows make a slice. */
  function smallNetwork(): Model {
    const image = input({ shape: [SIDE, SIDE, 3] });
    const features = new Conv2D({ filters: 16, kernelSize: 3, padding: 'same', activation: 'relu' }).apply(image);
    const strided = new Conv2D({ filters: 8, kernelSize: 3, strides: 4, activation: 'gelu' }).apply(features);
    const scores = new Dense({ units: 5, activation: 'softmax' }).apply(new Flatten().apply(strided));
    return new Model({ inputs: image, outputs: [scores, features] });
  }

  /** What is computed from the whole of the first one is larger than the caches. */
  function pointwise(): Conv2D[] {
    return [1, 2].map(() => new Conv2D({ filters: 16, kernelSize: 1 }));
  }

  test('is computed as a whole where one product passes nothing on', async () => {
    for (const [layers, rows] of [
      [pointwise(), 9],
      [pointwise().slice(1), ROWS],
    ] as const) {
      const { backend, compiled } = listening(wasmBackend({ threads: 1 }));
      await new Sequential({ layers }).predict(images, { backend, batchSize: ROWS });
      expect(compiled).toEqual([rows]);
    }
  });

  test('is computed some rows at a time, with the same bits for any number of threads', async () => {
    const model = smallNetwork();
    const { backend, compiled } = listening(wasmBackend({ threads: 2 }));
    const found = await model.predict<readonly Tensor[]>(images, { backend, batchSize: ROWS });
    expect(compiled).toEqual([9]);
    for (const threads of [1, 2]) {
      // Batches of one row more than half a slice are no slices themselves.
      for (const batchSize of [6, 33]) {
        const other = await model.predict<readonly Tensor[]>(images, { backend: wasmBackend({ threads }), batchSize });
        for (const [index, { data }] of other.entries())
          expect(bytesOf(data).equals(bytesOf(found[index]?.data))).toBe(true);
      }
    }
  });

  test('shares its program with batches that are as large as a slice', async () => {
    const model = smallNetwork();
    const { backend, compiled } = listening(wasmBackend({ threads: 1 }));
    await model.predict(images, { backend, batchSize: ROWS });
    await model.predict(images, { backend, batchSize: 9 });
    expect(compiled).toEqual([9]);
  });

  test('is computed as a whole where its rows meet, and by a model that looks at their number', async () => {
    const centred = new Lambda({ function: ([batch]) => subtract(batch, mean(batch, 0, true)) });
    const counted = new Lambda({ function: ([batch]) => multiply(batch, batch.shape[0] ?? 0) });
    for (const layer of [centred, counted]) {
      const { backend, compiled } = listening(wasmBackend({ threads: 1 }));
      const model = new Sequential({ layers: [...pointwise(), layer] });
      await model.predict(images, { backend, batchSize: ROWS });
      expect(compiled).toEqual([ROWS]);
    }
  });

  test('is computed as a whole by a model of one size', async () => {
    const image = input({ batchShape: [ROWS, SIDE, SIDE, 3] });
    const inRows = new Lambda({ function: ([batch]) => reshape(batch, [ROWS, SIDE * SIDE * 16]) });
    const [first, second] = pointwise() as [Conv2D, Conv2D];
    const features = second.apply(first.apply(image));
    const model = new Model({ inputs: image, outputs: inRows.apply(features) });
    const { backend, compiled } = listening(wasmBackend({ threads: 1 }));
    await model.predict(images, { backend, batchSize: ROWS });
    expect(compiled).toEqual([ROWS]);
  });

  test('can be given up between two slices', async () => {
    const model = smallNetwork();
    const controller = new AbortController();
    let runs = 0;
    const backend: Backend = {
      name: 'counts',
      compile: async (graph, options) => {
        const program = await wasmBackend({ threads: 1 }).compile(graph, options);
        return {
          run: (batch) => {
            if (++runs === 2) controller.abort();
            return program.run(batch);
          },
        };
      },
    };
    const prediction = model.predict(images, { backend, batchSize: ROWS, signal: controller.signal });
    await expect(prediction).rejects.toThrow(/abort/);
    expect(runs).toBe(2);
  });
});
