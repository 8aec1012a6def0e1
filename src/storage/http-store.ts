import type { WritableFile } from '../binary/byte-sink.ts';
import { NetworkError } from '../errors.ts';
import { blobOf } from './blob-of.ts';
import { openUrl } from './http-file.ts';
import { HttpSession } from './http-session.ts';
import { fileBody, type ServerRequest, sendRequest, type UploadOptions } from './http-upload.ts';
import { joinShards } from './join-shards.ts';
import { baseNameOf, type FileInfo, joinKey, type Store } from './store.ts';

export interface HttpStoreOptions extends UploadOptions {
  /**
   * How files are sent: `put`, one request for each to its own address; `multipart`, the files of a model in one `POST` to
   * the address of the store, as TensorFlow.js does. `put` unless given.
   */
  readonly upload?: 'put' | 'multipart';
  /** Gives the keys below a folder, for servers that can tell; HTTP itself has no way to ask. */
  readonly list?: (folder: string) => Promise<string[]>;
}

export interface PresignedStoreOptions extends UploadOptions {
  /** Signs a request for a key: gives an address that whoever has it may use once or for a while. */
  readonly sign: (method: 'GET' | 'PUT' | 'DELETE', key: string) => Promise<string | URL> | string | URL;
  /** Gives the keys below a folder. */
  readonly list?: (folder: string) => Promise<string[]>;
  /** For messages. */
  readonly name?: string;
}

/**
 * The files below a web address: read in ranges, written with `PUT`, removed with `DELETE`.
 *
 * A server puts a file in place when all of it has arrived; a request that fails is repeated where that may help.
 */
export function httpStore(address: string | URL, options: HttpStoreOptions = {}): Store {
  const base = String(address).replace(/[?#].*$/s, '');
  const query = /\?[^#]*/s.exec(String(address))?.[0] ?? '';
  const urlOf = (key: string): string => {
    const path = key.split('/').map(encodeURIComponent).join('/');
    return (key === '' ? base : joinKey(base, path)) + query;
  };
  const store = urlStore({ ...options, name: base, urlFor: (_, key) => urlOf(key) });
  const placed: Store = { ...store, placeOf: async (key) => new URL(urlOf(key), globalThis.location?.href).href };
  if (options.upload !== 'multipart') return placed;
  const writeAll = async (files: ReadonlyMap<string, WritableFile>): Promise<void> => {
    const form = await formOf(files);
    const purpose = `send a model to "${urlOf('')}"`;
    const body = async (): Promise<{ init: RequestInit }> => ({ init: { body: form } });
    // The server may have taken a model before the connection broke.
    const method = options.requestInit?.method ?? 'POST';
    await sendRequest({ method, url: () => urlOf(''), purpose, body, isRepeatable: false }, options);
  };
  return { ...placed, write: async (key, file) => await writeAll(new Map([[key, file]])), writeAll };
}

/**
 * Files behind addresses that are signed one by one, as services with the interface of Amazon S3 give them: whoever runs
 * this needs no credentials but those addresses.
 */
export function presignedStore(options: PresignedStoreOptions): Store {
  const { sign, name = 'the signed store' } = options;
  const urlFor: UrlStoreOptions['urlFor'] = async (method, key) => String(await sign(method, key));
  return {
    ...urlStore({ ...options, name, urlFor }),
    // Signatures are in the query, and no two are the same.
    placeOf: async (key) => (await urlFor('GET', key)).replace(/[?#].*$/s, ''),
  };
}

interface UrlStoreOptions extends UploadOptions {
  readonly name: string;
  readonly urlFor: (method: 'GET' | 'PUT' | 'DELETE', key: string) => Promise<string> | string;
  readonly list?: (folder: string) => Promise<string[]>;
}

function urlStore({ name, urlFor, list, ...options }: UrlStoreOptions): Store {
  const send = async (request: ServerRequest): Promise<void> => {
    const response = await sendRequest(request, options);
    await response.body?.cancel();
  };
  const open: Store['open'] = async (key, openOptions = {}) => {
    const session = new HttpSession({ ...options, ...openOptions });
    return await openUrl(session, await urlFor('GET', key));
  };
  return {
    name,
    open,
    write: async (key, file) => {
      await send({
        method: 'PUT',
        url: () => urlFor('PUT', key),
        purpose: `write "${key}" to ${name}`,
        body: async () => await fileBody(file, typeOf(key)),
      });
    },
    remove: async (key) => {
      const purpose = `remove "${key}" from ${name}`;
      await send({ method: 'DELETE', url: () => urlFor('DELETE', key), purpose, alsoAccepts: [404, 410] });
    },
    info: async (key): Promise<FileInfo> => {
      const headers: Headers[] = [];
      const fetch = options.fetch ?? globalThis.fetch;
      // The beginning of the file tells its size, and no other permission is needed than that to read it.
      const enough = new AbortController();
      const session = new HttpSession({
        ...options,
        signal: enough.signal,
        fetch: async (...request) => {
          const response = await fetch(...request);
          headers.push(response.headers);
          return response;
        },
      });
      const { byteLength } = await openUrl(session, await urlFor('GET', key));
      // A server without ranges has begun to send all of it.
      enough.abort();
      const modified = headers.at(-1)?.get('last-modified');
      return { byteLength, ...(modified ? { modifiedAt: new Date(modified) } : {}) };
    },
    ...(list === undefined ? {} : { list: async (folder = '') => await list(folder) }),
  };
}

/** Some servers look at the type; for a model's JSON there is one. */
function typeOf(key: string): string {
  return key.endsWith('.json') ? 'application/json' : 'application/octet-stream';
}

/** The form that TensorFlow.js sends: `model.json`, and `model.weights.bin` with all the weights. */
async function formOf(files: ReadonlyMap<string, WritableFile>): Promise<FormData> {
  const form = new FormData();
  const [key, main] = [...files].at(-1) ?? [];
  if (key === undefined || main === undefined) throw new NetworkError('Cannot send a model: found no file', '');
  const isAlone = files.size === 1 && !/(?:^|\/)[^.]*$|\.json$/.test(key);
  if (isAlone) {
    form.append(baseNameOf(key), await blobOf(main), baseNameOf(key));
    return form;
  }
  const { fields, weightSpecs, weights } = await joinShards(key, files);
  const weightsManifest = [{ paths: ['./model.weights.bin'], weights: weightSpecs }];
  const json = new Blob([JSON.stringify({ ...fields, weightsManifest })], { type: 'application/json' });
  form.append('model.json', json, 'model.json');
  form.append('model.weights.bin', await blobOf(weights), 'model.weights.bin');
  return form;
}
