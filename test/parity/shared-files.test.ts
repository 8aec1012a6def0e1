/** Reads every model file of the folder of real models beside the repository, where it is there. */

import { existsSync, globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { UnsupportedError } from '../../src/errors.ts';
import { readArtifacts } from '../../src/io/read-artifacts.ts';
import { entriesOf } from '../support/format-fixtures.ts';

const SHARED = fileURLToPath(new URL('../../../shared', import.meta.url));

/** Files of these names hold inputs and outputs of a model, or one shard of several. */
const OTHERS = /_expected\/|_inputs_and_outputs\.h5$|_\d{5}\.weights\.h5$/;

const KINDS: readonly (readonly [string, string, number])[] = [
  ['HDF5', '{models,fixtures}/**/*.{h5,hdf5}', 1000],
  ['.keras', '{models,fixtures}/**/*.keras', 150],
  ['.keras folders', 'fixtures/**/*.dir', 100],
  ['sharded weights', 'fixtures/**/*.weights.json', 50],
  ['layers-models', 'models/**/{model,mnist,mnist_classifier,bundle_model_test}.json', 40],
];

describe.skipIf(!existsSync(SHARED))('the files of ../shared', () => {
  test.each(KINDS)('%s: all read, with all their arrays', async (_, pattern, atLeast) => {
    const files = globSync(pattern, { cwd: SHARED }).filter((file) => !OTHERS.test(file));
    let read = 0;
    for (const file of files) {
      try {
        const artifacts = await readArtifacts(`${SHARED}/${file}`);
        for (const entry of [...entriesOf(artifacts), ...(artifacts.optimizerWeights ?? [])]) {
          const tensor = await entry.read();
          expect(tensor.shape, `${file}: ${entry.name}`).toEqual(entry.shape);
        }
        read++;
      } catch (error) {
        // Nine graph-models are among the files named model.json.
        const isGraphModel = error instanceof UnsupportedError && error.feature === 'TensorFlow.js graph-model';
        expect(isGraphModel, `${file}: ${error}`).toBe(true);
      }
    }
    expect(read).toBeGreaterThanOrEqual(atLeast);
  });
});
