/** The promises that package.json makes. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './support/source-tree.ts';

interface Manifest {
  readonly type: string;
  readonly sideEffects: boolean;
  readonly license: string;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly files: readonly string[];
  readonly dependencies: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
}

interface Lockfile {
  readonly packages: Readonly<Record<string, { readonly optionalDependencies?: Readonly<Record<string, string>> }>>;
}

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;

/** What a consumer installs, and the page of docs/decisions that says why. */
const DEPENDENCIES: Readonly<Record<string, string>> = {
  'cli-progress': 'command-line-libraries.md',
  commander: 'command-line-libraries.md',
  'fast-png': 'image-decoders.md',
  'jpeg-js': 'image-decoders.md',
};

test('the dependencies are the listed ones', () => {
  expect(Object.keys(manifest.dependencies).sort()).toEqual(Object.keys(DEPENDENCIES).sort());
});

test.each(Object.entries(DEPENDENCIES))('the decision for %s is written down', (name, page) => {
  expect(readFileSync(join(root, 'docs/decisions', page), 'utf8')).toContain(`\`${name}\``);
});

test('the lockfile lists the packages of every platform, without which npm ci refuses to work', () => {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lockfile;
  const listed = new Set(Object.keys(packages).map((path) => path.slice(path.lastIndexOf('node_modules/'))));
  const wanted = Object.values(packages).flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies));
  expect(wanted.length).toBeGreaterThan(20);
  expect(wanted.filter((name) => !listed.has(`node_modules/${name}`))).toEqual([]);
});

test('no consumer runs anything when installing', () => {
  const hooks = ['preinstall', 'install', 'postinstall', 'prepare'];
  expect(hooks.filter((hook) => hook in manifest.scripts)).toEqual([]);
});

test('the package is an ES module without side effects', () => {
  expect(manifest.type).toBe('module');
  expect(manifest.sideEffects).toBe(false);
});

test('every entry has a source', () => {
  const targets = Object.values(manifest.exports).flatMap((entry) =>
    typeof entry === 'string' ? [entry] : Object.values(entry),
  );
  const sources = [...targets, ...Object.values(manifest.bin)]
    .filter((target) => target.startsWith('./dist/'))
    .map((target) =>
      target
        .replace('node/hornet.js', 'cli/main.js')
        .replace(/^\.\/dist\/(?:node\/)?/, 'src/')
        .replace(/\.d\.ts$|\.js$/, '.ts'),
    );
  expect(sources.length).toBeGreaterThanOrEqual(4);
  expect(sources.filter((source) => !existsSync(join(root, source)))).toEqual([]);
});

test('every source that sets something off when it is imported is a program', () => {
  const calls = /^(?:await |process\.|[a-z][A-Za-z.]*\()/m;
  const files = globSync('src/**/*.ts', { cwd: root }).filter((file) => !file.endsWith('.test.ts'));
  // What stands in comments and in strings, such as the code of a worker or of a page, does not run.
  const noise = /\/\*[\s\S]*?\*\/|`(?:[^`\\]|\\.)*`/g;
  const found = files.filter((file) => calls.test(readFileSync(join(root, file), 'utf8').replace(noise, '')));
  expect(found).toEqual(['src/cli/main.ts']);
});
