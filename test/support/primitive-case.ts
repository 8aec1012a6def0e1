/** Applications of primitives that every backend is to compute alike, made of seeded numbers. */
import type { Dtype } from '../../src/array/dtype.ts';
import { type Shape, sizeOf } from '../../src/array/shape.ts';
import { type Tensor, tensor } from '../../src/array/tensor.ts';
import type { PrimitiveAttributes, PrimitiveName } from '../../src/graph/primitives.ts';

const SEED = 20261121;
let state = SEED;

/** A number in [0, 1) from a linear congruential generator. */
export function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}

const SPECIAL = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 0, 1, -1, 0.5, -2.5, 1e-30, 3e8];
const SPECIAL_INTEGERS = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 7, -7];

export type Values = 'plain' | 'special' | ((index: number) => number);

export function values(shape: Shape, dtype: Dtype, kind: Values): Tensor {
  const element = (index: number): number => {
    if (typeof kind === 'function') return kind(index);
    if (dtype === 'bool') return Number(random() < 0.5);
    if (dtype === 'int32') {
      if (kind === 'special') return SPECIAL_INTEGERS[Math.floor(random() * SPECIAL_INTEGERS.length)] as number;
      return Math.floor(random() * 21) - 10;
    }
    if (kind === 'special' && random() < 0.5) return SPECIAL[Math.floor(random() * SPECIAL.length)] as number;
    return (random() - 0.5) * 6;
  };
  return tensor(
    Float64Array.from({ length: sizeOf(shape) }, (_, index) => element(index)),
    shape,
    dtype,
  );
}

/** One application: attributes, and the inputs by shape, dtype and what they hold. */
export interface PrimitiveCase<K extends PrimitiveName> {
  readonly attributes: PrimitiveAttributes[K];
  readonly inputs: readonly Tensor[];
  /** Inputs that are constants of the graph. */
  readonly constants?: readonly number[];
}

/** Cases of some primitives. */
export type PrimitiveCases<Names extends PrimitiveName> = { readonly [K in Names]: readonly PrimitiveCase<K>[] };

export function spec(shape: Shape): { shape: Shape; dtype: 'float32' } {
  return { shape, dtype: 'float32' };
}
