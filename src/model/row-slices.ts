/** Batches that are computed some rows at a time: what passes from kernel to kernel stays in the caches then. */
import { bytesPerElement } from '../array/dtype.ts';
import { sizeOf } from '../array/shape.ts';
import { Tensor } from '../array/tensor.ts';
import type { Program } from '../compiler/backend.ts';
import { type AnyNode, type Graph, type SymbolicTensor, topologicalOrder } from '../graph/node.ts';
import { isRowWise } from '../graph/row-wise.ts';
import { concatenateRows, sliceRows, takeRows } from './rows.ts';

/** Fewer rows read the weights too often for what they do with them, and leave threads little to share. */
const LEAST_SLICE = 8;

/**
 * The greatest activation of a slice: it, what is made of it and the weights stay in the caches that a core has near.
 * Half of it and twice as much were slower for convolutions, and the same for what spends its time on products.
 */
const SLICE_BYTES = 2 << 20;

/** What compiling another program takes at the least, in nanoseconds. */
const COMPILE_COST = 50e6;

const rowWise = new WeakMap<Graph, boolean>();

/**
 * The first rows of a batch, as many as its graph is best computed for at a time. Undefined where that is the whole batch,
 * where rows meet, and where the model looks at the size of its batch: what `trace` makes of fewer rows is another function
 * then.
 */
export async function findSlice(
  graph: Graph,
  batch: readonly Tensor[],
  trace: (slice: readonly Tensor[]) => Promise<Graph>,
): Promise<readonly Tensor[] | undefined> {
  const nodes = topologicalOrder(graph.outputs);
  // The steps of a loop are short: with fewer rows threads would wait for each other too often.
  if (nodes.some(({ primitive }) => primitive === 'scan')) return undefined;
  // What is computed by one kernel passes to no other, and slices would only be copied.
  if (nodes.filter(({ primitive }) => primitive === 'dot' || primitive === 'convolve').length < 2) return undefined;
  const rows = rowsOf(graph);
  const wanted = Math.max(LEAST_SLICE, Math.floor((SLICE_BYTES / greatestActivation(graph)) * rows));
  // Slices of nearly equal size: the last one computes hardly more than it has to.
  const size = Math.ceil(rows / Math.ceil(rows / wanted));
  if (size >= rows || !hasSeparateRows(graph)) return undefined;
  const slice = batch.map((value) => sliceRows(value, 0, size));
  try {
    const part = await trace(slice);
    return hasSeparateRows(part) && areAlike(graph, part, rows, size) ? slice : undefined;
  } catch {
    // It takes batches of one size only.
    return undefined;
  }
}

/**
 * Runs a batch of any size with the program for some rows: slice by slice, of which the last begins early enough to be a
 * whole one. Where rows are missing the last one fills their places.
 *
 * @param signal checked between slices
 * @returns nothing when a row of the outputs depends on several of the inputs, or when computing what is missing would take
 *   longer, by an estimate that is always the same, than compiling another program, which holds the weights once more.
 */
export async function runSlices(
  program: Program,
  graph: Graph,
  batch: readonly Tensor[],
  signal?: AbortSignal,
): Promise<readonly Tensor[] | undefined> {
  const rows = batch[0]?.shape[0] as number;
  const size = rowsOf(graph);
  const { cost = Number.POSITIVE_INFINITY } = program;
  if (cost * (1 - rows / size) > COMPILE_COST || !hasSeparateRows(graph)) return undefined;
  if (rows < size) {
    const indices = Int32Array.from({ length: size }, (_, index) => Math.min(index, rows - 1));
    const outputs = await program.run(batch.map((value) => takeRows(value, indices)));
    // What is cut off is not kept alive by what is left.
    return outputs.map((value) => {
      const { shape, dtype, data } = sliceRows(value, 0, rows);
      return new Tensor(shape, dtype as 'float32', (data as Float32Array).slice());
    });
  }
  const slices: (readonly Tensor[])[] = [];
  for (let done = 0; done < rows; done += size) {
    signal?.throwIfAborted();
    const start = Math.min(done, rows - size);
    const outputs = await program.run(batch.map((value) => sliceRows(value, start, start + size)));
    slices.push(start === done ? outputs : outputs.map((value) => sliceRows(value, done - start, size)));
  }
  return graph.outputs.map((_, index) => concatenateRows(slices.map((outputs) => outputs[index] as Tensor)));
}

/** Rows of the batch that a graph was traced for. */
function rowsOf({ inputs }: Graph): number {
  return inputs[0]?.shape[0] as number;
}

function hasSeparateRows(graph: Graph): boolean {
  const known = rowWise.get(graph) ?? isRowWise(graph);
  rowWise.set(graph, known);
  return known;
}

/** Bytes of the greatest value that is computed from the inputs and stored. */
function greatestActivation({ outputs }: Graph): number {
  const varying = new Set<AnyNode>();
  let greatest = 0;
  for (const node of topologicalOrder(outputs)) {
    if (node.primitive !== 'input' && !node.inputs.some((input) => varying.has(input.node))) continue;
    varying.add(node);
    if (node.primitive === 'broadcast') continue;
    for (const { shape, dtype } of node.outputs) {
      if (dtype !== 'string') greatest = Math.max(greatest, sizeOf(shape) * bytesPerElement(dtype));
    }
  }
  return greatest;
}

/** Whether two graphs consist of the same nodes, whose numbers may differ as the rows do. */
function areAlike(whole: Graph, part: Graph, rows: number, fewer: number): boolean {
  const [nodes, others] = [topologicalOrder(whole.outputs), topologicalOrder(part.outputs)];
  const places = new Map<AnyNode, number>(nodes.map((node, place) => [node, place]));
  const otherPlaces = new Map<AnyNode, number>(others.map((node, place) => [node, place]));
  const isSame = (one: SymbolicTensor, other: SymbolicTensor): boolean =>
    one.index === other.index && places.get(one.node) === otherPlaces.get(other.node);
  const areSame = (some: readonly SymbolicTensor[], more: readonly SymbolicTensor[]): boolean =>
    some.length === more.length && some.every((one, index) => isSame(one, more[index] as SymbolicTensor));
  return (
    nodes.length === others.length &&
    areSame(whole.inputs, part.inputs) &&
    areSame(whole.outputs, part.outputs) &&
    nodes.every((node, place) => {
      const other = others[place] as AnyNode;
      return (
        node.primitive === other.primitive &&
        areSame(node.inputs, other.inputs) &&
        correspond(node.attributes, other.attributes, rows, fewer)
      );
    })
  );
}

/** Of attributes: numbers that are equal or stand to each other as the rows do, and whatever consists of such. */
function correspond(one: unknown, other: unknown, rows: number, fewer: number): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one === 'number' && typeof other === 'number') return one * fewer === other * rows;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (one instanceof Tensor) return other instanceof Tensor && isEqual(one, other);
  const [entries, others] = [Object.entries(one), Object.entries(other)];
  return (
    Object.getPrototypeOf(one) === Object.getPrototypeOf(other) &&
    (Array.isArray(one) || Object.getPrototypeOf(one) === Object.prototype) &&
    entries.length === others.length &&
    entries.every(
      ([key, value], index) => key === others[index]?.[0] && correspond(value, others[index]?.[1], rows, fewer),
    )
  );
}

function isEqual(one: Tensor, other: Tensor): boolean {
  const values = other.data as ArrayLike<unknown>;
  return (
    one.dtype === other.dtype &&
    one.shape.join() === other.shape.join() &&
    Array.prototype.every.call(one.data, (value, index) => Object.is(value, values[index]))
  );
}
