/** A server for pages: folders of the disk, each page once cross-origin isolated and once not. */
import { createReadStream, statSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { text } from 'node:stream/consumers';

/** What a page may be: with memory that its workers share, or without. */
export type PageKind = 'isolated' | 'plain';

export const PAGE_KINDS: readonly PageKind[] = ['plain', 'isolated'];

const ISOLATION = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

export interface PageServer {
  /** What the next page posts; pages post below the folder `report`. */
  nextReport(): Promise<string>;
  /** Of a file: `url('isolated')/MOUNT/PATH`. */
  url(kind: PageKind): string;
  close(): void;
}

/** Serves each folder below its name. */
export async function startPageServer(mounts: Readonly<Record<string, string>>): Promise<PageServer> {
  let next = Promise.withResolvers<string>();
  const server = createServer((request, response) => {
    const { url = '/', headers } = request;
    const { pathname } = new URL(url, 'http://localhost');
    const [, kind = '', mount = '', ...rest] = normalize(decodeURIComponent(pathname)).split('/');
    const folder = mounts[mount];
    if (kind === 'isolated') for (const [name, value] of Object.entries(ISOLATION)) response.setHeader(name, value);
    if (mount === 'report') {
      void text(request).then((body) => next.resolve(body));
      response.end();
    } else if (folder === undefined) response.writeHead(404).end();
    else sendFile(response, join(folder, ...rest), headers.range);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    nextReport: () => {
      next = Promise.withResolvers();
      return next.promise;
    },
    url: (kind) => `http://127.0.0.1:${port}/${kind}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function sendFile(response: ServerResponse, path: string, range: string | undefined): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) {
    response.writeHead(404).end();
    return;
  }
  response.setHeader('content-type', TYPES[extname(path)] ?? 'application/octet-stream');
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
  const start = Number(first ?? 0);
  const end = Math.min(size, last ? Number(last) + 1 : size);
  response.setHeader('content-length', end - start);
  if (first !== undefined) response.setHeader('content-range', `bytes ${start}-${end - 1}/${size}`);
  response.writeHead(first === undefined ? 200 : 206);
  createReadStream(path, { start, end: end - 1 }).pipe(response);
}
