import { zeroData } from '../array/dtype.ts';
import { type Shape, sizeOf } from '../array/shape.ts';
import { Tensor } from '../array/tensor.ts';
import type { VariableDtype } from '../graph/variable.ts';
import { classNameOf, type KerasObject } from './keras-object.ts';

/** Fills a new weight. */
export interface Initializer extends KerasObject {
  readonly role: 'initializer';
  readonly initialize: (shape: Shape, dtype: VariableDtype) => Tensor;
}

type Fill = (shape: Shape, dtype: VariableDtype, config: Readonly<Record<string, unknown>>) => Tensor;

const FILLS: Readonly<Record<string, Fill>> = {
  Zeros: (shape, dtype) => new Tensor(shape, dtype, zeroData(dtype, sizeOf(shape))),
  Ones: (shape, dtype) => new Tensor(shape, dtype, zeroData(dtype, sizeOf(shape)).fill(1)),
};

/** An initializer by class name and configuration, or `undefined` when there is none of that name. */
export function createInitializer(
  className: string,
  config: Readonly<Record<string, unknown>> = {},
): Initializer | undefined {
  const fill = Object.hasOwn(FILLS, className) ? FILLS[className] : undefined;
  if (fill === undefined) return undefined;
  return { role: 'initializer', className, config, initialize: (shape, dtype) => fill(shape, dtype, config) };
}

/** An initializer from a name such as `glorot_uniform`, or one that exists already. */
export function resolveInitializer(value: unknown): Initializer | undefined {
  if (typeof value === 'string') return createInitializer(classNameOf(value));
  return (value as Partial<Initializer> | undefined)?.role === 'initializer' ? (value as Initializer) : undefined;
}
