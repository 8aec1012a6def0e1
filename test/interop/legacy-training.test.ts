/**
 * Keras 3 trains on from no .h5 that has the state of an optimizer, not from its own either; from ours, which leaves it out,
 * it trains on with a fresh one. The day this fails, ours may have the state.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { Dense, input, Model } from '../../src/index.ts';
import { ask, findJudges } from './judges.ts';

const FOLDER = '.cache/legacy-training-test';
const ROWS = 4;

const judges = findJudges().filter(({ name }) => name === 'keras');

interface Row {
  /** What three steps cost, or what Keras fails with. */
  readonly own: readonly number[] | string;
  readonly ours: readonly number[] | string;
}

describe.skipIf(judges.length === 0)('real Keras', () => {
  beforeAll(async () => {
    rmSync(FOLDER, { recursive: true, force: true });
    mkdirSync(FOLDER, { recursive: true });
    const x = input({ shape: [3] });
    const model = new Model({ inputs: x, outputs: new Dense({ units: 2 }).apply(x) });
    model.compile({ optimizer: 'adam', loss: 'mse' });
    const [ones, zeros] = [Array<number>(3).fill(1), Array<number>(2).fill(0)];
    await model.trainOnBatch(Array(ROWS).fill(ones), Array(ROWS).fill(zeros));
    const { omitted } = await model.save(`${FOLDER}/hornet.h5`);
    expect(omitted).toEqual([expect.stringContaining('the state of the optimizer')]);
  });

  test.for(judges)('$title trains on from our .h5, and not from its own', async (judge) => {
    const { rows } = await ask<Row>(judge, 'check-legacy-training.py', FOLDER);
    expect(rows[0]?.own).toMatch(/Unknown variable|built with 0 variables/);
    const losses = rows[0]?.ours as readonly number[];
    expect(losses).toEqual([...losses].sort((a, b) => b - a));
    expect(losses).toHaveLength(3);
  });
});
