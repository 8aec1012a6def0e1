/** How long the thread of a page is away while Hornet works. */
import { type Files, loadHornet, readFloats } from './engines.ts';

/** The longest that a message to the page had to wait, in milliseconds. */
export interface Blocks {
  /** While the model is loaded. */
  readonly load: number;
  /** While the program is made, and runs for the first time. */
  readonly first: number;
  readonly steady: number;
}

const PREDICTIONS = 10;

/** What a worker does: it tells when it has told it, every two milliseconds. */
const CLOCK = 'setInterval(() => postMessage(performance.timeOrigin + performance.now()), 2)';

export async function watchBlocks(files: Files, threads: number): Promise<Blocks> {
  const values = await readFloats(files.input);
  const clock = new Worker(URL.createObjectURL(new Blob([CLOCK], { type: 'text/javascript' })));
  const loaded = await watch(clock, () => loadHornet(files, threads));
  const predict = loaded.result;
  const first = await watch(clock, () => predict(values));
  const steady = await watch(clock, async () => {
    for (let call = 0; call < PREDICTIONS; call++) await predict(values);
  });
  return { load: loaded.longest, first: first.longest, steady: steady.longest };
}

async function watch<T>(
  clock: Worker,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly longest: number }> {
  let longest = 0;
  let hear = (): void => {};
  const message = (): Promise<void> => {
    return new Promise((resolve) => {
      hear = resolve;
    });
  };
  clock.onmessage = ({ data }: MessageEvent<number>) => {
    longest = Math.max(longest, performance.timeOrigin + performance.now() - data);
    hear();
  };
  await message();
  longest = 0;
  const result = await work();
  await message();
  return { result, longest };
}
