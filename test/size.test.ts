/** What a page pays, minified and gzipped, for what it imports. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type Rolldown } from 'vite';
import { expect, test } from 'vitest';
import { root } from './support/source-tree.ts';

const FOLDER = join(root, '.cache/size');
const KILOBYTE = 1000;

type Chunk = Rolldown.OutputChunk;

test('loadModel costs at most 60 KB before a model is loaded', async () => {
  const chunks = await bundle('loadModel');
  const names = staticChunks(chunks, entryOf(chunks).fileName);
  expect(gzippedBytes(chunks, names)).toBeLessThanOrEqual(60 * KILOBYTE);
});

test('all that a .keras model needs to predict costs at most 140 KB', async () => {
  const chunks = await bundle('loadModel');
  const loaded = runInNode(chunks, entryOf(chunks).fileName);
  expect(loaded.length).toBeGreaterThan(1);
  expect(gzippedBytes(chunks, loaded)).toBeLessThanOrEqual(140 * KILOBYTE);
});

test('tensor alone costs next to nothing', async () => {
  const chunks = await bundle('tensor');
  expect(gzippedBytes(chunks, staticChunks(chunks, entryOf(chunks).fileName))).toBeLessThanOrEqual(3 * KILOBYTE);
});

async function bundle(name: string): Promise<readonly Chunk[]> {
  const entry = join(root, '.cache/size-entry.ts');
  mkdirSync(join(root, '.cache'), { recursive: true });
  writeFileSync(entry, `export { ${name} } from '../src/index.ts';\n`);
  const result = (await build({
    root,
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      minify: true,
      target: 'es2022',
      modulePreload: false,
      rolldownOptions: { input: entry, preserveEntrySignatures: 'strict' },
    },
  })) as Rolldown.RolldownOutput;
  return result.output.filter((part): part is Chunk => part.type === 'chunk');
}

function entryOf(chunks: readonly Chunk[]): Chunk {
  const entry = chunks.find(({ isEntry }) => isEntry);
  if (entry === undefined) throw new Error('Cannot measure: the bundle has no entry');
  return entry;
}

/** A chunk and all that comes with it before anything runs. */
function staticChunks(chunks: readonly Chunk[], name: string, seen: Set<string> = new Set()): string[] {
  seen.add(name);
  for (const next of chunks.find(({ fileName }) => fileName === name)?.imports ?? []) {
    if (!seen.has(next)) staticChunks(chunks, next, seen);
  }
  return [...seen];
}

function gzippedBytes(chunks: readonly Chunk[], names: readonly string[]): number {
  return chunks
    .filter(({ fileName }) => names.includes(fileName))
    .reduce((sum, { code }) => sum + gzipSync(code, { level: 9 }).byteLength, 0);
}

/** Loads a model from its bytes, as a page would, and predicts; gives the chunks that this took. */
function runInNode(chunks: readonly Chunk[], entry: string): string[] {
  rmSync(FOLDER, { recursive: true, force: true });
  for (const { fileName, code } of chunks) {
    const file = join(FOLDER, fileName);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, `${code}\nglobalThis.loadedChunks.push(${JSON.stringify(fileName)});\n`);
  }
  writeFileSync(join(FOLDER, 'package.json'), '{ "type": "module" }\n');
  const program = `
    globalThis.loadedChunks = [];
    const { readFileSync } = await import('node:fs');
    const { loadModel } = await import(${JSON.stringify(join(FOLDER, entry))});
    const model = await loadModel(readFileSync('models/digits/digits.keras'));
    await model.predict(new Float32Array(64));
    console.log(JSON.stringify(globalThis.loadedChunks));
    process.exit(0);
  `;
  const words = ['--input-type=module', '-e', program];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: root, encoding: 'utf8' });
  // Node quotes the line that failed, which is the whole bundle.
  const message = stderr
    .split('\n')
    .filter((line) => line.length < 500)
    .slice(0, 8)
    .join('\n');
  if (status !== 0) throw new Error(`Cannot measure: the bundle failed: ${message}`);
  return JSON.parse(stdout) as string[];
}
