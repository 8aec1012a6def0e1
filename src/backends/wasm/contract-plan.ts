/**
 * The seam between the contraction and pooling kernels and the program that calls them.
 *
 * 1. `planDot`, `planConvolve`, … take a geometry and say what memory the kernel needs.
 * 2. The program lays out its memory and calls `plan.emit(module, places)`, which writes the functions.
 * 3. The program's `run` calls `prepare(0, prepareUnits, scratch)` where there is one, then (after a barrier, when
 *    there are threads) `kernel(0, units, scratch)`.
 *
 * A kernel takes three i32: its first unit of work, the one after its last, and the address of the private scratch.
 * Units are independent, so that threads share them out; each thread has its own private scratch.
 *
 * The memory must be readable for `READ_SLACK_BYTES` beyond the last buffer. Buffers begin at multiples of 4 (16 is
 * faster).
 */
import type { NarrowArray, NarrowCodes } from '../../array/narrow-array.ts';
import type { NarrowForm } from '../../compiler/schedule.ts';
import type { FunctionBuilder, Local, Operand } from './assembler-function.ts';
import type { ModuleBuilder } from './assembler-module.ts';
import type { PrologueCall } from './prologue-loops.ts';

/** Addresses in bytes. */
export interface ContractPlaces {
  /** First operand: the left matrix, x, or dy of an input gradient. */
  readonly left: number;
  /** Second operand: the right matrix or the kernel (packed, when the geometry says so), or dy of a filter gradient. */
  readonly right: number;
  /** Third operand: dy of `maxPoolGradient`. */
  readonly third?: number;
  readonly output: number;
  /** Where `sharedBytes` are free while the kernel runs. */
  readonly sharedScratch: number;
  /** One number for each output column (channel), by which each sum is multiplied; for plans that `scale`. */
  readonly factor?: number;
  /** One number for each output column, added to each sum; for plans that `finish`. */
  readonly bias?: number;
  /** Sums (after the bias) below it become it; NaN stays. For plans that `finish`. */
  readonly lower?: number;
  /** Sums above it become it. For plans that `finish`. */
  readonly upper?: number;
  /** Whether the output becomes 0 where the left operand is not greater than 0. For plans that `mask`. */
  readonly masked?: boolean;
  /**
   * Index of a function of two i32, the first element of the output and the one after the last. Called once for each
   * element, in runs, after it is complete and while it is in the cache.
   */
  readonly tail?: number;
}

export interface KernelCode {
  /** Index of the function. */
  readonly kernel: number;
  readonly units: number;
  /** A function that must have run over all its units before the kernel begins. */
  readonly prepare?: { readonly kernel: number; readonly units: number };
}

/** Whether the right operand is packed already, and which narrow form it is packed in, if in one. */
export type Packed = boolean | NarrowForm;

/** How the right operand is laid out for a kernel, so that a weight is rearranged once and not in every run. */
export interface Packing {
  readonly byteLength: number;
  /** Says whether two kernels want the same layout of one weight. */
  readonly key: string;
  /** Packs in steps of some thousand elements. */
  pack?(source: Float32Array, target: Float32Array): Generator<void, void>;
  /** The reverse, where it gives the weights back to the bit. */
  unpack?(packed: Float32Array, weights: Float32Array): void;
  /** Packs a narrow form, in which the matrices stay; for a plan that was asked for with it. */
  packNarrow?(source: NarrowArray, target: Float32Array): Generator<void, void>;
  /** The reverse of that. */
  unpackNarrow?(packed: Float32Array, codes: NarrowCodes): void;
  /** Gives a call of the module that packs from one address to another: for what would take the host its time. */
  call?(module: ModuleBuilder, source: number, target: number): PrologueCall;
  /** Writes a kernel that does it from one address to another, for a right operand that only the run knows. */
  emit?(module: ModuleBuilder, source: number, target: number): { readonly kernel: number; readonly units: number };
}

export interface ContractPlan {
  /**
   * Plans of equal nodes and equal forms write the same code but for addresses, which it can be told; see
   * `told-address.ts`. None for plans whose code cannot.
   */
  readonly form?: string | undefined;
  /** Whether the kernel takes `bias`, `lower` and `upper`; others leave them to the tail. */
  readonly finishes: boolean;
  /** Whether it takes `factor` too: plans of weights in a narrow form, which it cannot be taken into before. */
  readonly scales?: boolean;
  /** Whether the kernel can be `masked`; others leave that to the tail. */
  readonly masks?: boolean;
  /** How to pack the right operand when `packed` is asked for; none where packing does not help. */
  readonly packing?: Packing;
  /** Scratch that all threads share. */
  readonly sharedBytes: number;
  /** Scratch that each thread has for itself. */
  readonly privateBytes: number;
  emit(module: ModuleBuilder, places: ContractPlaces): KernelCode;
}

/** The type of a kernel: first unit, the unit after the last, private scratch. */
const KERNEL_PARAMS = ['i32', 'i32', 'i32'] as const;

/** Writes a kernel: `start` once, then `body` for each unit of the range. */
export function emitKernel(
  module: ModuleBuilder,
  body: (f: FunctionBuilder, unit: Local, scratch: Local) => void,
  start?: (f: FunctionBuilder, scratch: Local) => void,
): number {
  return module.function(KERNEL_PARAMS, [], (f) => {
    const unit = f.local('i32');
    start?.(f, f.param(2));
    f.for(unit, f.param(0), f.param(1), 1, () => body(f, unit, f.param(2)));
  });
}

/** Writes `full`, and for the last unit `last`, where that one is smaller. */
export function emitLast(
  f: FunctionBuilder,
  unit: Local,
  count: number,
  full: () => void,
  rest: number,
  last: (rest: number) => void,
): void {
  if (rest === 0) full();
  else if (count === 1) last(rest);
  else {
    f.get(unit)
      .i32(count - 1)
      .op('i32.lt_s');
    f.if(full, () => last(rest));
  }
}

/** A kernel for outputs without elements. */
export function emitNothing(module: ModuleBuilder): KernelCode {
  return { kernel: module.shared('nothing', KERNEL_PARAMS, [], () => {}), units: 0 };
}

/** Calls the tail, where there is one, for `count` elements from the address that the local holds. */
export function emitTail(f: FunctionBuilder, places: ContractPlaces, address: Local, count: Operand): void {
  if (places.tail === undefined) return;
  const first = f.local('i32');
  f.get(address).i32(places.output).op('i32.sub').i32(2).op('i32.shr_u').tee(first);
  f.get(first).push(count).op('i32.add').call(places.tail).release(first);
}

/** Splits a local into its remainder by `extent` (into `remainder`) and its quotient (into `quotient`). */
export function divideInto(f: FunctionBuilder, value: Local, extent: number, quotient: Local, remainder: Local): void {
  if (extent === 1) {
    f.get(value).set(quotient).i32(0).set(remainder);
    return;
  }
  // The remainder goes last: `quotient` may be the same local as `value`.
  const whole = f.local('i32');
  f.get(value).i32(extent).op('i32.div_u').set(whole);
  f.get(value).get(whole).i32(extent).op('i32.mul', 'i32.sub').set(remainder);
  f.get(whole).set(quotient).release(whole);
}
