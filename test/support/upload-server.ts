/** A web server that takes files: `PUT`, `DELETE`, forms; a file is in place when all of it has arrived. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface UploadRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
}

export interface UploadServerOptions {
  /** Answers in place of the server; true when it did. */
  readonly intercept?: (request: IncomingMessage, response: ServerResponse, number: number) => boolean;
}

export interface UploadServer extends AsyncDisposable {
  readonly url: string;
  readonly files: Map<string, Uint8Array>;
  readonly log: readonly UploadRequest[];
  /** Forms by the path that they were sent to. */
  readonly forms: Map<string, FormData>;
}

export async function startUploadServer(options: UploadServerOptions = {}): Promise<UploadServer> {
  const files = new Map<string, Uint8Array>();
  const forms = new Map<string, FormData>();
  const log: UploadRequest[] = [];
  const server = createServer((request, response) => {
    const { method = '', headers } = request;
    const path = decodeURIComponent((request.url ?? '/').slice(1).replace(/\?.*/s, ''));
    log.push({ method, path: request.url ?? '', headers });
    if (options.intercept?.(request, response, log.length) === true) return;
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', async () => {
      const body = Buffer.concat(pieces);
      if (method === 'PUT') {
        if (headers['content-length'] === undefined) return response.writeHead(411).end();
        files.set(path, new Uint8Array(body));
        return response.writeHead(201).end();
      }
      if (method === 'POST') {
        const type = headers['content-type'] ?? '';
        forms.set(path, await new Response(body, { headers: { 'content-type': type } }).formData());
        return response.writeHead(200).end('{}');
      }
      if (method === 'DELETE') return response.writeHead(files.delete(path) ? 204 : 404).end();
      const file = files.get(path);
      if (file === undefined) return response.writeHead(404).end();
      const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? [];
      const start = Number(first ?? 0);
      const end = Math.min(file.byteLength, last === undefined || last === '' ? file.byteLength : Number(last) + 1);
      if (first !== undefined && start >= file.byteLength) {
        return response.writeHead(416, { 'content-range': `bytes */${file.byteLength}` }).end();
      }
      const part = file.subarray(start, end);
      const range = first === undefined ? {} : { 'content-range': `bytes ${start}-${end - 1}/${file.byteLength}` };
      response.writeHead(first === undefined ? 200 : 206, { ...range, 'content-length': part.byteLength });
      return response.end(part);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    files,
    log,
    forms,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
