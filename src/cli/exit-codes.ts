/** What the command line's exit status says. */
import {
  BackendError,
  CustomObjectError,
  FormatError,
  LoadError,
  NetworkError,
  NotFoundError,
  UnsupportedError,
} from '../index.ts';

export const EXIT = {
  done: 0,
  /** A bug, or something that the operating system refused. */
  failure: 1,
  /** An unknown command, a wrong option, a missing word. */
  usage: 2,
  /** There is no such file, or the server did not give it. */
  notFound: 3,
  /** The file is damaged, or its weights do not fit its model. */
  badModel: 4,
  /** The file is sound, but Hornet lacks something that it uses, or its author's own classes are needed. */
  unsupported: 5,
  /** The input does not fit the model. */
  badInput: 6,
  /** Two models that were to be the same are not. */
  different: 7,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Thrown when the words of the command line, or an input file, are not what a command can use. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.exitCode = exitCode;
  }
}

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommandError) return error.exitCode;
  if (error instanceof NotFoundError || error instanceof NetworkError) return EXIT.notFound;
  if (error instanceof FormatError || error instanceof LoadError) return EXIT.badModel;
  if (error instanceof UnsupportedError || error instanceof CustomObjectError) return EXIT.unsupported;
  if (error instanceof BackendError) return EXIT.failure;
  // The predict function throws these two for inputs that do not fit.
  if (error instanceof RangeError || error instanceof TypeError) return EXIT.badInput;
  return EXIT.failure;
}
