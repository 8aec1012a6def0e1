/** Checks models in processes of their own. */
import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { dealOut } from '../deal-out.ts';
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
  await dealOut<FoundModel, ZooRow>(models, {
    processCount: Math.min(availableParallelism(), 8),
    start: () => startWorker(settings),
    patienceMs: TIMEOUT_MS,
    done: (model, answer) => {
      const row = 'problem' in answer ? failedRow(model, shortened(answer.problem)) : answer.value;
      rows.set(model, row);
      onRow(row);
    },
  });
  return models.map((model) => rows.get(model)).filter((row) => row !== undefined);
}

function startWorker(settings: WorkerSettings): ChildProcess {
  return fork(new URL('worker.ts', import.meta.url), [JSON.stringify(settings)], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
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

/** A problem with the line that says most of what a process wrote last. */
function shortened(problem: string): string {
  const [first = '', ...lines] = problem.trim().split('\n');
  const told = lines.find((line) => /Error|FATAL/.test(line)) ?? lines.at(-1);
  return told === undefined || /Error|FATAL/.test(first) ? first : `${first.replace(/:.*/, ':')} ${told}`;
}
