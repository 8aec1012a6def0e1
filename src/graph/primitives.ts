/**
 * The closed table of primitives: everything that a layer, an activation, a loss or an optimizer does is composed of
 * these. Shape rule, interpreter, gradient rule and the kernels of each backend are mapped types over its keys, so
 * that a missing entry does not compile.
 *
 * Conventions:
 * - Axes count from 0; extents are known numbers.
 * - Element-wise primitives take inputs of one shape; `broadcast` is written out.
 * - Images and sequences are channels-last: `[batch, …spatial, channels]`; kernels are `[…spatial, in / groups, out]`.
 * - `padding` is `[low, high]` per spatial axis, in elements; it may be negative nowhere.
 * - A bool is 0 or 1. Integers are 32 bits and wrap.
 */
import type { Shape } from '../array/shape.ts';
import type { Tensor } from '../array/tensor.ts';
import type { Graph, TensorSpec } from './node.ts';
import type { Variable } from './variable.ts';

/** Primitives without attributes. */
export type None = Readonly<Record<never, never>>;

export type PaddingPair = readonly [low: number, high: number];

export interface WindowAttributes {
  readonly strides: readonly number[];
  readonly padding: readonly PaddingPair[];
  readonly dilation: readonly number[];
}

export interface ConvolveAttributes extends WindowAttributes {
  readonly groups: number;
}

export interface PoolAttributes extends WindowAttributes {
  readonly window: readonly number[];
}

/** One input, float32 → float32, element by element; `negate`, `absolute` and `sign` take int32 too. */
export interface UnaryAttributes {
  negate: None;
  absolute: None;
  sign: None;
  exp: None;
  expm1: None;
  log: None;
  log1p: None;
  sqrt: None;
  rsqrt: None;
  sin: None;
  cos: None;
  tan: None;
  asin: None;
  acos: None;
  atan: None;
  sinh: None;
  cosh: None;
  tanh: None;
  asinh: None;
  acosh: None;
  atanh: None;
  erf: None;
  sigmoid: None;
  floor: None;
  ceil: None;
  /** To the nearest integer, halves to the even one. */
  round: None;
  /** max(x, 0), but flat at 0, where `maximum` would share its gradient. */
  relu: None;
  /** The input itself, through which no gradient flows. */
  stopGradient: None;
}

/** Two inputs of one shape and one numeric dtype. */
export interface BinaryAttributes {
  add: None;
  subtract: None;
  multiply: None;
  /** float32 only. */
  divide: None;
  /** The quotient, rounded to float32, then towards −∞; an int32 divided by 0 gives 0. */
  floorDivide: None;
  /** The remainder with the sign of the divisor, as in Python; an int32 remainder by 0 is 0. */
  remainder: None;
  /** x⁰ and 1ʸ are 1 even for NaN and ∞. int32 wraps; a negative exponent gives the reciprocal, truncated. */
  power: None;
  /** NaN when either is NaN. */
  maximum: None;
  /** NaN when either is NaN. */
  minimum: None;
  /** float32 only. */
  atan2: None;
}

/** Two inputs of one shape and dtype; the output is bool. */
export interface CompareAttributes {
  equal: None;
  notEqual: None;
  less: None;
  lessEqual: None;
  greater: None;
  greaterEqual: None;
}

/** bool inputs of one shape; the output is bool. */
export interface LogicalAttributes {
  logicalAnd: None;
  logicalOr: None;
  logicalXor: None;
  logicalNot: None;
}

/** The axes of a reduction vanish from the shape; `axes` is sorted and without repeats. */
export interface ReduceAttributes {
  /** 0 of nothing. */
  sum: { readonly axes: readonly number[] };
  /** 1 of nothing. */
  product: { readonly axes: readonly number[] };
  /** NaN when any is NaN; −∞ (or the least int32, or false) of nothing. bool: any. */
  max: { readonly axes: readonly number[] };
  /** NaN when any is NaN; ∞ (or the greatest int32, or true) of nothing. bool: all. */
  min: { readonly axes: readonly number[] };
  /** int32 index of the first greatest element along one axis, which vanishes; the first NaN wins. */
  argMax: { readonly axis: number };
  argMin: { readonly axis: number };
}

/** Running results along one axis, the shape kept; `reverse` runs from the end; after a NaN all is NaN. */
export interface CumulativeAttributes {
  cumulativeSum: { readonly axis: number; readonly reverse: boolean };
  cumulativeProduct: { readonly axis: number; readonly reverse: boolean };
  cumulativeMax: { readonly axis: number; readonly reverse: boolean };
  cumulativeMin: { readonly axis: number; readonly reverse: boolean };
}

/** Contractions. */
export interface ContractAttributes {
  /**
   * Matrix product over the last two axes; inputs have equal rank ≥ 2 and equal leading axes.
   * `left` is `[…, m, k]`, or `[…, k, m]` when transposed; `right` is `[…, k, n]`, or `[…, n, k]`.
   */
  dot: { readonly transposeLeft: boolean; readonly transposeRight: boolean };
  /** Inputs x `[batch, …spatial, in]` and kernel `[…spatial, in / groups, out]`; 1 to 3 spatial axes. */
  convolve: ConvolveAttributes;
  /** Inputs dy and kernel of the `convolve` with these attributes; gives dx, of `inputShape`. A transposed convolution. */
  convolveInputGradient: ConvolveAttributes & { readonly inputShape: Shape };
  /** Inputs x and dy of the `convolve` with these attributes; gives the kernel's gradient, of `kernelShape`. */
  convolveFilterGradient: ConvolveAttributes & { readonly kernelShape: Shape };
}

/** Windows over the spatial axes of `[batch, …spatial, channels]`; padding never counts as a value. */
export interface PoolingAttributes {
  /** NaN when any is NaN; −∞ where a window lies in the padding altogether. */
  maxPool: PoolAttributes;
  /** The mean over those elements of the window that lie in the input; NaN where there are none. */
  averagePool: PoolAttributes;
  /** Inputs x, y = maxPool(x) and dy; the first greatest element of a window, or the first NaN, takes its gradient. */
  maxPoolGradient: PoolAttributes;
  /** Input dy; gives dx, of `inputShape`. */
  averagePoolGradient: PoolAttributes & { readonly inputShape: Shape };
}

/** Indices are int32; a negative one counts from the end; one out of range reads NaN (int32: the least one, bool: false, string: ''). */
export interface IndexAttributes {
  /** Inputs x and indices of any shape; `axis` of x is replaced by the shape of the indices. */
  gather: { readonly axis: number };
  /** Inputs x and indices of the same rank, equal to x but along `axis`. */
  takeAlongAxis: { readonly axis: number };
  /**
   * Inputs indices and updates: the transpose of `gather`. The axes of the updates that stand for the indices are
   * replaced by one of `extent`, in which equal indices add up (bool: any); indices out of range add nothing.
   */
  scatterAdd: { readonly axis: number; readonly extent: number };
  /** int32 indices that sort along the axis, stably; NaN last (first when descending). */
  argSort: { readonly axis: number; readonly descending: boolean };
}

/** Rearrangements: elements are moved, not changed. */
export interface MoveAttributes {
  reshape: { readonly shape: Shape };
  transpose: { readonly permutation: readonly number[] };
  /** To a shape of the same rank, whose extents differ only where the input has 1. */
  broadcast: { readonly shape: Shape };
  /** Elements `start`, `start + stride`, … below `stop` of each axis; strides are positive, stops lie in the input. */
  slice: { readonly starts: readonly number[]; readonly stops: readonly number[]; readonly strides: readonly number[] };
  /** Constant padding, `[low, high]` per axis. */
  pad: { readonly padding: readonly PaddingPair[]; readonly value: number };
  /** One or more inputs, equal in all axes but `axis`. */
  concatenate: { readonly axis: number };
  reverse: { readonly axes: readonly number[] };
}

/** Leaves, choice, conversion and control. */
export interface OtherAttributes {
  /** What the caller of a program gives at each run. */
  input: TensorSpec & { readonly name: string };
  /** State that stays between runs. */
  parameter: { readonly variable: Variable };
  constant: { readonly value: Tensor };
  /** 0, 1, 2, … along an axis; int32 or float32. */
  iota: TensorSpec & { readonly axis: number };
  /**
   * int32 with 32 random bits each. Inputs key and counter, both int32 `[2]`: element `i` is word `i mod 4` of Philox
   * block `[i div 4, 0, ...counter]` under the key, so that with a counter of 0 it is what `PhiloxStream` draws.
   * Equal inputs give equal bits on every backend.
   */
  randomBits: { readonly shape: Shape };
  /** Inputs condition (bool), then and otherwise, of one shape. */
  select: None;
  /** float → int truncates towards 0 (NaN gives 0, ±∞ the extremes); to bool: not equal to 0. */
  cast: { readonly dtype: 'float32' | 'int32' | 'bool' };
  /**
   * A loop. Inputs: `carryCount` initial carries, `sequenceCount` sequences with a leading axis of `length`, then the
   * values that the body needs unchanged. The body's inputs are the carries, one step of each sequence (without the
   * leading axis), and the same further values; its outputs are the next carries, then what is stacked.
   * The node's outputs are the last carries, then the stacked ones with a leading axis of `length`.
   * `reverse` runs from the last step to the first; stacked outputs keep the position of their step.
   */
  scan: {
    readonly body: Graph;
    readonly length: number;
    readonly carryCount: number;
    readonly sequenceCount: number;
    readonly reverse: boolean;
  };
  /**
   * A function of host tensors, for what only the host has: strings and hashes. A program runs it before its kernels,
   * so its inputs may depend on inputs, constants and other host nodes only.
   */
  host: {
    readonly name: string;
    readonly outputs: readonly TensorSpec[];
    readonly run: (inputs: readonly Tensor[]) => readonly Tensor[];
  };
}

/** The table: a primitive and its attributes. */
export interface PrimitiveAttributes
  extends UnaryAttributes,
    BinaryAttributes,
    CompareAttributes,
    LogicalAttributes,
    ReduceAttributes,
    CumulativeAttributes,
    ContractAttributes,
    PoolingAttributes,
    IndexAttributes,
    MoveAttributes,
    OtherAttributes {}

export type PrimitiveName = keyof PrimitiveAttributes;
export type UnaryName = keyof UnaryAttributes;
export type BinaryName = keyof BinaryAttributes;
export type CompareName = keyof CompareAttributes;
export type LogicalName = keyof LogicalAttributes;
export type ReduceName = keyof ReduceAttributes;
export type CumulativeName = keyof CumulativeAttributes;
