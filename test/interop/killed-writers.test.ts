/**
 * Writers that are killed by SIGKILL, at two hundred random moments of saving over what is there: the last model that was
 * saved or the next one loads, whole, each time, and nothing is left of those that were killed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Checkpoints, type KerasModel, loadModel } from 'hornet';
import { build } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Random } from '../../scripts/fuzz/random.ts';
import { numberedModel, saveNumbered } from '../support/endless-saving.ts';
import { root } from '../support/source-tree.ts';

const SCRIPT = 'endless-saving.mjs';
const SEED = 20_261_121;
const KILLS = 50;
/** With the list of them, and those that it replaces. */
const FILES_OF_A_SAVE = 8;
const folder = mkdtempSync(join(tmpdir(), 'hornet-killed-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The writer in one file, which starts in a fraction of the time. */
beforeAll(async () => {
  await build({
    root,
    configFile: false,
    logLevel: 'silent',
    ssr: { noExternal: true },
    build: {
      ssr: join(root, 'test/support/endless-saving.ts'),
      outDir: folder,
      minify: false,
      rolldownOptions: { output: { entryFileNames: SCRIPT } },
    },
  });
});

interface Writer {
  readonly child: ChildProcess;
  readonly isReady: Promise<void>;
  /** The number of the last model that it said is saved. */
  saved: number;
}

function startWriter(place: string): Writer {
  const child = spawn(process.execPath, [join(folder, SCRIPT), place], { stdio: ['pipe', 'pipe', 'inherit'] });
  let ready = (): void => {};
  const isReady = new Promise<void>((resolve) => {
    ready = resolve;
  });
  const writer: Writer = { child, saved: -1, isReady };
  let rest = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === 'ready') ready();
      else writer.saved = Number(line);
    }
  });
  return writer;
}

/** The number that all weights of a model are; fails for a mixture. */
function numberOf(model: KerasModel): number {
  const numbers = new Set(model.getWeights().flatMap(({ data }) => [...new Set(data as Float32Array)]));
  expect([...numbers]).toHaveLength(1);
  return [...numbers][0] as number;
}

/** What is there after a kill; everything that is there must load. */
async function numberAt(place: string): Promise<number> {
  if (!place.endsWith('.checkpoints')) return numberOf(await loadModel(place));
  const versions = new Checkpoints(place);
  const list = await versions.list();
  expect(await versions.listDamaged()).toEqual([]);
  for (const { id, step } of list) {
    expect(numberOf(await versions.loadModel(id))).toBe(step);
    expect((await versions.loadTrainingState(id)).tensors.size).toBeGreaterThan(4);
  }
  return list.at(-1)?.step ?? -1;
}

/** The files that belong to what is there. */
async function expectedFiles(place: string): Promise<readonly (string | RegExp)[]> {
  if (place.endsWith('.keras') || place.endsWith('.h5')) return [/^model\.(?:keras|h5)$/];
  if (place.endsWith('.json')) return ['model.json', ...Array<RegExp>(3).fill(/^group1-shard\dof3-.*\.bin$/)];
  const versions = await new Checkpoints(place).list();
  return ['checkpoints.json', ...versions.map(({ id }) => id)];
}

test.each(['model.keras', 'model.h5', 'model.json', 'versions.checkpoints'])(
  `${KILLS} kills while %s is written`,
  async (name) => {
    const random = new Random(SEED, name);
    const place = join(folder, name.replace('.', '-'), name);
    const model = numberedModel();
    const started = performance.now();
    let number = 1;
    for (; number <= 3; number++) await saveNumbered(model, number, place);
    const saveMs = Math.min((performance.now() - started) / 3, 100);
    const found = { old: 0, next: 0 };
    const left: number[] = [];
    const filesIn = (): string[] => readdirSync(name.endsWith('.checkpoints') ? place : dirname(place)).sort();
    const usual = filesIn().length;
    number = await numberAt(place);
    let next = startWriter(place);
    for (let kill = 0; kill < KILLS; kill++) {
      const writer = next;
      next = startWriter(place);
      await writer.isReady;
      const isClosed = new Promise((resolve) => writer.child.once('close', resolve));
      writer.saved = number;
      writer.child.stdin?.write(String(number + 1));
      // The moment counts from the word, over the first three saves.
      await new Promise((resolve) => setTimeout(resolve, (random.below(1000) / 1000) * 3 * saveMs));
      writer.child.kill('SIGKILL');
      await isClosed;
      number = await numberAt(place);
      expect([writer.saved, writer.saved + 1]).toContain(number);
      found[number === writer.saved ? 'old' : 'next']++;
      left.push(filesIn().length - usual);
    }
    next.child.kill('SIGKILL');
    // Each writer first removes what the one before had left, if it comes to that.
    expect(Math.max(...left)).toBeLessThanOrEqual(3 * FILES_OF_A_SAVE);
    await saveNumbered(model, number + 1, place);
    expect(await numberAt(place)).toBe(number + 1);
    const expected = await expectedFiles(place);
    expect(filesIn()).toEqual(
      [...expected].map((one) => (typeof one === 'string' ? one : expect.stringMatching(one))).sort(),
    );
    console.log(
      `${name}: ${KILLS} kills within ${(3 * saveMs).toFixed(0)} ms: ${found.old} times the model before, ${found.next} times ` +
        `the one that was not yet reported; ${left.filter((count) => count > 0).length} left files, which are gone`,
    );
  },
  120_000,
);
