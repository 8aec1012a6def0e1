import { type Dtype, zeroData } from '../../array/dtype.ts';
import { sizeOf } from '../../array/shape.ts';
import { Tensor } from '../../array/tensor.ts';
import type { IndexAttributes } from '../../graph/primitives.ts';
import { fill, inputOf, type Kernel, numbersOf, outputOf, splitAt } from './kernel.ts';

/** What an index out of range reads. */
const ABSENT: { readonly [D in Dtype]: number | string } = {
  float32: Number.NaN,
  int32: -(2 ** 31),
  bool: 0,
  string: '',
};

/** The index counted from 0, or −1 for one out of range. */
function resolve(index: number, extent: number): number {
  const resolved = index < 0 ? index + extent : index;
  return resolved >= 0 && resolved < extent ? resolved : -1;
}

/** NaN is greater than every number; the sort is stable, so equal elements keep their order either way. */
function compareAscending(x: number, y: number): number {
  if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
  return x < y ? -1 : Number(x > y);
}

export const indexKernels: { readonly [K in keyof IndexAttributes]: Kernel<K> } = {
  gather: (call) => {
    const [source, indexTensor] = [inputOf(call, 0), inputOf(call, 1)];
    const [x, indices] = [source.data as Float32Array, numbersOf(indexTensor)];
    const { shape } = outputOf(call);
    const { extent, inner } = splitAt(source.shape, call.attributes.axis);
    const data = zeroData(source.dtype, sizeOf(shape)) as Float32Array;
    for (let offset = 0; offset < data.length; offset++) {
      const outer = Math.floor(offset / (indices.length * inner));
      const position = resolve(indices[Math.floor(offset / inner) % indices.length] as number, extent);
      const value = position < 0 ? ABSENT[source.dtype] : x[(outer * extent + position) * inner + (offset % inner)];
      data[offset] = value as number;
    }
    return [new Tensor(shape, source.dtype, data)];
  },

  takeAlongAxis: (call) => {
    const [source, indexTensor] = [inputOf(call, 0), inputOf(call, 1)];
    const [x, indices] = [source.data as Float32Array, numbersOf(indexTensor)];
    const { axis } = call.attributes;
    const { extent, inner } = splitAt(source.shape, axis);
    const taken = indexTensor.shape[axis] as number;
    const data = zeroData(source.dtype, indices.length) as Float32Array;
    for (let offset = 0; offset < data.length; offset++) {
      const outer = Math.floor(offset / (taken * inner));
      const position = resolve(indices[offset] as number, extent);
      const value = position < 0 ? ABSENT[source.dtype] : x[(outer * extent + position) * inner + (offset % inner)];
      data[offset] = value as number;
    }
    return [new Tensor(outputOf(call).shape, source.dtype, data)];
  },

  scatterAdd: (call) => {
    const [indices, updatesTensor] = [numbersOf(inputOf(call, 0)), inputOf(call, 1)];
    const updates = numbersOf(updatesTensor);
    const { axis, extent } = call.attributes;
    const spec = outputOf(call);
    const inner = sizeOf(spec.shape.slice(axis + 1));
    const sums = new Float64Array(sizeOf(spec.shape));
    for (let offset = 0; offset < updates.length; offset++) {
      const outer = Math.floor(offset / (indices.length * inner));
      const position = resolve(indices[Math.floor(offset / inner) % indices.length] as number, extent);
      if (position < 0) continue;
      const target = (outer * extent + position) * inner + (offset % inner);
      sums[target] = (sums[target] as number) + (updates[offset] as number);
    }
    return [
      fill(spec, (index) => (spec.dtype === 'bool' ? Math.sign(sums[index] as number) : (sums[index] as number))),
    ];
  },

  argSort: (call) => {
    const source = inputOf(call, 0);
    const x = numbersOf(source);
    const { axis, descending } = call.attributes;
    const { outer, extent, inner } = splitAt(source.shape, axis);
    const result = new Int32Array(x.length);
    for (let lane = 0; lane < outer * inner; lane++) {
      const start = Math.floor(lane / inner) * extent * inner + (lane % inner);
      const at = (position: number): number => x[start + position * inner] as number;
      const order = Array.from({ length: extent }, (_, position) => position);
      order.sort((a, b) => (descending ? compareAscending(at(b), at(a)) : compareAscending(at(a), at(b))));
      for (const [position, origin] of order.entries()) result[start + position * inner] = origin;
    }
    return [new Tensor(source.shape, 'int32', result)];
  },
};
