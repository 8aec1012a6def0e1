/** How near to the processor's limit one thread comes, where the limit is what a bare loop of multiply-adds reaches. */
import { ModuleBuilder } from '../src/backends/wasm/assembler-module.ts';
import { loadModel } from '../src/io/load.ts';
import { openHornet } from './engines.ts';
import { type Findings, makeRow, type Row } from './measure.ts';
import { type Contestant, contestantOf, describeTimes, medianOf, race } from './race.ts';
import { flopsOf, readExpected, type WorkloadName, workload } from './workloads.ts';

/** What the shares should be at least. */
const GOALS: readonly (readonly [WorkloadName, number])[] = [
  ['matrix-1024', 0.85],
  ['resnet-50', 0.65],
  ['mobilenet-v2', 0.45],
];

/** Sums that do not wait for each other: more than the latency of two units takes, fewer than there are registers. */
const SUMS = 12;
const TURNS = 200_000;
const LOOP_FLOPS = 2 * 4 * SUMS * TURNS;

/**
 * A row's ratio is the share: the time that the model's products would take at the limit, by the time that it takes. The
 * products are counted as they are defined; where fewer are made (Winograd), the share counts those saved.
 */
export async function measurePeak(folder: string): Promise<Findings> {
  const rows: Row[] = [];
  const notes: string[] = [];
  for (const [name, goal] of GOALS) {
    const work = workload(name);
    const ours = await openHornet(folder, work, 1);
    const loop = await bareLoop(readExpected(folder, work));
    const flops = flopsOf(await loadModel(`${folder}/${name}.keras`, { compile: false }), work.inputShape[0] as number);
    const times = await race(work.title, readExpected(folder, work), [ours, loop]);
    const gigaflops = LOOP_FLOPS / medianOf(times, loop) / 1e6;
    const title = `share of the peak: ${work.title}`;
    const peer = `${(flops / 1e9).toFixed(2)} GFLOP at ${gigaflops.toFixed(1)} GFLOP/s, a bare loop`;
    rows.push(makeRow(title, medianOf(times, ours), flops / gigaflops / 1e6, peer, 'ms', goal));
    notes.push(describeTimes(title, times));
  }
  return { rows, notes };
}

/** Multiply-adds in registers, and nothing else. Its answer is what the others answer: it computes none. */
async function bareLoop(expected: Float32Array): Promise<Contestant> {
  const module = new ModuleBuilder();
  module.exportFunction(
    'run',
    module.function([], ['f32'], (f) => {
      const sums = f.localsOf('v128', SUMS);
      const [factor, turn] = [f.local('v128'), f.local('i32')];
      f.f32x4(1e-9).set(factor).i32(TURNS).set(turn);
      f.loop((again) => {
        for (const sum of sums) f.multiplyAdd(sum, () => f.get(factor).get(factor));
        f.get(turn).i32(1).op('i32.sub').tee(turn).brIf(again);
      });
      const [first, ...others] = sums as [(typeof sums)[number], ...typeof sums];
      f.get(first);
      for (const sum of others) f.get(sum).op('f32x4.add');
      f.lane('f32x4.extract_lane', 0);
    }),
  );
  const { instance } = await WebAssembly.instantiate(module.build());
  const run = instance.exports.run as () => number;
  return contestantOf('the bare loop', () => {
    if (Number.isNaN(run())) throw new Error('Cannot tell the peak: the loop did not run');
    return expected;
  });
}
