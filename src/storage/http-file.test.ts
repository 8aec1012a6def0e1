import { describe, expect, test } from 'vitest';
import { cutAfter, type FileServerOptions, startFileServer } from '../../test/support/file-server.ts';
import { NetworkError, NotFoundError } from '../errors.ts';
import { openUrl } from './http-file.ts';
import { type HttpOptions, HttpSession } from './http-session.ts';

const CONTENT = Uint8Array.from({ length: 100_000 }, (_, index) => (index * 7) % 251);

/** Tries again at once, and notes how long it should have waited. */
function session(options: HttpOptions = {}, waits: number[] = []): HttpSession {
  const wait = async (milliseconds: number): Promise<void> => {
    waits.push(milliseconds);
  };
  return new HttpSession({ ...options, retry: { wait, ...options.retry } });
}

async function serve(options: FileServerOptions = {}) {
  return await startFileServer({ 'file.bin': CONTENT, 'empty.bin': '', 'small.bin': 'abc' }, options);
}

describe('openUrl', () => {
  test('asks a server with ranges for what is read, and for neighbours at once', async () => {
    await using server = await serve();
    const file = await openUrl(session(), `${server.url}/file.bin`);
    expect(file.byteLength).toBe(CONTENT.byteLength);
    const ranges = [
      [50_000, 50_100],
      [90_000, 90_010],
      [50_100, 50_300],
      [50_400, 50_500],
    ] as const;
    const parts = await Promise.all(ranges.map(async ([start, end]) => await file.slice(start, end)));
    expect(parts).toEqual(ranges.map(([start, end]) => CONTENT.slice(start, end)));
    expect(server.log.map(({ range }) => range)).toEqual(['bytes=0-8191', 'bytes=50000-50499', 'bytes=90000-90009']);
  });

  test('has the beginning, and small and empty files, with the first request', async () => {
    await using server = await serve();
    const http = session();
    const file = await openUrl(http, `${server.url}/file.bin`);
    expect(await file.slice(10, 8192)).toEqual(CONTENT.slice(10, 8192));
    const small = await openUrl(http, `${server.url}/small.bin`);
    expect(new TextDecoder().decode(await small.slice(0, 3))).toBe('abc');
    expect((await openUrl(http, `${server.url}/empty.bin`)).byteLength).toBe(0);
    expect(server.log.length).toBe(3);
  });

  test('takes the whole file where the server has no ranges', async () => {
    await using server = await serve({ ranges: false });
    const file = await openUrl(session(), `${server.url}/file.bin`);
    expect(await file.slice(99_000, 100_000)).toEqual(CONTENT.slice(99_000));
    expect(await file.slice(3, 70_000)).toEqual(CONTENT.slice(3, 70_000));
    expect(server.log.length).toBe(1);
  });

  test('takes a file of unknown length to its end', async () => {
    await using server = await serve({
      intercept: (_, response) => {
        response.writeHead(200);
        response.write(CONTENT.subarray(0, 50_000));
        response.end(CONTENT.subarray(50_000));
        return true;
      },
    });
    const file = await openUrl(session(), `${server.url}/file.bin`);
    expect(await file.slice(0, file.byteLength)).toEqual(CONTENT);
  });

  test('takes a smaller file than a bound in one further request', async () => {
    await using server = await serve();
    const file = await openUrl(session(), `${server.url}/file.bin`, { wholeBelow: 200_000 });
    expect(await file.slice(0, 100_000)).toEqual(CONTENT);
    expect(await file.slice(20_000, 100_000)).toEqual(CONTENT.slice(20_000));
    expect(server.log.map(({ range }) => range)).toEqual(['bytes=0-8191', 'bytes=8192-']);
  });

  test('resumes a range where the connection was cut', async () => {
    const waits: number[] = [];
    let received = 0;
    await using server = await serve({
      intercept: (request, response, attempt) => {
        if (attempt === 1 || attempt > 3) return false;
        const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1]);
        const headers = { 'content-length': 60_000 - start, 'content-range': `bytes ${start}-59999/100000` };
        cutAfter(response, headers, CONTENT.subarray(start, start + 10_000));
        return true;
      },
    });
    const onBytes = (_: string, byteCount: number): void => {
      received += byteCount;
    };
    const file = await openUrl(session({ onBytes }, waits), `${server.url}/file.bin`);
    expect(await file.slice(20_000, 60_000)).toEqual(CONTENT.slice(20_000, 60_000));
    const ranges = ['bytes=0-8191', 'bytes=20000-59999', 'bytes=30000-59999', 'bytes=40000-59999'];
    expect(server.log.map(({ range }) => range)).toEqual(ranges);
    expect(received).toBe(40_000);
    expect(waits).toEqual([250, 250]);
  });

  test('goes on behind what it has when a server without ranges starts again', async () => {
    let received = 0;
    await using server = await serve({
      ranges: false,
      intercept: (_, response, attempt) => {
        if (attempt > 3) return false;
        cutAfter(response, { 'content-length': 100_000 }, CONTENT.subarray(0, 10_000 * attempt));
        return true;
      },
    });
    const onBytes = (_: string, byteCount: number): void => {
      received += byteCount;
    };
    const file = await openUrl(session({ onBytes }), `${server.url}/file.bin`);
    expect(await file.slice(0, 100_000)).toEqual(CONTENT);
    expect(received).toBe(100_000);
    const ranges = ['bytes=0-8191', 'bytes=10000-', 'bytes=20000-', 'bytes=30000-'];
    expect(server.log.map(({ range }) => range)).toEqual(ranges);
  });

  test('waits longer after each failure, and as long as the server asks', async () => {
    const waits: number[] = [];
    await using server = await serve({
      intercept: (_, response, attempt) => {
        if (attempt > 3) return false;
        response.writeHead(503, attempt === 3 ? { 'retry-after': '7' } : {}).end();
        return true;
      },
    });
    await openUrl(session({}, waits), `${server.url}/file.bin`);
    expect(waits).toEqual([250, 500, 7000]);
  });

  test('gives up after the last try', async () => {
    const waits: number[] = [];
    await using server = await serve({
      intercept: (_, response) => {
        response.writeHead(500).end();
        return true;
      },
    });
    const error = await openUrl(session({}, waits), `${server.url}/file.bin`).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(NetworkError);
    expect(error).toMatchObject({ status: 500, url: `${server.url}/file.bin` });
    expect(String(error)).toContain('the server answered 500, after 4 tries');
    expect(waits.length).toBe(3);
  });

  test('leaves a server that sends next to nothing each time', async () => {
    await using server = await serve({
      ranges: false,
      intercept: (_, response, attempt) => {
        cutAfter(response, { 'content-length': 100_000 }, CONTENT.subarray(0, attempt));
        return true;
      },
    });
    const file = await openUrl(session(), `${server.url}/file.bin`);
    await expect(file.slice(0, 1000)).rejects.toThrow('after 100 tries');
  });

  test('does not try again what no try will change', async () => {
    await using server = await serve();
    await expect(openUrl(session(), `${server.url}/none.bin`)).rejects.toThrow(NotFoundError);
    expect(server.log.length).toBe(1);
  });

  test('notices that nothing comes', async () => {
    await using server = await serve({ intercept: () => true });
    const http = session({ retry: { stallMs: 20, attempts: 2, wait: async () => {} } });
    await expect(openUrl(http, `${server.url}/file.bin`)).rejects.toThrow('nothing came for 20 ms, after 2 tries');
  });

  test('notices that a file has changed', async () => {
    let version = 1;
    await using server = await serve({ etag: () => `"${version}"` });
    const file = await openUrl(session(), `${server.url}/file.bin`);
    version = 2;
    await expect(file.slice(20_000, 30_000)).rejects.toThrow('the file changed on the server while it was read');
  });

  test.each([
    ['another range', { 'content-range': 'bytes 5-4/100000' }],
    ['another place', { 'content-range': 'bytes 20001-30000/100000' }],
    ['another size', { 'content-range': 'bytes 20000-29999/100001' }],
    ['no range', {}],
  ])('refuses an answer with %s', async (_, headers) => {
    await using server = await serve({
      intercept: (__, response, attempt) => {
        if (attempt === 1) return false;
        response.writeHead(206, headers).end(CONTENT.subarray(0, 10_000));
        return true;
      },
    });
    const file = await openUrl(session(), `${server.url}/file.bin`);
    await expect(file.slice(20_000, 30_000)).rejects.toThrow(NetworkError);
  });

  test('stops when it is aborted', async () => {
    await using server = await serve({ intercept: (_, __, attempt) => attempt > 1 });
    const controller = new AbortController();
    const file = await openUrl(session({ signal: controller.signal }), `${server.url}/file.bin`);
    const reading = file.slice(20_000, 30_000);
    setTimeout(() => controller.abort(new Error('enough')), 10);
    await expect(reading).rejects.toThrow('enough');
  });

  test('makes no more requests at once than it may', async () => {
    let open = 0;
    let most = 0;
    await using server = await serve();
    const counting: typeof fetch = async (...request) => {
      most = Math.max(most, ++open);
      const response = await fetch(...request);
      const bytes = await response.arrayBuffer();
      open--;
      return new Response(bytes, response);
    };
    const http = session({ fetch: counting, concurrency: 2 });
    const files = await Promise.all(
      Array.from({ length: 8 }, async () => await openUrl(http, `${server.url}/file.bin`)),
    );
    await Promise.all(files.map(async (file, index) => await file.slice(9000 * (index + 1), 9000 * (index + 1) + 10)));
    expect(most).toBe(2);
  });

  test('sends what requestInit says', async () => {
    const seen: (string | undefined)[] = [];
    await using server = await serve({
      intercept: (request) => {
        seen.push(request.headers.authorization);
        return false;
      },
    });
    await openUrl(session({ requestInit: { headers: { authorization: 'Bearer x' } } }), `${server.url}/small.bin`);
    expect(seen).toEqual(['Bearer x']);
  });
});
