/** Checks and runs every `ts` block of README.md, docs/ and doc comments: what the documentation shows, works. */
import { spawnSync } from 'node:child_process';
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

/** Those of the project, but that examples need not use all that they name. */
const TYPE_CHECK = {
  extends: '../../tsconfig.json',
  compilerOptions: { noUnusedLocals: false, rewriteRelativeImportExtensions: false, allowImportingTsExtensions: true },
  include: ['*.ts'],
};

const pages = [...globSync(['README.md', 'docs/**/*.md'], { cwd: root }), ...globSync('src/**/*.ts', { cwd: root })]
  .filter((file) => !file.endsWith('.test.ts'))
  .sort();
const examples = pages.flatMap(examplesOf);

beforeAll(() => {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  for (const example of examples) {
    writeFileSync(fileOf(example), `import { expect } from 'vitest';\n${example.code}\nexport {};\n`);
  }
});

test('the scan sees the documentation', () => {
  expect(examples.filter(({ file }) => file === 'README.md').length).toBeGreaterThanOrEqual(3);
  expect(examples.filter(({ file }) => file.startsWith('src/')).length).toBeGreaterThan(5);
});

test('the types of all of it are right', () => {
  writeFileSync(join(FOLDER, 'tsconfig.json'), JSON.stringify(TYPE_CHECK));
  const { status, stdout } = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', FOLDER], { encoding: 'utf8' });
  expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
}, 60_000);

describe.each(Object.entries(Object.groupBy(examples, ({ file }) => file)))('%s', (_, found) => {
  test.each(found?.map((example) => [example.line, example] as const) ?? [])('line %i', async (_line, example) => {
    expect(await import(/* @vite-ignore */ fileOf(example))).toBeDefined();
  });
});

function fileOf({ file, line }: Example): string {
  return join(FOLDER, `${file.replaceAll(/[^a-z0-9]+/gi, '-')}-${line}.ts`);
}

function examplesOf(file: string): Example[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(BLOCK)].map((match) => {
    const isComment = match[1]?.includes('*') ?? false;
    const lines = (match[2] ?? '').split('\n').map((line) => (isComment ? line.replace(/^[ \t]*\* ?/, '') : line));
    return { file, line: text.slice(0, match.index).split('\n').length, code: lines.join('\n') };
  });
}
