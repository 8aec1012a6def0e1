/** Downloads that stay in the browser's cache: current when the server can be asked, there when it cannot. */
import { Dense, type KerasModel, loadModel, memoryStore, NetworkError, NotFoundError, Sequential } from 'hornet';
import { beforeEach, describe, expect, test } from 'vitest';

const CACHE = 'test-models';
const FOLDER = 'https://models.example/m';

/** A server in the page, which can fail. */
class Server {
  readonly files = new Map<string, { readonly bytes: Uint8Array<ArrayBuffer>; readonly etag: string }>();
  readonly log: string[] = [];
  isReachable = true;
  tellsVersion = true;
  /** Cuts the next answers after so many bytes. */
  cuts: number[] = [];

  put(name: string, bytes: Uint8Array, etag: string): void {
    this.files.set(`${FOLDER}/${name}`, { bytes: new Uint8Array(bytes), etag });
  }

  readonly fetch = async (input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
    const method = init.method ?? 'GET';
    const name = String(input).slice(FOLDER.length + 1);
    if (!this.isReachable) throw new TypeError('Failed to fetch');
    this.log.push(`${method} ${name}`);
    const file = this.files.get(String(input));
    if (file === undefined) return new Response('not here', { status: 404 });
    const { bytes, etag } = file;
    const headers = { 'content-length': String(bytes.byteLength), ...(this.tellsVersion ? { etag } : {}) };
    if (method === 'HEAD') return new Response(null, { headers });
    const cut = this.cuts.shift();
    if (cut === undefined) return new Response(bytes, { headers });
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(bytes.subarray(0, cut)),
      pull: (controller) => controller.error(new TypeError('the connection broke')),
    });
    return new Response(body, { headers });
  };
}

function modelOf(value: number): KerasModel {
  const model = new Sequential({ layers: [new Dense({ units: 3, name: 'a' })] });
  model.build([[null, 4]]);
  for (const weight of model.weights) weight.value.data.fill(value);
  return model;
}

let server: Server;
beforeEach(async () => {
  server = new Server();
  await caches.delete(CACHE);
});

async function load(name: string): Promise<number> {
  const options = { cache: CACHE, fetch: server.fetch, retry: { attempts: 1 } };
  const values = (await loadModel(`${FOLDER}/${name}`, options)).getWeights().flatMap(({ data }) => [...data]);
  expect(new Set(values).size).toBe(1);
  return values[0] as number;
}

async function put(value: number, name: string): Promise<void> {
  const files = new Map<string, Uint8Array>();
  await modelOf(value).save({ store: memoryStore(files), key: name });
  const shard = 'group1-shard1of1.bin';
  for (const [key, bytes] of files) {
    const isTable = key.endsWith('.json');
    const text = isTable ? new TextDecoder().decode(bytes).replaceAll(/group1-[^"]*?\.bin/g, shard) : '';
    const plain = isTable ? new TextEncoder().encode(text.replaceAll(/,?"sha256":\{[^}]*\}/g, '')) : bytes;
    server.put(key.endsWith('.bin') ? shard : key, plain, `"${value}"`);
  }
}

test.each(['m.keras', 'model.json'])(
  '%s is downloaded once, used while it is current, and without the server',
  async (name) => {
    await put(1, name);
    expect(await load(name)).toBe(1);
    expect(server.log.every((line) => line.startsWith('GET'))).toBe(true);
    server.log.length = 0;
    expect(await load(name)).toBe(1);
    expect(server.log.length).toBeGreaterThan(0);
    expect(server.log.every((line) => line.startsWith('HEAD'))).toBe(true);
    server.isReachable = false;
    expect(await load(name)).toBe(1);
    server.isReachable = true;
    await put(2, name);
    expect(await load(name)).toBe(2);
    server.isReachable = false;
    expect(await load(name)).toBe(2);
  },
);

describe('never a mixture', () => {
  test('a server that vanishes in the middle of a new version leaves no half of it', async () => {
    await put(1, 'model.json');
    expect(await load('model.json')).toBe(1);
    await put(2, 'model.json');
    const { fetch } = server;
    let count = 0;
    Object.assign(server, {
      fetch: async (input: string, init?: RequestInit) => {
        // The table has been asked for and fetched; the shard cannot be reached any more.
        if (++count > 2) throw new TypeError('Failed to fetch');
        return await fetch(input, init);
      },
    });
    await expect(load('model.json')).rejects.toBeInstanceOf(NetworkError);
    server.isReachable = false;
    Object.assign(server, { fetch });
    await expect(load('model.json')).rejects.toBeInstanceOf(NetworkError);
    server.isReachable = true;
    expect(await load('model.json')).toBe(2);
  });

  test('a download that breaks off is not kept', async () => {
    await put(1, 'm.keras');
    server.cuts = [500];
    expect(await load('m.keras')).toBe(1);
    server.cuts = [500, 500, 500];
    await put(2, 'm.keras');
    await expect(load('m.keras')).rejects.toBeInstanceOf(NetworkError);
    server.cuts = [];
    expect(await load('m.keras')).toBe(2);
  });
});

test('a server that tells no version is asked for the file', async () => {
  server.tellsVersion = false;
  await put(1, 'm.keras');
  expect(await load('m.keras')).toBe(1);
  await put(2, 'm.keras');
  expect(await load('m.keras')).toBe(2);
});

test('what the server no longer has is not kept', async () => {
  await put(1, 'm.keras');
  expect(await load('m.keras')).toBe(1);
  server.files.clear();
  await expect(load('m.keras')).rejects.toBeInstanceOf(NotFoundError);
  server.isReachable = false;
  await expect(load('m.keras')).rejects.toBeInstanceOf(NetworkError);
});
