import { describe, expect, test } from 'vitest';
import { Huber } from './regression.ts';
import { meanAbsoluteError } from './regression-functions.ts';
import { createLoss, resolveLoss } from './resolve-loss.ts';

describe('resolveLoss()', () => {
  test.each([
    ['mse', 'MeanSquaredError'],
    ['MSE', 'MeanSquaredError'],
    ['mean_squared_error', 'MeanSquaredError'],
    ['meanSquaredError', 'MeanSquaredError'],
    ['MeanSquaredError', 'MeanSquaredError'],
    ['categorical_crossentropy', 'CategoricalCrossentropy'],
    ['sparseCategoricalCrossentropy', 'SparseCategoricalCrossentropy'],
    ['kl_divergence', 'KLDivergence'],
    ['kullback_leibler_divergence', 'KLDivergence'],
    ['cosine_proximity', 'CosineSimilarity'],
    ['logcosh', 'LogCosh'],
    ['huber', 'Huber'],
    ['huber_loss', 'Huber'],
    ['ctc', 'CTC'],
  ])('takes %s for %s', (name, className) => {
    const loss = resolveLoss(name);
    expect(loss?.className).toBe(className);
    expect(loss?.name).toBe(name);
  });

  test.each([
    [[8, 1], [8, 1], 'BinaryCrossentropy'],
    [[8], [8, 4], 'SparseCategoricalCrossentropy'],
    [[8, 1], [8, 4], 'SparseCategoricalCrossentropy'],
    [[8, 4], [8, 4], 'CategoricalCrossentropy'],
  ])('takes crossentropy for targets %j and predictions %j for %s', (yTrue, yPred, className) => {
    expect(resolveLoss('crossentropy', { yTrue, yPred })?.className).toBe(className);
    expect(resolveLoss('ce', { yTrue, yPred })?.className).toBe(className);
  });

  test('takes losses and functions, and no other names', () => {
    const loss = new Huber({ delta: 2 });
    expect(resolveLoss(loss)).toBe(loss);
    expect(resolveLoss(meanAbsoluteError)?.name).toBe('meanAbsoluteError');
    expect(resolveLoss('constructor')).toBeUndefined();
    expect(resolveLoss('rmse')).toBeUndefined();
  });
});

test('createLoss() checks options', () => {
  expect(createLoss('Huber', { delta: 3 })?.config).toMatchObject({ delta: 3, reduction: 'sum_over_batch_size' });
  expect(createLoss('MeanSquaredError', { reduction: null })?.config.reduction).toBe('none');
  expect(() => createLoss('Huber', { slope: 3 })).toThrow('found an unknown option "slope"');
  expect(() => createLoss('Huber', { reduction: 'auto' })).toThrow('option "reduction" is "auto"');
  expect(createLoss('Nothing')).toBeUndefined();
});
