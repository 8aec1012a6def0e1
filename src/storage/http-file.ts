/**
 * A file behind a URL.
 *
 * The first request asks for its beginning. A server that serves ranges answers with that and the size, and from then
 * on is asked for what is read, neighbouring pieces together; another one answers with the whole file, which is kept.
 */

import { checkRange, type RangedFile } from '../binary/ranged-file.ts';
import { NetworkError, NotFoundError } from '../errors.ts';
import {
  badRange,
  checkVersion,
  contentRangeOf,
  type FileVersion,
  isEncoded,
  isForeign,
  tooLong,
  versionOf,
} from './http-answer.ts';
import type { HttpSession } from './http-session.ts';
import { RangeRequests } from './range-requests.ts';
import { WholeDownload } from './whole-download.ts';

/** Enough to recognise a format, to read the front of an HDF5 file, or to have a small file completely. */
const PROBE_BYTES = 8 << 10;

export interface UrlOptions {
  /** A file of less bytes is fetched as a whole at once, in one request, instead of in parts when they are read. */
  readonly wholeBelow?: number;
  /** Only a part of the file is wanted: bytes matter more than requests. */
  readonly frugal?: boolean;
}

/**
 * To what a cache widens small reads of a file of which only a part is wanted. HDF5's records take 40 to 300 bytes, and
 * most of the room that is reserved for them is empty: blocks of 512 bytes would transfer twice as much.
 */
const FRUGAL_BLOCK_BYTES = 128;

/**
 * Opens what is at a URL. A server that serves ranges is asked for those that are read; another one is asked once, for
 * all of it. In a page, the URL may be relative to it.
 *
 * @throws {NotFoundError} for status 404 or 410.
 * @throws {NetworkError} for any other that is no success, or when the connection fails for good.
 */
export async function openUrl(session: HttpSession, address: string, options: UrlOptions = {}): Promise<RangedFile> {
  const url = absoluteUrl(address);
  if (/^https?:/i.test(url)) {
    const probed = await probe(session, url, options).catch((error: unknown) => {
      // An old browser asks the other server whether ranges may be asked for, and few servers answer that.
      if (isForeign(url) && error instanceof NetworkError && error.status === undefined) return undefined;
      throw error;
    });
    if (probed !== undefined) return probed;
  }
  const whole = new WholeDownload(session, url);
  await whole.start();
  return fileOfDownload(whole, url);
}

/** Asks for the beginning; `undefined` when the answer tells neither size nor place. */
async function probe(session: HttpSession, url: string, options: UrlOptions): Promise<RangedFile | undefined> {
  let version: FileVersion | undefined;
  let head: Uint8Array | undefined;
  let received = 0;
  let whole: WholeDownload | undefined;
  let isUseless = false;
  const isProbed = (): boolean => isUseless || (head !== undefined && received === head.byteLength);
  // When the server sends the whole file, this request goes on in the background as its download.
  await new Promise<void>((resolve, reject) => {
    const transfer = {
      url,
      alsoAccepts: [416],
      headers: (): Record<string, string> =>
        whole === undefined ? { range: `bytes=${received}-${PROBE_BYTES - 1}` } : whole.headers(),
      isComplete: () => whole?.isComplete() ?? isProbed(),
      end: () => whole?.end(),
      begin: (response: Response): ((chunk: Uint8Array) => void) | undefined => {
        if (whole !== undefined) return whole.begin(response);
        if (response.status === 200) {
          whole = new WholeDownload(session, url);
          const take = whole.begin(response);
          whole.ready.then(resolve, reject);
          return take;
        }
        const range = contentRangeOf(response);
        if (response.status === 416) {
          if (range?.byteLength === 0) {
            version = versionOf(response, 0);
            head = new Uint8Array(0);
          } else {
            isUseless = true;
          }
          return undefined;
        }
        if (range === undefined || isEncoded(response)) {
          isUseless = true;
          return undefined;
        }
        const end = Math.min(PROBE_BYTES, range.byteLength);
        if (range.start !== received || range.end !== end) throw badRange(url, response, received, end);
        if (version !== undefined) checkVersion(url, version, response, range);
        version ??= versionOf(response, range.byteLength);
        head ??= new Uint8Array(end);
        const target = head;
        return (chunk) => {
          if (received + chunk.byteLength > target.byteLength) throw tooLong(url, target.byteLength);
          target.set(chunk, received);
          received += chunk.byteLength;
        };
      },
    };
    session.transfer(transfer).then(
      () => {
        whole?.finish();
        resolve();
      },
      (error: unknown) => {
        whole?.fail(error);
        reject(error);
      },
    );
  });
  if (whole !== undefined) return fileOfDownload(whole, url);
  if (isUseless || version === undefined || head === undefined) return undefined;
  if (head.byteLength < version.byteLength && version.byteLength < (options.wholeBelow ?? 0)) {
    const download = new WholeDownload(session, url);
    download.continueAfter(head, version);
    return fileOfDownload(download, url);
  }
  return rangedFile(session, url, version, head, options.frugal ?? false);
}

function rangedFile(
  session: HttpSession,
  url: string,
  version: FileVersion,
  head: Uint8Array,
  frugal: boolean,
): RangedFile {
  const { byteLength } = version;
  const requests = new RangeRequests(session, url, version, frugal);
  const { onBytes } = session.options;
  const readInto = async (start: number, target: Uint8Array): Promise<void> => {
    checkRange(url, byteLength, start, start + target.byteLength);
    const known = start < head.byteLength ? head.subarray(start, start + target.byteLength) : head.subarray(0, 0);
    target.set(known);
    // The beginning was fetched before anyone knew what for; it counts when it is used.
    if (known.byteLength > 0) onBytes?.(url, known.byteLength);
    if (known.byteLength < target.byteLength) {
      await requests.read(start + known.byteLength, target.subarray(known.byteLength));
    }
  };
  return {
    name: url,
    byteLength,
    ...(frugal ? { blockBytes: FRUGAL_BLOCK_BYTES } : {}),
    readInto,
    slice: async (start, end) => {
      checkRange(url, byteLength, start, end);
      if (end <= head.byteLength) return head.subarray(start, end);
      const bytes = new Uint8Array(end - start);
      await readInto(start, bytes);
      return bytes;
    },
  };
}

function fileOfDownload(download: WholeDownload, url: string): RangedFile {
  const byteLength = download.byteLength;
  const readInto = async (start: number, target: Uint8Array): Promise<void> => {
    checkRange(url, byteLength, start, start + target.byteLength);
    await download.readInto(start, target);
  };
  return {
    name: url,
    byteLength,
    readInto,
    slice: async (start, end) => {
      checkRange(url, byteLength, start, end);
      const bytes = new Uint8Array(end - start);
      await readInto(start, bytes);
      return bytes;
    },
  };
}

/** The address that a URL has in this page. */
export function absoluteUrl(url: string): string {
  const base = typeof document === 'object' ? document.baseURI : globalThis.location?.href;
  try {
    return new URL(url, base).href;
  } catch (cause) {
    throw new NotFoundError(
      `Cannot read "${url}": it is no URL, and there is no page that it could be relative to`,
      url,
      cause,
    );
  }
}
