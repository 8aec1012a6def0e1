/**
 * The conditions a caller may handle. Wrong arguments throw the built-in `TypeError` and `RangeError`.
 *
 * Messages say what failed, a colon, what was found, then what would be right or what to do.
 */

export interface FormatErrorDetails {
  /** Path, URL or name of the file. */
  readonly file?: string;
  /** Byte offset in the file at which reading failed. */
  readonly offset?: number;
  readonly cause?: unknown;
}

/** Thrown when bytes are not what their format promises: damaged, truncated, or of another format. */
export class FormatError extends Error {
  override readonly name: string = 'FormatError';
  readonly file: string | undefined;
  readonly offset: number | undefined;

  constructor(message: string, details: FormatErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.file = details.file;
    this.offset = details.offset;
  }
}

/** Thrown when a file or a model is sound but uses something that Hornet does not have. */
export class UnsupportedError extends Error {
  override readonly name: string = 'UnsupportedError';
  /** What is not supported, for example `filter 32015 (zstd)`. */
  readonly feature: string;

  constructor(message: string, feature: string) {
    super(message);
    this.feature = feature;
  }
}

/** Thrown when nothing is stored under a path, URL or key. */
export class NotFoundError extends Error {
  override readonly name: string = 'NotFoundError';
  readonly key: string;

  constructor(message: string, key: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.key = key;
  }
}

/** Thrown when a request fails for good: a status other than success, a cut connection after all retries. */
export class NetworkError extends Error {
  override readonly name: string = 'NetworkError';
  readonly url: string;
  /** The HTTP status, or `undefined` when no answer came. */
  readonly status: number | undefined;

  constructor(message: string, url: string, status?: number, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.url = url;
    this.status = status;
  }
}

/** Thrown when a store has no room for what is to be saved. What was there before is unchanged. */
export class QuotaError extends Error {
  override readonly name: string = 'QuotaError';
  /** Where there is no room. */
  readonly store: string;
  readonly neededBytes: number;
  /** `undefined` where the host does not tell. */
  readonly freeBytes: number | undefined;

  constructor(store: string, neededBytes: number, freeBytes: number | undefined, cause?: unknown) {
    const free = freeBytes === undefined ? 'less' : `${freeBytes}`;
    super(
      `Cannot save to ${store}: ${neededBytes} bytes are needed, ${free} are free; what was there before is unchanged, ` +
        'remove other models or save elsewhere',
      cause === undefined ? undefined : { cause },
    );
    this.store = store;
    this.neededBytes = neededBytes;
    this.freeBytes = freeBytes;
  }
}

/** Thrown when shapes or dtypes do not fit an operation. */
export class ShapeError extends RangeError {
  override readonly name: string = 'ShapeError';
}

/** Thrown when a backend cannot compile or run a program. */
export class BackendError extends Error {
  override readonly name: string = 'BackendError';
  readonly backend: string;

  constructor(message: string, backend: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.backend = backend;
  }
}
