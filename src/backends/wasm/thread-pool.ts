/**
 * Threads that help the calling one. They are started by the first program that is large enough, serve all programs,
 * end when none has run for a while, and never keep a process alive.
 */
import { THREADS_OFFSET, TICKET, TICKET_BYTES, TICKETS_OFFSET, WORK } from './thread-code.ts';

/** What both kinds of workers can do: those of Node and those of the web. */
interface HostWorker {
  postMessage(message: unknown): void;
  terminate(): unknown;
}

/** Milliseconds without a run after which the threads end. */
const IDLE_MS = 30_000;

/** What a worker runs: it takes programs, runs them when told, and forgets them. */
const WORKER_SOURCE = `
const programs = new Map();
const receive = ({ kind, id, module, memory, thread, ticket }) => {
  if (kind === 'load') {
    programs.set(id, new WebAssembly.Instance(module, { host: { memory } }).exports.${WORK});
    Atomics.compareExchange(new Int32Array(memory.buffer), ticket, ${TICKET.absent}, ${TICKET.idle});
  } else if (kind === 'run') programs.get(id)(thread);
  else programs.delete(id);
};
`;

/** A program that threads have, or will have when they are started. */
export interface ThreadedProgram {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Address of the words by which its threads find one another. */
  readonly meeting: number;
}

/** The threads of a process. */
class ThreadPool {
  readonly #size: number;
  #workers: readonly HostWorker[] = [];
  /** Which programs the present workers were given. */
  readonly #given = new WeakMap<ThreadedProgram, number>();
  readonly #forgotten = new FinalizationRegistry<number>((id) => this.#post({ kind: 'drop', id }));
  #nextId = 0;
  #firstId = 0;
  #lastUsed = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** @param size threads besides the calling one */
  constructor(size: number) {
    this.#size = size;
  }

  /**
   * Calls the threads that have the program to its next run, and gives how many run it, with the caller. Who comes too
   * late to the first run is there for one of the next.
   */
  call(program: ThreadedProgram): number {
    this.#lastUsed = performance.now();
    const words = new Int32Array(program.memory.buffer, program.meeting);
    let id = this.#given.get(program);
    if (id === undefined || id < this.#firstId) {
      id = this.#give(program, words);
      if (id === undefined) return 1;
    }
    let threads = 1;
    while (threads <= this.#workers.length && Atomics.load(words, ticketOf(threads)) !== TICKET.absent) threads++;
    Atomics.store(words, THREADS_OFFSET / 4, threads);
    for (let thread = 1; thread < threads; thread++) {
      const ticket = ticketOf(thread);
      const was = Atomics.exchange(words, ticket, TICKET.called);
      if (was === TICKET.ready) Atomics.notify(words, ticket);
      else this.#workers[thread - 1]?.postMessage({ kind: 'run', id, thread });
    }
    return threads;
  }

  #give(program: ThreadedProgram, words: Int32Array): number | undefined {
    if (this.#workers.length === 0) this.#start();
    if (this.#workers.length === 0) return undefined;
    const id = this.#nextId++;
    this.#given.set(program, id);
    this.#forgotten.register(program, id);
    const { module, memory, meeting } = program;
    for (const [index, worker] of this.#workers.entries()) {
      Atomics.store(words, ticketOf(index + 1), TICKET.absent);
      worker.postMessage({ kind: 'load', id, module, memory, ticket: meeting / 4 + ticketOf(index + 1) });
    }
    return id;
  }

  #start(): void {
    this.#workers = Array.from({ length: this.#size }, startWorker).filter((worker) => worker !== undefined);
    this.#timer = setInterval(() => {
      if (performance.now() - this.#lastUsed > IDLE_MS) this.#stop();
    }, IDLE_MS);
    if (typeof this.#timer === 'object') this.#timer.unref();
  }

  #stop(): void {
    clearInterval(this.#timer);
    for (const worker of this.#workers) worker.terminate();
    this.#workers = [];
    // Whatever was given is to be given again.
    this.#firstId = this.#nextId;
  }

  #post(message: unknown): void {
    for (const worker of this.#workers) worker.postMessage(message);
  }
}

function ticketOf(thread: number): number {
  return (TICKETS_OFFSET + thread * TICKET_BYTES) / 4;
}

const pools = new Map<number, ThreadPool>();

/** The threads that stand by the calling one; the same for all programs that want as many. */
export function threadPool(size: number): Pick<ThreadPool, 'call'> {
  let pool = pools.get(size);
  if (pool === undefined) {
    pool = new ThreadPool(size);
    pools.set(size, pool);
  }
  return pool;
}

/** How many threads the host can run at once, the calling one included; 1 where it has none, or may not wait for them. */
export function availableThreads(): number {
  const system = globalThis.process?.getBuiltinModule?.('node:os');
  return typeof SharedArrayBuffer === 'undefined' ? 1 : (system?.availableParallelism() ?? 1);
}

function startWorker(): HostWorker | undefined {
  const threads = globalThis.process?.getBuiltinModule?.('node:worker_threads');
  if (threads === undefined) return undefined;
  const source = `${WORKER_SOURCE} require('node:worker_threads').parentPort.on('message', receive);`;
  // Without options of its own a worker would take those of the process, which may be for a script and not for this.
  const worker = new threads.Worker(source, { eval: true, execArgv: [], env: {} });
  worker.unref();
  return worker;
}
