/**
 * `npm run fuzz [-- --count N] [--seed S] [--format NAME] [--index I]`: reads N damaged files of each format.
 *
 * Each must load, or be refused with a typed error, within a second and the size of its files plus 64 MB, leaving
 * nothing behind. What fails is listed with the words that repeat it. Ends with status 1 when anything failed.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { dealOut } from './deal-out.ts';
import type { Outcome } from './fuzz/case.ts';
import { subjects } from './fuzz/subjects.ts';
import type { Task } from './fuzz/worker.ts';

/** A process that says nothing for so long hangs, however busy the machine is. */
const HANG_MS = 10_000;

interface Tally {
  loaded: number;
  refused: number;
  slowestMs: number;
  mostBytes: number;
  readonly failures: { readonly task: Task; readonly reason: string }[];
}

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    format: { type: 'string' },
    index: { type: 'string' },
  },
});
const seed = Number(values.seed);
const known = [...(await subjects()).keys()];
const formats = values.format === undefined ? known : [values.format];
if (formats.some((format) => !known.includes(format))) {
  console.error(`Cannot damage "${values.format}": expected one of ${known.join(', ')}`);
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'hornet-fuzz-'));
let status = 0;
for (const format of formats) {
  const indexes =
    values.index === undefined ? Array.from({ length: Number(values.count) }, (_, i) => i) : [Number(values.index)];
  const tally = await runAll(indexes.map((index) => ({ format, seed, index })));
  console.log(
    `${format.padEnd(14)}${String(indexes.length).padStart(7)} files: ${tally.loaded} loaded, ${tally.refused} refused, ` +
      `${tally.failures.length} failed; at most ${tally.slowestMs.toFixed(0)} ms and ${(tally.mostBytes / 1e6).toFixed(0)} MB`,
  );
  for (const { task, reason } of tally.failures.slice(0, 20)) {
    console.log(`  --format ${format} --seed ${seed} --index ${task.index}\n    ${reason.replaceAll('\n', '\n    ')}`);
  }
  if (tally.failures.length > 0) status = 1;
}
const left = readdirSync(folder);
if (left.length > 0) {
  console.log(`Files were written: ${left.join(', ')}`);
  status = 1;
}
rmSync(folder, { recursive: true });
process.exitCode = status;

async function runAll(tasks: readonly Task[]): Promise<Tally> {
  const tally: Tally = { loaded: 0, refused: 0, slowestMs: 0, mostBytes: 0, failures: [] };
  await dealOut<Task, Outcome>(tasks, {
    processCount: availableParallelism(),
    start: startWorker,
    patienceMs: HANG_MS,
    done: (task, answer) => {
      if ('problem' in answer) {
        tally.failures.push({ task, reason: answer.problem });
        return;
      }
      const { value: outcome } = answer;
      if (outcome.ended === 'failed') tally.failures.push({ task, reason: outcome.reason });
      else tally[outcome.ended]++;
      tally.slowestMs = Math.max(tally.slowestMs, outcome.milliseconds);
      tally.mostBytes = Math.max(tally.mostBytes, outcome.peakBytes);
    },
  });
  return tally;
}

/** A worker that waits for its first case. The folder in which it works is empty, and stays so. */
async function startWorker(): Promise<ChildProcess> {
  const worker = fork(new URL('fuzz/worker.ts', import.meta.url), {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  await once(worker, 'message');
  return worker;
}
