/** A sample of `npm run fuzz`, which damages twenty thousand files of each format. */
import { describe, expect, test } from 'vitest';
import { runCase } from '../../scripts/fuzz/case.ts';
import { type Subject, subjects } from '../../scripts/fuzz/subjects.ts';

const SEED = 20_261_121;
const COUNT = 150;

const all = await subjects();

describe('a damaged file loads, or is refused with a typed error', () => {
  test.each([...all.keys()])('%s', async (format) => {
    const ended = { loaded: 0, refused: 0, failed: 0 };
    const reasons: string[] = [];
    for (let index = 0; index < COUNT; index++) {
      const outcome = await runCase(format, all.get(format) as Subject, SEED, index);
      ended[outcome.ended]++;
      if (outcome.ended === 'failed') reasons.push(`--seed ${SEED} --index ${index}: ${outcome.reason}`);
    }
    expect(reasons).toEqual([]);
    // A sample that is all of one kind tests nothing.
    expect(Math.min(ended.loaded, ended.refused)).toBeGreaterThan(COUNT / 20);
  });
});
