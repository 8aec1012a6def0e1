/** Sends files to a server. */
import type { WritableFile } from '../binary/byte-sink.ts';
import { NetworkError, NotFoundError } from '../errors.ts';
import { blobOf } from './blob-of.ts';
import {
  DEFAULT_ATTEMPTS,
  defaultDelay,
  MAX_DELAY_MS,
  RETRYABLE,
  type RetryOptions,
  reasonOf,
  retryAfterMs,
  waitFor,
} from './http-session.ts';

export interface UploadOptions {
  /** Stands in for the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch;
  /** Sent with every request: headers, credentials and the like. */
  readonly requestInit?: RequestInit;
  readonly retry?: RetryOptions;
}

/** What is asked of a server. */
export interface ServerRequest {
  readonly method: string;
  /** Asked anew for every try: signed addresses expire. */
  readonly url: () => Promise<string> | string;
  /** For messages: what the request is to do, as in `write "model.keras"`. */
  readonly purpose: string;
  /** Made anew for every try. */
  readonly body?: () => Promise<RequestBody>;
  /** Statuses besides 2xx that are no failure. */
  readonly alsoAccepts?: readonly number[];
  /** Whether it may be sent again after it failed, true unless given. */
  readonly isRepeatable?: boolean;
}

/** A body, and what has to be heard of besides the answer: bytes that are made while they are sent. */
export interface RequestBody {
  readonly init: RequestInit & { readonly duplex?: 'half' };
  /** Ends the sending, whose rest nobody wants unless the request succeeded; throws what went wrong in making the bytes. */
  readonly end?: (succeeded: boolean) => Promise<void>;
}

/**
 * Sends a request until it succeeds, or no further try can help.
 *
 * @throws {NotFoundError} for status 404 or 410.
 * @throws {NetworkError} for any other that is no success, or when the connection fails for good.
 */
export async function sendRequest(request: ServerRequest, options: UploadOptions): Promise<Response> {
  const { retry = {}, requestInit = {} } = options;
  const attempts = request.isRepeatable === false ? 1 : (retry.attempts ?? DEFAULT_ATTEMPTS);
  const signal = requestInit.signal ?? undefined;
  for (let tries = 1; ; tries++) {
    signal?.throwIfAborted();
    const url = await request.url();
    const outcome = await attempt(request, url, options);
    if (outcome instanceof Response) {
      const { status } = outcome;
      if (outcome.ok || request.alsoAccepts?.includes(status) === true) return outcome;
      void outcome.body?.cancel().catch(() => {});
      if (!RETRYABLE.has(status) || tries >= attempts) throw refused(request, url, outcome);
    } else {
      signal?.throwIfAborted();
      if (tries >= attempts) throw notConnected(request, url, outcome.cause, tries);
    }
    const delayMs = (retry.delayMs ?? defaultDelay)(tries);
    const askedMs = outcome instanceof Response ? retryAfterMs(outcome) : 0;
    await (retry.wait ?? waitFor)(Math.min(Math.max(delayMs, askedMs), MAX_DELAY_MS), signal);
  }
}

async function attempt(
  request: ServerRequest,
  url: string,
  { fetch = globalThis.fetch, requestInit = {} }: UploadOptions,
): Promise<Response | { readonly cause: unknown }> {
  const body = await request.body?.();
  const headers = new Headers(requestInit.headers);
  for (const [name, value] of new Headers(body?.init.headers)) headers.set(name, value);
  let outcome: Response | { readonly cause: unknown };
  try {
    outcome = await fetch(url, { ...requestInit, ...body?.init, method: request.method, headers });
  } catch (cause) {
    outcome = { cause };
  }
  await body?.end?.(outcome instanceof Response && outcome.ok);
  return outcome;
}

/** A file as the body of a request: as a stream where `fetch` sends those with their length, else as a `Blob`. */
export async function fileBody(file: WritableFile, type = 'application/octet-stream'): Promise<RequestBody> {
  // Browsers send streams without a length, which many servers refuse, and over HTTP/2 alone.
  if (!sendsStreams()) return { init: { body: await blobOf(file, type), headers: { 'content-type': type } } };
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  let failure: { readonly cause: unknown } | undefined;
  let isOver = false;
  const sent = (async () => {
    try {
      await file.writeTo({ write: async (bytes) => await writer.write(bytes.slice()) });
      await writer.close();
    } catch (cause) {
      // After the answer, nobody wants the rest.
      if (!isOver) failure = { cause };
      await writer.abort(cause).catch(() => {});
    }
  })();
  return {
    init: {
      body: readable,
      duplex: 'half',
      headers: { 'content-type': type, 'content-length': String(file.byteLength) },
    },
    end: async (succeeded) => {
      if (!succeeded && failure === undefined) {
        isOver = true;
        await writer.abort(new Error('the server does not want the rest')).catch(() => {});
      }
      await sent;
      if (failure !== undefined) throw failure.cause;
    },
  };
}

function sendsStreams(): boolean {
  return typeof process === 'object' && process.versions?.node !== undefined;
}

function refused({ purpose, method }: ServerRequest, url: string, { status, statusText }: Response): Error {
  const answer = `the server answered ${status}${statusText === '' ? '' : ` ${statusText}`}`;
  if (status === 404 || status === 410) return new NotFoundError(`Cannot ${purpose}: ${answer}`, url);
  const advice = status === 405 || status === 501 ? `; it does not take ${method} requests` : '';
  return new NetworkError(`Cannot ${purpose}: ${answer}, expected success${advice}`, url, status);
}

function notConnected({ purpose }: ServerRequest, url: string, cause: unknown, tries: number): NetworkError {
  const reason = cause instanceof Error ? `: ${reasonOf(cause)}` : '';
  const count = tries === 1 ? '' : `, after ${tries} tries`;
  return new NetworkError(`Cannot ${purpose}: the connection failed${reason}${count}`, url, undefined, cause);
}
