import { zeroData } from '../../array/dtype.ts';
import { sizeOf, stridesOf } from '../../array/shape.ts';
import { Tensor } from '../../array/tensor.ts';
import type { MoveAttributes } from '../../graph/primitives.ts';
import { inputOf, type Kernel, moveElements, numbersOf, offsetsOf, outputOf } from './kernel.ts';

export const moveKernels: { readonly [K in keyof MoveAttributes]: Kernel<K> } = {
  reshape: (call) => {
    const source = inputOf(call, 0);
    return [new Tensor(outputOf(call).shape, source.dtype, source.data)];
  },
  transpose: (call) => {
    const source = inputOf(call, 0);
    const { shape } = outputOf(call);
    const strides = stridesOf(source.shape);
    const permuted = call.attributes.permutation.map((axis) => strides[axis] as number);
    return [moveElements(source, shape, offsetsOf(shape, permuted))];
  },
  broadcast: (call) => {
    const source = inputOf(call, 0);
    const { shape } = outputOf(call);
    const strides = stridesOf(source.shape).map((stride, axis) => (source.shape[axis] === 1 ? 0 : stride));
    return [moveElements(source, shape, offsetsOf(shape, strides))];
  },
  slice: (call) => {
    const source = inputOf(call, 0);
    const { shape } = outputOf(call);
    const { starts, strides: steps } = call.attributes;
    const strides = stridesOf(source.shape);
    const first = starts.reduce((offset, start, axis) => offset + start * (strides[axis] as number), 0);
    const stepped = strides.map((stride, axis) => stride * (steps[axis] as number));
    return [moveElements(source, shape, offsetsOf(shape, stepped, first))];
  },
  pad: (call) => {
    const source = inputOf(call, 0);
    const { shape } = outputOf(call);
    const { padding, value } = call.attributes;
    const data = zeroData(source.dtype as 'float32', sizeOf(shape));
    data.fill(source.dtype === 'bool' ? Number(value !== 0) : value);
    const strides = stridesOf(shape);
    const first = padding.reduce((offset, [low], axis) => offset + low * (strides[axis] as number), 0);
    const targets = offsetsOf(source.shape, strides, first);
    const x = numbersOf(source);
    for (let index = 0; index < x.length; index++) data[targets[index] as number] = x[index] as number;
    return [new Tensor(shape, source.dtype, data)];
  },
  concatenate: (call) => {
    const { axis } = call.attributes;
    const { shape, dtype } = outputOf(call);
    const data = zeroData(dtype, sizeOf(shape)) as Float32Array;
    const strides = stridesOf(shape);
    let position = 0;
    for (const source of call.inputs) {
      const targets = offsetsOf(source.shape, strides, position * (strides[axis] as number));
      const x = source.data as Float32Array;
      for (let index = 0; index < x.length; index++) data[targets[index] as number] = x[index] as number;
      position += source.shape[axis] as number;
    }
    return [new Tensor(shape, dtype, data)];
  },
  reverse: (call) => {
    const source = inputOf(call, 0);
    const { shape } = source;
    const { axes } = call.attributes;
    const strides = stridesOf(shape);
    const last = axes.reduce((offset, axis) => offset + ((shape[axis] as number) - 1) * (strides[axis] as number), 0);
    const reversed = strides.map((stride, axis) => (axes.includes(axis) ? -stride : stride));
    return [moveElements(source, shape, offsetsOf(shape, reversed, last))];
  },
};
