/** Runs one planned kernel of the WebAssembly backend on numbers, as a program would. */
import { asksWide } from '../../src/backends/wasm/assembler-features.ts';
import { ModuleBuilder } from '../../src/backends/wasm/assembler-module.ts';
import type { ContractPlaces, ContractPlan, Packing } from '../../src/backends/wasm/contract-plan.ts';
import { READ_SLACK_BYTES } from '../../src/backends/wasm/contract-tile.ts';
import { atOnce } from '../../src/pause.ts';

export interface RunContractOptions {
  readonly plan: ContractPlan;
  readonly left: Float32Array;
  readonly right: Float32Array;
  /** A third operand, for the kernels that have one. */
  readonly third?: Float32Array;
  readonly outputLength: number;
  readonly packed?: boolean;
  readonly bias?: Float32Array | undefined;
  readonly lower?: number | undefined;
  readonly upper?: number | undefined;
  /** Doubles each element in the tail and counts its visits. */
  readonly tail?: boolean;
  readonly relaxedSimd?: boolean;
  /** By default, what `HORNET_WIDE` says. */
  readonly wide?: boolean;
}

export interface RunContractResult {
  readonly output: Float32Array;
  /** How often the tail has seen each element. */
  readonly visits: Int32Array;
  /** Runs the kernel again and gives the time in milliseconds. */
  time(): number;
}

/** What is in memory before a kernel runs: a kernel that reads what it has not written gives NaN. */
const GARBAGE = Number.NaN;

/** What lies between buffers, and must not change. */
const GUARD_BYTES = 64;

type Kernel = (first: number, last: number, scratch: number) => void;

export function runContract(options: RunContractOptions): RunContractResult {
  const { plan, left, outputLength, bias, lower, upper } = options;
  let right = options.right;
  if (options.packed && plan.packing) {
    right = packWeights(plan.packing, options.right);
  }
  let end = 64;
  const place = (byteLength: number): number => {
    const at = end;
    end = Math.ceil((end + byteLength) / 64) * 64 + GUARD_BYTES;
    return at;
  };
  const at = {
    left: place(left.byteLength),
    right: place(right.byteLength),
    third: place(options.third?.byteLength ?? 0),
    bias: place(bias?.byteLength ?? 0),
    output: place(outputLength * 4),
    visits: place(outputLength * 4),
    sharedScratch: place(plan.sharedBytes),
    privateScratch: place(plan.privateBytes),
  };
  const pages = Math.ceil((end + READ_SLACK_BYTES) / 65536);
  const { relaxedSimd, wide = asksWide() } = options;
  const module = new ModuleBuilder({ ...(relaxedSimd === undefined ? {} : { relaxedSimd }), wide });
  module.importMemory('host', 'memory', { minimum: pages });
  const tail = options.tail ? emitDoublingTail(module, at.output, at.visits) : undefined;
  const places: ContractPlaces = {
    left: at.left,
    right: at.right,
    output: at.output,
    sharedScratch: at.sharedScratch,
    ...(options.third ? { third: at.third } : {}),
    ...(bias ? { bias: at.bias } : {}),
    ...(lower === undefined ? {} : { lower }),
    ...(upper === undefined ? {} : { upper }),
    ...(tail === undefined ? {} : { tail }),
  };
  const code = plan.emit(module, places);
  module.exportFunction('kernel', code.kernel);
  if (code.prepare) module.exportFunction('prepare', code.prepare.kernel);

  const memory = new WebAssembly.Memory({ initial: pages });
  const floats = new Float32Array(memory.buffer).fill(GARBAGE);
  new Int32Array(memory.buffer, at.visits, outputLength).fill(0);
  floats.set(left, at.left / 4);
  floats.set(right, at.right / 4);
  if (options.third) floats.set(options.third, at.third / 4);
  if (bias) floats.set(bias, at.bias / 4);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.build()), { host: { memory } });
  const call = (name: string, units: number): void => {
    // Two ranges, the later one first: units must not depend on each other.
    const middle = Math.floor(units / 2);
    (exports[name] as Kernel)(middle, units, at.privateScratch);
    (exports[name] as Kernel)(0, middle, at.privateScratch);
  };
  const run = (): void => {
    if (code.prepare) call('prepare', code.prepare.units);
    call('kernel', code.units);
  };
  const before = new Int32Array(memory.buffer).slice();
  run();
  const writable = [
    [at.output, outputLength * 4],
    [at.visits, outputLength * 4],
    [at.sharedScratch, plan.sharedBytes],
    [at.privateScratch, plan.privateBytes],
  ] as const;
  const after = new Int32Array(memory.buffer).slice();
  for (const [start, byteLength] of writable) {
    before.fill(0, start / 4, (start + byteLength) / 4);
    after.fill(0, start / 4, (start + byteLength) / 4);
  }
  const stray = after.findIndex((bits, index) => bits !== before[index]);
  if (stray >= 0) throw new Error(`The kernel wrote at ${stray * 4}, outside ${JSON.stringify({ at, outputLength })}`);
  return {
    output: floats.slice(at.output / 4, at.output / 4 + outputLength),
    visits: new Int32Array(memory.buffer, at.visits, outputLength).slice(),
    time: () => {
      const start = performance.now();
      run();
      return performance.now() - start;
    },
  };
}

function emitDoublingTail(module: ModuleBuilder, output: number, visits: number): number {
  return module.function(['i32', 'i32'], [], (f) => {
    const [index, at] = [f.local('i32'), f.local('i32')];
    f.for(index, f.param(0), f.param(1), 1, () => {
      f.scaled(index, 4).set(at);
      f.storeAt('f32.store', at, output, () => f.load('f32.load', at, output).f32(2).op('f32.mul'));
      f.storeAt('i32.store', at, visits, () => f.load('i32.load', at, visits).i32(1).op('i32.add'));
    });
  });
}

/** The greatest difference, relative to the greatest magnitude expected; NaN where either has NaN alone. */
export function greatestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.NaN;
  let scale = 1e-30;
  for (let index = 0; index < expected.length; index++) scale = Math.max(scale, Math.abs(expected[index] as number));
  let greatest = 0;
  for (let index = 0; index < expected.length; index++) {
    const difference = Math.abs((actual[index] as number) - (expected[index] as number)) / scale;
    if (!(difference <= greatest)) greatest = difference;
    if (Number.isNaN(greatest)) return greatest;
  }
  return greatest;
}

/** Packs weights as the prologue of a program does: by the host, or by a call of a module. */
export function packWeights(packing: Packing, weights: Float32Array): Float32Array {
  const packed = new Float32Array(packing.byteLength / 4);
  if (packing.pack !== undefined) {
    atOnce(packing.pack(weights, packed));
    return packed;
  }
  const [source, target] = [64, 128 + weights.byteLength];
  const pages = Math.ceil((target + packed.byteLength + READ_SLACK_BYTES) / 65536);
  const module = new ModuleBuilder();
  module.importMemory('host', 'memory', { minimum: pages });
  const call = packing.call?.(module, source, target);
  if (call === undefined) throw new TypeError('Cannot pack weights: found no way to');
  const memory = new WebAssembly.Memory({ initial: pages });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.build()), { host: { memory } });
  new Float32Array(memory.buffer, source, weights.length).set(weights);
  (exports[call.exportName] as (...words: readonly number[]) => void)(...call.words);
  packed.set(new Float32Array(memory.buffer, target, packed.length));
  return packed;
}
