import { bytesPerElement } from '../../array/dtype.ts';
import type { Buffer, NumericDtype } from '../../compiler/schedule.ts';
import type { FunctionBuilder, Local } from './assembler-function.ts';
import type { ModuleBuilder } from './assembler-module.ts';
import type { SharedCode } from './shared-code.ts';

/** What the writers of kernels share: the module they write to, and where the buffers are. */
export interface KernelContext {
  readonly module: ModuleBuilder;
  /** Byte address of a buffer. */
  readonly addressOf: (buffer: Buffer) => number;
  /** Whether kernels find few of their weights in the near caches, and read them ahead. */
  readonly readsAhead: boolean;
  /** Code that equal kernels share. */
  readonly shared: SharedCode;
}

/** A kernel in the module: a function `(first, last)` over elements `first` ≤ i < `last` of `0 … count`. */
export interface EmittedKernel {
  readonly functionIndex: number;
  readonly count: number;
}

/**
 * Writes a kernel's function. Ranges can be split between threads at any element.
 *
 * @param count number of elements of the whole range
 */
export function emitRangeFunction(
  { module }: KernelContext,
  count: number,
  write: (f: FunctionBuilder, first: Local, last: Local) => void,
): EmittedKernel {
  const functionIndex = module.function(['i32', 'i32'], [], (f) => write(f, f.param(0), f.param(1)));
  return { functionIndex, count };
}

export function elementBytes(dtype: NumericDtype): number {
  return bytesPerElement(dtype);
}
