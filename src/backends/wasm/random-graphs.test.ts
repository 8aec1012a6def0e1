/** Random small graphs, compiled, against the interpreter: what fusion, planning and folding do together. */
import { expect, test } from 'vitest';
import { Random, randomGraph } from '../../../test/support/random-graph.ts';
import { type Tensor, tensor } from '../../array/tensor.ts';
import type { Update } from '../../compiler/backend.ts';
import { apply, parameter } from '../../graph/apply.ts';
import { Variable } from '../../graph/variable.ts';
import { evaluate } from '../reference/evaluate.ts';
import { wasmBackend } from './wasm-backend.ts';

/** Errors grow with the greatest number on the way, which these graphs keep near 1; sums may reach some hundreds. */
function relativeError(actual: Tensor, expected: Tensor): number {
  let greatest = 0;
  let scale = 1;
  for (const value of expected.data as Float32Array) scale = Math.max(scale, Math.abs(value));
  for (const [index, value] of (expected.data as Float32Array).entries()) {
    const difference = Math.abs((actual.data[index] as number) - value) / scale;
    greatest = Math.max(greatest, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
  }
  return greatest;
}

test.each(Array.from({ length: 12 }, (_, index) => index))('random graphs, group %i', async (group) => {
  for (let seed = group * 25; seed < (group + 1) * 25; seed++) {
    const random = new Random(seed + 1);
    const graph = randomGraph(random);
    const inputs = graph.inputs.map((symbol) => random.floats(symbol.shape));
    const expected = evaluate(graph, inputs);
    const program = await wasmBackend().compile(graph);
    // The second run finds the memory as the first left it.
    for (let run = 0; run < 2; run++) {
      const actual = await program.run(inputs);
      for (const [index, value] of expected.entries()) {
        expect(actual[index]?.shape, `seed ${seed}, output ${index}`).toEqual(value.shape);
        const error = relativeError(actual[index] as Tensor, value);
        expect(error, `seed ${seed}, output ${index}, run ${run}`).toBeLessThanOrEqual(1e-5);
      }
    }
  }
});

test('random graphs give the same bits side by side with their like, whose code they share', async () => {
  for (let seed = 0; seed < 100; seed++) {
    const random = new Random(seed + 1);
    const [left, right] = [randomGraph(new Random(seed + 1)), randomGraph(new Random(seed + 1))];
    const [some, others] = [left, right].map(({ inputs }) => inputs.map(({ shape }) => random.floats(shape)));
    const program = await wasmBackend().compile(left);
    const both = await wasmBackend().compile({
      inputs: [...left.inputs, ...right.inputs],
      outputs: [...left.outputs, ...right.outputs],
    });
    const expected = [...(await program.run(some as Tensor[])), ...(await program.run(others as Tensor[]))];
    const found = await both.run([...(some as Tensor[]), ...(others as Tensor[])]);
    for (const [index, value] of expected.entries()) {
      expect(found[index]?.data, `seed ${seed}, output ${index}`).toEqual(value.data);
    }
  }
});

/** A step that counts is compiled as one of a training. */
function countingUpdate(): Update {
  const count = new Variable({ name: 'count', shape: [1], initialize: () => tensor([0]) });
  return [count, apply('add', [parameter(count), parameter(count)], {})];
}

test('random graphs give the same bits in a step of a training, whose values are computed in place of being stored', async () => {
  for (let seed = 0; seed < 100; seed++) {
    const random = new Random(seed + 1);
    const graph = randomGraph(random);
    const inputs = graph.inputs.map((symbol) => random.floats(symbol.shape));
    const program = await wasmBackend().compile(graph);
    const step = await wasmBackend().compile(graph, { updates: [countingUpdate()] });
    const [expected, found] = [await program.run(inputs), await step.run(inputs)];
    for (const [index, value] of expected.entries()) {
      expect(found[index]?.data, `seed ${seed}, output ${index}`).toEqual(value.data);
    }
  }
});
