import { describe, expect, test } from 'vitest';
import type { EncodedTensor } from '../../../test/support/operation-cases.ts';
import { stepper, weightOf } from '../../../test/support/optimizer-case.ts';
import type { Variable } from '../../graph/variable.ts';
import { ExponentialDecay } from '../schedules/decays.ts';
import { Adam, AdamW, Nadam } from './adam.ts';
import { LossScaleOptimizer } from './loss-scale-optimizer.ts';
import { MultiOptimizer, OptimizerMap } from './multi-optimizer.ts';
import type { Optimizer } from './optimizer.ts';
import { createOptimizer, optimizerNames, resolveOptimizer } from './resolve-optimizer.ts';
import { SGD } from './sgd.ts';
import type { StepOptimizer } from './step-optimizer.ts';

const vector = (...values: number[]): EncodedTensor => ['float32', [values.length], values];
const two = (): [Variable, Variable] => [weightOf('a/kernel', vector(1, 2)), weightOf('b/bias', vector(3))];
const numbers = ({ value }: Variable): number[] => Array.from(value.data as Float32Array);

describe('the learning rate', () => {
  test('is set between steps without a new graph', () => {
    const [weight] = two();
    const optimizer = new SGD({ learningRate: 1 });
    const step = stepper(optimizer, [weight]);
    step([vector(1, 1)]);
    optimizer.learningRate = 0.5;
    step([vector(1, 1)]);
    expect(numbers(weight)).toEqual([-0.5, 0.5]);
    expect(optimizer.toConfig().learningRate).toBe(0.5);
  });

  test('of a schedule cannot be set to a number', () => {
    const schedule = new ExponentialDecay({ initialLearningRate: 1, decaySteps: 1, decayRate: 0.5 });
    const optimizer = new SGD({ learningRate: schedule });
    expect(optimizer.learningRate).toBe(schedule);
    expect(optimizer.learningRateVariable).toBeUndefined();
    expect(() => {
      optimizer.learningRate = 0.1;
    }).toThrow('Cannot set the learning rate of SGD: it follows ExponentialDecay');
  });

  test('times a multiplier of a weight is what an optimizer with that rate does', () => {
    const [first, second] = two();
    const [alone, other] = two();
    const config = { learningRate: 0.1, weightDecay: 0.1 };
    const step = stepper(new Adam(config), [first, second], {
      learningRateMultiplierOf: ({ name }) => (name === 'bias' ? 0.25 : undefined),
    });
    const whole = stepper(new Adam(config), [alone]);
    const quarter = stepper(new Adam({ ...config, learningRate: 0.025 }), [other]);
    for (const gradient of [0.5, -1, 2]) {
      step([vector(gradient, 1), vector(gradient)]);
      whole([vector(gradient, 1)]);
      quarter([vector(gradient)]);
    }
    expect(numbers(first)).toEqual(numbers(alone));
    for (const [index, value] of numbers(second).entries())
      expect(value).toBeCloseTo(numbers(other)[index] as number, 6);
  });
});

describe('slots', () => {
  test('belong to a weight: they stay while it is frozen', () => {
    const [first, second] = two();
    const optimizer = new Adam();
    stepper(optimizer, [first, second])([vector(1, 1), vector(1)]);
    const before = numbers(optimizer.slotsOf(first).momentum as Variable);
    stepper(optimizer, [second])([vector(1)]);
    expect(numbers(optimizer.slotsOf(first).momentum as Variable)).toEqual(before);
    expect(before[0]).toBeCloseTo(0.1, 6);
    expect(numbers(optimizer.slotsOf(second).momentum as Variable)[0]).toBeCloseTo(0.19, 6);
    expect(optimizer.iterations.value.data[0]).toBe(2);
  });

  test.each(optimizerNames.filter((name) => !/^(?:LossScale|Multi|Nadam)/.test(name)))(
    'of %s: a weight that is thawed later is treated as by a new optimizer, one that was there before goes on',
    (name) => {
      for (const options of [{}, { useEma: true, emaMomentum: 0.5 }, { weightDecay: 0.1 }]) {
        const config = { learningRate: 0.1, ...options };
        const both = [weightOf('a/kernel', vector(1, 2)), weightOf('b/kernel', vector(3, -1))] as const;
        const apart = [weightOf('a/kernel', vector(1, 2)), weightOf('b/kernel', vector(3, -1))] as const;
        const [optimizer, first, second] = [0, 1, 2].map(() => createOptimizer(name, config) as Optimizer);
        const gradients = [0.5, -1, 2, 0.25, 1].map((value) => [vector(value, 1), vector(-value, 0.5)] as const);
        // The first three steps with the second weight frozen, the others with both.
        const head = stepper(optimizer as Optimizer, [both[0]]);
        for (const [of] of gradients.slice(0, 3)) head([of]);
        const whole = stepper(optimizer as Optimizer, both);
        for (const pair of gradients.slice(3)) whole([...pair]);
        const one = stepper(first as Optimizer, [apart[0]]);
        for (const [of] of gradients) one([of]);
        const two = stepper(second as Optimizer, [apart[1]]);
        for (const [, of] of gradients.slice(3)) two([of]);
        expect(numbers(both[0])).toEqual(numbers(apart[0]));
        expect(numbers(both[1])).toEqual(numbers(apart[1]));
        const averages = [optimizer?.averageOf(both[1]), second?.averageOf(apart[1])];
        expect(averages[0]?.value).toEqual(averages[1]?.value);
        expect((optimizer as StepOptimizer).startOf(both[0])).toBe(0);
        expect((optimizer as StepOptimizer).startOf(both[1])).toBe(3);
      }
    },
  );

  test('of Adam after thawing hold what a hand computes', () => {
    const [first, second] = two();
    const optimizer = new Adam({ learningRate: 0.1 });
    stepper(optimizer, [first])([vector(1, -1)]);
    stepper(optimizer, [first, second])([vector(2, 0), vector(4)]);
    const slots = (weight: Variable): number[] => Object.values(optimizer.slotsOf(weight)).flatMap(numbers);
    const expected = [0.9 * 0.1 + 0.1 * 2, 0.9 * -0.1, 0.999 * 0.001 + 0.001 * 4, 0.999 * 0.001];
    for (const [index, value] of slots(first).entries()) expect(value).toBeCloseTo(expected[index] as number, 7);
    for (const [index, value] of slots(second).entries()) expect(value).toBeCloseTo([0.4, 0.016][index] as number, 7);
    // The first step of Adam is as long as the learning rate, whenever it comes.
    expect(numbers(second)[0]).toBeCloseTo(2.9, 5);
  });

  test('are named as in Keras and stored in its order', () => {
    const weights = two();
    const names = (optimizer: { variablesInKerasOrder: (weights: Variable[]) => readonly Variable[] }): string[] =>
      optimizer.variablesInKerasOrder(weights).map(({ name }) => name);
    expect(names(new Adam({ amsgrad: true, useEma: true, gradientAccumulationSteps: 2 }))).toEqual([
      'iteration',
      'learning_rate',
      'a_kernel_average',
      'b_bias_average',
      'a_kernel_gradient_accumulator',
      'b_bias_gradient_accumulator',
      'a_kernel_momentum',
      'a_kernel_velocity',
      'b_bias_momentum',
      'b_bias_velocity',
      'a_kernel_velocity_hat',
      'b_bias_velocity_hat',
    ]);
    expect(names(new Nadam()).at(-1)).toBe('u_product');
  });
});

test('apply() of no gradients changes nothing', () => {
  expect(new SGD().apply(new Map())).toEqual([]);
  expect(new LossScaleOptimizer(new SGD()).apply(new Map())).toEqual([]);
});

describe('options', () => {
  test('are checked', () => {
    expect(() => new SGD({ clipnorm: 1, clipvalue: 1 })).toThrow('found more than one of clipnorm, clipvalue');
    expect(() => new SGD({ gradientAccumulationSteps: 1 })).toThrow('expected an integer of at least 2');
    expect(() => new AdamW({ weightDecay: null })).toThrow('option "weightDecay" is null');
    expect(() => new LossScaleOptimizer(new SGD({ lossScaleFactor: 2 }))).toThrow('expected none');
    expect(() => new MultiOptimizer(new OptimizerMap(new LossScaleOptimizer(new SGD())))).toThrow('plain optimizers');
  });

  test('of MultiOptimizer give each weight one optimizer', () => {
    const map = new OptimizerMap(new SGD(), { '.*/bias': new Adam(), 'b/.*': new Adam() });
    expect(map.optimizerOf(two()[0])).toBe(map.defaultOptimizer);
    expect(() => map.optimizerOf(two()[1])).toThrow('".*/bias" and "b/.*" match, expected one');
  });
});

test('resolveOptimizer() takes names in any case and optimizers', () => {
  for (const name of optimizerNames.filter((each) => !/^(?:LossScale|Multi)/.test(each))) {
    expect(resolveOptimizer(name.toLowerCase())?.className).toBe(name);
    expect(createOptimizer(name)?.className).toBe(name);
  }
  const optimizer = new SGD();
  expect(resolveOptimizer(optimizer)).toBe(optimizer);
  expect(resolveOptimizer('descent')).toBeUndefined();
});
