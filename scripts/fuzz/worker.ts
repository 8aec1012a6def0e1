/** A process that reads one damaged file after another, and says before each which it is: a crash ends a turn, not the run. */
import { runCase } from './case.ts';
import { subjects } from './subjects.ts';

export interface Task {
  readonly format: string;
  readonly seed: number;
  readonly index: number;
}

const all = subjects();

process.on('message', async ({ format, seed, index }: Task) => {
  const subject = (await all).get(format);
  if (subject === undefined) throw new RangeError(`Cannot damage "${format}": expected ${[...(await all).keys()]}`);
  process.send?.(await runCase(format, subject, seed, index));
});
