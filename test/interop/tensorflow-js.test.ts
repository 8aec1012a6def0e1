/**
 * Stock TensorFlow.js loads what Hornet saves. A part of the models of the folder beside the repository, all of them with
 * INTEROP_ALL=1.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { findModels } from '../../scripts/zoo/find-models.ts';
import { type KerasModel, loadModel, memoryStore, type Tensor } from '../../src/index.ts';
import { predictSeeded } from '../../src/io/seeded-inputs.ts';
import { filesHandler, openTensorflow, type Tensorflow } from '../support/tensorflow-js.ts';
import { withSmallInputs } from './small-inputs.ts';
import { Tally } from './tally.ts';

const SHARED = fileURLToPath(new URL('../../../shared', import.meta.url));

const ALL = !['', '0', 'false'].includes(process.env.INTEROP_ALL ?? '');

/** Every so many models; all of them take two minutes. */
const STEP = ALL ? 1 : 2;

/** Its plain JavaScript takes minutes for more. */
const MAX_PARAMETERS = ALL ? 30_000_000 : 100_000;
const MAX_ELEMENTS = ALL ? 12_000_000 : 2_000_000;

/** |a − b| ≤ LIMIT · (1 + |b|) */
const LIMIT = 1e-4;

describe.skipIf(!existsSync(SHARED))('stock TensorFlow.js', () => {
  test('predicts the same with every model whose layers it has', async () => {
    const tensorflow = await openTensorflow();
    expect(tensorflow.version).toBe('4.22.0');
    const tally = new Tally(`TensorFlow.js ${tensorflow.version}`, 'model.json');
    const counts = { found: 0, read: 0, written: 0, lacking: 0, large: 0, loaded: 0, equal: 0 };
    const reasons: string[] = [];
    const paths = findModels([`${SHARED}/fixtures`, `${SHARED}/models`]).filter((_, index) => index % STEP === 0);
    for (const { path } of paths) {
      counts.found++;
      const read = await loadModel(path).catch(() => undefined);
      if (read === undefined) continue;
      const model = await withSmallInputs(read);
      counts.read++;
      const files = new Map<string, Uint8Array>();
      // Small shards, so that weights lie across them.
      const report = await model
        .save({ store: memoryStore(files), key: 'model.json' }, { shardSize: 10_000 })
        .catch(() => undefined);
      if (report === undefined) continue;
      counts.written++;
      const isLacking = report.notInTensorflowJs?.length !== 0;
      tally.count('models', !isLacking);
      if (isLacking) {
        counts.lacking++;
        tally.note('layers and options that it lacks, or computes otherwise');
        continue;
      }
      if (model.countParams() > MAX_PARAMETERS || elementsOf(model) > MAX_ELEMENTS) {
        counts.large++;
        tally.note('too large for its plain JavaScript');
        continue;
      }
      const { loaded, equal } = counts;
      try {
        await checkModel(tensorflow, files, model, () => counts.loaded++);
        counts.equal++;
      } catch (error) {
        reasons.push(`${path}: ${(error as Error).message}`);
      }
      tally.count('loaded', counts.loaded > loaded);
      tally.count('equal', counts.equal > equal);
      tensorflow.disposeVariables();
    }
    tally.write();
    console.table([counts]);
    expect(reasons).toEqual([]);
    expect(counts.equal).toBeGreaterThan(ALL ? 540 : 240);
  }, 600_000);
});

async function checkModel(
  tensorflow: Tensorflow,
  files: ReadonlyMap<string, Uint8Array>,
  model: KerasModel,
  onLoaded: () => void,
): Promise<void> {
  const loaded = await tensorflow.loadLayersModel(filesHandler(files, 'model.json'));
  onLoaded();
  const { inputs, outputs } = await predictSeeded(model);
  const found = [loaded.predict(inputs.map((input) => tensorflow.tensor(input)))].flat();
  if (found.length !== outputs.length) throw new Error(`${found.length} outputs where there are ${outputs.length}`);
  for (const [index, output] of outputs.entries()) {
    const other = found[index];
    if (String(other?.shape) !== String(output.shape)) throw new Error(`shape ${other?.shape}, not ${output.shape}`);
    const worst = relativeDifference(other?.dataSync() ?? [], output);
    if (!(worst <= LIMIT)) throw new Error(`output ${index} differs by ${worst}`);
  }
}

function relativeDifference(found: ArrayLike<number>, { data }: Tensor): number {
  let worst = 0;
  for (let index = 0; index < data.length; index++) {
    const [a, b] = [found[index] as number, Number(data[index])];
    if (Object.is(a, b)) continue;
    const difference = Math.abs(a - b) / (1 + Math.abs(b));
    if (!(difference <= worst)) worst = difference;
  }
  return worst;
}

/** Elements of the largest tensor between layers. */
function elementsOf(model: KerasModel): number {
  const shapes = model.layerCalls.flatMap(({ outputs }) => outputs.map(({ shape }) => shape));
  return Math.max(...shapes.map((shape) => shape.reduce<number>((product, extent) => product * (extent ?? 8), 1)));
}
