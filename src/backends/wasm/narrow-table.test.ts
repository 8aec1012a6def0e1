import { expect, test } from 'vitest';
import { NarrowArray, type WeightDtype } from '../../array/narrow-array.ts';
import { Tensor } from '../../array/tensor.ts';
import { apply, input, parameter } from '../../graph/apply.ts';
import { Variable } from '../../graph/variable.ts';
import { evaluate } from '../reference/evaluate.ts';
import { wasmBackend } from './wasm-backend.ts';

const ROWS = 37;

test.each(
  (['int8', 'float16'] as const).flatMap((dtype) => [3, 8, 13, 20, 32].map((columns) => [dtype, columns] as const)),
)('rows of a table that is kept as %s, %i columns wide, have the bits of the floats', async (dtype, columns) => {
  const table = tableOf(dtype, columns);
  const indices = input('x', { shape: [2, 4], dtype: 'int32' });
  const graph = { inputs: [indices], outputs: [apply('gather', [parameter(table), indices], { axis: 0 })] };
  const given = [new Tensor([2, 4], 'int32', Int32Array.of(0, 36, 5, -1, -37, 37, 18, 5))];
  const program = await wasmBackend({ threads: 1 }).compile(graph);
  expect(await program.run(given)).toEqual(evaluate(graph, given));
  expect(program.plan.permanentBytes).toBeLessThan(ROWS * (Math.ceil(columns / 8) * 8 * bytes(dtype) + 4) + 256);
});

function tableOf(dtype: WeightDtype, columns: number): Variable {
  const data = Float32Array.from({ length: ROWS * columns }, (_, index) => Math.sin(index * 7.31) * (index % 50));
  const initialize = (): Tensor => new Tensor([ROWS, columns], 'float32', data);
  const table = new Variable({ name: 'embeddings', shape: [ROWS, columns], initialize });
  table.assignNarrow(NarrowArray.of(data, dtype, { count: ROWS, inner: columns }) as NarrowArray);
  return table;
}

function bytes(dtype: WeightDtype): number {
  return dtype === 'int8' ? 1 : 2;
}
