import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../formats/artifacts.ts';
import { Loss } from '../training/losses/loss.ts';
import { Huber } from '../training/losses/regression.ts';
import type { Metric } from '../training/metrics/metric.ts';
import { SGD } from '../training/optimizers/sgd.ts';
import { decodeTraining } from './decode-training.ts';
import type { Dialect } from './dialect.ts';

const KERAS_2: Dialect = { generation: 2, version: '2.3.1', release: -1, numbersOf: 'tensorflow' };
const KERAS_3: Dialect = { generation: 3, version: '3.15.1', release: 15, numbersOf: 'tensorflow' };

const optimizerOf = (config: JsonObject, className = 'Adam', dialect = KERAS_2) =>
  decodeTraining({ optimizer_config: { class_name: className, config } }, dialect, 1);

describe('optimizers', () => {
  test('of Keras 2 have old names for their options', () => {
    const { options, report } = optimizerOf({
      lr: 0.5,
      beta_1: 0.8,
      beta_2: 0.99,
      epsilon: null,
      decay: 0,
      amsgrad: false,
    });
    expect(options.optimizer.config).toMatchObject({ learningRate: 0.5, beta1: 0.8, beta2: 0.99, epsilon: 1e-7 });
    expect(report).toEqual({ unknownKeys: [], ignored: [] });
  });

  test('of tf_keras are registered under a package', () => {
    const { options } = optimizerOf({ name: 'SGD', learning_rate: 1, is_legacy_optimizer: false }, 'Custom>SGD');
    expect(options.optimizer).toBeInstanceOf(SGD);
    expect(options.optimizer.learningRate).toBe(1);
  });

  test('whose rate fell with time follow a schedule', () => {
    const { options } = optimizerOf({ learning_rate: 0.5, decay: 0.1 });
    expect(options.optimizer.learningRate).toMatchObject({
      className: 'InverseTimeDecay',
      config: { initialLearningRate: 0.5, decaySteps: 1, decayRate: 0.1 },
    });
  });

  test('have schedules', () => {
    const schedule = {
      class_name: 'PiecewiseConstantDecay',
      config: { boundaries: [3], values: [1, 0.1], name: null },
    };
    const { options } = optimizerOf({ learning_rate: schedule }, 'SGD', KERAS_3);
    expect(options.optimizer.learningRate).toMatchObject({ config: { boundaries: [3], values: [1, 0.1] } });
  });

  test('of TensorFlow.js have other names', () => {
    const momentum = optimizerOf({ learningRate: 0.1, momentum: 0.9, useNesterov: true }, 'Momentum').options;
    expect(momentum.optimizer).toMatchObject({ className: 'SGD', config: { momentum: 0.9, nesterov: true } });
    const rms = optimizerOf({ learningRate: 0.1, decay: 0.8, momentum: 0, epsilon: 1e-8, centered: true }, 'RMSProp');
    expect(rms.options.optimizer).toMatchObject({
      className: 'RMSprop',
      config: { rho: 0.8, centered: true, learningRate: 0.1 },
    });
  });

  test('may be inside of others', () => {
    const inner = { class_name: 'Adam', config: { learning_rate: 0.2 } };
    const { options } = optimizerOf({ inner_optimizer: inner, dynamic_growth_steps: 5 }, 'LossScaleOptimizer', KERAS_3);
    expect(options.optimizer.config).toMatchObject({ dynamicGrowthSteps: 5, innerOptimizer: { className: 'Adam' } });
  });

  test('with options that nobody knows are reported', () => {
    const { report } = optimizerOf({ learning_rate: 0.2, magic: 3, spell: null }, 'Adam', KERAS_3);
    expect(report.unknownKeys).toEqual([{ layer: 'compile', className: 'Adam', key: 'magic', value: 3 }]);
    expect(report.ignored).toEqual(['key "spell": null of Adam']);
  });
});

describe('losses and metrics', () => {
  const decode = (config: JsonObject, outputs = 1, dialect = KERAS_2) =>
    decodeTraining(config, dialect, outputs).options;

  test('of Keras 2 are wrappers of functions', () => {
    const { loss, metrics } = decode({
      loss: { class_name: 'BinaryCrossentropy', config: { reduction: 'auto', name: 'b', from_logits: true, fn: 'x' } },
      metrics: [[{ class_name: 'MeanMetricWrapper', config: { name: 'accuracy', fn: 'categorical_accuracy' } }]],
    });
    expect(loss).toMatchObject({ className: 'BinaryCrossentropy', config: { fromLogits: true, name: 'b' } });
    const [[metric]] = metrics as unknown as [[Metric]];
    expect([metric.className, metric.name]).toEqual(['CategoricalAccuracy', 'accuracy']);
  });

  test('of functions are their names', () => {
    const named = {
      module: 'builtins',
      class_name: 'function',
      config: 'mean_squared_error',
      registered_name: 'function',
    };
    expect(decode({ loss: [named, null] }, 2, KERAS_3).loss).toEqual(['mean_squared_error', null]);
  });

  test('of Keras 2 in a plain list are for each output', () => {
    expect(decode({ loss: 'mse', metrics: ['mae', 'acc'] }, 2).metrics).toEqual([
      ['mae', 'acc'],
      ['mae', 'acc'],
    ]);
    expect(decode({ loss: 'mse', metrics: ['mae', 'acc'] }, 2, KERAS_3).metrics).toEqual(['mae', 'acc']);
  });

  test('of the author may be functions and classes', () => {
    const customObjects = { mine: Huber, other: ([, yPred]: readonly unknown[]) => yPred as never };
    const config = { loss: { class_name: 'Custom>mine', config: { delta: 3 } }, metrics: ['other'] };
    const { options } = decodeTraining(config, KERAS_2, 1, customObjects);
    expect(options.loss).toBeInstanceOf(Loss);
    expect(options.loss).toMatchObject({ config: { delta: 3 } });
    expect(options.metrics).toMatchObject([{ className: 'MeanMetricWrapper', name: 'other' }]);
  });

  test('that are missing are named', () => {
    expect(() => decode({ loss: 'mine' })).toThrow('the loss "mine" is not one of Keras\'');
    expect(() => decode({ loss: {} })).toThrow("is not one of Keras'");
  });
});
