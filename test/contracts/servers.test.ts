/** Stores on servers, by the contract of stores: files that are put, an S3-compatible service, TensorFlow.js' forms. */
import { AwsClient } from 'aws4fetch';
import {
  copyModel,
  Dense,
  httpStore,
  type KerasModel,
  loadModel,
  memoryStore,
  modelInfo,
  moveModel,
  NetworkError,
  presignedStore,
  removeModel,
  Sequential,
  type Store,
} from 'hornet';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CREDENTIALS, type S3Service, startS3Service } from '../support/s3-service.ts';
import { startUploadServer, type UploadServer } from '../support/upload-server.ts';
import { complete, contentOf, expectBytes, patternBytes, pieces, testStore } from './store-contract.ts';

const NO_WAIT = { wait: async () => {} };

function modelOf(value: number): KerasModel {
  const model = new Sequential({ layers: [new Dense({ units: 3, name: 'a' })] });
  model.build([[null, 4]]);
  for (const weight of model.weights) weight.value.data.fill(value);
  return model;
}

async function valueAt(source: Parameters<typeof loadModel>[0]): Promise<number> {
  const values = new Set((await loadModel(source)).getWeights().flatMap(({ data }) => [...(data as Float32Array)]));
  expect(values.size).toBe(1);
  return [...values][0] as number;
}

describe('httpStore()', () => {
  let server: UploadServer;
  beforeEach(async () => {
    server = await startUploadServer();
    return async () => await server[Symbol.asyncDispose]();
  });
  const list = async (folder: string): Promise<string[]> =>
    [...server.files.keys()]
      .filter((key) => key.startsWith(`base/${folder === '' || folder.endsWith('/') ? folder : `${folder}/`}`))
      .map((key) => key.slice('base/'.length));

  describe('keeps the contract', () => testStore(() => httpStore(`${server.url}/base`, { list })));

  test('a model is saved to a web address and loaded from it, moved there and removed', async () => {
    const { url } = server;
    await modelOf(1).save(`${url}/models/a.keras?token=x`);
    expect(server.log.at(-1)).toMatchObject({ method: 'PUT', path: '/models/a.keras?token=x' });
    expect(await valueAt(`${url}/models/a.keras`)).toBe(1);
    expect(await modelInfo(`${url}/models/a.keras`)).toMatchObject({ format: 'keras', parameterCount: 15 });
    await modelOf(2).save(`${url}/models/b/model.json`);
    expect(await valueAt(`${url}/models/b/model.json`)).toBe(2);
    await moveModel(`${url}/models/b/model.json`, `${url}/models/c/model.json`);
    expect([...server.files.keys()].filter((key) => key.startsWith('models/b/'))).toEqual([]);
    expect(await valueAt(`${url}/models/c/model.json`)).toBe(2);
    await removeModel(`${url}/models/c/model.json`);
    expect([...server.files.keys()]).toEqual(['models/a.keras']);
  });

  test('headers go with every request, and the size of each file', async () => {
    const store = complete(httpStore(server.url, { requestInit: { headers: { authorization: 'Bearer x' } }, list }));
    await store.write('a.bin', pieces(patternBytes(100_000, 1)));
    await contentOf(store, 'a.bin');
    await store.remove('a.bin');
    expect(server.log.map(({ headers }) => headers.authorization)).toEqual(server.log.map(() => 'Bearer x'));
    expect(server.log[0]?.headers['content-length']).toBe('100000');
  });
});

describe('a server that fails', () => {
  const old = patternBytes(1000, 1);
  const large = patternBytes(3_000_000, 2);

  /** What the second write meets; the first one and all reads are served. */
  async function writeTwice(
    fail: NonNullable<Parameters<typeof startUploadServer>[0]>['intercept'],
    check: (store: Store, error: unknown, server: UploadServer) => Promise<void>,
  ): Promise<void> {
    let writes = 0;
    await using server = await startUploadServer({
      intercept: (request, response) =>
        request.method === 'PUT' && ++writes > 1 && fail?.(request, response, writes) === true,
    });
    const store = complete(httpStore(server.url, { retry: NO_WAIT, list: async () => [] }));
    await store.write('a.bin', pieces(old));
    await check(store, await store.write('a.bin', pieces(large)).catch((error: unknown) => error), server);
  }

  test('in the middle of a file, for good: a NetworkError, and the old file is there', async () => {
    await writeTwice(
      (request) => {
        request.once('data', () => request.socket.destroy());
        return true;
      },
      async (store, error, server) => {
        expect(error).toBeInstanceOf(NetworkError);
        expect((error as Error).message).toMatch(/Cannot write "a\.bin" to .*: the connection failed.*after 4 tries/);
        expectBytes(await contentOf(store, 'a.bin'), old);
        expect(server.log.filter(({ method }) => method === 'PUT').length).toBe(5);
      },
    );
  });

  test('once, in the middle: the file is sent again', async () => {
    await writeTwice(
      (request, _, number) => {
        if (number > 2) return false;
        request.once('data', () => request.socket.destroy());
        return true;
      },
      async (store, error) => {
        expect(error).toBeUndefined();
        expectBytes(await contentOf(store, 'a.bin'), large);
      },
    );
  });

  test.each([
    [503, 5],
    [507, 2],
    [403, 2],
    [405, 2],
  ])('with status %d: a NetworkError with the status, after %d requests', async (status, count) => {
    await writeTwice(
      (request, response) => {
        // Some servers answer before they have read what is sent.
        if (status === 403) response.writeHead(status).end('no');
        else request.resume().once('end', () => response.writeHead(status).end('no'));
        return true;
      },
      async (store, error, server) => {
        expect(error).toBeInstanceOf(NetworkError);
        expect((error as NetworkError).status).toBe(status);
        expect(server.log.filter(({ method }) => method === 'PUT').length).toBe(count);
        expectBytes(await contentOf(store, 'a.bin'), old);
      },
    );
  });

  test('while a model of several files is sent: the old model is there, whole', async () => {
    for (const failing of [3, 4]) {
      let writes = 0;
      await using server = await startUploadServer({
        intercept: (request) => {
          if (request.method !== 'PUT' || ++writes < failing) return false;
          request.socket.destroy();
          return true;
        },
      });
      const place = { store: httpStore(server.url, { retry: NO_WAIT }), key: 'm/model.json' };
      await modelOf(1).save(place);
      await expect(modelOf(2).save(place)).rejects.toBeInstanceOf(NetworkError);
      expect(await valueAt(place)).toBe(1);
      expect(server.files.size).toBe(2);
    }
  });
});

describe("TensorFlow.js' form", () => {
  test('has the fields and names that its servers expect', async () => {
    await using server = await startUploadServer();
    await modelOf(3).save(`${server.url}/upload`);
    const form = server.forms.get('upload') as FormData;
    expect([...form.keys()]).toEqual(['model.json', 'model.weights.bin']);
    const [json, weights] = [form.get('model.json') as File, form.get('model.weights.bin') as File];
    expect([json.name, json.type]).toEqual(['model.json', 'application/json']);
    expect([weights.name, weights.type, weights.size]).toEqual(['model.weights.bin', 'application/octet-stream', 60]);
    const table = JSON.parse(await json.text()) as { weightsManifest: { paths: string[] }[] };
    expect(table.weightsManifest.map(({ paths }) => paths)).toEqual([['./model.weights.bin']]);
    expect(await valueAt([json, weights])).toBe(3);
  });

  test('takes other formats in a field of their own name, and is not sent twice', async () => {
    let count = 0;
    await using server = await startUploadServer({
      intercept: ({ method }, response) => {
        if (method !== 'POST' || ++count === 1) return false;
        response.writeHead(503).end();
        return true;
      },
    });
    const store = httpStore(`${server.url}/upload`, { upload: 'multipart', retry: NO_WAIT });
    await modelOf(3).save({ store, key: 'm.keras' });
    const file = server.forms.get('upload')?.get('m.keras') as File;
    expect(await valueAt(file)).toBe(3);
    await expect(modelOf(3).save({ store, key: 'm.keras' })).rejects.toMatchObject({ status: 503 });
    expect(count).toBe(2);
    await expect(copyModel({ store: memoryStore(), key: 'none' }, { store, key: 'x' })).rejects.toThrow('none');
  });
});

describe('presignedStore() with an S3-compatible service', () => {
  let service: S3Service;
  let url: string;
  let storeCount = 0;
  beforeAll(async () => {
    service = await startS3Service('models');
    ({ url } = service);
  });
  afterAll(async () => await service[Symbol.asyncDispose]());

  const aws = new AwsClient(CREDENTIALS);
  const sign = async (method: string, path: string): Promise<string> => {
    const address = new URL(`${url}/${path}`);
    address.searchParams.set('X-Amz-Expires', '60');
    return (await aws.sign(new Request(address, { method }), { aws: { signQuery: true } })).url;
  };
  /** What whoever has the credentials gives to whoever has the model. */
  const makeStore = (): Store => {
    const prefix = `part-${storeCount++}`;
    const keyPath = (key: string): string => [prefix, ...key.split('/')].map(encodeURIComponent).join('/');
    return presignedStore({
      sign: async (method, key) => await sign(method, keyPath(key)),
      list: async (below) => {
        const start = `${prefix}/${below === '' || below.endsWith('/') ? below : `${below}/`}`;
        const answer = await fetch(await sign('GET', `?list-type=2&prefix=${encodeURIComponent(start)}`));
        const keys = [...(await answer.text()).matchAll(/<Key>(.*?)<\/Key>/g)].map((match) => match[1] ?? '');
        return keys.map((key) => key.slice(prefix.length + 1));
      },
    });
  };

  describe('keeps the contract', () => testStore(makeStore));

  test('models are saved, loaded, copied and removed', async () => {
    const store = makeStore();
    await modelOf(1).save({ store, key: 'm/model.json' });
    await modelOf(2).save({ store, key: 'm.keras' });
    expect([await valueAt({ store, key: 'm/model.json' }), await valueAt({ store, key: 'm.keras' })]).toEqual([1, 2]);
    const local = memoryStore();
    await moveModel({ store, key: 'm/model.json' }, { store: local, key: 'm/model.json' });
    expect(await valueAt({ store: local, key: 'm/model.json' })).toBe(1);
    expect(await store.list?.()).toEqual(['m.keras']);
  });

  test('a signature that is not right writes nothing', async () => {
    const store = makeStore();
    const forged = presignedStore({
      sign: async (method, key) => {
        const address = new URL(await sign(method, key));
        address.searchParams.set('X-Amz-Signature', '0'.repeat(64));
        return address;
      },
    });
    await expect(
      complete({ ...store, ...forged, list: async () => [] }).write('a.bin', pieces(patternBytes(10, 1))),
    ).rejects.toMatchObject({
      name: 'NetworkError',
      status: 403,
    });
  });
});
