/** What the headers of an answer say of the file behind it. */

import { FormatError, NetworkError } from '../errors.ts';

/** What tells that a file is still the same one. */
export interface FileVersion {
  readonly byteLength: number;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

/** `Content-Range: bytes first-last/total`. */
export interface ContentRange {
  readonly start: number;
  readonly end: number;
  readonly byteLength: number;
}

/** The range that an answer says it holds; `undefined` where it does not say, or a page may not see it. */
export function contentRangeOf(response: Response): ContentRange | undefined {
  const header = response.headers.get('content-range') ?? '';
  const empty = /^bytes \*\/(\d+)$/.exec(header);
  if (empty !== null) return { start: 0, end: 0, byteLength: Number(empty[1]) };
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(header);
  if (match === null) return undefined;
  const [start, last, byteLength] = match.slice(1).map(Number) as [number, number, number];
  const range = { start, end: last + 1, byteLength };
  return start <= last && last < byteLength && Number.isSafeInteger(byteLength) ? range : undefined;
}

/** Whether the body arrives compressed, so that its length and ranges are not those of the file. */
export function isEncoded(response: Response): boolean {
  const encoding = response.headers.get('content-encoding');
  return encoding !== null && encoding !== '' && encoding !== 'identity';
}

export function versionOf(response: Response, byteLength: number): FileVersion {
  return {
    byteLength,
    etag: response.headers.get('etag') ?? undefined,
    lastModified: response.headers.get('last-modified') ?? undefined,
  };
}

/** @throws {NetworkError} when an answer is of another version of the file than the first one was. */
export function checkVersion(
  url: string,
  version: FileVersion,
  response: Response,
  range: { readonly byteLength: number } | undefined,
): void {
  const { etag, lastModified } = versionOf(response, 0);
  const isSame =
    (range === undefined || range.byteLength === version.byteLength) &&
    (etag === undefined || version.etag === undefined || etag === version.etag) &&
    (lastModified === undefined || version.lastModified === undefined || lastModified === version.lastModified);
  if (isSame) return;
  throw new NetworkError(
    `Cannot read "${url}": the file changed on the server while it was read; load it again`,
    url,
    response.status,
  );
}

export function badRange(url: string, response: Response, start: number, end: number): NetworkError {
  const found = response.headers.get('content-range') ?? 'none';
  return new NetworkError(
    `Cannot read "${url}": asked for bytes ${start} to ${end - 1}, the server answered with the range "${found}"`,
    url,
    response.status,
  );
}

export function tooLong(url: string, byteLength: number): FormatError {
  return new FormatError(`Cannot read "${url}": the server sent more than the ${byteLength} bytes that it announced`, {
    file: url,
    offset: byteLength,
  });
}

/** Whether a page asks another server than its own. */
export function isForeign(url: string): boolean {
  return globalThis.location !== undefined && new URL(url).origin !== globalThis.location.origin;
}

/** Asks for the range only of the version that is known; servers that have another one answer with all of it. */
export function ifRange(url: string, version: FileVersion | undefined): Record<string, string> {
  const isStrong = version?.etag !== undefined && !version.etag.startsWith('W/');
  const validator = isStrong ? version?.etag : version?.lastModified;
  // To another server the header would need a permission of its own, which few give.
  return isForeign(url) || validator === undefined ? {} : { 'if-range': validator };
}
