import { describe, expect, test } from 'vitest';
import { bytesPerElement } from '../array/dtype.ts';
import { tensor } from '../array/tensor.ts';
import { apply, applyAll, input, parameter } from '../graph/apply.ts';
import type { Graph, SymbolicTensor } from '../graph/node.ts';
import { Variable } from '../graph/variable.ts';
import { atOnce } from '../pause.ts';
import { formatPlan } from './format-schedule.ts';
import { lowerGraph } from './lower.ts';
import { BUFFER_ALIGNMENT, type MemoryPlan, planMemory } from './plan.ts';
import type { Buffer } from './schedule.ts';

const float = (...shape: number[]): SymbolicTensor => input('x', { shape, dtype: 'float32' });

function weight(...shape: number[]): SymbolicTensor {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return parameter(new Variable({ name: 'weight', shape, initialize: () => tensor(new Float32Array(size), shape) }));
}

/**
 * Pairs of buffers that share memory while both live. A pair where one begins in the kernel in which the other ends,
 * at the same place, works in place.
 */
function conflicts({ offsets, lifetimes }: MemoryPlan): string[] {
  const found: string[] = [];
  const buffers = [...lifetimes.keys()].filter((buffer) => buffer.size > 0);
  const rangeOf = (buffer: Buffer): [number, number] => {
    const start = offsets.get(buffer) as number;
    return [start, start + buffer.size * bytesPerElement(buffer.dtype)];
  };
  for (const [index, a] of buffers.entries()) {
    for (const b of buffers.slice(index + 1)) {
      const [lifeA, lifeB] = [lifetimes.get(a), lifetimes.get(b)];
      const [[startA, endA], [startB, endB]] = [rangeOf(a), rangeOf(b)];
      if (lifeA === undefined || lifeB === undefined || startA >= endB || startB >= endA) continue;
      const meetInPlace = (lifeA.end === lifeB.start || lifeB.end === lifeA.start) && startA === startB;
      const apart = lifeA.end < lifeB.start || lifeB.end < lifeA.start;
      if (!apart && !meetInPlace) found.push(`${a.name} and ${b.name}`);
    }
  }
  return found;
}

function planOf(graph: Graph): MemoryPlan {
  return planMemory(atOnce(lowerGraph(graph)));
}

/** Layers of different widths, with a shortcut around each. */
function network(widths: readonly number[]): Graph {
  const x = float(4, widths[0] as number);
  const outputs: SymbolicTensor[] = [];
  let y = x;
  for (const [index, width] of widths.slice(1).entries()) {
    const flags = { transposeLeft: false, transposeRight: false };
    const hidden = apply('tanh', [apply('dot', [y, weight(widths[index] as number, width)], flags)], {});
    const total = apply('sum', [apply('exp', [hidden], {})], { axes: [0] });
    const wide = apply('broadcast', [apply('reshape', [total], { shape: [1, width] })], { shape: [4, width] });
    y = apply('divide', [hidden, wide], {});
    if (index % 3 === 0) outputs.push(total);
  }
  return { inputs: [x], outputs: [y, ...outputs] };
}

describe('planMemory()', () => {
  test('never gives two living buffers one place', () => {
    const plan = planOf(network([8, 30, 5, 64, 64, 3, 17, 100, 9, 31]));
    expect(conflicts(plan)).toEqual([]);
    for (const offset of plan.offsets.values()) expect(offset % BUFFER_ALIGNMENT).toBe(0);
  });

  test('comes near the lower bound', () => {
    const plan = planOf(network(Array.from({ length: 60 }, (_, index) => 16 + ((index * 37) % 50))));
    expect(plan.totalBytes).toBeGreaterThanOrEqual(plan.lowerBoundBytes);
    expect(plan.totalBytes, formatPlan(plan)).toBeLessThanOrEqual(plan.lowerBoundBytes * 1.1);
  });

  test('a chain of kernels works in place', () => {
    const x = float(1000);
    const total = (y: SymbolicTensor): SymbolicTensor =>
      apply('broadcast', [apply('reshape', [apply('max', [y], { axes: [0] })], { shape: [1] })], { shape: [1000] });
    let y = x;
    for (let count = 0; count < 5; count++) y = apply('subtract', [y, total(y)], {});
    const plan = planOf({ inputs: [x], outputs: [y] });
    expect(conflicts(plan)).toEqual([]);
    // One buffer of 1000 floats, and a scalar in a line of its own.
    expect(plan.totalBytes).toBeLessThanOrEqual(4032 + 2 * BUFFER_ALIGNMENT);
  });

  test('does not overwrite what a loop reads again in its next turn', () => {
    const spec = [3] as const;
    const [carry, scale] = [float(...spec), float(...spec)];
    const scaled = apply('exp', [apply('multiply', [carry, scale], {})], {});
    const body = { inputs: [carry, scale], outputs: [scaled] };
    const inputs = [float(...spec), float(...spec)];
    const attributes = { body, length: 4, carryCount: 1, sequenceCount: 0, reverse: false };
    const plan = planOf({ inputs, outputs: applyAll('scan', inputs, attributes) });
    expect(conflicts(plan)).toEqual([]);
    const named = (name: string): Buffer => [...plan.offsets.keys()].find((buffer) => buffer.name === name) as Buffer;
    expect(plan.lifetimes.get(named('input1'))?.end).toBe(plan.lifetimes.get(named('exp'))?.end);
    expect(plan.offsets.get(named('input1'))).not.toBe(plan.offsets.get(named('exp')));
  });

  test('variables that only the prologue reads give their place back', () => {
    const x = float(1000);
    const w = weight(1000);
    const total = apply('sum', [apply('exp', [w], {})], { axes: [0] });
    const wide = apply('broadcast', [apply('reshape', [total], { shape: [1] })], { shape: [1000] });
    const plan = planOf({ inputs: [x], outputs: [apply('multiply', [x, wide], {})] });
    expect(plan.permanentBytes).toBe(BUFFER_ALIGNMENT);
    expect(plan.totalBytes).toBeLessThanOrEqual(2 * 4032);
  });
});
