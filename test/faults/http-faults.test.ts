/** What can go wrong between a server and the arrays of a model. Each ends in a typed error that names file and part. */

import { describe, expect, test } from 'vitest';
import { sha256 } from '../../src/binary/sha256.ts';
import { FormatError, NetworkError, NotFoundError } from '../../src/errors.ts';
import { type ReadOptions, readArtifacts } from '../../src/io/read-artifacts.ts';
import { cutAfter, type FileServerOptions, startFileServer } from '../support/file-server.ts';
import { entriesOf, fixtureBytes, fixtureValues, readAll } from '../support/format-fixtures.ts';

const SHARDS = ['group1-shard1of3.bin', 'group1-shard2of3.bin', 'group1-shard3of3.bin'] as const;
const HTML = '<!DOCTYPE html>\n<html><body>It works!</body></html>';

/** 25,000 numbers, in weights that do not end where the shards do. */
const NUMBERS = Float32Array.from({ length: 25_000 }, (_, index) => Math.fround(Math.sin(index)));
const BYTES = new Uint8Array(NUMBERS.buffer);
const SHARD_BYTES = 40_000;

function shard(index: number): Uint8Array {
  return BYTES.slice(index * SHARD_BYTES, (index + 1) * SHARD_BYTES);
}

async function model(checksums = false): Promise<Record<string, Uint8Array | string>> {
  const digests = await Promise.all(SHARDS.map(async (path, index) => [path, await sha256(shard(index))]));
  const json = {
    format: 'layers-model',
    modelTopology: { class_name: 'Sequential', config: { layers: [] } },
    weightsManifest: [
      {
        paths: SHARDS,
        weights: [
          { name: 'dense/kernel', shape: [7_000, 2], dtype: 'float32' },
          { name: 'dense/bias', shape: [1_000], dtype: 'float32' },
          { name: 'dense_1/kernel', shape: [10_000], dtype: 'float32' },
        ],
        ...(checksums ? { sha256: Object.fromEntries(digests) } : {}),
      },
    ],
  };
  const files = SHARDS.map((path, index) => [`m/${path}`, shard(index)]);
  return { 'm/model.json': JSON.stringify(json), ...Object.fromEntries(files) };
}

const AT_ONCE: ReadOptions = { retry: { wait: async () => {} } };

async function load(url: string, options: ReadOptions = {}): Promise<readonly (number | string)[]> {
  const artifacts = await readArtifacts(`${url}/m/model.json`, { ...AT_ONCE, ...options });
  return (await readAll(entriesOf(artifacts))).flat();
}

/** Loads, and gives what is thrown. */
async function fault(url: string, options: ReadOptions = {}): Promise<Error> {
  const outcome: unknown = await load(url, options).catch((error: unknown) => error);
  if (outcome instanceof Error) return outcome;
  throw new Error('the load succeeded');
}

describe.each([true, false])('a layers-model from a server with ranges: %s', (ranges) => {
  const serve = async (files: Record<string, Uint8Array | string>, options: FileServerOptions = {}) =>
    await startFileServer(files, { ranges, ...options });

  test('loads', async () => {
    await using server = await serve(await model());
    expect(await load(server.url)).toEqual([...NUMBERS]);
  });

  test('a shard that is not there', async () => {
    const { [`m/${SHARDS[1]}`]: _, ...files } = await model();
    await using server = await serve(files);
    const error = await fault(server.url);
    expect(error).toBeInstanceOf(NotFoundError);
    expect(error.message).toContain(`/m/${SHARDS[1]}": the server answered 404`);
  });

  test('a server that fails for a shard, always and at first', async () => {
    let failures = Number.POSITIVE_INFINITY;
    await using server = await serve(await model(), {
      intercept: (request, response, attempt) => {
        if (request.url !== `/m/${SHARDS[2]}` || attempt > failures) return false;
        response.writeHead(500, { 'content-type': 'text/html' }).end(HTML);
        return true;
      },
    });
    const error = await fault(server.url);
    expect(error).toBeInstanceOf(NetworkError);
    expect(error.message).toContain(`/m/${SHARDS[2]}": the server answered 500`);
    failures = 6;
    expect(await load(server.url)).toEqual([...NUMBERS]);
  });

  test('a page where JSON should be', async () => {
    await using server = await serve({ ...(await model()), 'm/model.json': HTML });
    const error = await fault(server.url);
    expect(error).toBeInstanceOf(FormatError);
    expect(error.message).toContain('/m/model.json": found an HTML page');
  });

  test('a page where a shard should be, also one of the same size', async () => {
    for (const page of [HTML, HTML.padEnd(SHARD_BYTES)]) {
      await using server = await serve({ ...(await model()), [`m/${SHARDS[1]}`]: page });
      const error = await fault(server.url);
      expect(error).toBeInstanceOf(FormatError);
      expect(error.message).toContain(`/m/${SHARDS[1]}": found an HTML page, expected the bytes of weights`);
    }
  });

  test.each([-1, 1, 4, -SHARD_BYTES])('a shard that is longer by %d bytes', async (difference) => {
    const resized = new Uint8Array(SHARD_BYTES + difference);
    resized.set(shard(0).subarray(0, resized.byteLength));
    await using server = await serve({ ...(await model()), [`m/${SHARDS[0]}`]: resized });
    const error = await fault(server.url);
    expect(error).toBeInstanceOf(FormatError);
    expect(error.message).toContain(`the 3 files have ${100_000 + difference} bytes, the 3 weights take 100000`);
    expect(error.message).toContain(SHARDS[0]);
  });

  test('shards that are swapped', async () => {
    const swap = (files: Record<string, Uint8Array | string>) => ({
      ...files,
      [`m/${SHARDS[0]}`]: shard(1),
      [`m/${SHARDS[1]}`]: shard(0),
    });
    await using checked = await serve(swap(await model(true)));
    const error = await fault(checked.url);
    expect(error).toBeInstanceOf(FormatError);
    expect(error.message).toMatch(/\/m\/group1-shard[12]of3.bin": its SHA-256 is [0-9a-f]{64}, expected/);

    await using unchecked = await serve(swap(await model()));
    const integrity = { [SHARDS[1]]: await sha256(shard(1)) };
    expect((await fault(unchecked.url, { integrity })).message).toContain(`/m/${SHARDS[1]}": its SHA-256 is`);
    await using good = await serve(await model(true));
    expect(await load(good.url, { integrity })).toEqual([...NUMBERS]);
  });

  test('two weights of one name', async () => {
    const files = await model();
    const json = String(files['m/model.json']).replace('dense_1/kernel', 'dense/kernel');
    await using server = await serve({ ...files, 'm/model.json': json });
    const error = await fault(server.url);
    expect(error).toBeInstanceOf(FormatError);
    expect(error.message).toContain('/m/model.json": two weights are named "dense/kernel"');
  });

  test('a connection that is cut in the middle is resumed where it broke', async () => {
    await using server = await serve(await model(), {
      intercept: (request, response, attempt) => {
        if (request.url !== `/m/${SHARDS[1]}` || attempt !== (ranges ? 2 : 1)) return false;
        const content = shard(1);
        const asked = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
        const start = ranges ? Number(asked?.[1]) : 0;
        const end = ranges ? Number(asked?.[2]) + 1 : SHARD_BYTES;
        const range = ranges ? { 'content-range': `bytes ${start}-${end - 1}/${SHARD_BYTES}` } : {};
        cutAfter(response, { 'content-length': end - start, ...range }, content.subarray(start, (start + end) / 2));
        return true;
      },
    });
    expect(await load(server.url)).toEqual([...NUMBERS]);
    const log = server.log.filter(({ path }) => path === `/m/${SHARDS[1]}`).map(({ range }) => range ?? '');
    const [broken = '', resumed = ''] = log.slice(ranges ? 1 : 0);
    const boundsOf = (range: string): number[] => (range.match(/\d+/g) ?? []).map(Number);
    const [start = 0, last = 0] = ranges ? boundsOf(broken) : [0, SHARD_BYTES - 1];
    expect(boundsOf(resumed)[0]).toBe((start + last + 1) / 2);
  });

  test('an abort, before and in the middle', async () => {
    await using server = await serve(await model(), {
      intercept: (request) => request.url?.endsWith('.bin') === true,
    });
    expect((await fault(server.url, { signal: AbortSignal.abort(new Error('too late')) })).message).toBe('too late');
    const controller = new AbortController();
    const failing = fault(server.url, { signal: controller.signal });
    while (server.log.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
    controller.abort(new Error('enough'));
    expect((await failing).message).toBe('enough');
  });
});

describe('addresses of shards', () => {
  test('have the query of the model', async () => {
    await using server = await startFileServer(await model());
    const artifacts = await readArtifacts(`${server.url}/m/model.json?token=a/b#here`, AT_ONCE);
    await readAll(entriesOf(artifacts));
    expect(new Set(server.log.map(({ path }) => path.replace(/^[^?]*/, '')))).toEqual(new Set(['?token=a/b']));
  });

  test('come from weightPathPrefix as it is, or from weightUrlConverter', async () => {
    const files = await model();
    const moved = Object.fromEntries(SHARDS.map((path, index) => [`elsewhere/v2-${path}`, shard(index)]));
    await using server = await startFileServer({ 'm/model.json': files['m/model.json'] ?? '', ...moved });
    expect(await load(server.url, { weightPathPrefix: `${server.url}/elsewhere/v2-` })).toEqual([...NUMBERS]);
    const signed = async (path: string): Promise<string> =>
      `${server.url}/elsewhere/v2-${path}?signature=${path.length}`;
    expect(await load(server.url, { weightUrlConverter: signed, weightPathPrefix: 'http://nowhere/' })).toEqual([
      ...NUMBERS,
    ]);
    expect(server.log.at(-1)?.path).toMatch(/\?signature=20$/);
  });
});

describe.each(['tiny.h5', 'tiny.keras'])('%s from a server', (name) => {
  test('that cuts every connection after 3000 bytes', async () => {
    const content = fixtureBytes(name);
    await using server = await startFileServer(
      { [name]: content },
      {
        intercept: (request, response) => {
          const asked = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
          const start = Number(asked?.[1]);
          const end = Math.min(Number(asked?.[2]) + 1, content.byteLength);
          if (end - start <= 3000) return false;
          const headers = {
            'content-length': end - start,
            'content-range': `bytes ${start}-${end - 1}/${content.byteLength}`,
          };
          cutAfter(response, headers, content.subarray(start, start + 3000));
          return true;
        },
      },
    );
    const artifacts = await readArtifacts(`${server.url}/${name}`, AT_ONCE);
    const found = (await readAll(entriesOf(artifacts))).map((values) => [...values].sort()).sort();
    const expected = Object.values(fixtureValues(name)).map((values) => [...new Float32Array(values)].sort());
    expect(found).toEqual(expected.sort());
  });

  test('that has another file by the time of the second request', async () => {
    let etag = 0;
    await using server = await startFileServer({ [name]: fixtureBytes(name) }, { etag: () => `"${etag++}"` });
    const loading = readArtifacts(`${server.url}/${name}`, AT_ONCE).then(async (a) => await readAll(entriesOf(a)));
    await expect(loading).rejects.toThrow('the file changed on the server while it was read');
  });
});
