/** The command line in this process, for tests. */
import { afterEach, beforeEach, type MockInstance, vi } from 'vitest';
import { runCommandLine } from '../../src/cli/command-line.ts';

export interface CommandOutcome {
  readonly status: number;
  readonly output: string;
  readonly errors: string;
}

/**
 * Gives what runs `hornet` with words, after those given here, and tells what it has printed; to be called by a file of
 * tests before its first.
 */
export function commandRunner(...firstWords: string[]): (...words: string[]) => Promise<CommandOutcome> {
  let printed: MockInstance<typeof process.stdout.write>;
  let warned: MockInstance<typeof process.stderr.write>;
  beforeEach(() => {
    printed = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    warned = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  });
  afterEach(() => vi.restoreAllMocks());
  const textOf = (stream: MockInstance): string => stream.mock.calls.map(([text]) => String(text)).join('');
  return async (...words) => {
    printed.mockClear();
    warned.mockClear();
    const status = await runCommandLine([...firstWords, ...words]);
    return { status, output: textOf(printed), errors: textOf(warned) };
  };
}
