/** The last batch of a prediction, which has fewer rows than the others. */
import { Tensor } from '../array/tensor.ts';
import type { Program } from '../compiler/backend.ts';
import type { Graph } from '../graph/node.ts';
import { isRowWise } from '../graph/row-wise.ts';
import { sliceRows, takeRows } from './rows.ts';

const rowWise = new WeakMap<Graph, boolean>();

/** What compiling another program takes at the least, in nanoseconds. */
const COMPILE_COST = 50e6;

/**
 * Runs fewer rows with the program for a whole batch, in which the last row fills the places of those that are missing:
 * another program would have to be compiled, and would hold the weights once more.
 *
 * @returns nothing when computing what is missing would take longer than that, by an estimate that is always the same, or
 *   when a row of the outputs depends on several of the inputs.
 */
export async function runPadded(
  program: Program,
  graph: Graph,
  batch: readonly Tensor[],
): Promise<readonly Tensor[] | undefined> {
  const rows = batch[0]?.shape[0] as number;
  const size = graph.inputs[0]?.shape[0] as number;
  const { cost = Number.POSITIVE_INFINITY } = program;
  if (cost * (1 - rows / size) > COMPILE_COST) return undefined;
  const isSafe = rowWise.get(graph) ?? isRowWise(graph);
  rowWise.set(graph, isSafe);
  if (!isSafe) return undefined;
  const indices = Int32Array.from({ length: size }, (_, index) => Math.min(index, rows - 1));
  const outputs = await program.run(batch.map((value) => takeRows(value, indices)));
  // What is cut off is not kept alive by what is left.
  return outputs.map((value) => {
    const { shape, dtype, data } = sliceRows(value, 0, rows);
    return new Tensor(shape, dtype as 'float32', (data as Float32Array).slice());
  });
}
