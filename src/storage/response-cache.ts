/**
 * Downloads that stay: the browser's Cache API keeps whole files by address, validated at every load, used as they are
 * when the server cannot be reached.
 */
import { blobFile, type RangedFile } from '../binary/ranged-file.ts';
import { NetworkError, NotFoundError, UnsupportedError } from '../errors.ts';
import { absoluteUrl, openUrl } from './http-file.ts';
import type { HttpSession } from './http-session.ts';
import { isQuotaFailure } from './quota.ts';
import { reportingFile } from './reporting-file.ts';

const DEFAULT_NAME = 'hornet';

/** Which model a file was loaded with: what is kept of one model is of one version. */
const GROUP_HEADER = 'x-hornet-model';

/** What tells that a file is the same one, where both sides know it. */
const VERSION_HEADERS = ['etag', 'last-modified'] as const;
const ALL_HEADERS = [...VERSION_HEADERS, 'content-length'] as const;

/** Downloads into the cache begin anew when the connection breaks; after so many the usual way is taken. */
const ATTEMPTS = 2;

/** Opens files of one model through a cache. */
export class ResponseCache {
  readonly #name: string;
  readonly #session: HttpSession;
  #cache: Promise<Cache> | undefined;
  /** The first file that is opened names the model. */
  #group: string | undefined;
  /** Files that are known to be the server's in this load. */
  readonly #validated = new Set<string>();
  /** Whether something has changed on the server, so that what is kept of other files may not be of the same model. */
  #hasChanged = false;

  /**
   * @param name A cache of its own, or `true` for Hornet's.
   * @throws {UnsupportedError} where there is no Cache API: in Node, and in pages without `https:`.
   */
  constructor(name: string | true, session: HttpSession) {
    if (globalThis.caches === undefined) {
      const advice = 'this host has no Cache API (pages have it with https: alone); leave the option out';
      throw new UnsupportedError(`Cannot cache downloads: ${advice}`, 'Cache API');
    }
    this.#name = name === true ? DEFAULT_NAME : name;
    this.#session = session;
  }

  /**
   * Opens what is at a URL: as it is kept if it is still what the server has, or if the server cannot be reached.
   *
   * @throws {NotFoundError} for status 404 or 410, also when the file is kept: it is then removed.
   * @throws {NetworkError} when the server fails and nothing is kept.
   */
  async open(address: string): Promise<RangedFile> {
    const url = absoluteUrl(address);
    this.#group ??= url;
    this.#cache ??= globalThis.caches.open(this.#name);
    const cache = await this.#cache;
    const kept = await cache.match(url);
    if (kept !== undefined && (await this.#isCurrent(cache, url, kept))) {
      this.#validated.add(url);
      return reportingFile(blobFile(await kept.blob(), url), this.#session.options);
    }
    if (kept !== undefined) await this.#forgetOthers(cache);
    return await this.#download(cache, url);
  }

  async #isCurrent(cache: Cache, url: string, kept: Response): Promise<boolean> {
    const { fetch = globalThis.fetch, requestInit = {}, signal } = this.#session.options;
    let answer: Response;
    try {
      answer = await fetch(url, { ...requestInit, method: 'HEAD', cache: 'no-cache', ...(signal ? { signal } : {}) });
    } catch (cause) {
      signal?.throwIfAborted();
      if (!this.#hasChanged) return true;
      const problem = 'the connection failed, and what is kept may belong to an older model';
      throw new NetworkError(`Cannot read "${url}": ${problem}`, url, undefined, cause);
    }
    if (answer.status === 404 || answer.status === 410) {
      await cache.delete(url);
      throw new NotFoundError(`Cannot read "${url}": the server answered ${answer.status}`, url);
    }
    // A server in trouble is one that cannot be reached; one that does not know HEAD has to send the file again.
    if (answer.status >= 500 && answer.status !== 501 && !this.#hasChanged) return true;
    if (!answer.ok) return false;
    const isSame = (name: string): boolean => kept.headers.get(name) === answer.headers.get(name);
    const isTold = (name: string): boolean => kept.headers.has(name) && answer.headers.has(name);
    // Two versions of a model often have the same length, which can tell that they differ, and not that they are one.
    return VERSION_HEADERS.some(isTold) && ALL_HEADERS.every((name) => !isTold(name) || isSame(name));
  }

  /** What is kept of the same model and has not been found current belongs to its older version. */
  async #forgetOthers(cache: Cache): Promise<void> {
    this.#hasChanged = true;
    for (const request of await cache.keys()) {
      const response = await cache.match(request);
      const isOfModel = response?.headers.get(GROUP_HEADER) === this.#group;
      if (isOfModel && !this.#validated.has(request.url)) await cache.delete(request);
    }
  }

  /** Downloads a file into the cache, or, when that cannot take it, into memory as without one. */
  async #download(cache: Cache, url: string): Promise<RangedFile> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      try {
        await this.#store(cache, url);
        const stored = await cache.match(url);
        if (stored === undefined) break;
        this.#validated.add(url);
        return blobFile(await stored.blob(), url);
      } catch (cause) {
        this.#session.options.signal?.throwIfAborted();
        if (isQuotaFailure(cause)) break;
      }
    }
    // This one tries longer, and says what is wrong.
    return await openUrl(this.#session, url, { wholeBelow: Number.POSITIVE_INFINITY });
  }

  /** Puts an answer into the cache while it comes; the cache has it when all of it has come, and not before. */
  async #store(cache: Cache, url: string): Promise<void> {
    const { fetch = globalThis.fetch, requestInit = {}, signal, onBytes } = this.#session.options;
    const answer = await fetch(url, { ...requestInit, ...(signal ? { signal } : {}) });
    if (answer.status !== 200 || answer.body === null) {
      await answer.body?.cancel();
      throw new NetworkError(`Cannot read "${url}": the server answered ${answer.status}`, url, answer.status);
    }
    const headers = new Headers({ [GROUP_HEADER]: this.#group ?? url });
    for (const name of ALL_HEADERS) {
      const value = answer.headers.get(name);
      if (value !== null) headers.set(name, value);
    }
    const counted = new TransformStream<Uint8Array, Uint8Array>({
      transform: (bytes, controller) => {
        onBytes?.(url, bytes.byteLength);
        controller.enqueue(bytes);
      },
    });
    await cache.put(url, new Response(answer.body.pipeThrough(counted), { headers }));
  }
}
