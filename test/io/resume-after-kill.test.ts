/** Ten epochs at once, and the same with two kills on the way, each by SIGKILL and in a new process, end in the same bits. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { root } from '../support/source-tree.ts';

const SCRIPT = join(root, 'test/support/resumable-training.ts');
const folder = mkdtempSync(join(tmpdir(), 'hornet-resume-'));

afterAll(() => rmSync(folder, { recursive: true }));

interface Outcome {
  /** Epoch and batch of each line. */
  readonly batches: readonly (readonly [epoch: number, batch: number])[];
  readonly signal: NodeJS.Signals | null;
  /** What the training printed when it was done. */
  readonly result: string | undefined;
}

/** Runs the training, until it has come to a batch, if one is given. */
async function train(
  optimizer: string,
  backup: string,
  killAt?: readonly [epoch: number, batch: number],
): Promise<Outcome> {
  const child = spawn(process.execPath, [SCRIPT, optimizer, backup], { stdio: ['ignore', 'pipe', 'inherit'] });
  const batches: [number, number][] = [];
  let result: string | undefined;
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [word, ...words] = line.split(' ');
      if (word === 'done') result = words.join(' ');
      if (word !== 'batch') continue;
      const [epoch, batch] = words.map(Number) as [number, number];
      batches.push([epoch, batch]);
      if (killAt !== undefined && epoch === killAt[0] && batch >= killAt[1]) child.kill('SIGKILL');
    }
  });
  const signal = await new Promise<NodeJS.Signals | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (_, killed) => resolve(killed));
  });
  return { batches, signal, result };
}

test.each(['adam', 'momentum', 'schedule'])(
  '%s, with dropout, batch normalization and shuffled samples',
  async (optimizer) => {
    const whole = await train(optimizer, join(folder, `${optimizer}-whole.safetensors`));
    expect(whole.batches.length).toBe(50);
    const backup = join(folder, `${optimizer}.safetensors`);
    const killed = await train(optimizer, backup, [4, 2]);
    expect([killed.signal, killed.result]).toEqual(['SIGKILL', undefined]);
    expect(existsSync(backup)).toBe(true);
    const again = await train(optimizer, backup, [7, 0]);
    expect([again.signal, again.result]).toEqual(['SIGKILL', undefined]);
    expect(again.batches[0]?.[0]).toBeGreaterThanOrEqual(3);
    const last = await train(optimizer, backup);
    expect(last.batches.length).toBeLessThan(25);
    expect(last.result).toBe(whole.result);
    expect(JSON.parse(last.result as string)).toMatchObject({ history: { loss: { length: 10 } } });
    expect(existsSync(backup)).toBe(false);
  },
);
