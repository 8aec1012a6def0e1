/**
 * How the threads of a run share its kernels: each runs the whole program, takes its part of a large kernel, and waits
 * for the others before the next. Small kernels are the first thread's alone, and between two such nobody waits.
 *
 * A kernel's result does not depend on how its units are shared out, so a program gives the same bits for any number of
 * threads.
 */
import type { FunctionBuilder, Local, Operand } from './assembler-function.ts';
import type { ModuleBuilder } from './assembler-module.ts';

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

/** Turns of a waiting thread before it sleeps: a few tenths of a millisecond. Waking it takes longer than most kernels. */
const SPIN_TURNS = 400_000;

/** Where the threads of a program meet: words in its memory, far enough apart that writing one slows no reader of another. */
const COUNT = 0;
const GENERATION = 64;
const SLEEPERS = 128;

/** Bytes of those words. */
export const MEETING_BYTES = 192;

/** Writes the function `(threads)` that returns when all of them have called it. */
export function emitBarrier(module: ModuleBuilder, meeting: number): number {
  return module.function(['i32'], [], (f) => {
    const [threads, generation, turn] = [f.param(0), f.local('i32'), f.local('i32')];
    const readGeneration = (): FunctionBuilder => f.i32(meeting).atomic('i32.atomic.load', GENERATION);
    f.block((exit) => {
      f.get(threads).i32(2).op('i32.lt_s').brIf(exit);
      readGeneration().set(generation);
      f.i32(meeting).i32(1).atomic('i32.atomic.rmw.add', COUNT).i32(1).op('i32.add').get(threads).op('i32.eq');
      f.if(() => {
        // The last one: it lets the others go, and wakes those who sleep.
        f.i32(meeting).i32(0).atomic('i32.atomic.store', COUNT);
        f.i32(meeting).get(generation).i32(1).op('i32.add').atomic('i32.atomic.store', GENERATION);
        f.i32(meeting).atomic('i32.atomic.load', SLEEPERS);
        f.if(() => {
          f.i32(meeting).i32(-1).atomic('memory.atomic.notify', GENERATION).op('drop');
        });
        f.br(exit);
      });
      f.i32(SPIN_TURNS).set(turn);
      f.loop((again) => {
        readGeneration().get(generation).op('i32.ne').brIf(exit);
        f.increment(turn, -1).get(turn).brIf(again);
      });
      f.i32(meeting).i32(1).atomic('i32.atomic.rmw.add', SLEEPERS).op('drop');
      f.loop((again) => {
        f.i32(meeting).get(generation).i64(-1).atomic('memory.atomic.wait32', GENERATION).op('drop');
        readGeneration().get(generation).op('i32.eq').brIf(again);
      });
      f.i32(meeting).i32(-1).atomic('i32.atomic.rmw.add', SLEEPERS).op('drop');
    });
  });
}

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
    this.#f.get(this.#team.threads).call(this.#team.barrier);
    this.#since = 'nothing';
  }
}
