/** A page's own worker that uses the library: it is one of the threads. */
import { bitsOf, WORKS, type WorkName, watchThreads } from './work.ts';

const threads = watchThreads();

self.onmessage = async ({ data: name }: MessageEvent<WorkName>) => {
  const work = await WORKS[name](new URL('model.keras', location.href));
  const outputs = await work();
  // Threads come while the first runs are done.
  const until = performance.now() + 10_000;
  while (threads() < 2 && self.crossOriginIsolated && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    await work();
  }
  self.postMessage({ bits: bitsOf(outputs), threads: threads() });
};
