/** The loader as a page has it: bundled and minified by Vite, served by a plain server, in a browser that may complain. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadModel } from 'hornet';
import { type Browser, chromium, type Download, type Page } from 'playwright';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { findChromium } from '../../scripts/find-chromium.ts';
import { type FileServer, startFileServer } from '../support/file-server.ts';
import { CHROMIUM_ARGUMENTS } from './chromium.ts';
import { bitsOf, MODELS, type ModelKind } from './models.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const built = join(root, '.cache/browser/page');
const TYPES: Readonly<Record<string, string>> = { html: 'text/html', js: 'text/javascript', json: 'application/json' };

let server: FileServer;
let browser: Browser;
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
  await build({
    root: join(root, 'test/browser/page'),
    base: './',
    configFile: false,
    logLevel: 'error',
    resolve: { alias: { hornet: join(root, 'src/index.ts') } },
    build: { outDir: built, emptyOutDir: true },
  });
  const pages = readdirSync(built, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const models = Object.values(MODELS).flatMap(({ paths }) => paths);
  const files = [
    ...pages.map((path) => [path.slice(built.length + 1), readFileSync(path)] as const),
    ...models.map((path) => [path, readFileSync(join(root, path))] as const),
  ];
  server = await startFileServer(Object.fromEntries(files), {
    intercept: (request, response) => {
      const extension = /\.(\w+)$/.exec(request.url ?? '')?.[1] ?? '';
      response.setHeader('content-type', TYPES[extension] ?? 'application/octet-stream');
      return false;
    },
  });
  const executablePath = findChromium();
  browser = await chromium.launch({
    args: [...CHROMIUM_ARGUMENTS],
    ...(executablePath === undefined ? {} : { executablePath }),
  });
  page = await browser.newPage();
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(`${server.url}/index.html`);
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await server?.[Symbol.asyncDispose]();
});

describe.each(Object.keys(MODELS) as ModelKind[])('a built page that loads a %s', (kind) => {
  const { paths } = MODELS[kind];

  test('from a URL predicts what Node predicts, to the bit', async () => {
    const bits = await page.evaluate(([kind, url]) => window.hornetPage.fromUrl(kind, url), [kind, paths[0]] as const);
    expect(bits).toEqual(inject('nodeBits')[kind]);
    expect(complaints).toEqual([]);
  });

  test('from a file input predicts what Node predicts, to the bit', async () => {
    await page.setInputFiles(
      '#files',
      paths.map((path) => join(root, path)),
    );
    const bits = await page.evaluate((kind) => window.hornetPage.fromInput(kind), kind);
    expect(bits).toEqual(inject('nodeBits')[kind]);
    expect(complaints).toEqual([]);
  });

  if (paths.length === 1) {
    test('from a Blob predicts what Node predicts, to the bit', async () => {
      const source = [kind, paths[0]] as const;
      const bits = await page.evaluate(([kind, url]) => window.hornetPage.fromBlob(kind, url), source);
      expect(bits).toEqual(inject('nodeBits')[kind]);
      expect(complaints).toEqual([]);
    });
  }
});

test('a model that is not there ends in a NotFoundError, and in nothing on the console but the 404 itself', async () => {
  const failure = await page.evaluate(() => window.hornetPage.failure('none.keras'));
  expect(failure.isNotFound).toBe(true);
  expect(failure.message).toContain('none.keras');
  expect(complaints).toHaveLength(1);
  expect(complaints[0]).toContain('404');
});

test('a model that is downloaded is a file that loads and predicts the same', async () => {
  const [file] = await downloads('downloads://digits');
  expect(file?.name).toBe('digits.keras');
  const model = await loadModel(file?.bytes as Uint8Array);
  const output = await model.predict(MODELS.keras.inputs());
  expect(bitsOf(output.data as Float32Array)).toEqual(inject('nodeBits').keras);
});

test("a model that is downloaded in TensorFlow.js' format is two files", async () => {
  const files = await downloads('downloads://digits', 'layers-model');
  expect(files.map(({ name }) => name).sort()).toEqual(['digits.json', 'digits.weights.bin']);
  const model = await loadModel(files.map(({ name, bytes }) => new File([new Uint8Array(bytes)], name)));
  const output = await model.predict(MODELS.keras.inputs());
  expect(bitsOf(output.data as Float32Array)).toEqual(inject('nodeBits').keras);
});

/** What the browser stores when the page saves a model. */
async function downloads(destination: string, format?: 'layers-model'): Promise<{ name: string; bytes: Uint8Array }[]> {
  const started: Promise<{ name: string; bytes: Uint8Array }>[] = [];
  const onDownload = (download: Download): void => {
    const read = async (): Promise<{ name: string; bytes: Uint8Array }> => ({
      name: download.suggestedFilename(),
      bytes: readFileSync(await download.path()),
    });
    started.push(read());
  };
  page.on('download', onDownload);
  const count = format === undefined ? 1 : 2;
  await page.evaluate(async ([url, to, as]) => await window.hornetPage.save(url, to, as), [
    MODELS.keras.paths[0],
    destination,
    format,
  ] as const);
  await vi.waitFor(() => expect(started.length).toBe(count), { timeout: 10_000 });
  page.off('download', onDownload);
  return await Promise.all(started);
}
