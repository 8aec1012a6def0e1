/**
 * Loops that follow each other and walk the same elements, as those of an optimizer's step over one weight: they are run
 * piece by piece, so that what one writes is still in the cache when the next reads it. Where they follow the product that
 * is the weight's gradient, they run on each part of it that is complete.
 */
import { sizeOf } from '../../array/shape.ts';
import { isFlat } from '../../compiler/index-map.ts';
import {
  type Access,
  type Buffer,
  byteLengthOf,
  type Kernel,
  type LoopKernel,
  loadsOf,
  type NodeKernel,
} from '../../compiler/schedule.ts';
import type { EmittedKernel, KernelContext } from './kernel-context.ts';
import { emitLoop } from './loop-code.ts';

/** Elements of a piece: a few streams of them stay in the first cache. */
const PIECE_ELEMENTS = 2048;

/** Below this, all of it stays in the cache anyway. */
const LEAST_ELEMENTS = 4 * PIECE_ELEMENTS;

/** Kernels that run together: loops, after a product or alone; or one kernel of any kind. */
export interface KernelGroup {
  readonly product?: NodeKernel;
  readonly loops: readonly LoopKernel[];
}

/** Kernels in order, those that can be run together side by side. */
export function groupLoops(
  kernels: readonly Kernel[],
  addressOf: (buffer: Buffer) => number,
): readonly (readonly Kernel[])[] {
  const groups: Kernel[][] = [];
  for (const kernel of kernels) {
    const group = groups.at(-1);
    if (group !== undefined && canJoin(group, kernel, addressOf)) group.push(kernel);
    else groups.push([kernel]);
  }
  return groups;
}

/** What a group of several kernels consists of; undefined for a single one. */
export function joinedGroup(group: readonly Kernel[]): KernelGroup | undefined {
  if (group.length === 1) return undefined;
  const [first] = group;
  const loops = group.filter((kernel) => kernel.kind === 'loop');
  return first?.kind === 'node' ? { product: first, loops } : { loops };
}

function canJoin(group: readonly Kernel[], kernel: Kernel, addressOf: (buffer: Buffer) => number): boolean {
  if (kernel.kind !== 'loop' || !isStraight(kernel) || sizeOf(kernel.domain) < LEAST_ELEMENTS) return false;
  return group.every((before) => {
    if (before.kind === 'node') return canFollow(before, kernel, addressOf);
    return (
      before.kind === 'loop' &&
      isStraight(before) &&
      sizeOf(before.domain) === sizeOf(kernel.domain) &&
      areIndependent(before, kernel, addressOf)
    );
  });
}

/** Whether a loop may run on a part of a product while others are still computed. */
function canFollow(product: NodeKernel, loop: LoopKernel, addressOf: (buffer: Buffer) => number): boolean {
  const { node, inputs, outputs, scratch, tail } = product;
  const [output] = outputs as readonly [Buffer];
  if (node.primitive !== 'dot' || tail !== undefined || output.size !== sizeOf(loop.domain)) return false;
  const isApart = (a: Buffer, b: Buffer): boolean =>
    addressOf(a) + byteLengthOf(a) <= addressOf(b) || addressOf(b) + byteLengthOf(b) <= addressOf(a);
  const isAligned = (buffer: Buffer): boolean => addressOf(buffer) === addressOf(output) && buffer.size === output.size;
  const { store, value, domain } = loop;
  return (
    [...inputs, ...scratch].every((buffer) => isApart(buffer, store.buffer)) &&
    loadsOf(value).every(({ buffer }) => scratch.every((own) => isApart(own, buffer))) &&
    [store, ...loadsOf(value)].every(
      (access) => isApart(access.buffer, output) || (isAligned(access.buffer) && isFlat(access, domain)),
    )
  );
}

/** Whether each element is computed from those at its own place, and from numbers that are the same for all. */
function isStraight({ domain, store, value }: LoopKernel): boolean {
  return isFlat(store, domain) && loadsOf(value).every((access) => isFlat(access, domain) || isSingle(access, domain));
}

function isSingle({ strides }: Access, domain: readonly number[]): boolean {
  return strides.every((stride, axis) => stride === 0 || domain[axis] === 1);
}

/** Whether the later loop may run on a piece before the earlier one has run on the pieces after it. */
function areIndependent(earlier: LoopKernel, later: LoopKernel, addressOf: (buffer: Buffer) => number): boolean {
  const isSafe = (a: Access, domainA: readonly number[], b: Access, domainB: readonly number[]): boolean => {
    const [startA, startB] = [addressOf(a.buffer), addressOf(b.buffer)];
    const isApart = startA + byteLengthOf(a.buffer) <= startB || startB + byteLengthOf(b.buffer) <= startA;
    const isAligned =
      startA === startB && a.buffer.dtype === b.buffer.dtype && isFlat(a, domainA) && isFlat(b, domainB);
    return isApart || isAligned;
  };
  const { domain: first } = earlier;
  const { domain: second } = later;
  return (
    isSafe(earlier.store, first, later.store, second) &&
    loadsOf(earlier.value).every((load) => isSafe(load, first, later.store, second)) &&
    loadsOf(later.value).every((load) => isSafe(earlier.store, first, load, second))
  );
}

/** Writes the function of some loops together; its range is over the elements. */
export function emitLoops(context: KernelContext, loops: readonly LoopKernel[]): EmittedKernel {
  const functions = loops.map((loop) => emitLoop(context, loop).functionIndex);
  const count = sizeOf((loops[0] as LoopKernel).domain);
  const functionIndex = context.module.function(['i32', 'i32'], [], (f) => {
    const [first, last, end] = [f.param(0), f.param(1), f.local('i32')];
    f.for(first, first, last, PIECE_ELEMENTS, () => {
      f.get(first).i32(PIECE_ELEMENTS).op('i32.add').tee(end);
      f.get(last).get(end).get(last).op('i32.lt_s', 'select').set(end);
      for (const index of functions) f.get(first).get(end).call(index);
    });
  });
  return { functionIndex, count };
}
