import { describe, expect, test } from 'vitest';
import { placeholder } from '../../graph/apply.ts';
import { meanAbsoluteError } from '../losses/regression-functions.ts';
import { AUC } from './auc.ts';
import { F1Score } from './f-score.ts';
import { IoU } from './iou.ts';
import { MeanMetricWrapper } from './mean.ts';
import { createMetric, resolveMetric } from './resolve-metric.ts';

describe('resolveMetric()', () => {
  test.each([
    ['mse', 'MeanSquaredError'],
    ['mae', 'MeanAbsoluteError'],
    ['AUC', 'AUC'],
    ['auc', 'AUC'],
    ['f1_score', 'F1Score'],
    ['r2_score', 'R2Score'],
    ['top_k_categorical_accuracy', 'TopKCategoricalAccuracy'],
    ['falsePositives', 'FalsePositives'],
    ['binary_crossentropy', 'BinaryCrossentropy'],
    ['huber', 'MeanMetricWrapper'],
  ])('takes %s for %s', (name, className) => {
    const metric = resolveMetric(name, { yTrue: [4, 2], yPred: [4, 2] });
    expect(metric?.className).toBe(className);
    expect(metric?.name).toBe(name);
  });

  test.each([
    [[8, 1], [8, 1], 'Binary'],
    [[8], [8, 4], 'SparseCategorical'],
    [[8, 1], [8, 4], 'SparseCategorical'],
    [[8, 4], [8, 4], 'Categorical'],
  ])('takes short names for targets %j and predictions %j for the %s ones', (yTrue, yPred, kind) => {
    expect(resolveMetric('acc', { yTrue, yPred })?.className).toBe(`${kind}Accuracy`);
    expect(resolveMetric('Accuracy', { yTrue, yPred })?.name).toBe('Accuracy');
    expect(resolveMetric('crossentropy', { yTrue, yPred })?.className).toBe(`${kind}Crossentropy`);
  });

  test('takes metrics and functions, and no other names', () => {
    const metric = new AUC();
    expect(resolveMetric(metric)).toBe(metric);
    expect(resolveMetric(meanAbsoluteError)).toBeInstanceOf(MeanMetricWrapper);
    expect(resolveMetric('toString')).toBeUndefined();
  });
});

test('createMetric() checks options', () => {
  expect(createMetric('AUC', { curve: 'pr' })?.config).toMatchObject({ curve: 'PR', numThresholds: 200 });
  expect(() => createMetric('AUC', { curve: 'ROCK' })).toThrow('option "curve" is "ROCK"');
  expect(() => createMetric('IoU', { numClasses: 2 })).toThrow('option "targetClassIds" is missing');
  expect(() => new IoU({ numClasses: 2, targetClassIds: [2] })).toThrow('target class 2 is none of the 2 classes');
});

test('a metric that learns its shape from the first batch says so before it', () => {
  const metric = new F1Score();
  expect(metric.variables).toEqual([]);
  expect(() => metric.result()).toThrow('it has seen no batch');
  metric.update(placeholder([4, 3], 'float32'), placeholder([4, 3], 'float32'));
  expect(metric.variables.map(({ shape }) => shape)).toEqual([[3], [3], [3], [3]]);
});
