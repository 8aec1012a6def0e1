/** Programs of a page: its own thread copies inputs and outputs, and waits without being blocked. */
import { type Buffer, byteLengthOf } from '../../compiler/schedule.ts';
import { BackendError } from '../../errors.ts';
import { breathe, breathing } from '../../pause.ts';
import { type CompiledProgram, type Crew, type OpenProgram, openAfterLoss, type Recover } from './crew.ts';
import { type ByteRange, LeaderError, type PageLeader, PIECE_BYTES, pageLeader } from './page-leader.ts';
import { copyOf, type NumericData, numbersAt, type Place } from './place.ts';
import { THREADS_OFFSET, TICKET, TICKETS_OFFSET } from './thread-code.ts';
import { ring, type ThreadedProgram, type ThreadPool, threadPool } from './thread-pool.ts';

/** Elements that are copied into shared memory at once: a few milliseconds' at most. */
const PIECE = 1 << 20;

/** Outputs of this size are copied into memory that the page has touched before, while the program runs. */
const LEAST_TOUCHED_BYTES = 1 << 16;

/** Processors have no smaller pages. */
const MEMORY_PAGE_BYTES = 4096;

/** How long a page that reads a value while a run assigns it waits for the run, in milliseconds. */
const READ_PATIENCE_MS = 30_000;

/**
 * The crew of a page's programs.
 *
 * @param meeting for memory that is shared with the workers; without it there is one, and it has the memory
 */
export function pageCrew(threads: number, meeting: Crew['meeting']): Crew {
  // It starts while the program is compiled.
  const leader = pageLeader();
  return { threads, meeting, open: (program) => openPage(leader, threads, meeting !== undefined, program) };
}

async function openPage(
  leader: PageLeader,
  threads: number,
  isShared: boolean,
  program: CompiledProgram,
): Promise<OpenProgram> {
  if (!(await leader.isReady)) return { place: await program.openHere() };
  const pool = threads === 1 ? undefined : threadPool(threads - 1);
  const place = isShared ? new SharedPlace(leader, pool, program) : new MessagePlace(leader, program);
  const recover: Recover = async (cause) => {
    if (!(cause instanceof LeaderError)) throw cause;
    // Some may wait for others that do not come.
    pool?.stop();
    // Without shared memory a run that has failed has assigned nothing.
    return isShared ? await openAfterLoss(program, cause) : { place: await program.openHere() };
  };
  return { place, recover };
}

/** In memory that the page shares with the workers. */
class SharedPlace implements Place {
  readonly #leader: PageLeader;
  readonly #id: number;
  readonly #pool: ThreadPool | undefined;
  readonly #program: ThreadedProgram;
  readonly #offsets: ReadonlyMap<Buffer, number>;
  /** Those that are copied into memory that is there. */
  readonly #largeOutputs: readonly Buffer[];
  readonly #targets = new Map<Buffer, ArrayBuffer>();
  /** Those by which the threads find one another. */
  readonly #words: Int32Array;
  /** Whether the worker was told something whose end nobody has waited for. */
  #isAhead = false;
  #threads = 1;

  constructor(leader: PageLeader, pool: ThreadPool | undefined, compiled: CompiledProgram) {
    const { module, pages, meeting, offsets, outputs } = compiled;
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.#leader = leader;
    this.#pool = pool;
    this.#program = { module, memory, meeting };
    this.#offsets = offsets;
    this.#largeOutputs = outputs.filter((buffer) => byteLengthOf(buffer) >= LEAST_TOUCHED_BYTES);
    this.#words = new Int32Array(memory.buffer, meeting);
    this.#id = leader.load(this, { module, memory, pages });
  }

  get threads(): number {
    return this.#threads;
  }

  async write(buffer: Buffer, value: NumericData): Promise<void> {
    const target = await this.view(buffer);
    for (let start = 0; start < value.length; start += PIECE) {
      if (start > 0) await breathe();
      target.set(value.subarray(start, start + PIECE), start);
    }
  }

  async fill(buffer: Buffer, write: (target: NumericData) => Generator<void, void>): Promise<void> {
    await breathing(write(await this.view(buffer)));
  }

  call(name: string, words: readonly number[]): void {
    this.#isAhead = true;
    this.#leader.tell(this.#id, { kind: 'call', name, words });
  }

  async run(): Promise<void> {
    const words = this.#words;
    const answer = this.#leader.lead(this.#id, words, (callFirst) => {
      this.#threads = this.#pool?.call(this.#program, callFirst) ?? callAlone(words, callFirst);
    });
    try {
      await Promise.all([answer, this.#touchTargets()]);
      this.#isAhead = false;
    } catch (cause) {
      // A worker that has died has not said so.
      Atomics.store(words, TICKETS_OFFSET / 4, TICKET.idle);
      throw cause;
    }
  }

  async view(buffer: Buffer): Promise<NumericData> {
    if (this.#isAhead) await this.#leader.ask(this.#id, { kind: 'sync' });
    this.#isAhead = false;
    return this.#numbers(buffer);
  }

  /**
   * The value of a state may be asked for while a run assigns it. It is then that of after the run, for which this waits,
   * though it blocks the page: nothing else could give a whole value at once.
   */
  take(buffer: Buffer): NumericData {
    const deadline = performance.now() + READ_PATIENCE_MS;
    while (Atomics.load(this.#words, TICKETS_OFFSET / 4) >= TICKET.called) {
      if (performance.now() < deadline) continue;
      throw new BackendError('Cannot read a value while a run assigns it: the run does not end; read it later', 'wasm');
    }
    const target = this.#targets.get(buffer);
    // Whoever takes it twice gets two.
    this.#targets.delete(buffer);
    return copyOf(buffer, this.#numbers(buffer), target);
  }

  async #touchTargets(): Promise<void> {
    for (const buffer of this.#largeOutputs) this.#targets.set(buffer, await touchedBytes(byteLengthOf(buffer)));
  }

  peek(buffer: Buffer): NumericData {
    return this.#numbers(buffer);
  }

  #numbers(buffer: Buffer): NumericData {
    return numbersAt(this.#program.memory.buffer, buffer, this.#offsets.get(buffer) ?? 0);
  }
}

/** Calls the first thread, which has no others; gives how many there are. */
function callAlone(words: Int32Array, callFirst: () => void): number {
  Atomics.store(words, THREADS_OFFSET / 4, 1);
  callFirst();
  ring(words);
  return 1;
}

/** In memory of the worker's own: everything goes by message, and states come back with every run. */
class MessagePlace implements Place {
  readonly threads = 1;
  readonly #leader: PageLeader;
  readonly #id: number;
  readonly #offsets: ReadonlyMap<Buffer, number>;
  readonly #kept: readonly Buffer[];
  /** Outputs that nobody asks for twice, and that are no states. */
  readonly #given: ReadonlySet<Buffer>;
  /** What was kept of the last run. */
  #results: ReadonlyMap<Buffer, ArrayBuffer> = new Map();

  constructor(leader: PageLeader, { module, pages, offsets, outputs, states }: CompiledProgram) {
    this.#leader = leader;
    this.#offsets = offsets;
    const all = [...outputs, ...states];
    this.#kept = [...new Set(all)];
    this.#given = new Set(outputs.filter((buffer) => all.indexOf(buffer) === all.lastIndexOf(buffer)));
    this.#id = leader.load(this, { module, memory: undefined, pages });
  }

  async write(buffer: Buffer, value: NumericData): Promise<void> {
    const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
      if (start > 0) await breathe();
      this.#leader.write(this.#id, this.#addressOf(buffer) + start, bytes.subarray(start, start + PIECE_BYTES));
    }
  }

  async fill(buffer: Buffer, write: (target: NumericData) => Generator<void, void>): Promise<void> {
    const bytes = new ArrayBuffer(byteLengthOf(buffer));
    await breathing(write(numbersAt(bytes, buffer, 0)));
    const { byteLength } = bytes;
    this.#leader.tell(this.#id, { kind: 'write', address: this.#addressOf(buffer), bytes, byteLength });
  }

  call(name: string, words: readonly number[]): void {
    this.#leader.tell(this.#id, { kind: 'call', name, words });
  }

  async run(): Promise<void> {
    const ranges = this.#kept.map((buffer) => this.#rangeOf(buffer));
    this.#leader.tell(this.#id, { kind: 'run' });
    const targets: (ArrayBuffer | undefined)[] = [];
    for (const [, byteLength] of ranges) {
      targets.push(byteLength < LEAST_TOUCHED_BYTES ? undefined : await touchedBytes(byteLength));
    }
    const results = await this.#leader.ask(this.#id, { kind: 'read', ranges, targets });
    this.#results = new Map(this.#kept.map((buffer, index) => [buffer, results[index] as ArrayBuffer]));
  }

  async view(buffer: Buffer): Promise<NumericData> {
    const [bytes] = await this.#leader.ask(this.#id, { kind: 'read', ranges: [this.#rangeOf(buffer)], targets: [] });
    return numbersAt(bytes as ArrayBuffer, buffer, 0);
  }

  take(buffer: Buffer): NumericData {
    const result = numbersAt(this.#results.get(buffer) as ArrayBuffer, buffer, 0);
    return this.#given.has(buffer) ? result : result.slice();
  }

  #addressOf(buffer: Buffer): number {
    return this.#offsets.get(buffer) ?? 0;
  }

  #rangeOf(buffer: Buffer): ByteRange {
    return [this.#addressOf(buffer), byteLengthOf(buffer)];
  }
}

/**
 * Memory of which each page is there already. The first touch of fresh memory takes longer than copying into it, and a
 * page has the time while its worker runs.
 */
async function touchedBytes(byteLength: number): Promise<ArrayBuffer> {
  const bytes = new Uint8Array(byteLength);
  for (let at = 0; at < byteLength; at += MEMORY_PAGE_BYTES) {
    if (at % PIECE_BYTES === 0) await breathe();
    bytes[at] = 0;
  }
  return bytes.buffer;
}
