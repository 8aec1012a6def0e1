import { describe, expect, test } from 'vitest';
import { fixturePath } from '../../../test/support/format-fixtures.ts';
import { tensor } from '../../array/tensor.ts';
import { UnsupportedError } from '../../errors.ts';
import type { PathWeights, WeightEntry } from '../../formats/artifacts.ts';
import type { Variable } from '../../graph/variable.ts';
import { type LoadWeightsOptions, loadModel } from '../../io/load.ts';
import { Dense } from '../../layers/core/dense.ts';
import { input } from '../../layers/input-layer.ts';
import { Model } from '../../model/model.ts';
import { memoryStore } from '../../storage/memory-store.ts';
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

describe('a base inside of a model', () => {
  /** `low` and `high` as a model of their own, in that order or the other. */
  const base = (...names: readonly string[]): Model => {
    const model = chain(3, ...names.map((name) => [name, 3] as const));
    return new Model({ inputs: model.inputs, outputs: model.output, name: 'base' });
  };
  const nested = (inner: Model, head: string): Model => {
    const x = input({ shape: [3] });
    return new Model({ inputs: x, outputs: new Dense({ units: 2, name: head }).apply(inner.apply(x)) });
  };
  const filled = (model: Model): Model => {
    model.setWeights(
      model.weights.map(({ shape }, index) => {
        const size = shape.reduce((product, extent) => product * extent, 1);
        return tensor(new Float32Array(size).fill(index + 1), shape);
      }),
    );
    return model;
  };
  const first = (model: Model, path: string): unknown =>
    model.weights.find((variable) => variable.path === path)?.value.data[0];
  async function load(from: Model, to: Model, options: LoadWeightsOptions): Promise<readonly string[]> {
    const store = memoryStore();
    await filled(from).saveWeights({ store, key: 'from.weights.h5' });
    return (await to.loadWeights({ store, key: 'from.weights.h5' }, options)).matched;
  }

  test('finds its layers by the names that lead to them, whatever their order', async () => {
    const to = nested(base('high', 'low'), 'other');
    const matched = await load(nested(base('low', 'high'), 'head'), to, { byName: true });
    expect(matched.toSorted()).toEqual(['base/high/bias', 'base/high/kernel', 'base/low/bias', 'base/low/kernel']);
    expect([first(to, 'base/low/kernel'), first(to, 'base/high/kernel')]).toEqual([1, 3]);
  });

  test('gives its layers to a model that has them outside, and takes them from one', async () => {
    const alone = chain(3, ['high', 3], ['new', 3]);
    expect(await load(nested(base('low', 'high'), 'head'), alone, { byName: true })).toEqual([
      'high/kernel',
      'high/bias',
    ]);
    expect(first(alone, 'high/kernel')).toBe(3);
    const whole = nested(base('extra', 'low'), 'head');
    expect(await load(chain(3, ['low', 3], ['high', 3]), whole, { byName: true })).toEqual([
      'base/low/kernel',
      'base/low/bias',
    ]);
    expect(first(whole, 'base/low/kernel')).toBe(1);
  });

  test('has its layers renamed by their paths', async () => {
    const to = nested(base('one', 'two'), 'head');
    const rename = { 'base/low': 'base/two', 'base/high': 'base/one' };
    await load(nested(base('low', 'high'), 'head'), to, { rename });
    expect([first(to, 'base/one/kernel'), first(to, 'base/two/kernel'), first(to, 'head/kernel')]).toEqual([3, 1, 5]);
  });

  test('goes by the places of its layers when it has none of their names, as in Keras', async () => {
    const to = nested(base('one', 'two'), 'other');
    expect((await load(nested(base('low', 'high'), 'head'), to, { byName: true })).length).toBe(4);
    expect([first(to, 'base/one/kernel'), first(to, 'base/two/kernel')]).toEqual([1, 3]);
  });
});

test('placeByName() refuses files that have no names', () => {
  const entry = { name: '0' } as WeightEntry;
  const weights: PathWeights = {
    kind: 'paths',
    groups: new Map([['layers/dense', { layerName: undefined, entries: new Map([['0', entry]]) }]]),
  };
  const options = { byName: true, skipMismatch: false, rename: (name: string) => name };
  expect(() => placeByName(weights, [], options, emptyReport())).toThrow(UnsupportedError);
});
