/**
 * Pages in Chromium, cross-origin isolated and not: times against the same peers in the same page, and how long the page's
 * thread is away while Hornet works: by the clock, in which others may have had the processor, and of the processor.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright';
import { build } from 'vite';
import { findChromium } from '../scripts/find-chromium.ts';
import { CHROMIUM_ARGUMENTS } from '../test/browser/chromium.ts';
import type { Files } from './browser-page/engines.ts';
import type { Answer, RaceResult, Task } from './browser-page/main.ts';
import { type Blocks, PHASES } from './browser-page/phases.ts';
import { type Findings, makeRow, type Row } from './measure.ts';
import { goalOf, rowOfMean } from './one-thread.ts';
import { type PageKind, type PageServer, startPageServer } from './page-server.ts';
import { PageTrace, TRACEABLE } from './page-trace.ts';
import { hasLayersModel, type WorkloadName, workload } from './workloads.ts';

/** Each engine's, where the page can have them; in other pages all have one. */
const THREADS = 2;

/** For how long the thread of a page may be away, in milliseconds. */
const LONGEST_BLOCK_MS = 50;

/** Pages that are opened to see it: the worst counts. */
const PAGES = 3;

/** Milliseconds after which a page will not answer any more. */
const PATIENCE_MS = 300_000;

/** So often a page is opened that does not answer, or fails. */
const ATTEMPTS = 2;

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
    build: { outDir: built, emptyOutDir: true, target: 'esnext' },
  });
  const server = await startPageServer({ page: built, models: folder, packages: join(root, 'bench/node_modules') });
  const rows: Row[] = [];
  const notes = [`in ${browserVersion()}`];
  try {
    for (const kind of kinds) {
      const lowest = new Map<WorkloadName, Row>();
      for (const name of wanted) {
        try {
          const found = await measureWorkload(folder, server, kind, name);
          rows.push(...found.rows);
          // The whole takes minutes.
          for (const note of found.notes) console.log(note);
          lowest.set(name, found.lowest);
        } catch (error) {
          notes.push(`left out: ${(error as Error).message}`);
        }
      }
      rows.push(...rowOfMean(lowest, titleOf(kind)));
    }
  } finally {
    server.close();
  }
  return { rows, notes };
}

async function measureWorkload(
  folder: string,
  server: PageServer,
  kind: PageKind,
  name: WorkloadName,
): Promise<Findings & { readonly lowest: Row }> {
  const threads = kind === 'isolated' ? THREADS : 1;
  const files = filesOf(folder, server.url(kind), name);
  const title = `${files.title}, ${titleOf(kind)}`;
  const act = async <T>(task: Task['kind']): Promise<Outcome<T>> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await inPage<T>(server, kind, { kind: task, files, threads });
      } catch (error) {
        if (attempt === ATTEMPTS) throw error;
        console.error(`${title}, ${task}: once more, for: ${(error as Error).message}`);
      }
    }
  };
  const waits: number[][] = [];
  const tasks: number[][] = [];
  while (waits.length < PAGES) {
    const { result, longestTasks } = await act<Blocks>('watch');
    waits.push(PHASES.map((phase) => result[phase]));
    tasks.push(longestTasks);
  }
  const { medians, note } = (await act<RaceResult>('race')).result;
  const [ours, ...peers] = medians as [RaceResult['medians'][number], ...RaceResult['medians']];
  const rows = peers.map((peer) => makeRow(title, ours.ms, peer.ms, peer.name, 'ms', goalOf(name)));
  const lowest = rows.reduce((best, row) => (row.ratio < best.ratio ? row : best));
  const rowOfWorst = (what: string, pages: readonly (readonly number[])[]): Row =>
    makeRow(`${title}: ${what}`, Math.max(...pages.flat()), LONGEST_BLOCK_MS, 'what it may be', 'ms', 1);
  rows.push(rowOfWorst('the longest wait of the page', waits));
  rows.push(rowOfWorst("the page's longest task, of the processor", tasks));
  const each = (pages: readonly (readonly number[])[]): string =>
    pages.map((phases) => phases.map((ms) => ms.toFixed(0)).join(', ')).join('; ');
  return {
    rows,
    notes: [
      `${title}: in load, first prediction and later ones the page waits for ${each(waits)} ms, ` +
        `its longest task takes ${each(tasks)} ms of the processor`,
      note,
    ],
    lowest,
  };
}

interface Outcome<T> {
  readonly result: T;
  /** Of the phases of a page that is watched, in milliseconds of the processor. */
  readonly longestTasks: number[];
}

/** What a page answers that is opened in a browser of its own, which is traced where the page is watched. */
async function inPage<T>(server: PageServer, kind: PageKind, task: Omit<Task, 'report'>): Promise<Outcome<T>> {
  const report = server.nextReport();
  const whole: Task = { ...task, report: `${server.url(kind)}/report` };
  const url = `${server.url(kind)}/page/index.html#${encodeURIComponent(JSON.stringify(whole))}`;
  const profile = mkdtempSync(join(tmpdir(), 'hornet-bench-'));
  const isWatched = task.kind === 'watch';
  const words = ['--headless', `--user-data-dir=${profile}`, '--no-default-browser-check', ...CHROMIUM_ARGUMENTS];
  const child = spawn(browserPath(), [...words, ...(isWatched ? [TRACEABLE, 'about:blank'] : [url])], {
    stdio: 'ignore',
  });
  try {
    const trace = isWatched ? await PageTrace.start(profile) : undefined;
    await trace?.open(url);
    const silence = setTimeout(PATIENCE_MS, undefined, { ref: false });
    const text = await Promise.race([report, silence]);
    if (text === undefined) throw new Error(`Cannot measure ${task.files.title} in a page, ${kind}: it says nothing`);
    const answer = JSON.parse(text) as Answer<T>;
    if ('failure' in answer) throw new Error(answer.failure);
    return { result: answer.result, longestTasks: (await trace?.end(PHASES)) ?? [] };
  } finally {
    const end = once(child, 'exit');
    child.kill('SIGKILL');
    await end;
    rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}

function browserPath(): string {
  return findChromium() ?? chromium.executablePath();
}

function browserVersion(): string {
  return spawnSync(browserPath(), ['--version'], { encoding: 'utf8' }).stdout.trim();
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
