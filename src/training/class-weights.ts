import { sizeOf } from '../array/shape.ts';
import { Tensor } from '../array/tensor.ts';

/** A weight for each class number; classes that are not named have weight 1. */
export type ClassWeight = Readonly<Record<number, number>>;

/** The weight of each sample by its class: targets are class numbers, or one-hot along the last axis. */
export function classWeights(targets: Tensor, weights: ClassWeight): Tensor<'float32'> {
  const rows = targets.shape[0] ?? 0;
  const rest = sizeOf(targets.shape.slice(1));
  const last = targets.shape.length > 1 ? (targets.shape.at(-1) as number) : 1;
  const groups = last === 0 ? 0 : rest / last;
  const data = new Float32Array(rows * groups).fill(1);
  const values = targets.data as ArrayLike<number>;
  for (let index = 0; index < data.length; index++) {
    const found = last === 1 ? Math.round(values[index] as number) : greatest(values, index * last, last);
    data[index] = weights[found] ?? 1;
  }
  return new Tensor(targets.shape.length > 2 ? targets.shape.slice(0, -1) : [rows], 'float32', data);
}

function greatest(values: ArrayLike<number>, start: number, count: number): number {
  let best = 0;
  for (let index = 1; index < count; index++) {
    if ((values[start + index] as number) > (values[start + best] as number)) best = index;
  }
  return best;
}
