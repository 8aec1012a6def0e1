/**
 * The worker that runs a page's programs, with threads that help it or alone. It is started with the first program, and
 * stays: where memory cannot be shared, the programs' memory is its own.
 */
import { COUNT_DROPPED, type HostWorker, startWorker } from './host-worker.ts';
import { RUN } from './place.ts';
import { LINGER, THREADS_OFFSET, TICKET, TICKETS_OFFSET } from './thread-code.ts';
import { callDirectly, ring } from './thread-pool.ts';

/** Bytes that are written at once. */
export const PIECE_BYTES: number = 1 << 20;

/** Smaller pieces are given away: allocators have room for them at hand. */
const LEAST_LENT_BYTES = 1 << 16;

/** So many pieces that have come back are kept for the next inputs. */
const MOST_SPARES = 8;

/** What the worker runs: it takes programs, does with them what it is told, and answers when it is asked to. */
const SOURCE = `
const programs = new Map();
const tasks = {
  load({ id, module, memory, pages }) {
    memory ??= new WebAssembly.Memory({ initial: pages });
    programs.set(id, { memory, exports: new WebAssembly.Instance(module, { host: { memory } }).exports });
  },
  write({ id, address, bytes, byteLength }) {
    new Uint8Array(programs.get(id).memory.buffer).set(new Uint8Array(bytes, 0, byteLength), address);
    if (bytes.byteLength === ${PIECE_BYTES}) send({ spare: bytes }, [bytes]);
  },
  call({ id, name, words }) {
    programs.get(id).exports[name](...words);
  },
  run({ id }) {
    programs.get(id).exports.${RUN}();
  },
  read({ id, ranges, targets }) {
    const { buffer } = programs.get(id).memory;
    return ranges.map(([address, length], index) => {
      const target = targets[index];
      if (target === undefined) return buffer.slice(address, address + length);
      new Uint8Array(target).set(new Uint8Array(buffer, address, length));
      return target;
    });
  },
  sync: () => [],
  drop({ id, byteLength }) {
    programs.delete(id);
    ${COUNT_DROPPED}
  },
};
const failures = new Map();
const lead = ({ id, meeting }) => {
  try {
    if (failures.has(id)) throw failures.get(id);
    const { memory, exports } = programs.get(id);
    const words = new Int32Array(memory.buffer, meeting);
    try {
      do {
        exports.${RUN}(words[${THREADS_OFFSET / 4}]);
        Atomics.store(words, ${TICKETS_OFFSET / 4}, ${TICKET.ready});
        send({ led: id });
      } while (exports.${LINGER}(0));
    } catch (error) {
      Atomics.store(words, ${TICKETS_OFFSET / 4}, ${TICKET.idle});
      throw error;
    }
  } catch (error) {
    failures.delete(id);
    send({ led: id, failure: String(error) });
  }
};
const receive = (message) => {
  const { kind, id, reply } = message;
  if (kind === 'lead') return lead(message);
  let result = [];
  try {
    if (kind === 'drop' || !failures.has(id)) result = tasks[kind](message);
  } catch (error) {
    failures.set(id, String(error));
  }
  if (reply === undefined) return;
  const failure = failures.get(id);
  failures.delete(id);
  if (failure === undefined) send({ reply, result }, result);
  else send({ reply, failure });
};
`;

/** What the worker is told, of the program `id`. */
export type LeaderTask =
  | {
      readonly kind: 'load';
      readonly module: WebAssembly.Module;
      readonly memory: WebAssembly.Memory | undefined;
      readonly pages: number;
    }
  | {
      readonly kind: 'write';
      readonly address: number;
      readonly bytes: ArrayBuffer;
      /** Of `bytes`, from its beginning. */
      readonly byteLength: number;
    }
  | { readonly kind: 'call'; readonly name: string; readonly words: readonly number[] }
  | { readonly kind: 'run' }
  | {
      readonly kind: 'lead' /** Address of the words by which the threads find one another. */;
      readonly meeting: number;
    }
  | { readonly kind: 'drop'; readonly byteLength: number };

/** Address and length of what it is to give back. */
export type ByteRange = readonly [address: number, byteLength: number];

/** What the worker is asked, and answers when it has done all before. */
export type LeaderQuestion =
  | { readonly kind: 'sync' }
  | {
      readonly kind: 'read';
      readonly ranges: readonly ByteRange[];
      /** Memory for what is in the ranges, each as long as its range; the worker has some where there is none. */
      readonly targets: readonly (ArrayBuffer | undefined)[];
    };

type Answer =
  | Outcome
  /** A piece that was written, and can be used again. */
  | { readonly spare: ArrayBuffer };

/** Of what was asked, or of a run of a program in shared memory. */
type Outcome = ({ readonly reply: number } | { readonly led: number }) & {
  readonly result?: readonly ArrayBuffer[];
  readonly failure?: string;
};

interface Forgotten {
  readonly id: number;
  /** Of shared memory. */
  readonly byteLength: number;
}

interface Waiting {
  resolve(result: readonly ArrayBuffer[]): void;
  reject(cause: unknown): void;
}

/** Says that the worker, or what it did, has failed: a program can go on elsewhere. */
export class LeaderError extends Error {
  override readonly name: string = 'LeaderError';
}

const DEAD = 'Cannot run the program: its worker has died';

/** So often a worker may die until none is started any more. */
const MOST_FAILURES = 3;

export class PageLeader {
  /** Whether the worker could be started, and lives. */
  isReady: Promise<boolean>;
  #wasReady = false;
  #worker: HostWorker | undefined;
  #setReady: (isReady: boolean) => void = () => {};
  readonly #waiting = new Map<number, Waiting>();
  /** By program, those that wait for the end of a run. */
  readonly #runs = new Map<number, Waiting & { readonly words: Int32Array }>();
  /** The words of the program that the worker may wait in for the next run: it hears no message then. */
  #lingering: WeakRef<Int32Array> | undefined;
  readonly #spares: ArrayBuffer[] = [];
  readonly #forgotten = new FinalizationRegistry<Forgotten>(({ id, byteLength }) => {
    this.tell(id, { kind: 'drop', byteLength });
  });
  #nextId = 0;
  #nextReply = 0;

  constructor() {
    this.isReady = new Promise((resolve) => {
      this.#setReady = resolve;
    });
    this.#worker = startWorker(SOURCE, {
      onMessage: (message) => this.#receive(message as Answer | undefined),
      onFailure: (cause) => this.#fail(cause),
    });
    if (this.#worker === undefined) this.#fail(new Error('the host starts none'));
  }

  /** Gives the worker a program; it forgets it when `owner` is gone. */
  load(owner: object, program: Omit<LeaderTask & { kind: 'load' }, 'kind'>): number {
    const id = this.#nextId++;
    this.#forgotten.register(owner, { id, byteLength: program.memory?.buffer.byteLength ?? 0 });
    this.tell(id, { kind: 'load', ...program });
    return id;
  }

  /**
   * Sends a copy of at most `PIECE_BYTES` to an address of the program's memory. Pieces go to and fro: the first touch of
   * fresh memory takes longer than copying into memory that is there.
   */
  write(id: number, address: number, piece: Uint8Array): void {
    const { byteLength } = piece;
    const bytes =
      byteLength < LEAST_LENT_BYTES
        ? new ArrayBuffer(byteLength)
        : (this.#spares.pop() ?? new ArrayBuffer(PIECE_BYTES));
    new Uint8Array(bytes).set(piece);
    this.tell(id, { kind: 'write', address, bytes, byteLength });
  }

  /**
   * Runs a program in shared memory, the words of whose threads are given. For a while the worker waits for the next run
   * then, which needs no message.
   *
   * @param call calls the threads, and with them the first one by the function that it gets
   * @throws {LeaderError} when this, or something before it, has failed.
   */
  async lead(id: number, words: Int32Array, call: (callFirst: () => void) => void): Promise<void> {
    if (this.#worker === undefined) throw new LeaderError(DEAD);
    const end = new Promise<unknown>((resolve, reject) => this.#runs.set(id, { resolve, reject, words }));
    let isCalled = false;
    call(() => {
      isCalled = callDirectly(words, TICKETS_OFFSET / 4, true);
    });
    if (!isCalled) this.tell(id, { kind: 'lead', meeting: words.byteOffset });
    await end;
  }

  /** Lets the worker go back to its messages. */
  #dismiss(): void {
    const words = this.#lingering?.deref();
    this.#lingering = undefined;
    if (words === undefined) return;
    Atomics.compareExchange(words, TICKETS_OFFSET / 4, TICKET.ready, TICKET.idle);
    ring(words);
  }

  /** The bytes of a `write` are given away. Of failures the next answer tells. */
  tell(id: number, task: LeaderTask): void {
    this.#dismiss();
    this.#worker?.post({ id, ...task }, task.kind === 'write' ? [task.bytes] : []);
  }

  /**
   * The targets of a `read` are given away, and come back as the answer.
   *
   * @throws {LeaderError} when this, or something before it, has failed.
   */
  async ask(id: number, question: LeaderQuestion): Promise<readonly ArrayBuffer[]> {
    if (this.#worker === undefined) throw new LeaderError(DEAD);
    const reply = this.#nextReply++;
    const answer = new Promise<readonly ArrayBuffer[]>((resolve, reject) => {
      this.#waiting.set(reply, { resolve, reject });
    });
    const given = question.kind === 'read' ? question.targets.filter((target) => target !== undefined) : [];
    this.#dismiss();
    this.#worker.post({ id, reply, ...question }, given);
    return await answer;
  }

  #receive(answer: Answer | undefined): void {
    if (answer === undefined) {
      this.#wasReady = true;
      this.#setReady(true);
      return;
    }
    if ('spare' in answer) {
      if (this.#spares.length < MOST_SPARES) this.#spares.push(answer.spare);
      return;
    }
    const waiting = 'led' in answer ? this.#endRun(answer.led) : this.#waiting.get(answer.reply);
    if ('reply' in answer) this.#waiting.delete(answer.reply);
    if (answer.failure === undefined) waiting?.resolve(answer.result ?? []);
    else waiting?.reject(new LeaderError(`Cannot run the program in a worker: ${answer.failure}`));
  }

  #endRun(id: number): Waiting | undefined {
    const run = this.#runs.get(id);
    this.#runs.delete(id);
    this.#lingering = run && new WeakRef(run.words);
    // What was asked meanwhile waits for the worker.
    if (this.#runs.size + this.#waiting.size > 0) this.#dismiss();
    return run;
  }

  #fail(cause: unknown): void {
    // One that a page does not allow, or that always dies, is not started again.
    if (this.#wasReady && ++failures < MOST_FAILURES) leader = undefined;
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#setReady(false);
    this.isReady = Promise.resolve(false);
    for (const { reject } of [...this.#waiting.values(), ...this.#runs.values()]) {
      reject(new LeaderError(`Cannot run the program in a worker: ${(cause as Error).message}`, { cause }));
    }
    this.#waiting.clear();
    this.#runs.clear();
  }
}

let leader: PageLeader | undefined;
let failures = 0;

/** The one of the page. */
export function pageLeader(): PageLeader {
  leader ??= new PageLeader();
  return leader;
}
