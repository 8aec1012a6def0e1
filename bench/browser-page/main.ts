/** A page that measures when the benchmark says so: Hornet and its peers in turn, and how long its thread is away. */
import { describeTimes, medianOf, race } from '../race.ts';
import { type Files, openHornet, openOnnxruntimeWeb, openTensorflowJs, readFloats } from './engines.ts';
import { type Blocks, watchBlocks } from './watch-blocks.ts';

export interface RaceResult {
  /** Milliseconds of a call, Hornet's first. */
  readonly medians: readonly { readonly name: string; readonly ms: number }[];
  readonly note: string;
}

declare global {
  interface Window {
    /** For a page that is new: how long the thread is away while Hornet loads a model and predicts. */
    watchHornet: (files: Files, threads: number) => Promise<Blocks>;
    raceEngines: (files: Files, threads: number) => Promise<RaceResult>;
  }
}

window.watchHornet = watchBlocks;
window.raceEngines = async (files, threads) => {
  const ours = await openHornet(files, threads);
  const peers = [await openOnnxruntimeWeb(files, threads)];
  if (files.layersModel !== undefined) peers.push(await openTensorflowJs(files, files.layersModel, threads));
  const times = await race(files.title, await readFloats(files.output), [ours, ...peers]);
  return {
    medians: [ours, ...peers].map((contestant) => ({ name: contestant.name, ms: medianOf(times, contestant) })),
    note: describeTimes(files.title, times),
  };
};
