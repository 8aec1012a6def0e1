/**
 * Threads that help the first one of a program. They are started by the first program that is large enough and runs
 * again, or that takes long, serve all programs, end when none has run for a while, and never keep a process alive.
 */
import { COUNT_DROPPED, type HostWorker, startWorker } from './host-worker.ts';
import { BELL_OFFSET, LOST_OFFSET, THREADS_OFFSET, TICKET, TICKET_BYTES, TICKETS_OFFSET, WORK } from './thread-code.ts';

/** Milliseconds without a run after which the threads end. */
const IDLE_MS = 30_000;

/** So often workers may fail until none is started any more. */
const MOST_FAILURES = 3;

/** What a worker runs: it takes programs, runs them when told, and forgets them. */
const WORKER_SOURCE = `
const programs = new Map();
const receive = ({ kind, id, module, memory, meeting, thread, ticket, byteLength }) => {
  if (kind === 'load') {
    const { ${WORK} } = new WebAssembly.Instance(module, { host: { memory } }).exports;
    const words = new Int32Array(memory.buffer, meeting);
    programs.set(id, { ${WORK}, words });
    Atomics.compareExchange(words, ticket, ${TICKET.absent}, ${TICKET.idle});
  } else if (kind === 'run') {
    const { ${WORK}, words } = programs.get(id);
    try {
      ${WORK}(thread);
    } catch (error) {
      // The others need not wait.
      Atomics.store(words, ${LOST_OFFSET / 4}, 1);
      throw error;
    }
  } else {
    programs.delete(id);
    ${COUNT_DROPPED}
  }
};
`;

/** A program that threads have, or will have when they are started. */
export interface ThreadedProgram {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Address of the words by which its threads find one another. */
  readonly meeting: number;
}

/** The helping threads of a process. */
export class ThreadPool {
  readonly #size: number;
  #workers: readonly HostWorker[] = [];
  /** Which programs the present workers were given. */
  readonly #given = new WeakMap<ThreadedProgram, number>();
  readonly #forgotten = new FinalizationRegistry<{ readonly id: number; readonly byteLength: number }>((program) => {
    for (const worker of this.#workers) worker.post({ kind: 'drop', ...program });
  });
  /** Those that have run. */
  readonly #known = new WeakSet<ThreadedProgram>();
  #last: WeakRef<ThreadedProgram> | undefined;
  #nextId = 0;
  #firstId = 0;
  #lastUsed = 0;
  #failures = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** @param size threads besides the first one */
  constructor(size: number) {
    this.#size = size;
  }

  /** Starts the threads, if they are not there: for a program that is to come, and will take its time. */
  start(): void {
    this.#lastUsed = performance.now();
    if (this.#workers.length === 0) this.#start();
  }

  /** Gives the threads, where there are some, a program before its first run. */
  offer(program: ThreadedProgram): void {
    if (this.#workers.length > 0) this.#give(program, new Int32Array(program.memory.buffer, program.meeting));
  }

  /**
   * Calls the threads that have the program to its next run, and gives how many run it, with the first. Who comes too
   * late to one run is there for one of the next. The first run of a program starts no threads: it may be its only one.
   *
   * @param callFirst calls the first thread, where that is not the caller
   */
  call(program: ThreadedProgram, callFirst: () => void = () => {}): number {
    this.#lastUsed = performance.now();
    const words = new Int32Array(program.memory.buffer, program.meeting);
    const id = this.#idOf(program, words);
    let threads = 1;
    // Who waits in a program that was not called last may have messages of others, whose turn is before.
    const isLast = this.#last?.deref() === program;
    if (id !== undefined) {
      this.#sendAway(program);
      while (threads <= this.#workers.length && Atomics.load(words, ticketOf(threads)) !== TICKET.absent) threads++;
    }
    Atomics.store(words, THREADS_OFFSET / 4, threads);
    callFirst();
    const away: number[] = [];
    for (let thread = 1; thread < threads; thread++) {
      if (!callDirectly(words, ticketOf(thread), isLast)) away.push(thread);
    }
    ring(words);
    for (const thread of away) this.#workers[thread - 1]?.post({ kind: 'run', id, thread });
    return threads;
  }

  /** Ends the threads, whatever they do; the next program starts new ones. */
  stop(): void {
    clearInterval(this.#timer);
    for (const worker of this.#workers) worker.terminate();
    this.#workers = [];
    // Whatever was given is to be given again.
    this.#firstId = this.#nextId;
  }

  #idOf(program: ThreadedProgram, words: Int32Array): number | undefined {
    const id = this.#given.get(program);
    if (id !== undefined && id >= this.#firstId) return id;
    if (this.#workers.length > 0 || this.#known.has(program)) return this.#give(program, words);
    this.#known.add(program);
    return undefined;
  }

  /** Those who wait for the next run of another program would be late for this one. */
  #sendAway(next: ThreadedProgram): void {
    const last = this.#last?.deref();
    if (last === next) return;
    this.#last = new WeakRef(next);
    if (last === undefined) return;
    const words = new Int32Array(last.memory.buffer, last.meeting);
    for (let thread = 1; thread <= this.#workers.length; thread++) {
      const ticket = ticketOf(thread);
      Atomics.compareExchange(words, ticket, TICKET.ready, TICKET.idle);
    }
    ring(words);
  }

  #give(program: ThreadedProgram, words: Int32Array): number | undefined {
    if (this.#workers.length === 0) this.#start();
    if (this.#workers.length === 0) return undefined;
    const id = this.#nextId++;
    this.#given.set(program, id);
    const { module, memory, meeting } = program;
    this.#forgotten.register(program, { id, byteLength: memory.buffer.byteLength });
    for (const [index, worker] of this.#workers.entries()) {
      Atomics.store(words, ticketOf(index + 1), TICKET.absent);
      worker.post({ kind: 'load', id, module, memory, meeting, ticket: ticketOf(index + 1) });
    }
    return id;
  }

  #start(): void {
    if (this.#failures >= MOST_FAILURES) return;
    const onFailure = (): void => {
      this.#failures++;
      this.stop();
    };
    const events = { onMessage: () => {}, onFailure };
    const workers = Array.from({ length: this.#size }, () => startWorker(WORKER_SOURCE, events));
    this.#workers = workers.filter((worker) => worker !== undefined);
    this.#timer = setInterval(() => {
      if (performance.now() - this.#lastUsed > IDLE_MS) this.stop();
    }, IDLE_MS);
    if (typeof this.#timer === 'object') this.#timer.unref();
  }
}

/** Calls a thread that waits in the program, if it may; else it is to be told by a message. */
export function callDirectly(words: Int32Array, ticket: number, mayBe: boolean): boolean {
  if (mayBe && Atomics.compareExchange(words, ticket, TICKET.ready, TICKET.called) === TICKET.ready) return true;
  Atomics.store(words, ticket, TICKET.posted);
  return false;
}

/** Wakes the threads that sleep, so that they look at their tickets. */
export function ring(words: Int32Array): void {
  Atomics.add(words, BELL_OFFSET / 4, 1);
  Atomics.notify(words, BELL_OFFSET / 4);
}

function ticketOf(thread: number): number {
  return (TICKETS_OFFSET + thread * TICKET_BYTES) / 4;
}

const pools = new Map<number, ThreadPool>();

/** The threads that stand by the first one; the same for all programs that want as many. */
export function threadPool(size: number): ThreadPool {
  let pool = pools.get(size);
  if (pool === undefined) {
    pool = new ThreadPool(size);
    pools.set(size, pool);
  }
  return pool;
}
