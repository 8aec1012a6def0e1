/**
 * How the threads of a run share its kernels: each runs the whole program, takes its part of a large kernel, and waits
 * for the others before the next. Small kernels are the first thread's alone, and between two such nobody waits.
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
  /** Computes the units from `first` to `last`; without a thread it is the only one. */
  call(f: FunctionBuilder, first: Operand, last: Operand, thread: Local | undefined): void;
}

/** The parameters of a function that several threads run at once. */
export const SHARED_PARAMS = ['i32', 'i32'] as const;

/** Nanoseconds of work from which it pays that the others join in and are waited for. */
const SHARED_COST = 4000;

/** Who runs a function: the parameters that say so, and the function to wait in. */
export interface Team {
  readonly thread: Local;
  readonly threads: Local;
  readonly barrier: number;
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
    const { units, grain } = phase;
    if (units === 0) return;
    if (this.#team === undefined || !isShared(phase)) {
      this.alone(() => phase.call(this.#f, 0, units, this.#team?.thread));
      return;
    }
    this.meet();
    const { thread, threads } = this.#team;
    const f = this.#f;
    const [part, first, last] = f.localsOf('i32', 3) as [Local, Local, Local];
    const grains = Math.ceil(units / grain);
    // Of `grains` pieces each thread takes as many, the last ones maybe fewer or none.
    f.i32(grains - 1)
      .get(threads)
      .op('i32.add')
      .get(threads)
      .op('i32.div_u')
      .i32(grain)
      .op('i32.mul')
      .set(part);
    f.get(part).get(thread).op('i32.mul').set(first);
    f.get(first).get(part).op('i32.add').tee(last).i32(units).get(last).i32(units).op('i32.lt_s', 'select').set(last);
    f.get(first).get(last).op('i32.lt_s');
    f.if(() => phase.call(f, first, last, thread));
    f.release(part, first, last);
    this.#since = 'shared';
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
