/** Random small graphs, compiled, against the interpreter: what fusion, planning and folding do together. */
import { expect, test } from 'vitest';
import { Random, randomGraph } from '../../../test/support/random-graph.ts';
import type { Tensor } from '../../array/tensor.ts';
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
