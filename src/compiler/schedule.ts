/**
 * What the compiler makes of a graph: a list of kernels over flat buffers. A backend turns each kernel into code.
 *
 * Kernels are named by what they do, not by how: a `loop` computes one expression for each element of a domain, a
 * `reduce` folds one, a `node` is a primitive with an algorithm of its own (contractions, pools, gathers, sorts), a
 * `scan` repeats kernels.
 */
import { bytesPerElement, type Dtype } from '../array/dtype.ts';
import type { NarrowArray, NarrowCodes } from '../array/narrow-array.ts';
import type { Shape } from '../array/shape.ts';
import type { Tensor } from '../array/tensor.ts';
import type { AnyNode } from '../graph/node.ts';
import type { BinaryName, CompareName, LogicalName, UnaryName } from '../graph/primitives.ts';
import type { Variable } from '../graph/variable.ts';

/** Element types that a kernel can compute; strings stay on the host. */
export type NumericDtype = Exclude<Dtype, 'string'>;

/**
 * Where a buffer's content comes from: the caller at each run, a variable, a variable that the run itself assigns, the
 * graph itself, the prologue (computed again only when a variable has changed), or a kernel of the run.
 */
export type BufferRole = 'input' | 'parameter' | 'state' | 'constant' | 'persistent' | 'temporary';

/** Contiguous elements in row-major order, without a shape: shapes are in the accesses. */
export interface Buffer {
  readonly name: string;
  readonly role: BufferRole;
  readonly dtype: NumericDtype;
  /** Number of elements. */
  readonly size: number;
  /**
   * The form in which the host keeps the value of a variable, where that is a narrow one. Who reads the buffer finds
   * floats, but a kernel may ask for the narrow form packed for it; see `PackKernel`.
   */
  readonly narrow?: NarrowForm | undefined;
}

/** A narrow form without its elements. */
export type NarrowForm = Pick<NarrowArray, 'dtype' | 'channels'>;

/** Which element of a buffer belongs to a point of a domain: `offset + Σ stride · coordinate`, in elements. */
export interface Access {
  readonly buffer: Buffer;
  readonly offset: number;
  /** One for each axis of the domain; 0 repeats, negative runs backwards. */
  readonly strides: readonly number[];
}

export type ElementwiseName = UnaryName | BinaryName | CompareName | LogicalName | 'select' | 'cast';

/** The value at a point of a domain. Expressions are shared, not copied: a graph without cycles. */
export type Expression =
  | { readonly kind: 'load'; readonly dtype: NumericDtype; readonly access: Access }
  | { readonly kind: 'immediate'; readonly dtype: NumericDtype; readonly value: number }
  /** `offset + Σ stride · coordinate` itself. */
  | {
      readonly kind: 'affine';
      readonly dtype: NumericDtype;
      readonly offset: number;
      readonly strides: readonly number[];
    }
  | {
      readonly kind: 'apply';
      readonly dtype: NumericDtype;
      readonly primitive: ElementwiseName;
      readonly operands: readonly Expression[];
      /** That of the node which is computed; see `origin`. */
      readonly origin?: string | undefined;
    };

interface Originated {
  /** That of the node for which the kernel is; see `origin`. */
  readonly origin?: string | undefined;
}

/** Computes `value` at each point of `domain` and stores it where `store` says. */
export interface LoopKernel extends Originated {
  readonly kind: 'loop';
  readonly name: string;
  readonly domain: Shape;
  readonly store: Access;
  readonly value: Expression;
}

/**
 * Element-wise work on the result of another kernel, done in place while the result is hot. Loads of the kernel's own
 * output at the very element stand for what the kernel computed.
 */
export interface Tail {
  readonly domain: Shape;
  readonly value: Expression;
}

export type Fold = 'sum' | 'product' | 'max' | 'min';

/** Folds `value` over the axes `reduced`, which come after `kept` in its domain; stores contiguously over `kept`. */
export interface ReduceKernel extends Originated {
  readonly kind: 'reduce';
  readonly name: string;
  readonly fold: Fold;
  readonly kept: Shape;
  readonly reduced: Shape;
  readonly value: Expression;
  readonly output: Buffer;
  readonly tail: Tail | undefined;
}

/** A primitive with an algorithm of its own, from whole buffers to whole buffers. */
export interface NodeKernel extends Originated {
  readonly kind: 'node';
  readonly name: string;
  readonly node: AnyNode;
  readonly inputs: readonly Buffer[];
  readonly outputs: readonly Buffer[];
  /** Memory that only this kernel uses, while it runs; a backend asks for it. */
  readonly scratch: readonly Buffer[];
  readonly tail: Tail | undefined;
}

export interface ScanCarry {
  readonly initial: Buffer;
  /** What the body reads, and after the last step the node's output. */
  readonly current: Buffer;
  /** What the body computes; copied to `current` after each step. */
  readonly next: Buffer;
}

/** Steps of a sequence: whole at one side of the loop, one step at the other. */
export interface ScanSequence {
  readonly whole: Buffer;
  readonly step: Buffer;
}

/** A loop: for each step takes a step of each sequence, runs the body, puts aside what is stacked. */
export interface ScanKernel extends Originated {
  readonly kind: 'scan';
  readonly name: string;
  readonly length: number;
  readonly reverse: boolean;
  readonly carries: readonly ScanCarry[];
  readonly sequences: readonly ScanSequence[];
  readonly stacked: readonly ScanSequence[];
  readonly body: readonly Kernel[];
}

/**
 * Rearranges weights into the order in which a kernel reads them: once in the prologue, where the host does it, or before
 * a loop whose steps all read them.
 */
export interface PackKernel extends Originated {
  readonly kind: 'pack';
  readonly name: string;
  readonly input: Buffer;
  readonly output: Buffer;
  /** Packs in steps, for a host that has other things to do meanwhile; without it, the program packs what is in its memory. */
  readonly pack?: ((source: Float32Array, target: Float32Array) => Generator<void, void>) | undefined;
  /** The reverse, to the bit, where there is one. */
  readonly unpack?: ((packed: Float32Array, weights: Float32Array) => void) | undefined;
  /** What is done in its place with a variable that is kept in a narrow form: the output is in it too, whatever its dtype. */
  readonly packNarrow?: ((source: NarrowArray, target: Float32Array) => Generator<void, void>) | undefined;
  /** The reverse of that. */
  readonly unpackNarrow?: ((packed: Float32Array, codes: NarrowCodes) => void) | undefined;
}

export type Kernel = LoopKernel | ReduceKernel | NodeKernel | ScanKernel | PackKernel;

/** A variable that the run assigns. */
export interface StateUpdate {
  readonly variable: Variable;
  /** What the kernels read: the value from before. */
  readonly state: Buffer;
  /** What becomes the value after the last kernel; never another variable's state. */
  readonly next: Buffer;
}

export interface Schedule {
  /** One for each input of the graph, in order. */
  readonly inputs: readonly Buffer[];
  /** One for each output of the graph, in order; may repeat, and may be an input or a parameter. */
  readonly outputs: readonly Buffer[];
  /** Those with updates have the role `state`. */
  readonly parameters: ReadonlyMap<Variable, Buffer>;
  readonly constants: ReadonlyMap<Tensor, Buffer>;
  /** What depends on variables and constants only. */
  readonly prologue: readonly Kernel[];
  readonly kernels: readonly Kernel[];
  readonly updates: readonly StateUpdate[];
}

export function byteLengthOf(buffer: Buffer): number {
  return buffer.size * bytesPerElement(buffer.dtype);
}

/** Visits each part of an expression once, operands first. */
export function visitExpression(root: Expression, visit: (part: Expression) => void): void {
  const seen = new Set<Expression>();
  const walk = (part: Expression): void => {
    if (seen.has(part)) return;
    seen.add(part);
    if (part.kind === 'apply') part.operands.forEach(walk);
    visit(part);
  };
  walk(root);
}

/** The accesses of an expression's loads. */
export function loadsOf(value: Expression): Access[] {
  const loads: Access[] = [];
  visitExpression(value, (part) => {
    if (part.kind === 'load') loads.push(part.access);
  });
  return loads;
}

/** Buffers that a kernel reads, its own output in a tail left out. Those of a scan include its body's. */
export function buffersRead(kernel: Kernel): Buffer[] {
  const loaded = (value: Expression): Buffer[] => loadsOf(value).map((access) => access.buffer);
  switch (kernel.kind) {
    case 'loop':
      return loaded(kernel.value);
    case 'reduce': {
      const tail = kernel.tail === undefined ? [] : loaded(kernel.tail.value);
      return [...loaded(kernel.value), ...tail.filter((buffer) => buffer !== kernel.output)];
    }
    case 'node': {
      const tail = kernel.tail === undefined ? [] : loaded(kernel.tail.value);
      return [...kernel.inputs, ...tail.filter((buffer) => !kernel.outputs.includes(buffer))];
    }
    case 'pack': {
      const { input, pack, packNarrow } = kernel;
      // The host has the values of variables and constants: they need not be in the memory for it to pack them.
      const isOfHost = input.role === 'parameter' || input.role === 'constant';
      return isOfHost && (pack ?? packNarrow) !== undefined ? [] : [input];
    }
    case 'scan':
      return [
        ...kernel.carries.map((carry) => carry.initial),
        ...kernel.sequences.map((sequence) => sequence.whole),
        ...kernel.body.flatMap(buffersRead),
      ];
  }
}

/** Buffers that a kernel writes. Those of a scan include its body's. */
export function buffersWritten(kernel: Kernel): Buffer[] {
  switch (kernel.kind) {
    case 'loop':
      return [kernel.store.buffer];
    case 'reduce':
    case 'pack':
      return [kernel.output];
    case 'node':
      return [...kernel.outputs, ...kernel.scratch];
    case 'scan':
      return [
        ...kernel.carries.map((carry) => carry.current),
        ...kernel.sequences.map((sequence) => sequence.step),
        ...kernel.stacked.map((sequence) => sequence.whole),
        ...kernel.body.flatMap(buffersWritten),
      ];
  }
}
