import { existsSync, globSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const installed: string = fileURLToPath(new URL('../test/runtimes/node_modules', import.meta.url));

const inPath = (name: string): string | undefined =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));

/** The commands that run a script in Deno and in Bun: those of test/runtimes, else those of the PATH. */
export function findRuntimes(): Readonly<Record<string, readonly [string, ...string[]]>> {
  const deno = globSync(`${installed}/@deno/*/deno`)[0] ?? inPath('deno');
  const bun = globSync(`${installed}/@oven/*/bin/bun`)[0] ?? inPath('bun');
  return {
    ...(deno !== undefined && { Deno: [deno, 'run', '--allow-all', '--quiet'] as const }),
    ...(bun !== undefined && { Bun: [bun] as const }),
  };
}
