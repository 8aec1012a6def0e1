/** Runs every `ts` block of README.md, docs/ and doc comments: what the documentation shows, works. */
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { root } from './support/source-tree.ts';

interface Example {
  readonly file: string;
  readonly line: number;
  readonly code: string;
}

const FOLDER = join(root, '.cache/docs');
/** A fence, with or without the stars of a doc comment before each line. */
const BLOCK = /^([ \t]*(?:\* ?)?)```ts\n([\s\S]*?)^[ \t]*(?:\* ?)?```$/gm;

const pages = [...globSync(['README.md', 'docs/**/*.md'], { cwd: root }), ...globSync('src/**/*.ts', { cwd: root })]
  .filter((file) => !file.endsWith('.test.ts'))
  .sort();
const examples = pages.flatMap(examplesOf);

beforeAll(() => {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
});

test('the scan sees the documentation', () => {
  expect(examples.filter(({ file }) => file === 'README.md').length).toBeGreaterThanOrEqual(3);
  expect(examples.filter(({ file }) => file.startsWith('src/')).length).toBeGreaterThan(5);
});

describe.each(Object.entries(Object.groupBy(examples, ({ file }) => file)))('%s', (_, found) => {
  test.each(found?.map((example) => [example.line, example] as const) ?? [])('line %i', async (_line, example) => {
    const file = join(FOLDER, `${example.file.replaceAll(/[^a-z0-9]+/gi, '-')}-${example.line}.ts`);
    writeFileSync(file, `import { expect } from 'vitest';\n${example.code}\nexport {};\n`);
    expect(await import(/* @vite-ignore */ file)).toBeDefined();
  });
});

function examplesOf(file: string): Example[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(BLOCK)].map((match) => {
    const isComment = match[1]?.includes('*') ?? false;
    const lines = (match[2] ?? '').split('\n').map((line) => (isComment ? line.replace(/^[ \t]*\* ?/, '') : line));
    return { file, line: text.slice(0, match.index).split('\n').length, code: lines.join('\n') };
  });
}
