/** Where the threads of a program wait for one another, what wakes them, and what keeps them ready for the next run. */

import type { FunctionBuilder, Local } from './assembler-function.ts';
import type { ModuleBuilder } from './assembler-module.ts';
import { SHARE_BYTES, SHARED_PARAMS } from './share-work.ts';

/** Turns of a waiting thread before it sleeps: a few tenths of a millisecond. Waking it takes longer than most kernels. */
const BARRIER_TURNS = 400_000;

/** Where the threads of a program meet: words in its memory, far enough apart that writing one slows no reader of another. */
const COUNT = 0;
const GENERATION = 64;
const SLEEPERS = 128;

/** Where it says, from the beginning of those words, that a run was given up because threads did not come. */
export const LOST_OFFSET = 132;

/** Bytes of those words. */
const MEETING_BYTES = 192;

/** How long a sleeping thread sleeps at a time. A process that was stopped meanwhile has slept once. */
const NAP_NS = 100_000_000;

/**
 * Writes the function `(thread, threads)` that returns when all of them have called it. The first thread says that the
 * others are lost, and traps, when they have not come for so many seconds: it may wait for one that has died.
 */
export function emitBarrier(module: ModuleBuilder, meeting: number, patienceSeconds: number): number {
  return module.function(SHARED_PARAMS, [], (f) => {
    const forgetShares = (): void => {
      const owner = f.local('i32');
      f.for(owner, 0, threads, 1, () => {
        f.scaled(owner, SHARE_BYTES)
          .i32(0)
          .atomic('i32.atomic.store', meeting + SHARES_OFFSET);
      });
      f.release(owner);
    };
    const [thread, threads] = [f.param(0), f.param(1)];
    const [generation, turn] = f.localsOf('i32', 2) as [Local, Local];
    const readGeneration = (): FunctionBuilder => f.i32(meeting).atomic('i32.atomic.load', GENERATION);
    f.block((exit) => {
      f.get(threads).i32(2).op('i32.lt_s');
      f.if(() => {
        forgetShares();
        f.br(exit);
      });
      readGeneration().set(generation);
      f.i32(meeting).i32(1).atomic('i32.atomic.rmw.add', COUNT).i32(1).op('i32.add').get(threads).op('i32.eq');
      f.if(() => {
        // The last one: it lets the others go, and wakes those who sleep.
        f.i32(meeting).i32(0).atomic('i32.atomic.store', COUNT);
        forgetShares();
        f.i32(meeting).get(generation).i32(1).op('i32.add').atomic('i32.atomic.store', GENERATION);
        f.i32(meeting).atomic('i32.atomic.load', SLEEPERS);
        f.if(() => {
          f.i32(meeting).i32(-1).atomic('memory.atomic.notify', GENERATION).op('drop');
        });
        f.br(exit);
      });
      f.i32(BARRIER_TURNS).set(turn);
      f.loop((again) => {
        readGeneration().get(generation).op('i32.ne').brIf(exit);
        f.increment(turn, -1).get(turn).brIf(again);
      });
      f.i32(meeting).i32(1).atomic('i32.atomic.rmw.add', SLEEPERS).op('drop');
      f.i32(Math.ceil((patienceSeconds * 1e9) / NAP_NS)).set(turn);
      f.block((met) => {
        f.block((lost) => {
          f.loop((again) => {
            f.i32(meeting).get(generation).i64(NAP_NS).atomic('memory.atomic.wait32', GENERATION).op('drop');
            readGeneration().get(generation).op('i32.ne').brIf(met);
            f.i32(meeting).atomic('i32.atomic.load', LOST_OFFSET).brIf(lost);
            f.get(thread).brIf(again);
            f.increment(turn, -1).get(turn).brIf(again);
          });
        });
        f.i32(meeting).i32(1).atomic('i32.atomic.store', LOST_OFFSET);
        f.op('unreachable');
      });
      f.i32(meeting).i32(-1).atomic('i32.atomic.rmw.add', SLEEPERS).op('drop');
    });
  });
}

/** Name of the exported function of the threads after the first: `(thread)`. It returns when there was nothing to do for a while. */
export const WORK = 'work';

/** Where the number of threads of the present run stands, from the beginning of the meeting's words. */
export const THREADS_OFFSET: number = MEETING_BYTES;

/**
 * The word that sleeping threads wait at, for their tickets: it counts the calls. One word wakes all of them in one go; the
 * first of several might take the caller's processor before it has woken the others.
 */
export const BELL_OFFSET: number = THREADS_OFFSET + 4;

/** Where each thread's ticket stands: that of thread `t` at `TICKETS_OFFSET + t · TICKET_BYTES`. */
export const TICKETS_OFFSET: number = THREADS_OFFSET + 64;
export const TICKET_BYTES = 64;

/** Where the words are in which the threads count what they take; see `share-work.ts`. Tickets do not change in a run. */
export const SHARES_OFFSET: number = TICKETS_OFFSET + 4;

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
  /** The same, and a message says so: it is to hear what came before. */
  posted: 4,
} as const;

/** Turns of a thread that waits for the next run before it sleeps: what the host does between two steps of a training. */
const SPIN_TURNS = 400_000;

/**
 * The same where all threads are workers of a page. The first one waits for a millisecond or two, in which a page that
 * predicts again and again is back: it need not be woken then, and keeps its processor, so that the others are not put on the
 * same one. They leave theirs to the page.
 */
const PAGE_SPIN_TURNS = { first: 2_000_000, others: 50_000 } as const;

/** How long it sleeps until it goes back to its messages. */
const LINGER_NS = 5_000_000;

interface ThreadParts {
  readonly meeting: number;
  /** What `emitBarrier` gave. */
  readonly barrier: number;
  /** The function `(thread, threads)` that does each thread's part. */
  readonly everyone: number;
  /** Whether the first thread is a worker, too, and the caller a page. */
  readonly isPage: boolean;
}

/** Name of the exported function `(thread)` that waits for the next run, and says whether it has come. */
export const LINGER = 'linger';

/** Exports `run`, for the first thread, and `work`, for the others; and what they wait in between two runs. */
export function exportThreads(module: ModuleBuilder, { meeting, barrier, everyone, isPage }: ThreadParts): void {
  const run = module.function(['i32'], [], (f) => {
    f.i32(0).get(f.param(0)).call(everyone);
    f.i32(0).get(f.param(0)).call(barrier);
  });
  module.exportFunction('run', run);
  const linger = module.function(['i32'], ['i32'], (f) => {
    const [thread, turn, ticket, bell] = [f.param(0), f.local('i32'), f.local('i32'), f.local('i32')];
    f.sum([[thread, TICKET_BYTES]], meeting + TICKETS_OFFSET).set(ticket);
    // Who calls writes the ticket, then the bell.
    f.i32(meeting).atomic('i32.atomic.load', BELL_OFFSET).set(bell);
    if (isPage) f.i32(PAGE_SPIN_TURNS.others).i32(PAGE_SPIN_TURNS.first).get(thread).op('select');
    else f.i32(SPIN_TURNS);
    f.set(turn);
    f.block((changed) => {
      f.loop((spin) => {
        f.get(ticket).atomic('i32.atomic.load').i32(TICKET.ready).op('i32.ne').brIf(changed);
        f.increment(turn, -1).get(turn).brIf(spin);
      });
      f.i32(meeting).get(bell).i64(LINGER_NS).atomic('memory.atomic.wait32', BELL_OFFSET).op('drop');
    });
    // Called again; or sent away, maybe by itself.
    f.get(ticket).i32(TICKET.ready).i32(TICKET.idle).atomic('i32.atomic.rmw.cmpxchg');
    f.i32(TICKET.called).op('i32.eq');
  });
  module.exportFunction(LINGER, linger);
  const work = module.function(['i32'], [], (f) => {
    const [thread, threads, ticket] = [f.param(0), f.local('i32'), f.local('i32')];
    f.sum([[thread, TICKET_BYTES]], meeting + TICKETS_OFFSET).set(ticket);
    f.loop((again) => {
      f.i32(meeting).atomic('i32.atomic.load', THREADS_OFFSET).set(threads);
      f.get(thread).get(threads).call(everyone);
      // The ticket is ready before the caller can go on, so that its next call is not overwritten.
      f.get(ticket).i32(TICKET.ready).atomic('i32.atomic.store');
      f.get(thread).get(threads).call(barrier);
      f.get(thread).call(linger).brIf(again);
    });
  });
  module.exportFunction(WORK, work);
}
