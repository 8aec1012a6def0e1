/**
 * `npm run large [-- --format NAME] [--folder FOLDER]`: what does not fit into 2 or 4 GB, in every format.
 *
 * Saves and loads a model of 1 GB, each in a process of its own, which may take 64 MB beside the model; then writes and
 * reads 5 GB of weights, of which each is made when it is asked for. Needs 6 GB of disk. Ends with status 1 when anything
 * failed, or took more.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { LARGE_FORMATS, runLargeStep } from './large/run-step.ts';

const GIGABYTE = 2 ** 30;
const EXTRA_BYTES = 64 << 20;

const { values } = parseArgs({
  options: { format: { type: 'string' }, folder: { type: 'string', default: tmpdir() } },
});
const folder = mkdtempSync(join(values.folder, 'hornet-large-'));
let status = 0;
for (const [format, name] of Object.entries(LARGE_FORMATS)) {
  if (values.format !== undefined && values.format !== format) continue;
  const path = join(folder, format, name);
  mkdirSync(dirname(path), { recursive: true });
  for (const [step, byteCount] of [
    ['save', GIGABYTE],
    ['load', GIGABYTE],
    ['write', 5 * GIGABYTE],
    ['read', 5 * GIGABYTE],
  ] as const) {
    try {
      const { ms, peakBytes } = runLargeStep(step, format, path, byteCount);
      const extra = peakBytes - (step === 'load' ? byteCount : 0);
      const isTooMuch = (step === 'save' || step === 'load') && extra > EXTRA_BYTES;
      if (isTooMuch) status = 1;
      const beside = step === 'save' || step === 'load' ? 'beside the model' : 'in all';
      console.log(
        `${format.padEnd(13)} ${step.padEnd(5)} ${byteCount / GIGABYTE} GB: ${(ms / 1000).toFixed(1)} s, ` +
          `${(extra / 2 ** 20).toFixed(0)} MB ${beside}${isTooMuch ? ': too much' : ''}`,
      );
    } catch (error) {
      status = 1;
      console.log(`${format.padEnd(13)} ${step.padEnd(5)} failed: ${(error as Error).message}`);
    }
    if (step === 'load' || step === 'read') rmSync(dirname(path), { recursive: true, force: true });
    mkdirSync(dirname(path), { recursive: true });
  }
}
rmSync(folder, { recursive: true });
process.exitCode = status;
