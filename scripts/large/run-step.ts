/** Runs a step of `child.ts` in a process of its own. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The formats, and what a file of each is called. */
export const LARGE_FORMATS: Readonly<Record<string, string>> = {
  keras: 'large.keras',
  h5: 'large.h5',
  'layers-model': 'model.json',
  'weights.h5': 'large.weights.h5',
  'weights.json': 'large.weights.json',
  safetensors: 'large.safetensors',
  npz: 'large.npz',
};

export interface LargeOutcome {
  readonly ms: number;
  /** The largest resident set during the step less that before it. */
  readonly peakBytes: number;
}

/** @throws {Error} with what the process said when it failed. */
export function runLargeStep(step: string, format: string, path: string, byteCount: number): LargeOutcome {
  const child = fileURLToPath(new URL('./child.ts', import.meta.url));
  const words = ['--expose-gc', child, step, format, path, String(byteCount)];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr.trim().split('\n').slice(-12).join('\n'));
  return JSON.parse(stdout) as LargeOutcome;
}
