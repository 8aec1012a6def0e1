import type { Dtype } from '../array/dtype.ts';
import type { Shape } from '../array/shape.ts';
import type { PrimitiveAttributes, PrimitiveName } from './primitives.ts';

/** Shape and dtype of a tensor that is not computed yet. */
export interface TensorSpec {
  readonly shape: Shape;
  readonly dtype: Dtype;
}

/**
 * Where the nodes that are made at present come from, such as the name of a layer, while somebody keeps book of it: a
 * profile does. What the compiler puts in the place of a node comes from where that node came from.
 */
export const origin: { current?: string | undefined } = {};

/** One application of a primitive. Nodes are immutable and point to their inputs, so a graph needs no container. */
export class Node<K extends PrimitiveName = PrimitiveName> {
  readonly primitive: K;
  readonly inputs: readonly SymbolicTensor[];
  readonly attributes: PrimitiveAttributes[K];
  readonly outputs: readonly SymbolicTensor[];
  readonly origin: string | undefined = origin.current;

  constructor(
    primitive: K,
    inputs: readonly SymbolicTensor[],
    attributes: PrimitiveAttributes[K],
    outputs: readonly TensorSpec[],
  ) {
    this.primitive = primitive;
    this.inputs = inputs;
    this.attributes = attributes;
    this.outputs = outputs.map((spec, index) => new SymbolicTensor(this as unknown as AnyNode, index, spec));
  }
}

/** A node of any primitive; `node.primitive` tells which, and with it the type of the attributes. */
export type AnyNode = { [K in PrimitiveName]: Node<K> }[PrimitiveName];

/** A value that a program will compute: one output of a node. */
export class SymbolicTensor implements TensorSpec {
  readonly node: AnyNode;
  /** Which output of the node. */
  readonly index: number;
  readonly shape: Shape;
  readonly dtype: Dtype;

  constructor(node: AnyNode, index: number, spec: TensorSpec) {
    this.node = node;
    this.index = index;
    this.shape = spec.shape;
    this.dtype = spec.dtype;
  }
}

/** What a program computes: `outputs` from `inputs`. Every `input` node that is reached is one of `inputs`. */
export interface Graph {
  readonly inputs: readonly SymbolicTensor[];
  readonly outputs: readonly SymbolicTensor[];
}

/** Lists of outputs whose order was asked for: each part of the compiler asks for that of its graph. */
const orders = new WeakMap<readonly SymbolicTensor[], readonly AnyNode[]>();

/** All nodes that the outputs need, each after its inputs. */
export function topologicalOrder(outputs: readonly SymbolicTensor[]): readonly AnyNode[] {
  let order = orders.get(outputs);
  if (order === undefined) {
    order = findOrder(outputs);
    orders.set(outputs, order);
  }
  return order;
}

/** Iterative: a graph may be many thousand nodes deep. */
function findOrder(outputs: readonly SymbolicTensor[]): readonly AnyNode[] {
  const order: AnyNode[] = [];
  /** Whether what it needs has been visited, for each node that was met. */
  const isDone = new Map<AnyNode, boolean>();
  const stack: AnyNode[] = outputs.map((output) => output.node).reverse();
  for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
    const known = isDone.get(node);
    const { inputs } = node;
    if (known === undefined && inputs.length > 0) {
      isDone.set(node, false);
      for (let index = inputs.length - 1; index >= 0; index--) {
        const input = (inputs[index] as SymbolicTensor).node;
        if (!isDone.has(input)) stack.push(input);
      }
      continue;
    }
    stack.pop();
    if (known === true) continue;
    isDone.set(node, true);
    order.push(node);
  }
  return order;
}
