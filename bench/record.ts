/** The history: one line of JSON for each run that is recorded. */
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describeMachine } from './machine.ts';
import type { Row } from './measure.ts';

export const RESULTS: string = fileURLToPath(new URL('results', import.meta.url));

/** Adds a run to results/history.jsonl: version, commit (with a + when the tree had changes), date, machine, rows. */
export function record(rows: readonly Row[]): void {
  mkdirSync(RESULTS, { recursive: true });
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const commit = git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '--', 'src') === '' ? '' : '+');
  const line = { version, commit, date: new Date().toISOString(), machine: describeMachine(), rows };
  appendFileSync(`${RESULTS}/history.jsonl`, `${JSON.stringify(line)}\n`);
}

function git(...words: string[]): string {
  return spawnSync('git', words, { cwd: RESULTS, encoding: 'utf8' }).stdout.trim();
}
