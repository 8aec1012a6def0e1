import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commandRunner } from '../../test/support/run-command.ts';
import { Checkpoints, type CheckpointVersion, Dense, InputLayer, loadModel, Sequential, tensor } from '../index.ts';

const folder = mkdtempSync(join(tmpdir(), 'hornet-checkpoints-'));
const runs = join(folder, 'runs');
afterAll(() => rmSync(folder, { recursive: true }));

beforeAll(async () => {
  const model = new Sequential({ layers: [new InputLayer({ batchShape: [null, 1] }), new Dense({ units: 1 })] });
  model.compile({ optimizer: 'sgd', loss: 'mse' });
  const versions = new Checkpoints(runs, { monitor: 'val_loss' });
  for (const [index, loss] of [0.5, 0.125, 0.25].entries()) {
    model.setWeights([tensor([[index + 1]]), tensor([7])]);
    const details = { step: 100 * (index + 1), epoch: index, metrics: { loss, val_loss: 2 * loss } };
    await versions.save(model, index === 0 ? { ...details, name: 'first' } : details);
  }
});

const run = commandRunner('checkpoints');

async function kernelOf(path: string): Promise<unknown> {
  return (await loadModel(path)).getWeights()[0]?.toArray();
}

test('lists versions with step, metrics, size, date and what they are', async () => {
  const { status, output } = await run(runs);
  expect(status).toBe(0);
  const [header, ...rows] = output.trimEnd().split('\n');
  expect(header?.trim().split(/\s{2,}/)).toEqual(['step', 'epoch', 'loss', 'val_loss', 'size', 'saved (UTC)', 'name']);
  expect(rows.map((row) => row.trim().split(/\s{2,}/))).toEqual([
    ['100', '0', '0.5000', '1', expect.stringMatching(/KB$/), expect.stringMatching(/^\d{4}-/), 'first'],
    ['200', '1', '0.1250', '0.2500', expect.anything(), expect.anything(), expect.anything(), 'best'],
    ['300', '2', '0.2500', '0.5000', expect.anything(), expect.anything(), expect.anything(), 'latest'],
  ]);
  const { versions } = JSON.parse((await run(runs, '--json', '--monitor', 'loss', '--mode', 'max')).output) as {
    versions: (CheckpointVersion & { isBest: boolean; isLatest: boolean })[];
  };
  expect(versions.map(({ step, isBest, isLatest }) => [step, isBest, isLatest])).toEqual([
    [100, true, false],
    [200, false, false],
    [300, false, true],
  ]);
});

test('writes one version to a file, in its format or another', async () => {
  const [copied, converted] = [join(folder, 'best.keras'), join(folder, 'web/model.json')];
  expect((await run(runs, '--restore', 'best', copied)).output).toContain('step 200, from 00000200-');
  expect((await run(runs, '--restore', '300', converted)).status).toBe(0);
  expect((await run(runs, '--restore', 'first', `${folder}/`)).status).toBe(0);
  const found = [copied, converted, join(folder, 'model.keras')].map(kernelOf);
  expect(await Promise.all(found)).toEqual([[[2]], [[3]], [[1]]]);
});

test('compares two versions', async () => {
  const { output } = await run(runs, '--compare', 'first,latest');
  expect(output).toMatch(/loss +0\.5000 +0\.2500/);
  expect(output).toContain('1 of 2 weights differ');
  expect(output).toMatch(/kernel|vars\/0 +100\.0 % +2 +2/);
  expect((await run(runs, '--compare', 'first')).status).toBe(2);
});

test('removes a version, also one that is damaged', async () => {
  const { id } = await new Checkpoints(runs).find(100);
  expect((await run(runs, '--remove', 'first')).output).toBe(`removed ${id}\n`);
  const last = await new Checkpoints(runs).find('latest');
  writeFileSync(join(runs, last.id, 'checkpoint.json'), '{');
  rmSync(join(runs, 'checkpoints.json'));
  expect((await run(runs)).output).toContain(`damaged: ${last.id}: Cannot`);
  expect((await run(runs, '--remove', last.id)).status).toBe(0);
  expect(existsSync(join(runs, last.id))).toBe(false);
  expect((await new Checkpoints(runs).list()).map(({ step }) => step)).toEqual([200]);
});

test('says what it cannot do', async () => {
  expect(await run(join(folder, 'none'))).toMatchObject({ status: 3, errors: expect.stringContaining('no version') });
  expect((await run(runs, '--restore', '7', join(folder, 'x.keras'))).status).toBe(3);
  expect((await run(runs, '--restore', 'best')).status).toBe(2);
  expect((await run(runs, '--restore', 'best', '--remove', 'best', 'x.keras')).status).toBe(2);
  expect((await run(runs, '--mode', 'best')).status).toBe(2);
});
