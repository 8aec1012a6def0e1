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
import { bitsOf, largeModel, type Outcome, WORKS, type WorkName } from './threads-page/work.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const built = join(root, '.cache/browser/threads');
const TYPES: Readonly<Record<string, string>> = { html: 'text/html', js: 'text/javascript' };

/** The longest that the page's thread may be away, in milliseconds. */
const LONGEST_BLOCK = 50;
/** Collectors and compilers of the engine have their moods: the best run counts. */
const RUNS = 4;

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
  const model = await (await largeModel()).toBytes();
  const contents = Object.keys(HEADERS).flatMap((kind) => [
    [join(kind, 'model.keras'), model] as const,
    ...files.map((path) => [join(kind, path.slice(built.length + 1)), readFileSync(path)] as const),
  ]);
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
    const work = await WORKS[name](model);
    expected.set(name, bitsOf(await work()));
  }
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await server?.[Symbol.asyncDispose]();
});

async function openPage(kind: string): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`${server.url}/${kind}/index.html`);
  return page;
}

async function work(page: Page, name: WorkName): Promise<Outcome & { readonly longestTask: number }> {
  await page.evaluate(async (work) => await window.prepareWork(work), name);
  const longestTask = await longestTaskDuring(page, async () => await window.doWork());
  return { longestTask, ...(await page.evaluate(async () => await window.finishWork())) };
}

/** An event of Chromium's traces; times are in microseconds. */
interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly args?: { readonly name?: string };
  /** Of the processor, which others may have meanwhile. */
  readonly tdur?: number;
}

/** `longestTaskOf` what a page does meanwhile. */
async function longestTaskDuring(page: Page, act: () => Promise<unknown>): Promise<number> {
  await browser.startTracing(page, { categories: ['__metadata', 'disabled-by-default-devtools.timeline'] });
  await page.evaluate(act);
  // An answer comes from within the last task, which is traced when it is over.
  await page.evaluate(async () => await new Promise((resolve) => setTimeout(resolve, 50)));
  return longestTaskOf(await browser.stopTracing());
}

/** Milliseconds that the longest task of a page's main thread had the processor: how long it blocks on a machine of its own. */
function longestTaskOf(trace: Buffer): number {
  const { traceEvents } = JSON.parse(trace.toString()) as { readonly traceEvents: readonly TraceEvent[] };
  const threadOf = ({ pid, tid }: TraceEvent): string => `${pid} ${tid}`;
  const mainThreads = new Set(
    traceEvents.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain').map(threadOf),
  );
  const tasks = traceEvents.filter((event) => event.name === 'RunTask' && mainThreads.has(threadOf(event)));
  expect(tasks.length).toBeGreaterThan(10);
  return Math.max(...tasks.map(({ tdur = 0 }) => tdur)) / 1000;
}

describe.each([
  ['isolated', 2],
  ['plain', 1],
] as const)('a page that is %s', (kind, threads) => {
  test.each(Object.keys(WORKS) as WorkName[])(
    'does as Node does, to the bit, and is never blocked: %s',
    async (name) => {
      const longest: number[] = [];
      while (longest.length < RUNS && !longest.some((time) => time <= LONGEST_BLOCK)) {
        const page = await openPage(kind);
        const { bits, threads: found, longestTask } = await work(page, name);
        expect(bits).toEqual(expected.get(name));
        expect(found).toBeGreaterThanOrEqual(threads);
        longest.push(longestTask);
        await page.close();
      }
      console.log(
        `${kind}, ${name}: the page's longest task took ${longest.map((time) => time.toFixed(1)).join(', ')} ms.`,
      );
      expect(Math.min(...longest)).toBeLessThanOrEqual(LONGEST_BLOCK);
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

test('what measures tasks sees one that is long', async () => {
  const page = await openPage('plain');
  const longest = await longestTaskDuring(page, async () => {
    for (let count = 0; count < 20; count++) await new Promise((resolve) => setTimeout(resolve));
    let sum = 0;
    const end = performance.now() + 1000;
    while (performance.now() < end) sum++;
    return sum;
  });
  expect(longest).toBeGreaterThan(LONGEST_BLOCK);
  await page.close();
});
