/**
 * What loading a part of a model costs: a model of a hundred layers that real Keras wrote, on a server that counts.
 *
 * The configuration is a part of every load and is not divisible: of this model it takes some 100 KB. That is why the
 * first layer of all, whose weights come to less, is not among those that are tried.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type KerasModel, loadModel, Model, type Tensor } from 'hornet';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findPython } from '../../scripts/find-python.ts';
import { type FileServer, startFileServer } from '../support/file-server.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const stem = `${root}.cache/bench/hundred-layers`;
const script = `${root}interop/make-bench-models.py`;
const python = findPython();
const canRun = existsSync(`${stem}-output.bin`) || python !== undefined;

/** Beyond the weights: five percent of them, and 64 KB. */
const SHARE = 0.05;
const CONSTANT_BYTES = 64 << 10;

const EARLY = 'block_01';
const LAYERS = [EARLY, 'block_04_inner', 'block_09', 'block_12_norm', 'block_18_outer', 'block_23', 'answer'];

describe.skipIf(!canRun)(
  'loadModel() of a part of a remote model (written by Keras: .ci/run makes interop/.venv)',
  () => {
    let server: FileServer;
    let whole: KerasModel;
    let features: Float32Array;

    beforeAll(async () => {
      if (!existsSync(`${stem}-output.bin`)) {
        execFileSync(python as string, [script, 'hundred-layers'], { stdio: ['ignore', 'inherit', 'pipe'] });
      }
      server = await startFileServer({
        'model.h5': readFileSync(`${stem}.h5`),
        'model.keras': readFileSync(`${stem}.keras`),
      });
      whole = await loadModel(`${stem}.keras`);
      features = readFloats(`${stem}-input.bin`);
    }, 240_000);

    afterAll(async () => {
      await server?.[Symbol.asyncDispose]();
    });

    test('the model has a hundred layers, and predicts what Keras predicts', async () => {
      expect(whole.layers).toHaveLength(100);
      const answer = await whole.predict(features);
      const expected = readFloats(`${stem}-output.bin`);
      expect(answer.data).toHaveLength(expected.length);
      for (const [index, value] of expected.entries()) {
        const difference = Math.abs((answer.data[index] as number) - value);
        expect(difference).toBeLessThanOrEqual(1e-4 + 1e-4 * Math.abs(value));
      }
    });

    describe.each(['h5', 'keras'])('.%s', (extension) => {
      test.each(LAYERS)('until %s: its weights plus 5 % and 64 KB; predicts the same', async (until) => {
        const before = server.sentBytes();
        const part = await loadModel(`${server.url}/model.${extension}`, { until });
        const sentBytes = server.sentBytes() - before;
        const weightBytes = part.weights.reduce((sum, { value }) => sum + 4 * value.data.length, 0);
        expect(weightBytes).toBeGreaterThan(1 << 20);
        // Less than the weights would mean that the server did not count.
        expect(sentBytes).toBeGreaterThan(weightBytes);
        expect(sentBytes).toBeLessThanOrEqual(weightBytes * (1 + SHARE) + CONSTANT_BYTES);

        const same = new Model({ inputs: whole.inputs, outputs: whole.getLayer(until).output });
        const [found, expected] = [await part.predict(features), await same.predict(features)];
        expect(found.shape).toEqual(expected.shape);
        expect(bitsOf(found)).toEqual(bitsOf(expected));
      });
    });

    test('a part takes a fraction of the whole', async () => {
      const before = server.sentBytes();
      await loadModel(`${server.url}/model.keras`, { until: EARLY });
      expect(server.sentBytes() - before).toBeLessThan((server.files.get('model.keras')?.byteLength ?? 0) / 8);
    });
  },
);

function readFloats(path: string): Float32Array {
  const bytes = readFileSync(path);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

function bitsOf({ data }: Tensor): number[] {
  return [...new Uint32Array((data as Float32Array).slice().buffer)];
}
