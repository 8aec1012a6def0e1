/** Deals tasks out to processes, and goes on when one of them crashes or hangs. */
import type { ChildProcess } from 'node:child_process';

/** What a process made of a task, or why it made nothing. */
export type Answer<A> = { readonly value: A } | { readonly problem: string };

export interface DealOptions<T, A> {
  readonly processCount: number;
  /** A process that answers each message with one of its own, and whose errors can be read. */
  readonly start: () => ChildProcess | Promise<ChildProcess>;
  /** One that says nothing for so long is ended. */
  readonly patienceMs: number;
  /** Hears of each task as it is done. */
  readonly done: (task: T, answer: Answer<A>) => void;
}

/** Begins with the first task, and ends when all are done. */
export async function dealOut<T extends object, A>(tasks: readonly T[], options: DealOptions<T, A>): Promise<void> {
  const { processCount, start, patienceMs, done } = options;
  const queue = tasks.values();
  const work = async (): Promise<void> => {
    let worker = await start();
    for (const task of queue) {
      const answer = await ask<A>(worker, task, patienceMs);
      if ('problem' in answer) worker = await start();
      done(task, answer);
    }
    worker.kill();
  };
  await Promise.all(Array.from({ length: Math.min(processCount, tasks.length) }, work));
}

/** After a problem the process is gone. */
function ask<A>(worker: ChildProcess, task: object, patienceMs: number): Promise<Answer<A>> {
  return new Promise((resolve) => {
    let lastWords = '';
    const listen = (bytes: Buffer): void => {
      lastWords = (lastWords + bytes.toString()).slice(-2000);
    };
    const finish = (answer: Answer<A>): void => {
      clearTimeout(timer);
      worker.removeAllListeners('message');
      worker.removeAllListeners('exit');
      worker.stderr?.off('data', listen);
      resolve(answer);
    };
    const timer = setTimeout(() => {
      worker.kill('SIGKILL');
      finish({ problem: `no answer after ${patienceMs / 1000} s` });
    }, patienceMs);
    worker.stderr?.on('data', listen);
    worker.once('message', (value: A) => finish({ value }));
    worker.once('exit', (code, signal) => finish({ problem: `the process ended (${signal ?? code}): ${lastWords}` }));
    worker.send(task);
  });
}
