/**
 * Requests of one load: how many at once, how they are retried, and what an answer has to be before it is believed.
 */

import { NetworkError, NotFoundError } from '../errors.ts';
import { Limiter } from './limiter.ts';

export interface RetryOptions {
  /** Tries in a row that bring nothing before a request is given up, 4 unless given. */
  readonly attempts?: number;
  /** How long to wait after a number of failures, 250 ms doubled by each unless given. */
  readonly delayMs?: (failures: number) => number;
  /** Waits; tests put in something that does not. */
  readonly wait?: (milliseconds: number, signal: AbortSignal | undefined) => Promise<void>;
  /** A server that sends nothing for so long counts as gone, 30 seconds unless given. */
  readonly stallMs?: number;
}

export interface HttpOptions {
  /** Stands in for the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch;
  /** Sent with every request: headers, credentials and the like. */
  readonly requestInit?: RequestInit;
  readonly signal?: AbortSignal;
  /** Requests at once, 6 unless given, which is what browsers allow for one server. */
  readonly concurrency?: number;
  readonly retry?: RetryOptions;
  /** Hears of bytes as they arrive, each once, also when a connection was cut and resumed. */
  readonly onBytes?: (file: string, byteCount: number) => void;
  /** Hears of files that a server sends only as a whole, which begins before any part of them is asked for. */
  readonly onWhole?: (file: string, byteLength: number) => void;
}

const DEFAULT_CONCURRENCY = 6;
export const DEFAULT_ATTEMPTS = 4;
const FIRST_DELAY_MS = 250;
const DEFAULT_STALL_MS = 30_000;

/** A server may ask to wait longer by `Retry-After`, but not for ever. */
export const MAX_DELAY_MS = 30_000;

/**
 * A try that brought something before the connection broke does not count as one that brought nothing, but a server that
 * sends a few bytes at a time is left after so many: with 64 KB and more for each try, no file is too long.
 */
const MAX_SHORT_TRIES = 100;
const SHORT_TRY_BYTES = 64 << 10;

/** Answers that a later try may turn: timeouts, too many requests, and a server's passing troubles. */
export const RETRYABLE: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/** A download that is tried until it is complete. */
export interface Transfer {
  readonly url: string;
  /** Headers for the next try, which begins where the last one broke off. */
  headers(): Record<string, string>;
  /** Statuses besides 200 and 206 that `begin` takes. */
  readonly alsoAccepts?: readonly number[];
  /**
   * Checks an answer and gives the function that takes its bytes, or `undefined` when they are not needed. Throws what
   * no further try can change.
   */
  begin(response: Response): ((chunk: Uint8Array) => void) | undefined;
  /** Hears that an answer has ended as it should, which is all that tells the end where no length was announced. */
  end?(): void;
  isComplete(): boolean;
}

export class HttpSession {
  readonly options: HttpOptions;
  readonly #limiter: Limiter;

  constructor(options: HttpOptions = {}) {
    this.options = options;
    this.#limiter = new Limiter(options.concurrency ?? DEFAULT_CONCURRENCY);
  }

  /** Downloads until complete, resuming after every break that further tries may mend. */
  async transfer(transfer: Transfer): Promise<void> {
    const { signal, retry = {} } = this.options;
    const attempts = retry.attempts ?? DEFAULT_ATTEMPTS;
    let failures = 0;
    let shortTries = 0;
    for (;;) {
      signal?.throwIfAborted();
      const outcome = await this.#limiter.run(() => this.#attempt(transfer));
      if (transfer.isComplete()) return;
      signal?.throwIfAborted();
      failures = outcome.byteCount > 0 ? 1 : failures + 1;
      if (outcome.byteCount < SHORT_TRY_BYTES) shortTries++;
      if (failures >= attempts || shortTries >= MAX_SHORT_TRIES) throw givenUp(transfer.url, outcome, shortTries);
      const delayMs = (retry.delayMs ?? defaultDelay)(failures);
      await (retry.wait ?? waitFor)(Math.min(Math.max(delayMs, outcome.retryAfterMs), MAX_DELAY_MS), signal);
    }
  }

  async #attempt(transfer: Transfer): Promise<Outcome> {
    const { options } = this;
    const { requestInit = {} } = options;
    const controller = new AbortController();
    const onAbort = (): void => controller.abort(options.signal?.reason);
    options.signal?.addEventListener('abort', onAbort, { once: true });
    const stallMs = options.retry?.stallMs ?? DEFAULT_STALL_MS;
    const stalled = new Error(`nothing came for ${stallMs} ms`);
    let timer = setTimeout(() => controller.abort(stalled), stallMs);
    let byteCount = 0;
    let status: number | undefined;
    try {
      const headers = new Headers(requestInit.headers);
      for (const [name, value] of Object.entries(transfer.headers())) headers.set(name, value);
      const { signal: callersSignal, ...init } = requestInit;
      callersSignal?.throwIfAborted();
      callersSignal?.addEventListener('abort', () => controller.abort(callersSignal.reason), { once: true });
      const fetchFunction = options.fetch ?? globalThis.fetch;
      let response: Response;
      try {
        response = await fetchFunction(transfer.url, { ...init, headers, signal: controller.signal });
      } catch (cause) {
        return { byteCount, status, cause, retryAfterMs: 0 };
      }
      status = response.status;
      const isAccepted = status === 200 || status === 206 || transfer.alsoAccepts?.includes(status) === true;
      if (!isAccepted) {
        void response.body?.cancel().catch(() => {});
        if (!RETRYABLE.has(status)) throw refused(transfer.url, response);
        return { byteCount, status, cause: undefined, retryAfterMs: retryAfterMs(response) };
      }
      const take = transfer.begin(response);
      const reader = response.body?.getReader();
      if (take === undefined || reader === undefined) {
        await reader?.cancel().catch(() => {});
        return { byteCount, status, cause: undefined, retryAfterMs: 0 };
      }
      try {
        for (;;) {
          const part = await reader.read().catch((cause: unknown) => ({ cause }));
          if ('cause' in part) return { byteCount, status, cause: part.cause, retryAfterMs: 0 };
          if (part.done) {
            transfer.end?.();
            return { byteCount, status, cause: undefined, retryAfterMs: 0 };
          }
          clearTimeout(timer);
          timer = setTimeout(() => controller.abort(stalled), stallMs);
          byteCount += part.value.byteLength;
          take(part.value);
        }
      } finally {
        // Nothing more is wanted when `take` threw.
        await reader.cancel().catch(() => {});
      }
    } finally {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
    }
  }
}

/** How a try ended that did not complete the transfer. */
interface Outcome {
  readonly byteCount: number;
  readonly status: number | undefined;
  readonly cause: unknown;
  readonly retryAfterMs: number;
}

function givenUp(url: string, { status, cause }: Outcome, tries: number): NetworkError {
  const failed = status !== undefined && status >= 400;
  const reason = cause instanceof Error ? `: ${reasonOf(cause)}` : '';
  const problem = failed ? `the server answered ${status}` : `the connection failed${reason}`;
  return new NetworkError(`Cannot read "${url}": ${problem}, after ${tries} tries`, url, status, cause);
}

/** What Node's `fetch` says is in the cause of a general error. */
export function reasonOf(error: Error): string {
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message;
}

function refused(url: string, response: Response): Error {
  const { status, statusText } = response;
  const answer = `the server answered ${status}${statusText === '' ? '' : ` ${statusText}`}`;
  if (status === 404 || status === 410) return new NotFoundError(`Cannot read "${url}": ${answer}`, url);
  return new NetworkError(`Cannot read "${url}": ${answer}, expected 200 or 206`, url, status);
}

export function retryAfterMs(response: Response): number {
  const seconds = Number(response.headers.get('retry-after') ?? 0);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0;
}

export function defaultDelay(failures: number): number {
  return FIRST_DELAY_MS * 2 ** (failures - 1);
}

export async function waitFor(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
