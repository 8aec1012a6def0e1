/** Who runs a program that takes its time: the calling thread with others, or, for a page, others alone. */
import type { Buffer } from '../../compiler/schedule.ts';
import { BackendError } from '../../errors.ts';
import type { TeamOptions } from './emit-program.ts';
import { availableThreads } from './host-worker.ts';
import { LocalPlace, type Place } from './place.ts';
import { emitBarrier, exportThreads, LOST_OFFSET, meetingBytes, SHARES_OFFSET } from './thread-code.ts';
import { type ThreadedProgram, type ThreadPool, threadPool } from './thread-pool.ts';

/** How long a run waits for a thread, unless an option says so: far longer than a busy machine keeps one waiting. */
const PATIENCE_SECONDS = 30;

/** Nanoseconds that a program must take before a page sends for its workers: several times what two messages take. */
const LEAST_PAGE_COST = 500_000;

export interface CrewOptions {
  readonly threads?: number;
  readonly inPlace?: boolean;
  readonly patienceSeconds?: number;
}

/** What a crew is given. */
export interface CompiledProgram {
  readonly module: WebAssembly.Module;
  /** Size of its memory. */
  readonly pages: number;
  /** Address of the words by which its threads find one another. */
  readonly meeting: number;
  readonly offsets: ReadonlyMap<Buffer, number>;
  readonly outputs: readonly Buffer[];
  /** What a run assigns. */
  readonly states: readonly Buffer[];
  /** Opens it anew, with the caller. */
  readonly openHere: () => Promise<LocalPlace>;
}

export type Recover = (cause: unknown) => Promise<{ readonly place: Place; readonly error?: BackendError }>;

export interface OpenProgram {
  readonly place: Place;
  /**
   * Gives another place after a run has failed because workers were lost, and an error where the run cannot be done again;
   * throws the cause when it is another.
   */
  readonly recover?: Recover;
}

export interface Crew {
  readonly threads: number;
  /** How the threads of a program in shared memory meet; none for a program with memory of its own. */
  readonly meeting: { readonly bytes: number; team(address: number): TeamOptions } | undefined;
  open(program: CompiledProgram): Promise<OpenProgram>;
}

/** Starts the threads that help the calling one, outside of pages: they take longer to start than a model to compile. */
export function startHelpers({ threads = availableThreads() }: CrewOptions): void {
  if (typeof document !== 'object' && threads > 1) threadPool(threads - 1).start();
}

/**
 * The crew for a program.
 *
 * @param cost nanoseconds that one thread would take
 * @returns nothing when the caller is best off alone
 */
export async function crewFor(options: CrewOptions, cost: number): Promise<Crew | undefined> {
  const { threads = availableThreads(), patienceSeconds = PATIENCE_SECONDS } = options;
  const isPage = typeof document === 'object';
  const sharing = (count: number): Crew['meeting'] => ({
    bytes: meetingBytes(count),
    team: (meeting) => ({
      emitMeeting: (module) => ({
        barrier: emitBarrier(module, meeting, patienceSeconds),
        shares: meeting + SHARES_OFFSET,
      }),
      exportThreads: (module, barrier, everyone) => exportThreads(module, { meeting, barrier, everyone, isPage }),
    }),
  });
  if (isPage) {
    // A page may not wait, so it cannot be one of several threads.
    if (options.inPlace === true || cost < LEAST_PAGE_COST) return undefined;
    const isIsolated = globalThis.crossOriginIsolated === true;
    const { pageCrew } = await import('./page-crew.ts');
    return isIsolated ? pageCrew(threads, sharing(threads)) : pageCrew(1, undefined);
  }
  if (threads === 1) return undefined;
  return {
    threads,
    meeting: sharing(threads),
    open: (program) => openTeam(threads, cost >= LEAST_EARLY_COST, program),
  };
}

/**
 * Nanoseconds of a program for which helpers start before its first run, while its weights are packed: its second run has
 * them. To start them earlier delays the first, as the other processors are busy with the engine's own work then.
 */
const LEAST_EARLY_COST = 3_000_000;

interface Team {
  readonly pool: ThreadPool;
  readonly program: ThreadedProgram;
}

/** With the caller, whom others help. */
class TeamPlace extends LocalPlace {
  readonly #team: Team;
  #threads = 1;

  constructor(
    memory: WebAssembly.Memory,
    exports: WebAssembly.Exports,
    offsets: ReadonlyMap<Buffer, number>,
    team: Team,
  ) {
    super(memory, exports, offsets);
    this.#team = team;
  }

  override get threads(): number {
    return this.#threads;
  }

  override run(): void {
    const { pool, program } = this.#team;
    this.#threads = pool.call(program);
    super.run();
  }
}

async function openTeam(threads: number, isLong: boolean, compiled: CompiledProgram): Promise<OpenProgram> {
  const { module, meeting, openHere } = compiled;
  const pool = threadPool(threads - 1);
  if (isLong) pool.start();
  const { memory, exports, offsets } = await openHere();
  const program = { module, memory, meeting };
  pool.offer(program);
  return {
    place: new TeamPlace(memory, exports, offsets, { pool, program }),
    recover: async (cause) => {
      if (Atomics.load(new Int32Array(memory.buffer), (meeting + LOST_OFFSET) / 4) === 0) throw cause;
      pool.stop();
      return await openAfterLoss(compiled, cause);
    },
  };
}

/** With the caller alone, in fresh memory: who is merely late may still write into the old. */
export async function openAfterLoss(
  { states, openHere }: CompiledProgram,
  cause: unknown,
): Promise<{ readonly place: Place; readonly error?: BackendError }> {
  const place = await openHere();
  if (states.length === 0) return { place };
  const message =
    'Cannot say which values a step has assigned: a thread has died in it; go on from a saved state, on one thread';
  return { place, error: new BackendError(message, 'wasm', cause) };
}
