/**
 * Pages in Chromium, cross-origin isolated and not: times against the same peers in the same page, and how long the page's
 * thread is away while Hornet works.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright';
import { build } from 'vite';
import { findChromium } from '../scripts/find-chromium.ts';
import { CHROMIUM_ARGUMENTS } from '../test/browser/chromium.ts';
import type { Files } from './browser-page/engines.ts';
import type { RaceResult } from './browser-page/main.ts';
import type { Blocks } from './browser-page/watch-blocks.ts';
import { type Findings, makeRow, type Row } from './measure.ts';
import { goalOf, rowOfMean } from './one-thread.ts';
import { type PageKind, startPageServer } from './page-server.ts';
import { hasLayersModel, type WorkloadName, workload } from './workloads.ts';

/** Each engine's, where the page can have them; in other pages all have one. */
const THREADS = 2;

/** For how long the thread of a page may be away, in milliseconds. */
const LONGEST_BLOCK_MS = 50;

/** Pages that are opened to see it: the worst counts. */
const PAGES = 3;

const root: string = fileURLToPath(new URL('..', import.meta.url));

/** Measures those of `wanted` in pages of each of `kinds`. */
export async function measureInBrowser(
  folder: string,
  wanted: readonly WorkloadName[],
  kinds: readonly PageKind[],
): Promise<Findings> {
  const built = `${folder}/browser-page`;
  await build({
    root: join(root, 'bench/browser-page'),
    base: './',
    configFile: false,
    logLevel: 'error',
    resolve: { alias: { hornet: join(root, 'src/index.ts') } },
    build: { outDir: built, emptyOutDir: true },
  });
  const server = await startPageServer({ page: built, models: folder, packages: join(root, 'bench/node_modules') });
  const executablePath = findChromium();
  const browser = await chromium.launch({
    args: [...CHROMIUM_ARGUMENTS],
    ...(executablePath === undefined ? {} : { executablePath }),
  });
  const rows: Row[] = [];
  const notes: string[] = [`in Chromium ${browser.version()}`];
  try {
    for (const kind of kinds) {
      const lowest = new Map<WorkloadName, Row>();
      for (const name of wanted) {
        const files = filesOf(folder, server.url(kind), name);
        const found = await measureWorkload(browser, `${server.url(kind)}/page/index.html`, kind, name, files);
        rows.push(...found.rows);
        notes.push(...found.notes);
        lowest.set(name, found.lowest);
      }
      rows.push(...rowOfMean(lowest, titleOf(kind)));
    }
  } finally {
    await browser.close();
    server.close();
  }
  return { rows, notes };
}

async function measureWorkload(
  browser: Browser,
  url: string,
  kind: PageKind,
  name: WorkloadName,
  files: Files,
): Promise<Findings & { readonly lowest: Row }> {
  const threads = kind === 'isolated' ? THREADS : 1;
  const title = `${files.title}, ${titleOf(kind)}`;
  const blocks: Blocks[] = [];
  while (blocks.length < PAGES) {
    blocks.push(
      await inPage(browser, url, (page) =>
        page.evaluate(([files, threads]) => window.watchHornet(files, threads), [files, threads] as const),
      ),
    );
  }
  const { medians, note } = await inPage<RaceResult>(browser, url, (page) =>
    page.evaluate(([files, threads]) => window.raceEngines(files, threads), [files, threads] as const),
  );
  const [ours, ...peers] = medians as [RaceResult['medians'][number], ...RaceResult['medians']];
  const rows = peers.map((peer) => makeRow(title, ours.ms, peer.ms, peer.name, 'ms', goalOf(name)));
  const lowest = rows.reduce((best, row) => (row.ratio < best.ratio ? row : best));
  const worst = Math.max(...blocks.flatMap(({ load, first, steady }) => [load, first, steady]));
  rows.push(makeRow(`${title}: the page waits`, worst, LONGEST_BLOCK_MS, 'what it may wait', 'ms', 1));
  const waits = blocks.map(({ load, first, steady }) => [load, first, steady].map((ms) => ms.toFixed(0)).join(', '));
  return {
    rows,
    notes: [`${title}: the page waits for ${waits.join('; ')} ms: load, first prediction, later ones`, note],
    lowest,
  };
}

/** A new page, which is closed afterwards. */
async function inPage<T>(browser: Browser, url: string, act: (page: Page) => Promise<T>): Promise<T> {
  const page = await browser.newPage();
  try {
    await page.goto(url);
    return await act(page);
  } finally {
    await page.close();
  }
}

function titleOf(kind: PageKind): string {
  return kind === 'isolated' ? `isolated page, ${THREADS} threads` : 'page, one thread';
}

function filesOf(folder: string, origin: string, name: WorkloadName): Files {
  const work = workload(name);
  const models = `${origin}/models/${name}`;
  return {
    title: work.title,
    inputShape: work.inputShape,
    keras: `${models}.keras`,
    onnx: `${models}.onnx`,
    layersModel: hasLayersModel(folder, work) ? `${models}/model.json` : undefined,
    input: `${models}-input.bin`,
    output: `${models}-output.bin`,
    packages: `${origin}/packages`,
  };
}
