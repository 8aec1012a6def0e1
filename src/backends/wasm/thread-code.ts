/** What wakes the threads of a program and keeps them ready for its next run. */
import type { FunctionBuilder } from './assembler-function.ts';
import type { ModuleBuilder } from './assembler-module.ts';
import { MEETING_BYTES } from './share-work.ts';

/** Name of the exported function of the threads after the first: `(thread)`. It returns when there was nothing to do for a while. */
export const WORK = 'work';

/** Where the number of threads of the present run stands, from the beginning of the meeting's words. */
export const THREADS_OFFSET: number = MEETING_BYTES;

/** Where each thread's ticket stands: that of thread `t` at `TICKETS_OFFSET + t · TICKET_BYTES`. */
export const TICKETS_OFFSET: number = THREADS_OFFSET + 64;
export const TICKET_BYTES = 64;

/** Bytes of all words by which so many threads find one another. */
export function meetingBytes(threads: number): number {
  return TICKETS_OFFSET + threads * TICKET_BYTES;
}

/** What a ticket says of its thread. */
export const TICKET = {
  /** It has not got the program yet. */
  absent: 0,
  /** It waits for a message. */
  idle: 1,
  /** It waits in the program for its next run. */
  ready: 2,
  /** It is to run, or does. */
  called: 3,
} as const;

/** Turns of a thread that waits for the next run before it sleeps: about 50 µs. */
const SPIN_TURNS = 50_000;

/** How long it sleeps until it goes back to its messages. */
const LINGER_NS = 5_000_000;

interface ThreadParts {
  readonly meeting: number;
  readonly barrier: number;
  /** The function `(thread, threads)` that does each thread's part. */
  readonly everyone: number;
}

/** Exports `run`, for the caller, and `work`, for the others. */
export function exportThreads(module: ModuleBuilder, { meeting, barrier, everyone }: ThreadParts): void {
  const run = module.function(['i32'], [], (f) => {
    f.i32(0).get(f.param(0)).call(everyone);
    f.get(f.param(0)).call(barrier);
  });
  module.exportFunction('run', run);
  const work = module.function(['i32'], [], (f) => {
    const [thread, turn, threads, ticket] = [f.param(0), f.local('i32'), f.local('i32'), f.local('i32')];
    f.sum([[thread, TICKET_BYTES]], meeting + TICKETS_OFFSET).set(ticket);
    const read = (): FunctionBuilder => f.get(ticket).atomic('i32.atomic.load');
    f.block((exit) => {
      f.loop((again) => {
        f.i32(meeting).atomic('i32.atomic.load', THREADS_OFFSET).set(threads);
        f.get(thread).get(threads).call(everyone);
        // The ticket is ready before the caller can go on, so that its next call is not overwritten.
        f.get(ticket).i32(TICKET.ready).atomic('i32.atomic.store');
        f.get(threads).call(barrier);
        f.i32(SPIN_TURNS).set(turn);
        f.loop((spin) => {
          read().i32(TICKET.ready).op('i32.ne').brIf(again);
          f.increment(turn, -1).get(turn).brIf(spin);
        });
        f.get(ticket).i32(TICKET.ready).i64(LINGER_NS).atomic('memory.atomic.wait32').op('drop');
        f.get(ticket).i32(TICKET.ready).i32(TICKET.idle).atomic('i32.atomic.rmw.cmpxchg');
        f.i32(TICKET.ready).op('i32.eq').brIf(exit);
        f.br(again);
      });
    });
  });
  module.exportFunction(WORK, work);
}
