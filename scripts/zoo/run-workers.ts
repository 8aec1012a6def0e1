/** Deals models out to processes, and goes on when one of them crashes or hangs. */
import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import type { ZooRow } from './check-model.ts';
import type { FoundModel } from './find-models.ts';

/** The largest of these models takes some seconds. */
const TIMEOUT_MS = 120_000;

/** What every worker is told, as one text. */
export interface WorkerSettings {
  /** `reference` for the interpreter. */
  readonly backend: string | undefined;
  /** The URL of a module that exports `customObjects(path)`. */
  readonly custom: string | undefined;
}

/** Checks the models; calls `onRow` as each is done, and gives the rows in the order of the models. */
export async function runWorkers(
  models: readonly FoundModel[],
  settings: WorkerSettings,
  onRow: (row: ZooRow) => void,
): Promise<ZooRow[]> {
  const rows = new Map<FoundModel, ZooRow>();
  const queue = [...models];
  const work = async (): Promise<void> => {
    let worker = startWorker(settings);
    for (let model = queue.shift(); model !== undefined; model = queue.shift()) {
      const outcome = await checkIn(worker, model);
      if (!outcome.isAlive) worker = startWorker(settings);
      rows.set(model, outcome.row);
      onRow(outcome.row);
    }
    worker.kill();
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), 8, models.length) }, work));
  return models.map((model) => rows.get(model)).filter((row) => row !== undefined);
}

function startWorker(settings: WorkerSettings): ChildProcess {
  return fork(new URL('worker.ts', import.meta.url), [JSON.stringify(settings)], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
}

function checkIn(worker: ChildProcess, model: FoundModel): Promise<{ row: ZooRow; isAlive: boolean }> {
  return new Promise((resolve) => {
    let lastWords = '';
    const listen = (bytes: Buffer): void => {
      lastWords = (lastWords + bytes.toString()).slice(-2000);
    };
    const finish = (row: ZooRow, isAlive: boolean): void => {
      clearTimeout(timer);
      worker.removeAllListeners('message');
      worker.removeAllListeners('exit');
      worker.stderr?.off('data', listen);
      resolve({ row, isAlive });
    };
    const timer = setTimeout(() => {
      worker.kill('SIGKILL');
      finish(failedRow(model, `no result after ${TIMEOUT_MS / 1000} s`), false);
    }, TIMEOUT_MS);
    worker.stderr?.on('data', listen);
    worker.once('message', (row: ZooRow) => finish(row, true));
    worker.once('exit', (code, signal) => {
      finish(failedRow(model, `the process ended (${signal ?? code}): ${lastLine(lastWords)}`), false);
    });
    worker.send(model);
  });
}

function failedRow({ path, guess }: FoundModel, reason: string): ZooRow {
  return {
    file: path,
    format: guess,
    loaded: false,
    compared: false,
    equal: null,
    maxError: null,
    reason,
    needs: [],
  };
}

function lastLine(text: string): string {
  const lines = text.trim().split('\n');
  return lines.find((line) => /Error|FATAL/.test(line)) ?? lines.at(-1) ?? '';
}
