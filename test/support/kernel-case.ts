/** What a kernel of the interpreter is given, and what it has to make of it. */
import { type NestedArray, Tensor, tensor } from '../../src/array/tensor.ts';
import type { PrimitiveAttributes, PrimitiveName } from '../../src/graph/primitives.ts';

export interface KernelCase<K extends PrimitiveName> {
  readonly inputs: readonly Tensor[];
  readonly attributes: PrimitiveAttributes[K];
  readonly expected: readonly Tensor[];
}

/** Cases of some primitives. */
export type KernelCases<Names extends PrimitiveName> = { readonly [K in Names]: readonly KernelCase<K>[] };

export const f = (values: NestedArray): Tensor => tensor(values, undefined, 'float32');
export const i = (values: NestedArray): Tensor => tensor(values, undefined, 'int32');
export const b = (values: NestedArray): Tensor => tensor(values, undefined, 'bool');
export const empty = (...shape: number[]): Tensor => new Tensor(shape, 'float32', new Float32Array(0));

export const NAN: number = Number.NaN;
export const INF: number = Number.POSITIVE_INFINITY;
export const LEAST: number = -(2 ** 31);
export const GREATEST: number = 2 ** 31 - 1;
