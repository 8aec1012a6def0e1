import type { Shape } from '../array/shape.ts';
import type { Tensor } from '../array/tensor.ts';
import { type AnyNode, Node, type SymbolicTensor, type TensorSpec } from './node.ts';
import type { PrimitiveAttributes, PrimitiveName } from './primitives.ts';
import { shapeRules } from './shape-rules.ts';
import type { Variable } from './variable.ts';

/**
 * Adds a primitive with one output to the graph.
 *
 * @throws {ShapeError} when shapes or dtypes do not fit.
 */
export function apply<K extends PrimitiveName>(
  primitive: K,
  inputs: readonly SymbolicTensor[],
  attributes: PrimitiveAttributes[K],
): SymbolicTensor {
  return applyAll(primitive, inputs, attributes)[0] as SymbolicTensor;
}

/** Adds a primitive and gives all its outputs. */
export function applyAll<K extends PrimitiveName>(
  primitive: K,
  inputs: readonly SymbolicTensor[],
  attributes: PrimitiveAttributes[K],
): readonly SymbolicTensor[] {
  const outputs = shapeRules[primitive](inputs, attributes);
  return (new Node(primitive, inputs, attributes, outputs) as unknown as AnyNode).outputs;
}

export function input(name: string, spec: TensorSpec): SymbolicTensor {
  return apply('input', [], { name, shape: spec.shape, dtype: spec.dtype });
}

export function constant(value: Tensor): SymbolicTensor {
  return apply('constant', [], { value });
}

const parameters = new WeakMap<Variable, SymbolicTensor>();

/** The symbolic tensor of a variable: one for each, so that a weight used twice is one parameter. */
export function parameter(variable: Variable): SymbolicTensor {
  let symbol = parameters.get(variable);
  if (symbol === undefined) {
    symbol = apply('parameter', [], { variable });
    parameters.set(variable, symbol);
  }
  return symbol;
}

/** A placeholder for the shape alone: layers are traced with it to learn the shape of their output. */
export function placeholder(shape: Shape, dtype: TensorSpec['dtype']): SymbolicTensor {
  return input('placeholder', { shape, dtype });
}
