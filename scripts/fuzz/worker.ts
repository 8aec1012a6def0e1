/** A process that reads one damaged file after another, and says before each which it is: a crash ends a turn, not the run. */
import { runCase } from './case.ts';
import { subjects } from './subjects.ts';

export interface Task {
  readonly format: string;
  readonly seed: number;
  readonly index: number;
}

const all = await subjects();

process.on('message', async ({ format, seed, index }: Task) => {
  const subject = all.get(format);
  if (subject === undefined) throw new RangeError(`Cannot damage "${format}": expected ${[...all.keys()]}`);
  process.send?.(await runCase(format, subject, seed, index));
});
// The models are made that are to be damaged: from now on time counts.
process.send?.('ready');
