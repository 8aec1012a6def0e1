/** What Node loads of the package: a few files, which do what the modules do. */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { bundleForNode } from '../scripts/bundle-for-node.ts';
import * as modules from '../src/index.ts';
import { root } from './support/source-tree.ts';

const FOLDER = join(root, '.cache/node-bundle');

beforeAll(async () => {
  rmSync(FOLDER, { recursive: true, force: true });
  await bundleForNode(join(FOLDER, 'dist/node'));
  writeFileSync(join(FOLDER, 'package.json'), '{ "type": "module" }\n');
}, 60_000);

function run(words: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: root, encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout;
}

describe('the package in Node', () => {
  test('has the names of the modules, and predicts from four files', async () => {
    const index = join(FOLDER, 'dist/node/index.js');
    const found = JSON.parse(
      run([
        '--input-type=module',
        '-e',
        `import { registerHooks } from 'node:module';
        const files = [];
        registerHooks({ load: (url, context, next) => {
          if (url.startsWith('file:')) files.push(url.slice(url.lastIndexOf('/') + 1));
          return next(url, context);
        } });
        const names = await import(${JSON.stringify(index)});
        const early = [...files];
        const model = await names.loadModel('models/digits/digits.keras');
        const output = await model.predict(new Float32Array(64).fill(0.5));
        console.log(JSON.stringify({ names: Object.keys(names).sort(), early, files, output: [...output.data] }));
        process.exit(0);`,
      ]),
    ) as { names: string[]; early: string[]; files: string[]; output: number[] };
    expect(found.names).toEqual(Object.keys(modules).sort());
    expect(found.early.sort()).toEqual(['core.js', 'index.js', 'rolldown-runtime.js']);
    expect(found.files.sort()).toEqual(['core.js', 'index.js', 'predict.js', 'rolldown-runtime.js']);
    const model = await modules.loadModel(readFileSync(join(root, 'models/digits/digits.keras')));
    const output = await model.predict(new Float32Array(64).fill(0.5));
    expect(found.output).toEqual([...(output.data as Float32Array)]);
  });

  test('is the command line too', () => {
    expect(run([join(FOLDER, 'dist/node/hornet.js'), '--help'])).toContain('Usage: hornet');
  });
});
