import { formatShape, shapesEqual } from '../../array/shape.ts';
import { Tensor } from '../../array/tensor.ts';
import { ShapeError } from '../../errors.ts';
import { type AnyNode, type Graph, type SymbolicTensor, topologicalOrder } from '../../graph/node.ts';
import type { PrimitiveName } from '../../graph/primitives.ts';
import type { Evaluator, Kernel } from './kernel.ts';
import { kernels } from './kernels.ts';

/**
 * Computes a graph node by node: plain, slow and obvious, the oracle that every backend is compared with.
 *
 * Float sums and products of many elements run in double precision and are rounded to float32 once. Intermediate
 * tensors are dropped after their last use. The outputs share no memory with inputs, constants, variables or each
 * other.
 *
 * @throws {ShapeError} when the inputs are not those that the graph declares.
 */
export function evaluate(graph: Graph, inputs: readonly Tensor[]): Tensor[] {
  return evaluatorOf(graph)(inputs);
}

/** Orders the nodes of a graph once, for a graph that runs many times. */
export function evaluatorOf(graph: Graph): Evaluator {
  const order = topologicalOrder(graph.outputs);
  const useCounts = countUses(order, graph.outputs);
  return (inputs) => {
    checkInputs(graph, inputs);
    const values = new Map<AnyNode, readonly Tensor[]>();
    const remaining = new Map(useCounts);
    const borrowed = new Set<unknown>(inputs.map((input) => input.data));
    for (const [index, symbol] of graph.inputs.entries()) values.set(symbol.node, [inputs[index] as Tensor]);
    for (const node of order) {
      if (!values.has(node)) values.set(node, runNode(node, values));
      if (node.primitive === 'constant' || node.primitive === 'parameter') borrowed.add(values.get(node)?.[0]?.data);
      for (const input of node.inputs) {
        const left = (remaining.get(input.node) as number) - 1;
        remaining.set(input.node, left);
        if (left === 0) values.delete(input.node);
      }
    }
    return graph.outputs.map((output) => own(valueAt(output, values), borrowed));
  };
}

/** How often the value of each node is read; an output of the graph is read once more, at the end. */
function countUses(order: readonly AnyNode[], outputs: readonly SymbolicTensor[]): Map<AnyNode, number> {
  const counts = new Map<AnyNode, number>();
  const count = ({ node }: SymbolicTensor): void => {
    counts.set(node, (counts.get(node) ?? 0) + 1);
  };
  for (const node of order) node.inputs.forEach(count);
  outputs.forEach(count);
  return counts;
}

function runNode(node: AnyNode, values: ReadonlyMap<AnyNode, readonly Tensor[]>): readonly Tensor[] {
  const inputs = node.inputs.map((input) => valueAt(input, values));
  // The primitive of a node and its attributes belong together, which a union of all nodes cannot express in a call.
  const kernel = kernels[node.primitive] as Kernel<PrimitiveName>;
  return kernel({ inputs, attributes: node.attributes, outputs: node.outputs, evaluatorOf } as Parameters<
    Kernel<PrimitiveName>
  >[0]);
}

function valueAt(symbol: SymbolicTensor, values: ReadonlyMap<AnyNode, readonly Tensor[]>): Tensor {
  return values.get(symbol.node)?.[symbol.index] as Tensor;
}

/** The tensor itself when nobody else holds its data, else a copy. */
function own(tensor: Tensor, borrowed: Set<unknown>): Tensor {
  const data = borrowed.has(tensor.data) ? (tensor.data as Float32Array).slice() : tensor.data;
  borrowed.add(data);
  return data === tensor.data ? tensor : new Tensor(tensor.shape, tensor.dtype, data);
}

function checkInputs(graph: Graph, inputs: readonly Tensor[]): void {
  if (inputs.length !== graph.inputs.length) {
    throw new ShapeError(`Cannot run the graph: found ${inputs.length} inputs, expected ${graph.inputs.length}`);
  }
  for (const [index, symbol] of graph.inputs.entries()) {
    const found = inputs[index] as Tensor;
    if (found.dtype === symbol.dtype && shapesEqual(found.shape, symbol.shape)) continue;
    throw new ShapeError(
      `Cannot run the graph: input ${index} is ${found.dtype}${formatShape(found.shape)}, ` +
        `expected ${symbol.dtype}${formatShape(symbol.shape)}`,
    );
  }
}
