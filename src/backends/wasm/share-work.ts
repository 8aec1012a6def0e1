/**
 * How the threads of a run share its kernels: each runs the whole program, takes its part of a large kernel, and waits
 * for the others before the next. Small kernels are the first thread's alone, and between two such nobody waits. Of a
 * kernel that takes long a thread takes its part in pieces, and then helps the others with theirs: one that the system
 * has stopped for a while, or whose processor is slower, is not waited for for long.
 *
 * A kernel's result does not depend on how its units are shared out, so a program gives the same bits for any number of
 * threads.
 */
import type { FunctionBuilder, Local, Operand } from './assembler-function.ts';

/** A part of a kernel whose units can be computed in any order and by anyone. */
export interface Phase {
  readonly units: number;
  /** Units that are best kept together: whole vectors. */
  readonly grain: number;
  /** What all of it takes one thread, estimated, in nanoseconds. */
  readonly cost: number;
  /** Whether it uses memory of which there is only one piece. */
  readonly isSerial?: boolean;
  /** What each thread does before it computes the first of its units. */
  begin?(f: FunctionBuilder): void;
  /** Computes the units from `first` to `last`; without a thread it is the only one. */
  call(f: FunctionBuilder, first: Operand, last: Operand, thread: Local | undefined): void;
}

/** The parameters of a function that several threads run at once. */
export const SHARED_PARAMS = ['i32', 'i32'] as const;

/** Nanoseconds of work from which it pays that the others join in and are waited for. */
const SHARED_COST = 4000;

/** Nanoseconds of a piece at the least: to take one costs a tenth of a microsecond. */
const LEAST_PIECE_COST = 20_000;

/** Pieces of a kernel at the most; fewer than the least are not worth it. */
const MOST_PIECES = 32;
const LEAST_PIECES = 6;

/** Bytes from one thread's word of those in which pieces are counted to the next one's. */
export const SHARE_BYTES = 64;

/** Where threads meet. */
export interface Meeting {
  /** The function to wait in. */
  readonly barrier: number;
  /** Address of a word for each thread, 0 when all have met: how many units of its part were taken. */
  readonly shares: number;
}

/** Who runs a function: the parameters that say so, and where they meet. */
export interface Team extends Meeting {
  readonly thread: Local;
  readonly threads: Local;
}

/** Whether threads share a phase. */
export function isShared({ units, cost, grain, isSerial = false }: Phase): boolean {
  return !isSerial && cost >= SHARED_COST && units >= 2 * grain;
}

/** Writes phases one after the other into a function, and waits where that is needed. */
export class RunWriter {
  readonly #f: FunctionBuilder;
  readonly #team: Team | undefined;
  /** What was written since all have met: nothing, work of the first thread, or work of all. */
  #since: 'nothing' | 'alone' | 'shared' = 'nothing';

  /** @param team none for a function that one thread runs */
  constructor(f: FunctionBuilder, team?: Team) {
    this.#f = f;
    this.#team = team;
  }

  phase(phase: Phase): void {
    const { units } = phase;
    if (units === 0) return;
    if (this.#team === undefined || !isShared(phase)) {
      this.alone(() => {
        phase.begin?.(this.#f);
        phase.call(this.#f, 0, units, this.#team?.thread);
      });
      return;
    }
    this.meet();
    const piece = pieceOf(phase);
    if (piece === undefined) this.#takePart(phase, this.#team);
    else this.#takePieces(phase, this.#team, piece);
    this.#since = 'shared';
  }

  #takePart(phase: Phase, { thread, threads }: Team): void {
    const f = this.#f;
    const [part, first, last] = f.localsOf('i32', 3) as [Local, Local, Local];
    pushPart(f, phase, threads).set(part);
    f.get(part).get(thread).op('i32.mul').set(first);
    f.get(first).get(part).op('i32.add').set(last);
    setLeast(f, last, () => f.i32(phase.units));
    f.get(first).get(last).op('i32.lt_s');
    f.if(() => {
      phase.begin?.(f);
      phase.call(f, first, last, thread);
    });
    f.release(part, first, last);
  }

  #takePieces(phase: Phase, { thread, threads, shares }: Team, piece: number): void {
    const f = this.#f;
    const [part, owner, others, word, end, first, last] = f.localsOf('i32', 7) as Locals7;
    phase.begin?.(f);
    pushPart(f, phase, threads).set(part);
    f.get(thread).set(owner).get(threads).set(others);
    f.loop((next) => {
      f.sum([[owner, SHARE_BYTES]], shares).set(word);
      f.get(part).get(owner).i32(1).op('i32.add', 'i32.mul').set(end);
      setLeast(f, end, () => f.i32(phase.units));
      f.block((done) => {
        f.loop((again) => {
          f.get(word).i32(piece).atomic('i32.atomic.rmw.add').get(part).get(owner).op('i32.mul', 'i32.add').tee(first);
          f.get(end).op('i32.ge_s').brIf(done);
          f.get(first).i32(piece).op('i32.add').set(last);
          setLeast(f, last, () => f.get(end));
          phase.call(f, first, last, thread);
          f.br(again);
        });
      });
      f.increment(owner, 1).get(owner).i32(0).get(owner).get(threads).op('i32.lt_s', 'select').set(owner);
      f.increment(others, -1).get(others).brIf(next);
    });
    f.release(part, owner, others, word, end, first, last);
  }

  /** What the first thread does while the others go on. */
  alone(write: () => void): void {
    if (this.#team === undefined) {
      write();
      return;
    }
    if (this.#since === 'shared') this.meet();
    this.#f.get(this.#team.thread).op('i32.eqz');
    this.#f.if(write);
    this.#since = 'alone';
  }

  /** What every thread does, among it work that is shared. */
  together(write: (team: Team | undefined) => void): void {
    this.meet();
    write(this.#team);
    this.#since = 'shared';
  }

  /** Waits until everything written so far is done. */
  meet(): void {
    if (this.#team === undefined || this.#since === 'nothing') return;
    this.#f.get(this.#team.thread).get(this.#team.threads).call(this.#team.barrier);
    this.#since = 'nothing';
  }
}

type Locals7 = [Local, Local, Local, Local, Local, Local, Local];

/** Units of a piece; undefined where parts are taken as a whole. */
function pieceOf({ units, grain, cost }: Phase): number | undefined {
  const pieces = Math.min(MOST_PIECES, Math.floor(cost / LEAST_PIECE_COST));
  const piece = Math.ceil(units / grain / pieces) * grain;
  return pieces >= LEAST_PIECES && units >= LEAST_PIECES * piece ? piece : undefined;
}

/** Pushes how many units each thread's part has, the last ones' maybe fewer or none. */
function pushPart(f: FunctionBuilder, { units, grain }: Phase, threads: Local): FunctionBuilder {
  f.i32(Math.ceil(units / grain) - 1)
    .get(threads)
    .op('i32.add')
    .get(threads);
  return f.op('i32.div_u').i32(grain).op('i32.mul');
}

/** Sets a local to the lesser of it and what is pushed. */
function setLeast(f: FunctionBuilder, value: Local, push: () => unknown): void {
  f.get(value);
  push();
  f.get(value);
  push();
  f.op('i32.lt_s', 'select').set(value);
}
