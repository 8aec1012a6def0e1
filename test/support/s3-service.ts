/**
 * An S3-compatible service for tests: `s3rver`, behind a door that keeps what S3 promises and `s3rver` does not. A file is
 * in place when all of it has arrived, one after the other; signatures are checked; empty files have no ranges.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AwsV4Signer } from 'aws4fetch';
import S3rver from 's3rver';

/** The account that `s3rver` knows. */
export const CREDENTIALS = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER', service: 's3', region: 'us-east-1' };

export interface S3Service extends AsyncDisposable {
  /** The address of the bucket. */
  readonly url: string;
}

export async function startS3Service(bucket: string): Promise<S3Service> {
  const directory = mkdtempSync(join(tmpdir(), 's3-'));
  const service = new S3rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory,
    configureBuckets: [{ name: bucket, configs: [] }],
  });
  const { port } = (await service.run()) as AddressInfo;
  let last: Promise<void> = Promise.resolve();
  const empty = new Set<string>();
  const door = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    try {
      for await (const piece of request) pieces.push(piece as Buffer);
    } catch {
      return;
    }
    const body = Buffer.concat(pieces);
    const path = request.url?.replace(/\?.*/s, '') ?? '';
    if (!(await isSigned(request))) return response.writeHead(403).end('<Code>SignatureDoesNotMatch</Code>');
    if (request.method === 'PUT') empty[body.byteLength === 0 ? 'add' : 'delete'](path);
    if (request.headers.range !== undefined && empty.has(path)) return response.writeHead(416).end();
    last = last.then(async () => await passOn(port, request, body, response));
  });
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(door.address() as AddressInfo).port}/${bucket}`,
    [Symbol.asyncDispose]: async () => {
      door.closeAllConnections();
      await new Promise<void>((resolve) => door.close(() => resolve()));
      await service.close();
      rmSync(directory, { recursive: true });
    },
  };
}

/** Whether the signature in the query is the one for the rest of the request. */
async function isSigned({ url = '', method = '', headers }: IncomingMessage): Promise<boolean> {
  const address = new URL(url, `http://${headers.host}`);
  const { searchParams } = address;
  const [found, datetime] = [searchParams.get('X-Amz-Signature'), searchParams.get('X-Amz-Date')];
  for (const name of ['Signature', 'Date', 'Algorithm', 'Credential', 'SignedHeaders'])
    searchParams.delete(`X-Amz-${name}`);
  if (found === null || datetime === null) return false;
  const signer = new AwsV4Signer({ ...CREDENTIALS, url: address.href, method, signQuery: true, datetime });
  return (await signer.sign()).url.searchParams.get('X-Amz-Signature') === found;
}

/** The host is part of what is signed, so the headers stay as they are. */
async function passOn(
  port: number,
  { method, url, headers }: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
): Promise<void> {
  await new Promise<void>((resolve) => {
    const onward = forward({ host: '127.0.0.1', port, method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response).on('close', resolve);
    });
    onward.on('error', () => {
      response.destroy();
      resolve();
    });
    onward.end(body);
  });
}
