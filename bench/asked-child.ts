/** A script of this folder that runs in a process of its own, waits for lines, and answers each with a line of JSON. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface AskedChild {
  send(line: string): void;
  /** The next line that it prints. @throws when it ends instead, with its complaints. */
  next<T>(): Promise<T>;
  close(): void;
}

/** @param variables of its environment, besides those of this process */
export function startChild(
  program: string,
  script: string,
  words: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): AskedChild {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(program, [file, ...words], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...variables },
  });
  let complaints = '';
  child.stderr.on('data', (text) => {
    complaints += text;
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    send: (line) => void child.stdin.write(`${line}\n`),
    next: async <T>(): Promise<T> => {
      const { value, done } = await lines.next();
      if (done) throw new Error(`Cannot measure with ${script}: it ended, and said ${complaints}`);
      return JSON.parse(value) as T;
    },
    close: () => void child.kill(),
  };
}
