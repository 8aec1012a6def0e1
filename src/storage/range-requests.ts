import {
  badRange,
  checkVersion,
  contentRangeOf,
  type FileVersion,
  ifRange,
  isEncoded,
  tooLong,
} from './http-answer.ts';
import type { HttpSession } from './http-session.ts';

/** Pieces farther apart are asked for separately. */
const MAX_GAP_BYTES = 32 << 10;

/**
 * Bytes of a file that may be fetched without being asked for, because they lie between pieces that are: a constant, and
 * a share of what was asked for. Small weights of HDF5 files are some 2 KB apart, and a request each would cost more;
 * where only a part of a file is wanted, bytes are counted more closely.
 */
interface GapAllowance {
  readonly byteCount: number;
  readonly share: number;
}
const GENEROUS: GapAllowance = { byteCount: 64 << 10, share: 0.03 };
const FRUGAL: GapAllowance = { byteCount: 2 << 10, share: 0.001 };

/** Longer requests are not made longer still, so that several connections share the work. */
const MAX_RUN_BYTES = 16 << 20;

interface Piece {
  readonly start: number;
  readonly end: number;
  readonly target: Uint8Array;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Reads ranges of a file behind a URL. Pieces that are asked for in one turn of the event loop are put together when they
 * are neighbours, and their bytes go straight to their places.
 */
export class RangeRequests {
  readonly #session: HttpSession;
  readonly #url: string;
  readonly #version: FileVersion;
  readonly #allowance: GapAllowance;
  #waiting: Piece[] = [];
  #askedBytes = 0;
  #gapBytes = 0;

  constructor(session: HttpSession, url: string, version: FileVersion, frugal: boolean) {
    this.#allowance = frugal ? FRUGAL : GENEROUS;
    this.#session = session;
    this.#url = url;
    this.#version = version;
  }

  async read(start: number, target: Uint8Array): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      if (this.#waiting.length === 0) setTimeout(() => this.#flush(), 0);
      this.#waiting.push({ start, end: start + target.byteLength, target, resolve, reject });
    });
  }

  #flush(): void {
    const pieces = this.#waiting.sort((a, b) => a.start - b.start);
    this.#waiting = [];
    for (const piece of pieces) this.#askedBytes += piece.end - piece.start;
    for (const run of this.#joinNeighbours(pieces)) {
      this.#fetch(run).then(
        () => {
          for (const piece of run) piece.resolve();
        },
        (error: unknown) => {
          for (const piece of run) piece.reject(error);
        },
      );
    }
  }

  /** Closes the smallest gaps first, as long as the allowance lasts. */
  #joinNeighbours(pieces: readonly Piece[]): Piece[][] {
    const gaps: { readonly before: number; readonly byteCount: number }[] = [];
    let reached = 0;
    for (const [index, piece] of pieces.entries()) {
      if (index > 0) gaps.push({ before: index, byteCount: Math.max(0, piece.start - reached) });
      reached = Math.max(reached, piece.end);
    }
    const joined = new Set<number>();
    for (const { before, byteCount } of gaps.sort((a, b) => a.byteCount - b.byteCount)) {
      const allowance = this.#allowance.byteCount + this.#allowance.share * this.#askedBytes - this.#gapBytes;
      if (byteCount > Math.min(MAX_GAP_BYTES, allowance)) break;
      this.#gapBytes += byteCount;
      joined.add(before);
    }
    const runs: Piece[][] = [];
    for (const [index, piece] of pieces.entries()) {
      const run = runs.at(-1);
      const isLong = run !== undefined && piece.end - (run[0] as Piece).start > MAX_RUN_BYTES;
      if (run !== undefined && joined.has(index) && !isLong) run.push(piece);
      else runs.push([piece]);
    }
    return runs;
  }

  async #fetch(run: readonly Piece[]): Promise<void> {
    const url = this.#url;
    const version = this.#version;
    const end = run.reduce((last, piece) => Math.max(last, piece.end), 0);
    let position = (run[0] as Piece).start;
    /** The first piece that is not complete. */
    let current = 0;
    const take = (chunk: Uint8Array): void => {
      const chunkEnd = position + chunk.byteLength;
      if (chunkEnd > end) throw tooLong(url, end);
      let delivered = 0;
      for (let index = current; index < run.length; index++) {
        const piece = run[index] as Piece;
        if (piece.start >= chunkEnd) break;
        const from = Math.max(piece.start, position);
        const to = Math.min(piece.end, chunkEnd);
        if (from < to) {
          piece.target.set(chunk.subarray(from - position, to - position), from - piece.start);
          delivered += to - from;
        }
      }
      position = chunkEnd;
      while (current < run.length && (run[current] as Piece).end <= position) current++;
      this.#session.options.onBytes?.(url, delivered);
    };
    await this.#session.transfer({
      url,
      headers: () => ({ range: `bytes=${position}-${end - 1}`, ...ifRange(url, version) }),
      isComplete: () => position === end,
      begin: (response) => {
        const range = contentRangeOf(response);
        checkVersion(url, version, response, range);
        const isAsked = response.status === 206 && range?.start === position && range.end === end;
        if (!isAsked || isEncoded(response)) throw badRange(url, response, position, end);
        return take;
      },
    });
  }
}
