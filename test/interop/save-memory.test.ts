/** What saving and loading 192 MB takes beside the model, in every format; `npm run large` does it with a gigabyte. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { LARGE_FORMATS, runLargeStep } from '../../scripts/large/run-step.ts';

/** Arrays under way, code, and what the collector has not yet freed. */
const EXTRA_BYTES = 64 << 20;
const MODEL_BYTES = 192 << 20;

describe.skipIf(process.platform !== 'linux')('a model of 192 MB takes no more than itself and 64 MB', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hornet-save-memory-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each(Object.entries(LARGE_FORMATS))('%s', (format, name) => {
    const path = join(folder, format, name);
    mkdirSync(dirname(path), { recursive: true });
    expect(runLargeStep('save', format, path, MODEL_BYTES).peakBytes).toBeLessThan(EXTRA_BYTES);
    const { peakBytes } = runLargeStep('load', format, path, MODEL_BYTES);
    expect(peakBytes).toBeLessThan(MODEL_BYTES + EXTRA_BYTES);
    // Less than the model would be no measurement.
    expect(peakBytes).toBeGreaterThan(MODEL_BYTES - EXTRA_BYTES);
    rmSync(dirname(path), { recursive: true });
  });
});
