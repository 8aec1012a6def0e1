import { describe, expect, test } from 'vitest';
import { fixturePath } from '../../../test/support/format-fixtures.ts';
import { UnsupportedError } from '../../errors.ts';
import type { PathWeights, WeightEntry } from '../../formats/artifacts.ts';
import type { Variable } from '../../graph/variable.ts';
import { loadModel } from '../../io/load.ts';
import { Dense } from '../../layers/core/dense.ts';
import { input } from '../../layers/input-layer.ts';
import { Model } from '../../model/model.ts';
import { LoadError } from '../load-error.ts';
import { emptyReport } from '../report.ts';
import { placeByName } from './place-by-name.ts';

/** A model of dense layers of these names and sizes, one after the other, on as many features as the first tells. */
function chain(features: number, ...layers: readonly (readonly [string, number])[]): Model {
  const x = input({ shape: [features] });
  let y = x;
  for (const [name, units] of layers) y = new Dense({ units, name, kernelInitializer: 'zeros' }).apply(y);
  return new Model({ inputs: x, outputs: y });
}

/** The last Dense of the file, its value and extents. */
async function lastDense() {
  const source = await loadModel(fixturePath('tiny.keras'));
  const last = source.layers.findLast((layer) => layer.className === 'Dense') as Dense;
  const [kernel, bias] = last.weights as [Variable, Variable];
  const [features, units] = kernel.shape as [number, number];
  return { name: last.name, kernel, bias, features, units };
}

describe('loadWeights from a file of Keras 3', () => {
  test('byName takes the layers of the same names, whatever their order, and leaves the others', async () => {
    const { name, kernel, bias, features, units } = await lastDense();
    // The second Dense of the model, which the file has under another number.
    const model = chain(3, ['extra', features], [name, units], ['head', 5]);
    const before = model.getWeights();
    const report = await model.loadWeights(fixturePath('tiny.keras'), { byName: true });
    expect(report.matched).toEqual([`${name}/kernel`, `${name}/bias`]);
    expect(report.missing).toEqual(['extra/kernel', 'extra/bias', 'head/kernel', 'head/bias']);
    expect(report.unexpected.length).toBeGreaterThan(0);
    expect(model.getWeights()[2]).toEqual(kernel.value);
    expect(model.getWeights()[3]).toEqual(bias.value);
    expect(model.getWeights().slice(4)).toEqual(before.slice(4));
  });

  test('rename gives a layer of the file the name of another', async () => {
    const { name, kernel, features, units } = await lastDense();
    const model = chain(features, ['mine', units]);
    const options = { byName: true, rename: { [name]: 'mine' } };
    const report = await model.loadWeights(fixturePath('tiny.weights.h5'), options);
    expect(report.renamed.map(({ weight }) => weight)).toEqual(['mine/kernel', 'mine/bias']);
    expect(model.getWeights()[0]).toEqual(kernel.value);
  });

  test('skipMismatch leaves a new head as it is', async () => {
    const { name, features, units } = await lastDense();
    const model = chain(features, [name, units + 1], ['unknown', 2]);
    const loading = model.loadWeights(fixturePath('tiny.keras'), { byName: true, skipMismatch: true });
    await expect(loading).rejects.toThrow(LoadError);
    const other = chain(features, [name, units], ['unknown', 2]);
    const report = await other.loadWeights(fixturePath('tiny.keras'), { byName: true, skipMismatch: true });
    expect(report.matched.length).toBe(2);
  });

  test('byName refuses a file where no name fits', async () => {
    const model = chain(3, ['nobody', 2]);
    await expect(model.loadWeights(fixturePath('tiny.keras'), { byName: true })).rejects.toThrow(LoadError);
  });
});

test('placeByName() refuses files that have no names', () => {
  const entry = { name: '0' } as WeightEntry;
  const weights: PathWeights = {
    kind: 'paths',
    groups: new Map([['layers/dense', { layerName: undefined, entries: new Map([['0', entry]]) }]]),
  };
  const options = { byName: true, skipMismatch: false, rename: (name: string) => name };
  expect(() => placeByName(weights, new Map(), options, emptyReport())).toThrow(UnsupportedError);
});
