import { FormatError } from '../errors.ts';
import { breathe } from '../pause.ts';
import {
  badRange,
  checkVersion,
  contentRangeOf,
  type FileVersion,
  ifRange,
  isEncoded,
  tooLong,
  versionOf,
} from './http-answer.ts';
import type { HttpSession } from './http-session.ts';

/** A server that does not say how long its answer is may go on for ever: the largest model of which files are loaded. */
const MAX_UNANNOUNCED_BYTES = 2 ** 31;

/**
 * A file whose server sends it only as a whole. What has arrived is kept, in the pieces in which it came, and can be
 * read before the rest is there.
 */
export class WholeDownload {
  /** Settles when the size is known: at once where it is announced, else at the end. */
  readonly ready: Promise<void>;
  readonly #session: HttpSession;
  readonly #url: string;
  readonly #chunks: Uint8Array[] = [];
  readonly #chunkStarts: number[] = [];
  readonly #waiting = new Set<{ readonly end: number; resolve(): void; reject(error: unknown): void }>();
  #received = 0;
  /** Bytes that are sent once more after a break, and were had before. */
  #skip = 0;
  #announced: number | undefined;
  #version: FileVersion | undefined;
  #isFinished = false;
  #error: unknown;
  #settle: { resolve(): void; reject(error: unknown): void } = { resolve: () => {}, reject: () => {} };

  constructor(session: HttpSession, url: string) {
    this.#session = session;
    this.#url = url;
    this.ready = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // Whoever waits hears of it; nobody may be waiting yet.
    this.ready.catch(() => {});
  }

  /** Known once `ready`. */
  get byteLength(): number {
    return this.#announced ?? this.#received;
  }

  /** Begins with a request of its own. */
  async start(): Promise<void> {
    this.#run();
    await this.ready;
  }

  /** Begins behind bytes of the file that are there already. */
  continueAfter(head: Uint8Array, version: FileVersion): void {
    this.#version = version;
    this.#announce(version.byteLength);
    this.#take(head);
    this.#run();
  }

  #run(): void {
    this.#session
      .transfer({
        url: this.#url,
        headers: () => this.headers(),
        begin: (response) => this.begin(response),
        end: () => this.end(),
        isComplete: () => this.isComplete(),
      })
      .then(
        () => this.finish(),
        (error: unknown) => this.fail(error),
      );
  }

  #announce(byteLength: number): void {
    this.#announced = byteLength;
    this.#session.options.onWhole?.(this.#url, byteLength);
    this.#settle.resolve();
  }

  headers(): Record<string, string> {
    if (this.#received === 0) return {};
    return { range: `bytes=${this.#received}-`, ...ifRange(this.#url, this.#version) };
  }

  isComplete(): boolean {
    return this.#announced === undefined ? this.#isFinished : this.#received === this.#announced;
  }

  begin(response: Response): (chunk: Uint8Array) => void {
    const header = response.headers.get('content-length');
    const bodyLength = header === null || header === '' || isEncoded(response) ? undefined : Number(header);
    const range = response.status === 206 ? contentRangeOf(response) : undefined;
    if (this.#version === undefined) {
      if (bodyLength !== undefined && Number.isSafeInteger(bodyLength) && bodyLength >= 0) {
        this.#announce(bodyLength);
      }
      this.#version = versionOf(response, this.#announced ?? 0);
    } else {
      const byteLength = range?.byteLength ?? bodyLength;
      const known = this.#announced === undefined || byteLength === undefined ? undefined : { byteLength };
      checkVersion(this.#url, this.#version, response, known);
    }
    // A server that does not resume sends what is there already once more.
    this.#skip = response.status === 206 ? 0 : this.#received;
    if (response.status === 206 && range?.start !== this.#received) {
      throw badRange(this.#url, response, this.#received, this.byteLength);
    }
    return (chunk) => this.#take(chunk);
  }

  /** Without an announced length, the end of an answer is the end of the file. */
  end(): void {
    this.#isFinished = true;
  }

  /** Lets go of those who wait: everything is there. */
  finish(): void {
    this.#settle.resolve();
    for (const waiter of this.#waiting) waiter.resolve();
    this.#waiting.clear();
  }

  fail(error: unknown): void {
    this.#error = error;
    this.#settle.reject(error);
    for (const waiter of this.#waiting) waiter.reject(error);
    this.#waiting.clear();
  }

  async readInto(start: number, target: Uint8Array): Promise<void> {
    const end = start + target.byteLength;
    if (this.#received < end) {
      if (this.#error !== undefined) throw this.#error;
      await new Promise<void>((resolve, reject) => this.#waiting.add({ end, resolve, reject }));
    }
    await breathe();
    let index = this.#chunkAt(start);
    for (let position = start; position < end; index++) {
      const chunk = this.#chunks[index];
      if (chunk === undefined)
        throw new FormatError(`Cannot read "${this.#url}": it ended too early`, { file: this.#url });
      const from = position - (this.#chunkStarts[index] as number);
      const piece = chunk.subarray(from, from + end - position);
      target.set(piece, position - start);
      position += piece.byteLength;
    }
  }

  #take(chunk: Uint8Array): void {
    const skipped = Math.min(this.#skip, chunk.byteLength);
    this.#skip -= skipped;
    const fresh = chunk.subarray(skipped);
    if (fresh.byteLength === 0) return;
    const limit = this.#announced ?? MAX_UNANNOUNCED_BYTES;
    if (this.#received + fresh.byteLength > limit) throw tooLong(this.#url, limit);
    this.#chunks.push(fresh);
    this.#chunkStarts.push(this.#received);
    this.#received += fresh.byteLength;
    this.#session.options.onBytes?.(this.#url, fresh.byteLength);
    for (const waiter of this.#waiting) {
      if (waiter.end > this.#received) continue;
      this.#waiting.delete(waiter);
      waiter.resolve();
    }
  }

  /** The chunk in which a byte lies, by halving. */
  #chunkAt(position: number): number {
    let low = 0;
    let high = this.#chunkStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#chunkStarts[middle] as number) <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
