import { describe, expect, test } from 'vitest';
import type { Shape } from '../array/shape.ts';
import { computeFans, createInitializer, type Initializer, resolveInitializer } from './initializers.ts';

function make(className: string, config?: Record<string, unknown>): Initializer {
  const initializer = createInitializer(className, config);
  if (initializer === undefined) throw new Error(`Cannot find initializer ${className}`);
  return initializer;
}

function values(initializer: Initializer, shape: Shape): number[] {
  return [...(initializer.initialize(shape, 'float32').data as Float32Array)];
}

function deviationOf(numbers: readonly number[]): number {
  const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
  return Math.sqrt(numbers.reduce((sum, value) => sum + (value - mean) ** 2, 0) / numbers.length);
}

describe('resolveInitializer()', () => {
  test.each([
    ['zeros', 'Zeros'],
    ['zero', 'Zeros'],
    ['one', 'Ones'],
    ['glorot_uniform', 'GlorotUniform'],
    ['glorotUniform', 'GlorotUniform'],
    ['GlorotUniform', 'GlorotUniform'],
    ['uniform', 'RandomUniform'],
    ['normal', 'RandomNormal'],
    ['leCunNormal', 'LecunNormal'],
    ['lecun_normal', 'LecunNormal'],
    ['LeCunUniform', 'LecunUniform'],
    ['OrthogonalInitializer', 'Orthogonal'],
    ['IdentityInitializer', 'Identity'],
    ['stft', 'STFT'],
    ['variance_scaling', 'VarianceScaling'],
    ['truncated_normal', 'TruncatedNormal'],
  ])('takes %s for %s', (name, className) => {
    expect(resolveInitializer(name)?.className).toBe(className);
  });

  test('knows no other names', () => {
    expect(resolveInitializer('glorot')).toBeUndefined();
    expect(resolveInitializer('toString')).toBeUndefined();
    expect(resolveInitializer(3)).toBeUndefined();
  });

  test('gives back an initializer', () => {
    const initializer = make('Ones');
    expect(resolveInitializer(initializer)).toBe(initializer);
  });
});

describe('createInitializer()', () => {
  test('fills in the defaults of Keras', () => {
    expect(make('RandomNormal', { seed: 3 }).config).toEqual({ seed: 3, mean: 0, stddev: 0.05 });
    expect(make('GlorotUniform').config).toEqual({ seed: null, inputAxes: null, outputAxes: null });
  });

  test('refuses unknown keys and values', () => {
    expect(() => make('Ones', { gain: 2 })).toThrow('Cannot create Ones: found an unknown option "gain"');
    expect(() => make('VarianceScaling', { mode: 'fan' })).toThrow('option "mode" is "fan", expected "fan_in"');
    expect(() => make('VarianceScaling', { scale: 0 })).toThrow('expected a number above 0');
    expect(() => make('GlorotNormal', { seed: 'x' })).toThrow('expected an integer or null');
  });

  test('takes the seed of a serialized generator', () => {
    const generator = { class_name: 'SeedGenerator', config: { name: 'seed_generator', seed: 11 } };
    expect(values(make('RandomNormal', { seed: generator }), [4])).toEqual(
      values(make('RandomNormal', { seed: 11 }), [4]),
    );
  });

  test('repeats the numbers of a seed, and none without', () => {
    const seeded = make('HeNormal', { seed: 5 });
    expect(values(seeded, [3, 4])).toEqual(values(seeded, [3, 4]));
    const unseeded = make('HeNormal');
    expect(values(unseeded, [3, 4])).not.toEqual(values(unseeded, [3, 4]));
  });

  test.each([
    ['GlorotUniform', Math.sqrt(2 / 300)],
    ['GlorotNormal', Math.sqrt(2 / 300)],
    ['HeUniform', Math.sqrt(2 / 100)],
    ['HeNormal', Math.sqrt(2 / 100)],
    ['LecunUniform', Math.sqrt(1 / 100)],
    ['LecunNormal', Math.sqrt(1 / 100)],
    ['RandomNormal', 0.05],
    ['TruncatedNormal', 0.05 * 0.8796],
    ['RandomUniform', 0.05 / Math.sqrt(3)],
  ])('%s has the deviation of its definition', (className, deviation) => {
    const found = deviationOf(values(make(className, { seed: 1 }), [100, 200]));
    expect(found / deviation).toBeCloseTo(1, 1.3);
  });

  test('VarianceScaling scales by fan_out without truncation', () => {
    const initializer = make('VarianceScaling', {
      scale: 3,
      mode: 'fan_out',
      distribution: 'untruncated_normal',
      seed: 2,
    });
    const found = values(initializer, [100, 200]);
    expect(deviationOf(found) / Math.sqrt(3 / 200)).toBeCloseTo(1, 1.3);
    expect(Math.max(...found)).toBeGreaterThan(2.5 * Math.sqrt(3 / 200));
  });

  test('Constant fills with one value or a list', () => {
    expect(values(make('Constant', { value: 2.5 }), [2])).toEqual([2.5, 2.5]);
    expect(values(make('Constant', { value: [[1, 2]] }), [1, 2])).toEqual([1, 2]);
    expect(() => values(make('Constant', { value: [1, 2] }), [3])).toThrow('found 2 values, expected 1 or 3');
  });

  test('Ones fills integers too', () => {
    expect(make('Ones').initialize([2], 'int32').data).toEqual(new Int32Array([1, 1]));
  });

  test('Identity puts the gain on the diagonal', () => {
    expect(values(make('Identity', { gain: 2 }), [2, 3])).toEqual([2, 0, 0, 0, 2, 0]);
    expect(() => values(make('Identity'), [2])).toThrow('expected 2 axes');
  });

  test.each([[[6, 4]], [[4, 6]], [[3, 2, 4]]])('Orthogonal gives orthonormal vectors for shape %j', (shape) => {
    const columns = shape.at(-1) as number;
    const found = values(make('Orthogonal', { seed: 8 }), shape);
    const rows = found.length / columns;
    const vectors = Array.from({ length: Math.min(rows, columns) }, (_, index) =>
      Array.from({ length: Math.max(rows, columns) }, (_, element) =>
        rows < columns ? found[index * columns + element] : found[element * columns + index],
      ),
    ) as number[][];
    const products = vectors.map((a) => vectors.map((b) => a.reduce((sum, x, i) => sum + x * (b[i] as number), 0)));
    for (const [i, row] of products.entries()) {
      for (const [j, product] of row.entries()) expect(product).toBeCloseTo(i === j ? 1 : 0, 6);
    }
  });
});

test('computeFans() counts inputs and outputs', () => {
  expect(computeFans([])).toEqual([1, 1]);
  expect(computeFans([5])).toEqual([5, 5]);
  expect(computeFans([5, 7])).toEqual([5, 7]);
  expect(computeFans([3, 3, 4, 8])).toEqual([36, 72]);
  expect(computeFans([2, 3, 5], [0], [1, 2])).toEqual([2, 15]);
});
