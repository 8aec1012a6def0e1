/**
 * Vectors of 256 bits. WebAssembly has none, but V8 can join two neighbouring ones of 128 bits where a flag says so
 * (`--experimental-wasm-revectorize`, on processors with AVX2). Node takes the flag while it runs; a browser is started
 * with it. See docs/decisions/wide-kernels.md.
 */
import { ModuleBuilder } from './assembler-module.ts';

const FLAG = '--experimental-wasm-revectorize';

/** The first V8 whose flag is worth setting: older ones do not know it, and say so on the console. */
const LEAST_V8 = 13;

/** An engine makes its best code within some milliseconds; on a busy machine it may take longer. */
const PATIENCE_MS = { flagged: 1000, unknown: 500 } as const;

/** Sums of the trial: as many vectors as keep the processor busy, and leave registers free. */
const SUMS = 8;

/** Turns of the trial's loop, some microseconds. */
const TURNS = 4000;

/** So long the trial is repeated for one measurement: the clock of a page ticks ten times a millisecond. */
const WINDOW_MS = 0.2;

/** Measurements of a round, of which the best counts: others may be interrupted. */
const WINDOWS = 10;

/** Twice as many vectors take twice as long, or more, unless they are joined. */
const MOST_RATIO = 1.4;

let known: Promise<boolean> | undefined;

/** Whether the engine joins pairs of vectors, after it was told to where that is possible: for the whole process. */
export function joinsVectors(): Promise<boolean> {
  known ??= probe(setFlag());
  return known;
}

/** Gives how long a trial is worth while: not at all where joining is out of the question. */
function setFlag(): number {
  const process = globalThis.process;
  // A page knows nothing of flags: whether it was given one, only a try can tell.
  if (typeof process?.getBuiltinModule !== 'function') return PATIENCE_MS.unknown;
  if (process.arch !== 'x64' || !(Number.parseInt(process.versions.v8 ?? '', 10) >= LEAST_V8)) return 0;
  try {
    process.getBuiltinModule('node:v8').setFlagsFromString(FLAG);
    return PATIENCE_MS.flagged;
  } catch {
    // A host that is not Node, but has its modules, may refuse.
    return 0;
  }
}

/** Whether twice as many sums, in pairs of neighbours, take no longer. */
async function probe(patienceMs: number): Promise<boolean> {
  if (patienceMs === 0) return false;
  const memory = new WebAssembly.Memory({ initial: 1 });
  const module = await WebAssembly.compile(probeModule());
  const { exports } = await WebAssembly.instantiate(module, { host: { memory } });
  const sum = exports.sum as (pairs: number, turns: number) => void;
  const timeOf = (pairs: 0 | 1): number => {
    const started = performance.now();
    for (let calls = 1; ; calls++) {
      sum(pairs, TURNS);
      const elapsed = performance.now() - started;
      if (elapsed >= WINDOW_MS) return elapsed / calls;
    }
  };
  const deadline = performance.now() + patienceMs;
  while (performance.now() < deadline) {
    let [joined, single] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let window = 0; window < WINDOWS; window++) {
      joined = Math.min(joined, timeOf(1));
      // Last, for the engine may get its best code on the way.
      single = Math.min(single, timeOf(0));
    }
    if (joined < MOST_RATIO * single) return true;
    // It takes that up between calls, and makes it in another thread.
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return false;
}

/** A module with one function, of which the engine makes its best code at once, for both kinds of sums. */
function probeModule(): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.importMemory('host', 'memory', { minimum: 1 });
  const sum = module.function(['i32', 'i32'], [], (f) => {
    const [pairs, turns] = [f.param(0), f.param(1)];
    const [at, turn, factor] = [f.local('i32'), f.local('i32'), f.local('v128')];
    f.i32(0).set(at).f32(0.5).op('f32x4.splat').set(factor);
    const writeSums = (count: number, distance: number): void => {
      const sums = f.localsOf('v128', count);
      for (const local of sums) f.f32x4(1).set(local);
      f.for(turn, 0, turns, 1, () => {
        for (const local of sums) f.multiplyAdd(local, () => f.get(local).get(factor));
      });
      for (const [index, local] of sums.entries()) f.storeAt('v128.store', at, index * distance, () => f.get(local));
    };
    f.get(pairs).if(
      () => writeSums(2 * SUMS, 16),
      // Not neighbours, which the engine could join as well.
      () => writeSums(SUMS, 48),
    );
  });
  module.exportFunction('sum', sum);
  return module.build();
}
