/** Contestants that do the same work, in turn: their answers are compared first, then their times are taken. Runs in pages too. */
import { median, spread } from './measure.ts';

/** Turns of each, one a round. */
const TURNS = 20;

/** Compilers inside of engines replace their first code while it runs. */
const WARM_UP_MS = 700;
const LEAST_WARM_UPS = 4;

/** Clocks of milliseconds need more than one call of what takes microseconds. */
const TURN_MS = 20;
const MOST_CALLS = 500;

/** Threads of native engines spin for a while after their work: nobody's turn begins in it. */
const PAUSE_MS = 15;

/** Of the largest output. */
const TOLERANCE = 1e-3;

export interface Contestant {
  readonly name: string;
  /** What the peer says to the input that all get. */
  answer(): Promise<Float32Array>;
  /** Makes one call that nobody times, and then `calls` more; gives the milliseconds of one. */
  turn(calls: number): Promise<number>;
  close(): void;
}

/** The milliseconds of a call, one number for each round. */
export type Times = ReadonlyMap<Contestant, readonly number[]>;

/** A contestant in this process. `close` gives back what it holds. */
export function contestantOf(
  name: string,
  ask: () => Promise<Float32Array> | Float32Array,
  close: () => unknown = () => {},
): Contestant {
  const turn = async (calls: number): Promise<number> => {
    await ask();
    const started = performance.now();
    for (let call = 0; call < calls; call++) await ask();
    return (performance.now() - started) / calls;
  };
  return { name, answer: async () => Float32Array.from(await ask()), turn, close: () => void close() };
}

/**
 * The times of all, who have to answer as `expected` does.
 *
 * @throws when an answer differs, for then not the same thing would be measured.
 */
export async function race(work: string, expected: Float32Array, contestants: readonly Contestant[]): Promise<Times> {
  for (const contestant of contestants) checkAnswer(work, contestant.name, await contestant.answer(), expected);
  const plans: { contestant: Contestant; calls: number; times: number[] }[] = [];
  for (const contestant of contestants) {
    const ms = await warmUp(contestant);
    const calls = Math.min(MOST_CALLS, Math.max(1, Math.ceil(TURN_MS / ms)));
    plans.push({ contestant, calls, times: [] });
  }
  for (let round = 0; round < TURNS; round++) {
    for (const { contestant, calls, times } of plans) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      times.push(await contestant.turn(calls));
    }
  }
  return new Map(plans.map(({ contestant, times }) => [contestant, times]));
}

/** One line for people: how far the times lie apart, and how many there are. */
export function describeTimes(work: string, times: Times): string {
  const spreads = [...times].map(([{ name }, values]) => `${name} ${spread(values)} ms (${values.length} times)`);
  return `${work}, in turn, the middle half: ${spreads.join(', ')}`;
}

export function medianOf(times: Times, contestant: Contestant): number {
  return median(times.get(contestant) ?? []);
}

async function warmUp(contestant: Contestant): Promise<number> {
  const started = performance.now();
  let ms = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < LEAST_WARM_UPS || performance.now() - started < WARM_UP_MS; turn++) {
    ms = Math.min(ms, await contestant.turn(1));
    if (ms > WARM_UP_MS) break;
  }
  return ms;
}

function checkAnswer(work: string, name: string, found: Float32Array, expected: Float32Array): void {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  // A NaN stays one through all of this, and is not below any tolerance.
  const error = expected.reduce((most, value, index) => {
    return Math.max(most, Math.abs(value - (found[index] ?? Number.NaN)));
  }, 0);
  if (found.length === expected.length && error <= TOLERANCE * largest) return;
  throw new Error(
    `Cannot compare times of ${work} with ${name}: ${found.length} outputs that differ from Keras' by ` +
      `${error / largest} of the largest, expected ${expected.length} outputs and at most ${TOLERANCE}`,
  );
}
