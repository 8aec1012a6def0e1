/** Workers of the host: those of the web, or those of Node. */

export interface HostWorker {
  /** Sends a message, and gives away what is in `transfer`. */
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  terminate(): void;
}

/** What the owner of a worker is told. */
export interface WorkerEvents {
  /** The first message comes when the worker has started: it is `undefined`. */
  onMessage(message: unknown): void;
  /** It has died, or could not be started. It is told once at most, and not when it was terminated. */
  onFailure(cause: unknown): void;
}

/**
 * What a worker does after it has dropped the last reference to shared memory of `byteLength`. Such memory does not count
 * with collectors of garbage, so that a worker, which has little else, would keep it for ever. This counts, for as much,
 * and takes nothing, since nobody writes to it.
 */
export const COUNT_DROPPED = 'try { new ArrayBuffer(byteLength); } catch {}';

/** Threads by default, of a host that has more processors: each takes memory, and the last ones help little. */
const MOST_THREADS = 8;

/**
 * How many threads run a program unless an option says so, the calling one included: as many as the host has processors,
 * at most 8, or the number in the environment variable `HORNET_THREADS`; 1 where threads cannot share memory.
 */
export function availableThreads(): number {
  if (typeof SharedArrayBuffer === 'undefined') return 1;
  const named = Number(globalThis.process?.env?.HORNET_THREADS);
  if (Number.isSafeInteger(named) && named > 0) return named;
  const system = globalThis.process?.getBuiltinModule?.('node:os');
  const processors = system?.availableParallelism() ?? globalThis.navigator?.hardwareConcurrency ?? 1;
  return Math.min(processors, MOST_THREADS);
}

/**
 * Starts a worker, which never keeps a process alive.
 *
 * @param source a script with a function `receive` of each message, which may call `send`
 * @returns nothing where the host has no workers, or does not allow this one
 */
export function startWorker(source: string, events: WorkerEvents): HostWorker | undefined {
  const threads = globalThis.process?.getBuiltinModule?.('node:worker_threads');
  // A page of Electron has both; there, the web's are those that may be waited for.
  if (threads === undefined || typeof document === 'object') return startWebWorker(source, events);
  const script = `const port = require('node:worker_threads').parentPort;
const send = (message, transfer) => port.postMessage(message, transfer);
${source}
port.on('message', receive);
send();`;
  // Without options of its own a worker would take those of the process, which may be for a script and not for this.
  const worker = new threads.Worker(script, { eval: true, execArgv: [], env: {} });
  let isOver = false;
  const fail = (cause: unknown): void => {
    if (!isOver) events.onFailure(cause);
    isOver = true;
  };
  worker.on('message', (message) => events.onMessage(message));
  worker.on('error', fail);
  worker.on('exit', (code) => fail(new Error(`the worker has ended with code ${code}`)));
  // Listening to messages is what would hold the process.
  worker.unref();
  return {
    post: (message, transfer = []) => worker.postMessage(message, [...transfer]),
    terminate: () => {
      isOver = true;
      void worker.terminate();
    },
  };
}

function startWebWorker(source: string, events: WorkerEvents): HostWorker | undefined {
  if (typeof Worker !== 'function' || typeof Blob !== 'function') return undefined;
  const script = `const send = (message, transfer) => self.postMessage(message, transfer);
${source}
self.onmessage = (event) => receive(event.data);
send();`;
  // A script of its own file would need every bundler to know of it.
  const url = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
  let worker: Worker;
  try {
    worker = new Worker(url, { name: 'hornet' });
  } catch {
    URL.revokeObjectURL(url);
    return undefined;
  }
  let isOver = false;
  worker.onmessage = ({ data }) => {
    // Some browsers read the script late.
    if (data === undefined) URL.revokeObjectURL(url);
    events.onMessage(data);
  };
  // A policy of the page that forbids such workers is told like an error in the script.
  worker.onerror = (event) => {
    event.preventDefault();
    URL.revokeObjectURL(url);
    if (!isOver) events.onFailure(new Error(event.message || 'the browser does not allow the worker'));
    isOver = true;
  };
  return {
    post: (message, transfer = []) => worker.postMessage(message, [...transfer]),
    terminate: () => {
      isOver = true;
      worker.terminate();
    },
  };
}
