/** A page that predicts and trains when its test says so, on its own or in a worker of its own. */
import { bitsOf, type Outcome, WORKS, type WorkName, watchThreads } from './work.ts';

declare global {
  interface Window {
    /** Gets the work ready; the function that it leaves does it. */
    prepareWork: (name: WorkName) => Promise<void>;
    doWork: () => Promise<Float32Array[]>;
    /** Bits of what the work gave. */
    finishWork: () => Promise<Outcome>;
    /** All of it, in a worker that the page starts. */
    workInWorker: (name: WorkName) => Promise<Outcome>;
  }
}

const threads = watchThreads();
let done: Float32Array[] = [];

window.prepareWork = async (name) => {
  const work = await WORKS[name](new URL('model.keras', location.href));
  window.doWork = async () => {
    done = await work();
    return [];
  };
};
window.finishWork = async () => {
  const bits = bitsOf(done);
  // Threads come while the first runs are done.
  const until = performance.now() + 10_000;
  while (threads() < 2 && window.crossOriginIsolated && performance.now() < until) {
    await window.doWork();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { bits, threads: threads() };
};
window.workInWorker = async (name) => {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  try {
    return await new Promise<Outcome>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<Outcome>) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.postMessage(name);
    });
  } finally {
    worker.terminate();
  }
};
