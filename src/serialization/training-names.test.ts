import { describe, expect, test } from 'vitest';
import { lossNames, resolveLoss } from '../training/losses/resolve-loss.ts';
import { metricNames, resolveMetric } from '../training/metrics/resolve-metric.ts';
import { optimizerNames } from '../training/optimizers/resolve-optimizer.ts';
import { scheduleNames } from '../training/schedules/resolve-schedule.ts';
import { plainTrainingName, trainingNames, unknownTrainingNames } from './training-names.ts';

const SHAPES = { yTrue: [1], yPred: [1] };

describe('the names that are known without the code for training', () => {
  test('are those of all classes', () => {
    for (const name of lossNames) expect(trainingNames.loss.has(plainTrainingName(name)), name).toBe(true);
    for (const name of metricNames) expect(trainingNames.metric.has(plainTrainingName(name)), name).toBe(true);
    for (const name of optimizerNames) expect(trainingNames.optimizer.has(plainTrainingName(name)), name).toBe(true);
    for (const name of scheduleNames)
      expect(trainingNames['learning rate'].has(plainTrainingName(name)), name).toBe(true);
  });

  test('mean something', () => {
    for (const name of trainingNames.loss) expect(resolveLoss(name, SHAPES), name).toBeDefined();
    const needOptions =
      /^(meaniou|iou|onehotiou|onehotmeaniou|binaryiou|.*at(?:recall|precision|sensitivity|specificity))$/;
    for (const name of trainingNames.metric) {
      if (!needOptions.test(name)) expect(resolveMetric(name, SHAPES), name).toBeDefined();
    }
    const known = [...optimizerNames.map(plainTrainingName), 'momentum'];
    expect([...trainingNames.optimizer].sort()).toEqual(known.sort());
  });
});

describe('a configuration names what is unknown', () => {
  test.each([
    [{ loss: 'mse', optimizer: 'adam', metrics: ['acc'] }, []],
    [{ loss: 'mine', optimizer: 'adam' }, ['loss "mine"']],
    [{ loss: {}, optimizer_config: { class_name: 'Custom>Adam', config: {} } }, ['loss without a name']],
    [
      { loss: { a: 'mse', b: { class_name: 'function', config: 'Custom>mine' } }, optimizer: 'mine' },
      ['optimizer "mine"', 'loss "mine"'],
    ],
    [
      { loss: null, metrics: [[{ class_name: 'MeanMetricWrapper', config: { name: 'x', fn: 'mine' } }]] },
      ['metric "mine"'],
    ],
    [
      {
        loss: 'mse',
        optimizer: { class_name: 'SGD', config: { learning_rate: { class_name: 'WarmUp', config: {} } } },
      },
      ['learning rate "WarmUp"'],
    ],
  ])('%j', (config, unknown) => {
    expect(unknownTrainingNames(config, {})).toEqual(unknown);
  });

  test('but not what the caller brings', () => {
    expect(unknownTrainingNames({ loss: 'mine' }, { mine: ([, yPred]) => yPred as never })).toEqual([]);
  });
});
