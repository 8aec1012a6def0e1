import { describe, expect, test } from 'vitest';
import { Dense } from '../layers/core/dense.ts';
import { input } from '../layers/input-layer.ts';
import { Model } from '../model/model.ts';
import type { ModelCompileOptions } from '../training/compiled-model.ts';
import { BinaryCrossentropy } from '../training/losses/probabilistic.ts';
import { BinaryAccuracy } from '../training/metrics/accuracy.ts';
import { Adam } from '../training/optimizers/adam.ts';
import { SGD } from '../training/optimizers/sgd.ts';
import { ExponentialDecay } from '../training/schedules/decays.ts';
import { encodeLegacyTraining, encodeTraining } from './encode-training.ts';
import { optimizerWeightsOf } from './optimizer-weights.ts';

function compiled(options: ModelCompileOptions): Model {
  const x = input({ shape: [3] });
  const model = new Model({ inputs: x, outputs: new Dense({ units: 1, name: 'out' }).apply(x) });
  model.compile(options);
  return model;
}

describe('the compile_config of Keras 3', () => {
  test('has what was given and nothing that is a default', async () => {
    const optimizer = new Adam({ learningRate: 0.01, beta1: 0.8, clipnorm: 1, useEma: true });
    const loss = new BinaryCrossentropy({ fromLogits: true });
    const model = compiled({ optimizer, loss, metrics: ['mae', new BinaryAccuracy({ threshold: 0.3 })] });
    const { config, omitted } = await encodeTraining(model);

    expect(omitted).toEqual([]);
    expect(config).toEqual({
      optimizer: {
        module: 'keras.optimizers',
        class_name: 'Adam',
        config: {
          learning_rate: Math.fround(0.01),
          clipnorm: 1,
          use_ema: true,
          ema_overwrite_frequency: null,
          beta_1: 0.8,
        },
        registered_name: null,
      },
      loss: {
        module: 'keras.losses',
        class_name: 'BinaryCrossentropy',
        config: { from_logits: true },
        registered_name: null,
      },
      loss_weights: null,
      metrics: [
        'mae',
        { module: 'keras.metrics', class_name: 'BinaryAccuracy', config: { threshold: 0.3 }, registered_name: null },
      ],
      weighted_metrics: null,
    });
  });

  test('names the multipliers of learning rates, for which it has no words', async () => {
    const { omitted } = await encodeTraining(compiled({ loss: 'mse', learningRateMultipliers: { out: 0.1 } }));
    expect(omitted).toEqual(['learningRateMultipliers: {"out":0.1}, which Keras does not have']);
  });

  test('has schedules as objects', async () => {
    const learningRate = new ExponentialDecay({ initialLearningRate: 0.1, decaySteps: 10, decayRate: 0.5 });
    const { config } = await encodeTraining(compiled({ optimizer: new SGD({ learningRate }), loss: 'mse' }));
    expect(config?.optimizer).toMatchObject({
      config: {
        learning_rate: {
          module: 'keras.optimizers.schedules',
          class_name: 'ExponentialDecay',
          config: { initial_learning_rate: 0.1, decay_steps: 10, decay_rate: 0.5 },
        },
      },
    });
  });

  test('has a single metric in a list', async () => {
    const { config } = await encodeTraining(compiled({ loss: 'mse', metrics: 'meanAbsoluteError' }));
    expect(config?.metrics).toEqual(['mean_absolute_error']);
  });

  test('leaves out functions, and says so', async () => {
    const { config, omitted } = await encodeTraining(
      compiled({
        loss: function mine(_, yPred) {
          return yPred;
        },
      }),
    );
    expect(config?.loss).toBeNull();
    expect(omitted).toEqual(['the loss "mine", which is the user\'s own']);
  });

  test('is not there before the model is compiled', async () => {
    const x = input({ shape: [3] });
    const model = new Model({ inputs: x, outputs: new Dense({ units: 1 }).apply(x) });
    expect(await encodeTraining(model)).toEqual({ config: undefined, omitted: [] });
    expect(await optimizerWeightsOf(model)).toEqual([]);
  });
});

test('the training_config of old files has long names, and no options that tf_keras does not have', async () => {
  const optimizer = new SGD({ learningRate: 0.5, momentum: 0.9, gradientAccumulationSteps: 2 });
  const { config, omitted } = await encodeLegacyTraining(compiled({ optimizer, loss: 'mse', metrics: ['mae', 'acc'] }));
  expect(config).toEqual({
    loss: 'mean_squared_error',
    loss_weights: null,
    metrics: [{ class_name: 'MeanAbsoluteError', config: { name: 'mae' } }, 'acc'],
    weighted_metrics: null,
    optimizer_config: { class_name: 'SGD', config: { name: 'SGD', learning_rate: 0.5, momentum: 0.9 } },
  });
  expect(omitted).toEqual(['option gradient_accumulation_steps: 2 of the optimizer, which tf_keras does not have']);
});

describe('the state of optimizers', () => {
  test('is in the order of Keras 3', async () => {
    const entries = await optimizerWeightsOf(compiled({ optimizer: 'adam', loss: 'mse' }));
    expect(entries.map(({ name, shape }) => [name, shape])).toEqual([
      ['adam/iteration', []],
      ['adam/learning_rate', []],
      ['adam/out_kernel_momentum', [3, 1]],
      ['adam/out_kernel_velocity', [3, 1]],
      ['adam/out_bias_momentum', [1]],
      ['adam/out_bias_velocity', [1]],
    ]);
  });

  test('is in the order of tf_keras, with its names', async () => {
    const names = async (optimizer: string): Promise<string[]> =>
      (await optimizerWeightsOf(compiled({ optimizer, loss: 'mse' }), 'tf_keras')).map(({ name }) => name);
    expect(await names('adam')).toEqual([
      'iteration:0',
      'Adam/m/out/kernel:0',
      'Adam/v/out/kernel:0',
      'Adam/m/out/bias:0',
      'Adam/v/out/bias:0',
    ]);
    expect(await names('rmsprop')).toEqual([
      'iteration:0',
      'RMSprop/velocity/out/kernel:0',
      'RMSprop/velocity/out/bias:0',
    ]);
    // There is momentum in its files even where it is not used.
    expect(await names('sgd')).toEqual(['iteration:0', 'SGD/m/out/kernel:0', 'SGD/m/out/bias:0']);
  });
});
