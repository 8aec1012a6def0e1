/** What loading 100 MB costs: the file's size and a constant, measured in a process of its own. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findPython } from '../../scripts/find-python.ts';

/** What a load may take besides the file's size: arrays under way, code, and what the collector has not yet freed. */
const EXTRA_BYTES = 64 << 20;

const WRITE = `
import sys, keras
model = keras.Sequential([keras.Input((1600,))] + [keras.layers.Dense(1600) for _ in range(10)])
for path in sys.argv[1:]: model.save(path)
`;

const READ = `
import { readFileSync } from 'node:fs';
const [library, warm, file] = process.argv.slice(1);
const { loadModel } = await import(library);
await loadModel(warm);
const before = process.memoryUsage().rss;
const model = await loadModel(file);
const peak = Number(/VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024;
console.log(JSON.stringify({ weights: model.weights.length, bytes: peak - before }));
`;

const pathOf = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

describe.skipIf(process.platform !== 'linux')('loading 100 MB takes no more than the file and a constant', () => {
  const folder = mkdtempSync(`${tmpdir()}/hornet-`);
  const files = ['big.keras', 'big.h5'] as const;
  beforeAll(() => {
    const paths = files.map((file) => `${folder}/${file}`);
    const env = { ...process.env, KERAS_BACKEND: 'jax' };
    execFileSync(findPython() ?? 'python3', ['-c', WRITE, ...paths], { env, stdio: 'ignore' });
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each(files)(
    '%s',
    (file) => {
      const path = `${folder}/${file}`;
      const { size } = statSync(path);
      expect(size).toBeGreaterThan(100e6);
      const warm = pathOf(`test/fixtures/formats/tiny.${file.split('.')[1]}`);
      const args = ['--input-type=module', '-e', READ, pathOf('src/index.ts'), warm, path];
      const outcome: unknown = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
      expect(outcome).toMatchObject({ weights: 20 });
      expect((outcome as { bytes: number }).bytes).toBeLessThan(size + EXTRA_BYTES);
    },
    60_000,
  );
});
