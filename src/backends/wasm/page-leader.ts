/**
 * The worker that runs a page's programs, with threads that help it or alone. It is started with the first program, and
 * stays: where memory cannot be shared, the programs' memory is its own.
 */
import { COUNT_DROPPED, type HostWorker, startWorker } from './host-worker.ts';
import { RUN } from './place.ts';
import { TICKET } from './thread-code.ts';

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
  run({ id, threads, ticket }) {
    try {
      programs.get(id).exports.${RUN}(threads);
    } finally {
      if (ticket >= 0) Atomics.store(new Int32Array(programs.get(id).memory.buffer), ticket, ${TICKET.idle});
    }
    return [];
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
const receive = (message) => {
  const { kind, id, reply } = message;
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
  | RunTask
  | { readonly kind: 'drop'; readonly byteLength: number };

interface RunTask {
  readonly kind: 'run';
  readonly threads: number;
  /** Index of a word of the memory that becomes idle when the run is over; negative for none. */
  readonly ticket: number;
}

/** Address and length of what it is to give back. */
export type ByteRange = readonly [address: number, byteLength: number];

/** What the worker is asked, and answers when it has done all before. */
export type LeaderQuestion =
  | { readonly kind: 'sync' }
  | RunTask
  | {
      readonly kind: 'read';
      readonly ranges: readonly ByteRange[];
      /** Memory for what is in the ranges, each as long as its range; the worker has some where there is none. */
      readonly targets: readonly (ArrayBuffer | undefined)[];
    };

type Answer =
  | { readonly reply: number; readonly result: readonly ArrayBuffer[] }
  | { readonly reply: number; readonly failure: string }
  /** A piece that was written, and can be used again. */
  | { readonly spare: ArrayBuffer };

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

/** So often a worker may die until none is started any more. */
const MOST_FAILURES = 3;

export class PageLeader {
  /** Whether the worker could be started, and lives. */
  isReady: Promise<boolean>;
  #wasReady = false;
  #worker: HostWorker | undefined;
  #setReady: (isReady: boolean) => void = () => {};
  readonly #waiting = new Map<number, Waiting>();
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

  /** The bytes of a `write` are given away. Of failures the next answer tells. */
  tell(id: number, task: LeaderTask): void {
    this.#worker?.post({ id, ...task }, task.kind === 'write' ? [task.bytes] : []);
  }

  /**
   * The targets of a `read` are given away, and come back as the answer.
   *
   * @throws {LeaderError} when this, or something before it, has failed.
   */
  async ask(id: number, question: LeaderQuestion): Promise<readonly ArrayBuffer[]> {
    if (this.#worker === undefined) throw new LeaderError('Cannot run the program: its worker has died');
    const reply = this.#nextReply++;
    const answer = new Promise<readonly ArrayBuffer[]>((resolve, reject) => {
      this.#waiting.set(reply, { resolve, reject });
    });
    const given = question.kind === 'read' ? question.targets.filter((target) => target !== undefined) : [];
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
    const waiting = this.#waiting.get(answer.reply);
    this.#waiting.delete(answer.reply);
    if ('result' in answer) waiting?.resolve(answer.result);
    else waiting?.reject(new LeaderError(`Cannot run the program in a worker: ${answer.failure}`));
  }

  #fail(cause: unknown): void {
    // One that a page does not allow, or that always dies, is not started again.
    if (this.#wasReady && ++failures < MOST_FAILURES) leader = undefined;
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#setReady(false);
    this.isReady = Promise.resolve(false);
    for (const { reject } of this.#waiting.values()) {
      reject(new LeaderError(`Cannot run the program in a worker: ${(cause as Error).message}`, { cause }));
    }
    this.#waiting.clear();
  }
}

let leader: PageLeader | undefined;
let failures = 0;

/** The one of the page. */
export function pageLeader(): PageLeader {
  leader ??= new PageLeader();
  return leader;
}
