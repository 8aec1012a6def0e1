import { Tensor } from '../array/tensor.ts';
import type { AnyNode } from '../graph/node.ts';
import { SymbolicTensor } from '../graph/node.ts';

type Fold = (node: AnyNode, inputs: readonly (readonly number[])[]) => number[] | null;

/**
 * What arithmetic on shapes consists of: models compute a target shape from the extents of an input, and extents are
 * known numbers here. Only vectors and scalars are followed.
 */
const FOLDS: { readonly [primitive: string]: Fold } = {
  constant: (node) => (node.primitive === 'constant' ? Array.from(node.attributes.value.data as Int32Array) : null),
  reshape: (_, [x = []]) => [...x],
  cast: (node, [x = []]) => {
    if (node.primitive !== 'cast') return null;
    const { dtype } = node.attributes;
    return x.map((value) => (dtype === 'int32' ? Math.trunc(value) : dtype === 'bool' ? Number(value !== 0) : value));
  },
  broadcast: (node, [x = []]) => {
    const count = node.outputs[0]?.shape.reduce((product, extent) => product * extent, 1) ?? 0;
    return x.length === 1 ? new Array<number>(count).fill(x[0] as number) : null;
  },
  slice: (node, [x = []]) => {
    if (node.primitive !== 'slice' || node.attributes.starts.length !== 1) return null;
    const { starts, stops, strides } = node.attributes;
    const [start, stop, stride] = [starts[0] as number, stops[0] as number, strides[0] as number];
    return x.filter((_, index) => index >= start && index < stop && (index - start) % stride === 0);
  },
  concatenate: (node, inputs) => (node.outputs[0]?.shape.length === 1 ? inputs.flat() : null),
  add: (_, [x = [], y = []]) => x.map((value, index) => value + (y[index] as number)),
  subtract: (_, [x = [], y = []]) => x.map((value, index) => value - (y[index] as number)),
  multiply: (_, [x = [], y = []]) => x.map((value, index) => value * (y[index] as number)),
  divide: (_, [x = [], y = []]) => x.map((value, index) => value / (y[index] as number)),
  floorDivide: (_, [x = [], y = []]) => x.map((value, index) => Math.floor(value / (y[index] as number))),
  maximum: (_, [x = [], y = []]) => x.map((value, index) => Math.max(value, y[index] as number)),
  minimum: (_, [x = [], y = []]) => x.map((value, index) => Math.min(value, y[index] as number)),
  product: (node, [x = []]) =>
    node.outputs[0]?.shape.length === 0 ? [x.reduce((product, value) => product * value, 1)] : null,
  sum: (node, [x = []]) =>
    node.outputs[0]?.shape.length === 0 ? [x.reduce((total, value) => total + value, 0)] : null,
};

/** Longer vectors are data, not shapes. */
const MAX_KNOWN_ELEMENTS = 4096;

/** The elements of an operand that is known while tracing, in row-major order; `null` for one that a program computes. */
export function knownElements(x: SymbolicTensor | Tensor): number[] | null {
  if (x instanceof Tensor) return x.dtype === 'string' ? null : Array.from(x.data as Int32Array);
  const { node } = x;
  if (node.primitive === 'constant') return knownElements(node.attributes.value);
  const fold = FOLDS[node.primitive];
  if (fold === undefined || x.shape.some((extent) => extent > MAX_KNOWN_ELEMENTS)) return null;
  const inputs: number[][] = [];
  for (const input of node.inputs) {
    const elements = knownElements(input);
    if (elements === null) return null;
    inputs.push(elements);
  }
  return fold(node, inputs);
}

/** A known scalar or vector as a number or a list; the value itself when it is neither or not known. */
export function knownValue(value: unknown): unknown {
  if (!(value instanceof Tensor || value instanceof SymbolicTensor) || value.shape.length > 1) return value;
  const elements = knownElements(value);
  if (elements === null) return value;
  return value.shape.length === 0 ? elements[0] : elements;
}
