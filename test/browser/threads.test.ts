/** Programs of a page run in workers: the same bits as in Node, and the page's thread stays free. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findChromium } from '../../scripts/find-chromium.ts';
import { type FileServer, startFileServer } from '../support/file-server.ts';
import { CHROMIUM_ARGUMENTS } from './chromium.ts';
import { measureThread, type ThreadReport } from './thread-report.ts';
import { bitsOf, type Outcome, WORKS, type WorkName } from './threads-page/work.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const built = join(root, '.cache/browser/threads');
const TYPES: Readonly<Record<string, string>> = { html: 'text/html', js: 'text/javascript' };

/** The longest that the page's thread may be away, in milliseconds. */
const LONGEST_BLOCK = 50;
/** Other programs may take the processor away for a while, which only ever makes it look worse: the best run counts. */
const RUNS = 6;

/** What a server says of the page. */
const HEADERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  isolated: { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' },
  plain: {},
  strict: { 'content-security-policy': "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'" },
};

let server: FileServer;
let browser: Browser;
const expected = new Map<WorkName, readonly number[]>();

beforeAll(async () => {
  await build({
    root: join(root, 'test/browser/threads-page'),
    base: './',
    configFile: false,
    logLevel: 'error',
    resolve: { alias: { hornet: join(root, 'src/index.ts') } },
    worker: { format: 'es' },
    build: { outDir: built, emptyOutDir: true },
  });
  const files = readdirSync(built, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const contents = files.flatMap((path) =>
    Object.keys(HEADERS).map((kind) => [join(kind, path.slice(built.length + 1)), readFileSync(path)] as const),
  );
  server = await startFileServer(Object.fromEntries(contents), {
    intercept: (request, response) => {
      const [, kind = '', extension = ''] = /^\/(\w+)\/.*\.(\w+)$/.exec(request.url ?? '') ?? [];
      response.setHeader('content-type', TYPES[extension] ?? 'application/octet-stream');
      for (const [name, value] of Object.entries(HEADERS[kind] ?? {})) response.setHeader(name, value);
      return false;
    },
  });
  const executablePath = findChromium();
  browser = await chromium.launch({
    args: [...CHROMIUM_ARGUMENTS],
    ...(executablePath === undefined ? {} : { executablePath }),
  });
  for (const name of Object.keys(WORKS) as WorkName[]) {
    const work = await WORKS[name]();
    expected.set(name, bitsOf(await work()));
  }
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await server?.[Symbol.asyncDispose]();
});

async function openPage(kind: string): Promise<Page> {
  const page = await browser.newPage();
  await page.addInitScript(measureThread);
  await page.goto(`${server.url}/${kind}/index.html`);
  return page;
}

async function work(page: Page, name: WorkName): Promise<Outcome & { readonly thread: ThreadReport }> {
  await page.evaluate(async (work) => await window.prepareWork(work), name);
  await page.evaluate(() => window.reportThread());
  await page.evaluate(async () => void (await window.doWork()));
  const thread = await page.evaluate(() => window.reportThread());
  return { thread, ...(await page.evaluate(() => window.finishWork())) };
}

describe.each([
  ['isolated', 2],
  ['plain', 1],
] as const)('a page that is %s', (kind, threads) => {
  test.each(Object.keys(WORKS) as WorkName[])(
    'does as Node does, to the bit, and is never blocked: %s',
    async (name) => {
      const gaps: number[] = [];
      while (gaps.length < RUNS && !gaps.some((gap) => gap <= LONGEST_BLOCK)) {
        const page = await openPage(kind);
        const outcome = await work(page, name);
        expect(outcome.bits).toEqual(expected.get(name));
        expect(outcome.threads).toBeGreaterThanOrEqual(threads);
        expect(outcome.thread.beats).toBeGreaterThan(10);
        gaps.push(Math.max(outcome.thread.longestGap, ...outcome.thread.longTasks));
        await page.close();
      }
      console.log(
        `${kind}, ${name}: the page's thread was away for ${gaps.map((gap) => gap.toFixed(1)).join(', ')} ms at most.`,
      );
      expect(Math.min(...gaps)).toBeLessThanOrEqual(LONGEST_BLOCK);
    },
  );

  test('does the same in a worker of its own', async () => {
    const page = await openPage(kind);
    const outcome = await page.evaluate(async () => await window.workInWorker('predict'));
    expect(outcome.bits).toEqual(expected.get('predict'));
    expect(outcome.threads).toBeGreaterThanOrEqual(threads);
    await page.close();
  });
});

test('a page that forbids such workers does the same on its own thread', async () => {
  const page = await openPage('strict');
  for (const name of Object.keys(WORKS) as WorkName[]) {
    const { bits, threads } = await work(page, name);
    expect(bits).toEqual(expected.get(name));
    expect(threads).toBe(1);
  }
  await page.close();
});
