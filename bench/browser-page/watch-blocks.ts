/** How long the thread of a page is away while Hornet works. */
import { type Files, loadHornet, readFloats } from './engines.ts';

/** The longest time without a turn for others, in milliseconds. */
export interface Blocks {
  /** While the model is loaded. */
  readonly load: number;
  /** While the program is made, and runs for the first time. */
  readonly first: number;
  readonly steady: number;
}

const PREDICTIONS = 10;

export async function watchBlocks(files: Files, threads: number): Promise<Blocks> {
  const values = await readFloats(files.input);
  const loaded = await watch(() => loadHornet(files, threads));
  const predict = loaded.result;
  const first = await watch(() => predict(values));
  const steady = await watch(async () => {
    for (let call = 0; call < PREDICTIONS; call++) await predict(values);
  });
  return { load: loaded.longest, first: first.longest, steady: steady.longest };
}

/** The longest time between two turns of a ticker that always wants one. */
async function watch<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly longest: number }> {
  let longest = 0;
  let isOver = false;
  let last = performance.now();
  const { port1, port2 } = new MessageChannel();
  const tick = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  port1.onmessage = () => {
    tick();
    if (!isOver) setTimeout(() => port2.postMessage(undefined));
  };
  port2.postMessage(undefined);
  const result = await work();
  tick();
  isOver = true;
  return { result, longest };
}
