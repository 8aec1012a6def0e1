/** How long the thread of a page is away while Hornet works. */
import { type Files, loadHornet, readFloats } from './engines.ts';
import type { Blocks } from './phases.ts';

/** What a browser does when it starts is not the page's. */
const SETTLE_MS = 2000;

const PREDICTIONS = 10;

/** Milliseconds between two looks. */
const PERIOD_MS = 2;

/** Marks the beginning of each phase with its name. */
export async function watchBlocks(files: Files, threads: number): Promise<Blocks> {
  const values = await readFloats(files.input);
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  performance.mark('load');
  const loaded = await watch(() => loadHornet(files, threads));
  const predict = loaded.result;
  performance.mark('first');
  const first = await watch(() => predict(values));
  performance.mark('steady');
  const steady = await watch(async () => {
    for (let call = 0; call < PREDICTIONS; call++) await predict(values);
  });
  return { load: loaded.longest, first: first.longest, steady: steady.longest };
}

/** Tasks of the highest priority tell how late they are: what has the thread then is all that they wait for. */
async function watch<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly longest: number }> {
  let longest = 0;
  const look = async (): Promise<void> => {
    const due = performance.now() + PERIOD_MS;
    const now = await scheduler.postTask(() => performance.now(), { delay: PERIOD_MS, priority: 'user-blocking' });
    longest = Math.max(longest, now - due);
  };
  const watching = { isOver: false };
  const looks = (async () => {
    while (!watching.isOver) await look();
  })();
  const result = await work();
  watching.isOver = true;
  await looks;
  return { result, longest };
}
