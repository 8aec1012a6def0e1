import { type Dtype, zeroData } from '../../array/dtype.ts';
import { type Shape, sizeOf, stridesOf } from '../../array/shape.ts';
import { Tensor } from '../../array/tensor.ts';
import type { Graph, TensorSpec } from '../../graph/node.ts';
import type { PrimitiveAttributes, PrimitiveName } from '../../graph/primitives.ts';

/** Computes the outputs of a graph from its inputs. */
export type Evaluator = (inputs: readonly Tensor[]) => Tensor[];

/** What a kernel gets: the values of a node's inputs, its attributes, and the specs of its outputs. */
export interface KernelCall<K extends PrimitiveName> {
  readonly inputs: readonly Tensor[];
  readonly attributes: PrimitiveAttributes[K];
  readonly outputs: readonly TensorSpec[];
  /** Prepares a graph within the graph: the body of a loop. */
  readonly evaluatorOf: (graph: Graph) => Evaluator;
}

/** Computes one primitive. A kernel may return data of its inputs, but never changes them. */
export type Kernel<K extends PrimitiveName> = (call: KernelCall<K>) => readonly Tensor[];

/** Elements of every dtype but strings. */
export type NumericData = Float32Array | Int32Array | Uint8Array;

/** The elements of a tensor that the shape rules know to be numbers or bools. */
export function numbersOf(tensor: Tensor): NumericData {
  return tensor.data as NumericData;
}

/** The first output spec, of which there is always one. */
export function outputOf(call: { readonly outputs: readonly TensorSpec[] }): TensorSpec {
  return call.outputs[0] as TensorSpec;
}

/** The input at an index, which the shape rules know to be there. */
export function inputOf(call: { readonly inputs: readonly Tensor[] }, index: number): Tensor {
  return call.inputs[index] as Tensor;
}

/** A tensor whose elements are computed one by one, each from its row-major index. Stores round to float32. */
export function fill(spec: TensorSpec, element: (index: number) => number): Tensor {
  const data = zeroData(spec.dtype as Exclude<Dtype, 'string'>, sizeOf(spec.shape));
  for (let index = 0; index < data.length; index++) data[index] = element(index);
  return new Tensor(spec.shape, spec.dtype, data);
}

/** Copies elements of any dtype, strings too: element `index` of the output is element `sourceOf(index)`. */
export function moveElements(source: Tensor, shape: Shape, sourceOffsets: Int32Array): Tensor {
  const data = zeroData(source.dtype, sourceOffsets.length) as Float32Array;
  const from = source.data as Float32Array;
  for (let index = 0; index < data.length; index++) data[index] = from[sourceOffsets[index] as number] as number;
  return new Tensor(shape, source.dtype, data);
}

/**
 * For each element of a shape in row-major order, the offset that it has in other memory: the sum of
 * `coordinate · stride` over its axes, and `start`. Strides may be 0 or negative.
 */
export function offsetsOf(shape: Shape, strides: readonly number[], start = 0): Int32Array {
  const offsets = new Int32Array(sizeOf(shape));
  const coordinates = new Array<number>(shape.length).fill(0);
  let offset = start;
  for (let index = 0; index < offsets.length; index++) {
    offsets[index] = offset;
    // One step on the odometer: the last axis turns first.
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const coordinate = (coordinates[axis] as number) + 1;
      offset += strides[axis] as number;
      if (coordinate < (shape[axis] as number)) {
        coordinates[axis] = coordinate;
        break;
      }
      coordinates[axis] = 0;
      offset -= coordinate * (strides[axis] as number);
    }
  }
  return offsets;
}

/** Extents before, at and after an axis: element (outer, middle, inner) lies at `(outer · extent + middle) · inner + …`. */
export function splitAt(shape: Shape, axis: number): { outer: number; extent: number; inner: number } {
  return {
    outer: sizeOf(shape.slice(0, axis)),
    extent: shape[axis] as number,
    inner: stridesOf(shape)[axis] as number,
  };
}
