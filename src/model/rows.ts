/** Rows of host tensors: what lies along the first axis. */
import type { Dtype } from '../array/dtype.ts';
import { sizeOf } from '../array/shape.ts';
import { Tensor } from '../array/tensor.ts';

/** Rows `start` to `stop` of a tensor; typed arrays are shared, not copied. */
export function sliceRows(value: Tensor, start: number, stop: number): Tensor {
  const rowSize = sizeOf(value.shape.slice(1));
  const shape = [stop - start, ...value.shape.slice(1)];
  if (value.dtype === 'string') {
    return new Tensor(shape, 'string', (value.data as readonly string[]).slice(start * rowSize, stop * rowSize));
  }
  const data = (value.data as Float32Array).subarray(start * rowSize, stop * rowSize);
  return new Tensor(shape, value.dtype as Dtype & 'float32', data);
}

/** Tensors one after the other along the first axis; one alone is returned as it is. */
export function concatenateRows(values: readonly Tensor[]): Tensor {
  const [first] = values as readonly [Tensor, ...Tensor[]];
  if (values.length === 1) return first;
  const rows = values.reduce((sum, value) => sum + (value.shape[0] ?? 0), 0);
  const shape = [rows, ...first.shape.slice(1)];
  if (first.dtype === 'string') {
    return new Tensor(
      shape,
      'string',
      values.flatMap((value) => value.data as readonly string[]),
    );
  }
  const data = new (first.data.constructor as Float32ArrayConstructor)(sizeOf(shape));
  let offset = 0;
  for (const value of values) {
    data.set(value.data as Float32Array, offset);
    offset += value.data.length;
  }
  return new Tensor(shape, first.dtype as Dtype & 'float32', data);
}

/** The rows of some indices, copied. */
export function takeRows(value: Tensor, indices: ArrayLike<number>): Tensor {
  const rowSize = sizeOf(value.shape.slice(1));
  const shape = [indices.length, ...value.shape.slice(1)];
  if (value.dtype === 'string') {
    const source = value.data as readonly string[];
    const rows = Array.from(indices, (row) => source.slice(row * rowSize, (row + 1) * rowSize));
    return new Tensor(shape, 'string', rows.flat());
  }
  const source = value.data as Float32Array;
  const data = new (source.constructor as Float32ArrayConstructor)(sizeOf(shape));
  for (let row = 0; row < indices.length; row++) {
    const start = (indices[row] as number) * rowSize;
    data.set(source.subarray(start, start + rowSize), row * rowSize);
  }
  return new Tensor(shape, value.dtype as Dtype & 'float32', data);
}
