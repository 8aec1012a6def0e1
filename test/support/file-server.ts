/** A web server for tests: serves files from memory, keeps a log, and fails where it is told to. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface LoggedRequest {
  readonly path: string;
  readonly range: string | undefined;
  /** Bytes of the body that were given to the socket. */
  readonly sentBytes: number;
}

/** Answers in place of the server; true when it did. */
export type Intercept = (request: IncomingMessage, response: ServerResponse, attempt: number) => boolean;

export interface FileServerOptions {
  /** Whether ranges are served, true unless given. */
  readonly ranges?: boolean;
  readonly intercept?: Intercept;
  /** Value of the header `ETag`, by path. */
  readonly etag?: (path: string) => string;
}

export interface FileServer extends AsyncDisposable {
  readonly url: string;
  readonly log: readonly LoggedRequest[];
  readonly files: Map<string, Uint8Array>;
  sentBytes(): number;
}

export async function startFileServer(
  files: Readonly<Record<string, Uint8Array | string>>,
  options: FileServerOptions = {},
): Promise<FileServer> {
  const stored = new Map(
    Object.entries(files).map(([name, content]) => [
      name,
      typeof content === 'string' ? new TextEncoder().encode(content) : content,
    ]),
  );
  const log: LoggedRequest[] = [];
  const attempts = new Map<string, number>();
  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? '/').slice(1).replace(/\?.*/, ''));
    const attempt = (attempts.get(path) ?? 0) + 1;
    attempts.set(path, attempt);
    const { range } = request.headers;
    const record = (sentBytes: number): void => {
      log.push({ path: request.url ?? '', range, sentBytes });
    };
    if (options.intercept?.(request, response, attempt) === true) return record(0);
    const content = stored.get(path);
    if (content === undefined) {
      response.writeHead(404, { 'content-type': 'text/html' }).end('<!doctype html><title>Not found</title>');
      return record(0);
    }
    const headers = options.etag === undefined ? {} : { etag: options.etag(path) };
    const match = options.ranges === false ? null : /^bytes=(\d+)-(\d*)$/.exec(range ?? '');
    if (match === null) {
      response.writeHead(200, { ...headers, 'content-length': content.byteLength }).end(content);
      return record(content.byteLength);
    }
    const start = Number(match[1]);
    const end = Math.min(content.byteLength, match[2] === '' ? content.byteLength : Number(match[2]) + 1);
    if (start >= content.byteLength) {
      response.writeHead(416, { 'content-range': `bytes */${content.byteLength}` }).end();
      return record(0);
    }
    const part = content.subarray(start, end);
    response
      .writeHead(206, {
        ...headers,
        'content-length': part.byteLength,
        'content-range': `bytes ${start}-${end - 1}/${content.byteLength}`,
      })
      .end(part);
    record(part.byteLength);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    log,
    files: stored,
    sentBytes: () => log.reduce((sum, request) => sum + request.sentBytes, 0),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Sends the head of an answer and some of its bytes, then cuts the connection. */
export function cutAfter(response: ServerResponse, headers: Record<string, string | number>, bytes: Uint8Array): void {
  const status = 'content-range' in headers ? 206 : 200;
  response.writeHead(status, headers);
  response.write(bytes, () => response.destroy());
}
