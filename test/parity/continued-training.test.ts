/** Goes on with trainings that real Keras began: what the next three steps cost, from every file that has the state. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type KerasModel, loadModel, type Tensor, tensor } from '../../src/index.ts';

const FOLDER = fileURLToPath(new URL('../../../shared/fixtures/keras-versions', import.meta.url));
const LIMIT = 1e-4;

interface Stored {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly data: readonly number[];
}

interface Expected {
  readonly next_losses: readonly number[];
  readonly next_losses_of_the_model_before_saving?: readonly number[];
  readonly train_x: Stored | readonly Stored[];
  readonly train_y: Stored | readonly Stored[];
}

const tensorsOf = (stored: Stored | readonly Stored[]): Tensor[] =>
  [stored]
    .flat()
    .map(({ shape, dtype, data }) =>
      tensor(dtype.startsWith('int') ? Int32Array.from(data) : Float32Array.from(data), shape),
    );

/** Models that were compiled when they were saved, by path without ending. */
function compiledModels(): readonly (readonly [string, Expected])[] {
  return globSync('*/*.expected.json', { cwd: FOLDER })
    .sort()
    .map(
      (file) =>
        [file.slice(0, -'.expected.json'.length), JSON.parse(readFileSync(join(FOLDER, file), 'utf8'))] as const,
    )
    .filter(([, expected]) => 'next_losses' in expected);
}

async function trainSteps(model: KerasModel, { train_x, train_y }: Expected, steps: number): Promise<number[]> {
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    await model.resetMetrics();
    losses.push((await model.trainOnBatch(tensorsOf(train_x), tensorsOf(train_y))).loss as number);
  }
  return losses;
}

function expectLosses(found: readonly number[], expected: readonly number[], file: string): void {
  expect(found.length, file).toBe(3);
  for (const [step, loss] of found.entries()) {
    expect(Math.abs(loss - (expected[step] as number)), `${file}: ${found} instead of ${expected}`).toBeLessThan(LIMIT);
  }
}

describe.skipIf(!existsSync(FOLDER))('trainings that Keras began', () => {
  const models = existsSync(FOLDER) ? compiledModels() : [];

  /** Files that a model and the state of its optimizer come from. */
  const wholeModels = models.flatMap(([path, expected]) =>
    ['.keras', '.dir', '.h5'].flatMap((ending) =>
      existsSync(join(FOLDER, path + ending)) ? [{ file: path + ending, expected }] : [],
    ),
  );

  test.each(wholeModels)('$file goes on', async ({ file, expected }) => {
    const model = await loadModel(join(FOLDER, file));
    // Keras has two files of a model whose optimizer is of the old kind; only one of them has its state.
    const before = expected.next_losses_of_the_model_before_saving;
    const losses = before !== undefined && file.endsWith('.h5') ? before : expected.next_losses;
    expect(model.compiled, model.loadReport?.ignored.join('; ')).toBe(true);
    expectLosses(await trainSteps(model, expected, 3), losses, file);
    expect(model.loadReport?.unknownKeys).toEqual([]);
  });

  const weights = models.flatMap(([path, expected]) =>
    ['.weights.h5', '.weights.json'].flatMap((ending) =>
      // The file of weights has no state of an optimizer of the old kind.
      existsSync(join(FOLDER, path + ending)) && expected.next_losses_of_the_model_before_saving === undefined
        ? [{ file: path + ending, base: `${path}.keras`, expected }]
        : [],
    ),
  );

  test.each(weights)('$file goes on, in a model that was trained further', async ({ file, base, expected }) => {
    const model = await loadModel(join(FOLDER, base));
    await trainSteps(model, expected, 4);
    const report = await model.loadWeights(join(FOLDER, file));
    expect(report.ignored.filter((part) => part.includes('optimizer'))).toEqual([]);
    expectLosses(await trainSteps(model, expected, 3), expected.next_losses, file);
  });

  test('are those of all formats that hold the state of an optimizer', () => {
    const endings = [...wholeModels, ...weights].map(({ file }) => basename(file).slice(basename(file).indexOf('.')));
    const counts = Object.fromEntries(
      [...new Set(endings)].map((ending) => [ending, endings.filter((other) => other === ending).length]),
    );
    expect(counts).toEqual({ '.keras': 41, '.dir': 25, '.h5': 36, '.weights.h5': 40, '.weights.json': 15 });
  });
});
