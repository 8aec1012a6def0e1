/**
 * A writer is killed at chance moments of saving over a model that is there: the old or the new one loads, whole.
 *
 * All weights of a model are the same number, another one for each save, so that a mixture shows. KILLS=200 takes a minute
 * and a half for each format.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadModel } from '../../src/index.ts';
import { root } from '../support/source-tree.ts';

const KILLS = Number(process.env.KILLS ?? 4);

const folder = mkdtempSync(join(tmpdir(), 'save-kill-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Saves over and over, each time with the next number in all weights, and tells when it has begun. */
const WRITER = `
  import { Dense, input, Model, tensor } from ${JSON.stringify(join(root, 'src/index.ts'))};
  const [path, start] = process.argv.slice(2);
  const x = input({ shape: [300], name: 'x' });
  const outputs = new Dense({ units: 300, name: 'two' }).apply(new Dense({ units: 300, name: 'one' }).apply(x));
  const model = new Model({ inputs: x, outputs, name: 'm' });
  for (let number = Number(start); ; number++) {
    for (const weight of model.weights) {
      const length = weight.shape.reduce((product, extent) => product * extent, 1);
      weight.assign(tensor(new Float32Array(length).fill(number), weight.shape));
    }
    await model.save(path, path.endsWith('.json') ? { shardSize: 50_000 } : {});
    process.stdout.write(number + '\\n');
  }
`;

const program = join(folder, 'writer.ts');
writeFileSync(program, WRITER);

/** Runs a writer until it has saved once, and some milliseconds more; gives the last number that it told. */
async function killAfter(path: string, start: number, delayMs: number): Promise<number> {
  const words = ['--no-warnings', program, path, String(start)];
  const writer: ChildProcess = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let told = '';
  writer.stdout?.on('data', (chunk) => {
    told += chunk;
  });
  await once(writer.stdout as NodeJS.EventEmitter, 'data');
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  writer.kill('SIGKILL');
  await once(writer, 'exit');
  return Number(told.trim().split('\n').at(-1));
}

test.each(['model.json', 'model.keras'])(
  `a writer of %s that is killed ${KILLS} times leaves a whole model each time`,
  async (name) => {
    const path = join(folder, name);
    let next = 1;
    for (let kill = 0; kill < KILLS; kill++) {
      const last = await killAfter(path, next, Math.random() * 40);
      const model = await loadModel(path);
      const numbers = new Set(model.getWeights().flatMap(({ data }) => [...new Set(data as Float32Array)]));
      expect(numbers.size).toBe(1);
      const [found = 0] = numbers;
      // The save that was under way may have been complete, though nobody was told.
      expect([last, last + 1]).toContain(found);
      next = found + 1;
    }
  },
  600_000,
);
