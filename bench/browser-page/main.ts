/** A page that does what its address says, and tells its server: Hornet and its peers in turn, or how long its thread is away. */
import { describeTimes, medianOf, race } from '../race.ts';
import { type Files, openHornet, openOnnxruntimeWeb, openTensorflowJs, readFloats } from './engines.ts';
import type { Blocks } from './phases.ts';
import { watchBlocks } from './watch-blocks.ts';

/** What a page does; JSON behind the # of its address. */
export interface Task {
  /** `watch` is for a page that is new: how long the thread is away while Hornet loads a model and predicts. */
  readonly kind: 'watch' | 'race';
  readonly files: Files;
  readonly threads: number;
  /** URL that the answer is posted to. */
  readonly report: string;
}

export type Answer<T> = { readonly result: T } | { readonly failure: string };

export interface RaceResult {
  /** Milliseconds of a call, Hornet's first. */
  readonly medians: readonly { readonly name: string; readonly ms: number }[];
  readonly note: string;
}

const { kind, files, threads, report } = JSON.parse(decodeURIComponent(location.hash.slice(1))) as Task;
const answer: Answer<Blocks | RaceResult> = await (kind === 'watch' ? watchBlocks : raceEngines)(files, threads).then(
  (result) => ({ result }),
  (error: unknown) => ({ failure: String(error) }),
);
await fetch(report, { method: 'POST', body: JSON.stringify(answer) });

async function raceEngines(files: Files, threads: number): Promise<RaceResult> {
  const ours = await openHornet(files, threads);
  const peers = [await openOnnxruntimeWeb(files, threads)];
  if (files.layersModel !== undefined) peers.push(await openTensorflowJs(files, files.layersModel, threads));
  const times = await race(files.title, await readFloats(files.output), [ours, ...peers]);
  return {
    medians: [ours, ...peers].map((contestant) => ({ name: contestant.name, ms: medianOf(times, contestant) })),
    note: describeTimes(files.title, times),
  };
}
