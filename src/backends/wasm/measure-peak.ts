/** What the processor can do at most, as far as WebAssembly can ask it to: the roofs over every kernel. */
import { asksWide } from './assembler-features.ts';
import { ModuleBuilder } from './assembler-module.ts';

/** How fast memory is copied within so many bytes, those that are read and those that are written. */
export interface Bandwidth {
  readonly bytes: number;
  readonly gigabytesPerSecond: number;
}

export interface MachinePeak {
  /** Of one thread; two operations for each multiply-add. */
  readonly gigaflops: number;
  /** From the fastest cache to the memory. */
  readonly bandwidths: readonly Bandwidth[];
}

/** Independent sums, enough to hide how long each step of one takes. */
const SUMS = 12;

/** Steps of each sum in one turn of the loop. */
const UNROLLED = 4;

const TURNS = 10_000;

/** Within a first cache, a second, a third, and beyond them. */
const COPIED_BYTES: readonly number[] = [2 ** 14, 2 ** 18, 2 ** 22, 2 ** 26];

const MEASURE_MS = 40;

/** One measurement lasts at least so long, so that the clock does not matter. */
const LEAST_MS = 0.5;

/**
 * Measures the roofs: those of vectors of 256 bits where the environment variable `HORNET_WIDE` asks for such kernels. A
 * moment when nothing else runs gives the right ones. Takes a quarter of a second.
 */
export async function measurePeak(): Promise<MachinePeak> {
  const wide = asksWide() && (await (await import('./wide-vectors.ts')).joinsVectors());
  const pages = Math.max(...COPIED_BYTES) / 65536;
  const memory = new WebAssembly.Memory({ initial: pages });
  // Pages that nobody has written are all one page.
  new Uint8Array(memory.buffer).fill(1);
  const module = await WebAssembly.compile(peakModule(pages, wide));
  const { exports } = await WebAssembly.instantiate(module, { host: { memory } });
  const { multiplyAdd, copy } = exports as unknown as PeakExports;
  const perTurn = 2 * 4 * sumsOf(wide) * UNROLLED;
  return {
    gigaflops: (perTurn * TURNS) / (fastest(() => multiplyAdd(TURNS)) * 1e6),
    bandwidths: COPIED_BYTES.map((bytes) => {
      return { bytes, gigabytesPerSecond: bytes / (fastest(() => copy(bytes / 2)) * 1e6) };
    }),
  };
}

interface PeakExports {
  multiplyAdd(turns: number): void;
  copy(bytes: number): void;
}

/** Sums of vectors of 256 bits are pairs of neighbours. */
function sumsOf(wide: boolean): number {
  return wide ? 2 * SUMS : SUMS;
}

function peakModule(pages: number, wide: boolean): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.importMemory('host', 'memory', { minimum: pages });
  const multiplyAdd = module.function(['i32'], [], (f) => {
    const sums = f.localsOf('v128', sumsOf(wide));
    const [scale, step, turn] = [f.local('v128'), f.local('v128'), f.local('i32')];
    const at = f.local('i32');
    // Each sum nears 1 and stays there: no value is ever so small that it is computed slowly.
    f.f32x4(0.5).set(scale).f32x4(0.5).set(step);
    for (const [index, sum] of sums.entries()) f.f32x4(1 + index / SUMS).set(sum);
    f.for(turn, 0, f.param(0), 1, () => {
      for (let repeat = 0; repeat < UNROLLED; repeat++) {
        for (const sum of sums) {
          f.get(sum).get(scale);
          if (f.relaxedSimd) f.get(step).op('f32x4.relaxed_madd');
          else f.op('f32x4.mul').get(step).op('f32x4.add');
          f.set(sum);
        }
      }
    });
    f.i32(0).set(at);
    // What is stored side by side may be joined.
    const distance = wide ? 16 : 48;
    for (const [index, sum] of sums.entries()) f.storeAt('v128.store', at, index * distance, () => f.get(sum));
  });
  module.exportFunction('multiplyAdd', multiplyAdd);
  const copy = module.function(['i32'], [], (f) => {
    f.get(f.param(0)).i32(0).get(f.param(0)).memoryCopy();
  });
  module.exportFunction('copy', copy);
  return module.build();
}

/** Milliseconds of one call, at its fastest; the first calls let the engine make its best code. */
function fastest(call: () => unknown): number {
  let calls = 1;
  let best = Number.POSITIVE_INFINITY;
  const end = performance.now() + MEASURE_MS;
  for (let now = 0; now < end || best === Number.POSITIVE_INFINITY; ) {
    const started = performance.now();
    for (let index = 0; index < calls; index++) call();
    now = performance.now();
    if (now - started < LEAST_MS) calls *= 2;
    else best = Math.min(best, (now - started) / calls);
  }
  return best;
}
