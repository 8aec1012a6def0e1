/** Several models on one base: each has its own names for the weights that they share. */
import { expect, test } from 'vitest';
import { type Tensor, tensor } from '../array/tensor.ts';
import { Dense } from '../layers/core/dense.ts';
import { createInitializer, type Initializer } from '../layers/initializers.ts';
import { input } from '../layers/input-layer.ts';
import { Model } from '../model/model.ts';
import { Adam } from './optimizers/adam.ts';
import { MultiOptimizer, OptimizerMap } from './optimizers/multi-optimizer.ts';
import { Muon } from './optimizers/muon.ts';
import type { Optimizer } from './optimizers/optimizer.ts';
import { SGD } from './optimizers/sgd.ts';

const X = tensor(
  Array.from({ length: 24 }, (_, index) => Math.sin(index * 1.3)),
  [8, 3],
);
const Y = tensor(
  Array.from({ length: 16 }, (_, index) => Math.cos(index * 0.7)),
  [8, 2],
);
const OPTIONS = { epochs: 2, batchSize: 4, shuffle: false, verbose: 0 } as const;

/** A model, and one that is built on it later and so renames what they share to `base/low/kernel`. */
function twoModels() {
  const x = input({ shape: [3] });
  const seeded = (name: string, units: number) =>
    new Dense({ name, units, kernelInitializer: createInitializer('GlorotUniform', { seed: 5 }) as Initializer });
  const base = new Model({ inputs: x, outputs: seeded('high', 2).apply(seeded('low', 4).apply(x)), name: 'base' });
  const buildOn = (): Model => {
    const other = input({ shape: [3] });
    return new Model({ inputs: other, outputs: seeded('head', 2).apply(base.apply(other)), name: 'whole' });
  };
  return { base, buildOn };
}

const bytes = (value: Tensor): number[] => [...(value.data as Float32Array)];
const weightsOf = (model: Model): Record<string, number[]> =>
  Object.fromEntries(model.weights.map((weight) => [weight.path.split('/').slice(-2).join('/'), bytes(weight.value)]));

const optimizers: Readonly<Record<string, (prefix: string) => Optimizer>> = {
  MultiOptimizer: (prefix) =>
    new MultiOptimizer(
      new OptimizerMap(new SGD({ learningRate: 0.1 }), { [`${prefix}low/.*`]: new Adam({ learningRate: 0 }) }),
    ),
  Muon: (prefix) => new Muon({ learningRate: 0.01, excludeLayers: [`^${prefix}low/`] }),
};

test.each(Object.keys(optimizers))('patterns of %s are of paths below the model that is trained', async (name) => {
  const alone = twoModels().base;
  alone.compile({ optimizer: optimizers[name]?.(''), loss: 'mse' } as never);
  await alone.fit(X, Y, OPTIONS);

  const { base, buildOn } = twoModels();
  base.compile({ optimizer: optimizers[name]?.(''), loss: 'mse' } as never);
  const whole = buildOn();
  const before = weightsOf(base);
  await base.fit(X, Y, { ...OPTIONS, epochs: 1 });
  // Others of other shapes make programs anew, when the names are those of the other model.
  whole.compile({ optimizer: optimizers[name]?.('base/'), loss: 'mse' } as never);
  buildOn();
  await base.fit(X, Y, { ...OPTIONS, epochs: 2, initialEpoch: 1 });
  expect(weightsOf(base)).toEqual(weightsOf(alone));
  expect(weightsOf(base)['high/kernel']).not.toEqual(before['high/kernel']);

  const kept = weightsOf(whole);
  await whole.fit(X, Y, OPTIONS);
  expect(weightsOf(whole)['high/kernel']).not.toEqual(kept['high/kernel']);
  if (name === 'MultiOptimizer') expect(weightsOf(whole)['low/kernel']).toEqual(before['low/kernel']);
});

test('the state of a training has the same names before and after another model is built, and goes on', async () => {
  const straight = twoModels().base;
  straight.compile({ optimizer: 'adam', loss: 'mse' });
  await straight.fit(X, Y, OPTIONS);

  const { base, buildOn } = twoModels();
  base.compile({ optimizer: 'adam', loss: 'mse' });
  await base.fit(X, Y, { ...OPTIONS, epochs: 1 });
  const state = await base.getTrainingState();
  const whole = buildOn();
  whole.compile({ optimizer: 'adam', loss: 'mse' });
  await whole.fit(X, Y, { ...OPTIONS, epochs: 1 });
  const ofWhole = await whole.getTrainingState();
  expect([...(await base.getTrainingState()).tensors.keys()]).toEqual([...state.tensors.keys()]);
  expect([...state.tensors.keys()]).toContain('weights/low/kernel');
  expect([...ofWhole.tensors.keys()]).toContain('weights/base/low/kernel');

  const again = twoModels();
  again.base.compile({ optimizer: 'adam', loss: 'mse' });
  again.buildOn();
  await again.base.setTrainingState(state);
  await again.base.fit(X, Y, { ...OPTIONS, initialEpoch: 1 });
  expect(weightsOf(again.base)).toEqual(weightsOf(straight));

  await whole.setTrainingState(ofWhole);
  expect(await whole.getTrainingState()).toEqual(ofWhole);
});
