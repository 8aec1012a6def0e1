/** What a load takes of the machine's memory at most, in processes of their own. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './support/source-tree.ts';

interface Growth {
  readonly grown: number;
  readonly float32Bytes: number;
}

/** Loads 20 kernels of 16 MB. */
function load(...weightDtype: string[]): Growth {
  const words = [join(root, 'test/support/load-child.ts'), '20', '2048', ...weightDtype];
  const { stdout, stderr, status } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`Cannot load: ${stderr}`);
  return JSON.parse(stdout) as Growth;
}

test('weights are compressed while they arrive: the float32 model is never there', () => {
  const { grown: wide, float32Bytes } = load();
  expect(float32Bytes).toBe(20 * 2048 * 2048 * 4);
  expect(wide).toBeGreaterThan(float32Bytes);
  // What has been let go stays with the process until it is collected, which takes some 100 MB.
  expect(load('int8').grown).toBeLessThan(float32Bytes * 0.8);
});
