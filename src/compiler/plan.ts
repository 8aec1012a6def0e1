/**
 * Gives each buffer its place in one memory.
 *
 * Kernels are numbered in the order in which they run, those in a loop between the loop's start and end; a buffer lives
 * from the first to the last kernel that touches it. What lives between runs comes first; the rest is packed greedily,
 * the largest first, each at the lowest gap among those that live at the same time.
 */

import { isFlat } from './index-map.ts';
import type { Buffer, Kernel, LoopKernel, Schedule } from './schedule.ts';
import { buffersRead, buffersWritten, byteLengthOf, loadsOf } from './schedule.ts';

/** Memory of a processor is read in lines of 64 bytes. */
export const BUFFER_ALIGNMENT = 64;

export interface Lifetime {
  /** Number of the first kernel that touches the buffer. */
  readonly start: number;
  /** Number of the last. */
  readonly end: number;
}

export interface MemoryPlan {
  /** Byte offset of each buffer. */
  readonly offsets: ReadonlyMap<Buffer, number>;
  readonly lifetimes: ReadonlyMap<Buffer, Lifetime>;
  /** Bytes that stay between runs: variables, constants, results of the prologue. */
  readonly permanentBytes: number;
  /** Bytes in all. */
  readonly totalBytes: number;
  /** Bytes below which no plan can get: those that stay, and the most that lives at one time. */
  readonly lowerBoundBytes: number;
}

/** A set of buffers in one place: one buffer, or several that follow each other in place. */
interface Block {
  readonly buffers: Buffer[];
  readonly bytes: number;
  start: number;
  end: number;
  offset: number;
}

const FOREVER: Lifetime = { start: -1, end: Number.POSITIVE_INFINITY };

export function planMemory(schedule: Schedule): MemoryPlan {
  const { lifetimes, loops, lastReads } = lifetimesOf(schedule);
  const blocks = mergeInPlace(lifetimes, loops, overwritable(schedule, lifetimes, loops, lastReads));
  const permanent: Block[] = [];
  const passing: Block[] = [];
  for (const block of blocks) (livesForever(block) ? permanent : passing).push(block);
  let permanentBytes = 0;
  for (const block of permanent) {
    block.offset = permanentBytes;
    permanentBytes += block.bytes;
  }
  const passingBytes = Math.max(0, ...contemporaries(passing).map(placeGreedily));
  for (const block of passing) block.offset += permanentBytes;
  const offsets = new Map<Buffer, number>();
  for (const block of blocks) for (const buffer of block.buffers) offsets.set(buffer, block.offset);
  return {
    offsets,
    lifetimes,
    permanentBytes,
    totalBytes: permanentBytes + passingBytes,
    // Nobody asks but who prints a plan.
    get lowerBoundBytes(): number {
      return permanentBytes + mostAlive(passing);
    },
  };
}

/** Whether a buffer keeps its content between runs. */
export function isPermanent({ lifetimes }: MemoryPlan, buffer: Buffer): boolean {
  const lifetime = lifetimes.get(buffer);
  return lifetime !== undefined && livesForever(lifetime);
}

function livesForever(lifetime: Lifetime): boolean {
  return lifetime.start === FOREVER.start && lifetime.end === FOREVER.end;
}

interface Lifetimes {
  readonly lifetimes: Map<Buffer, Lifetime>;
  readonly loops: [LoopKernel, number][];
  /** Number of the last kernel that reads a state; none where no kernel does. */
  readonly lastReads: ReadonlyMap<Buffer, number>;
}

function lifetimesOf(schedule: Schedule): Lifetimes {
  const lifetimes = new Map<Buffer, Lifetime>();
  const loops: [LoopKernel, number][] = [];
  let time = 0;
  const touch = (buffer: Buffer, at: number): void => {
    const known = lifetimes.get(buffer);
    const start = Math.min(known?.start ?? at, at);
    lifetimes.set(buffer, { start, end: Math.max(known?.end ?? at, at) });
  };
  const walk = (kernels: readonly Kernel[]): void => {
    for (const kernel of kernels) {
      const start = time++;
      if (kernel.kind === 'loop') loops.push([kernel, start]);
      if (kernel.kind !== 'scan') {
        for (const buffer of [...buffersRead(kernel), ...buffersWritten(kernel)]) touch(buffer, start);
        continue;
      }
      for (const { initial, current } of kernel.carries) {
        touch(initial, start);
        touch(current, start);
      }
      for (const { step } of kernel.sequences) touch(step, start);
      for (const { whole } of kernel.stacked) touch(whole, start);
      walk(kernel.body);
      const end = time++;
      for (const { current, next } of kernel.carries) {
        touch(current, end);
        touch(next, end);
      }
      for (const { whole, step } of [...kernel.sequences, ...kernel.stacked]) {
        touch(whole, end);
        touch(step, end);
      }
      // What comes from outside is read in every turn of the loop, so it must outlive the last.
      for (const buffer of kernel.body.flatMap(buffersRead)) {
        const known = lifetimes.get(buffer) as Lifetime;
        if (known.start <= start || comesFromOutside(buffer)) touch(buffer, end);
      }
    }
  };
  walk(schedule.prologue);
  const mainStart = time++;
  // Inputs are there before the first kernel: a loop must know that they come from outside.
  for (const buffer of schedule.inputs) touch(buffer, mainStart);
  walk(schedule.kernels);
  const lastReads = new Map<Buffer, number>();
  for (const { state } of schedule.updates) {
    const read = lifetimes.get(state);
    if (read !== undefined) lastReads.set(state, read.end);
    lifetimes.set(state, FOREVER);
  }
  for (const [buffer, { end }] of lifetimes) {
    // Only what the prologue alone reads gives its place back.
    if (end > mainStart && comesFromOutside(buffer)) lifetimes.set(buffer, FOREVER);
  }
  for (const buffer of [...schedule.outputs, ...schedule.updates.map(({ next }) => next)]) {
    if (comesFromOutside(buffer)) lifetimes.set(buffer, FOREVER);
    else touch(buffer, time);
  }
  return { lifetimes, loops, lastReads };
}

/**
 * The states that the loop which computes their next value can overwrite at once: nobody reads them later, and each
 * element depends on its own place only. Gives the state of such a next value.
 */
function overwritable(
  { updates }: Schedule,
  lifetimes: ReadonlyMap<Buffer, Lifetime>,
  loops: readonly [LoopKernel, number][],
  lastReads: ReadonlyMap<Buffer, number>,
): ReadonlyMap<Buffer, Buffer> {
  const found = new Map<Buffer, Buffer>();
  const writers = new Map<Buffer, [LoopKernel, number][]>();
  for (const entry of loops) {
    const { buffer } = entry[0].store;
    writers.set(buffer, [...(writers.get(buffer) ?? []), entry]);
  }
  for (const { state, next } of updates) {
    const [writer, ...others] = writers.get(next) ?? [];
    if (writer === undefined || others.length > 0 || next.role !== 'temporary' || found.has(next)) continue;
    const [{ store, domain, value }, time] = writer;
    const isOnlyWriter = lifetimes.get(next)?.start === time && isFlat(store, domain);
    const isReadBefore = (lastReads.get(state) ?? -1) <= time;
    const isLocal = loadsOf(value).every((load) => load.buffer !== state || isFlat(load, domain));
    if (isOnlyWriter && isReadBefore && isLocal) found.set(next, state);
  }
  return found;
}

function comesFromOutside(buffer: Buffer): boolean {
  return (
    buffer.role === 'parameter' || buffer.role === 'state' || buffer.role === 'constant' || buffer.role === 'persistent'
  );
}

/** Lets a loop overwrite an operand that nobody reads later, where each element depends on its own place only. */
function mergeInPlace(
  lifetimes: ReadonlyMap<Buffer, Lifetime>,
  loops: readonly [LoopKernel, number][],
  states: ReadonlyMap<Buffer, Buffer>,
): Set<Block> {
  const blockOf = new Map<Buffer, Block>();
  for (const [buffer, { start, end }] of lifetimes) {
    const bytes = Math.ceil(byteLengthOf(buffer) / BUFFER_ALIGNMENT) * BUFFER_ALIGNMENT;
    blockOf.set(buffer, { buffers: [buffer], bytes, start, end, offset: 0 });
  }
  for (const [next, state] of states) {
    const block = blockOf.get(state) as Block;
    block.buffers.push(next);
    blockOf.set(next, block);
  }
  for (const [{ domain, store, value }, time] of loops) {
    const target = blockOf.get(store.buffer) as Block;
    if (target.start !== time || store.buffer.role !== 'temporary' || !isFlat(store, domain)) continue;
    const loads = loadsOf(value);
    for (const { buffer } of loads) {
      const source = blockOf.get(buffer) as Block;
      const fits =
        source !== target &&
        source.end === time &&
        !comesFromOutside(buffer) &&
        byteLengthOf(buffer) === byteLengthOf(store.buffer) &&
        loads.every((load) => blockOf.get(load.buffer) !== source || isFlat(load, domain));
      if (!fits) continue;
      source.end = target.end;
      source.buffers.push(...target.buffers);
      for (const moved of target.buffers) blockOf.set(moved, source);
      break;
    }
  }
  return new Set(blockOf.values());
}

/** Blocks of which none lives at the time of one of another list: those of the prologue, one step of it after the other. */
function contemporaries(blocks: readonly Block[]): Block[][] {
  const lists: Block[][] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const block of [...blocks].sort((a, b) => a.start - b.start)) {
    if (block.start > end) lists.push([]);
    lists.at(-1)?.push(block);
    end = Math.max(end, block.end);
  }
  return lists;
}

/** Assigns offsets from 0 and gives the end of the highest block. */
function placeGreedily(blocks: readonly Block[]): number {
  const placed: Block[] = [];
  let end = 0;
  for (const block of [...blocks].sort((a, b) => b.bytes - a.bytes || a.start - b.start)) {
    let best = -1;
    let bestGap = Number.POSITIVE_INFINITY;
    let top = 0;
    for (const other of placed) {
      if (other.start > block.end || block.start > other.end) continue;
      const gap = other.offset - top;
      if (gap >= block.bytes && gap < bestGap) {
        best = top;
        bestGap = gap;
      }
      top = Math.max(top, other.offset + other.bytes);
    }
    block.offset = best >= 0 ? best : top;
    end = Math.max(end, block.offset + block.bytes);
    placed.splice(insertionPoint(placed, block.offset), 0, block);
  }
  return end;
}

function insertionPoint(sorted: readonly Block[], offset: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as Block).offset < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

function mostAlive(blocks: readonly Block[]): number {
  const changes: [time: number, bytes: number][] = [];
  for (const { start, end, bytes } of blocks) changes.push([start, bytes], [end + 1, -bytes]);
  changes.sort(([a, x], [b, y]) => a - b || x - y);
  let [alive, most] = [0, 0];
  for (const [, bytes] of changes) {
    alive += bytes;
    most = Math.max(most, alive);
  }
  return most;
}
