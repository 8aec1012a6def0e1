/** Changes of images in training. Factors whose range is one number leave nothing to chance: those are Keras' numbers. */
import { describe, expect, test } from 'vitest';
import type { Shape } from '../../array/shape.ts';
import { type Tensor, tensor } from '../../array/tensor.ts';
import { evaluate } from '../../backends/reference/evaluate.ts';
import { input } from '../../graph/apply.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { RandomState } from '../../training/random-state.ts';
import type { Layer } from '../layer.ts';
import {
  RandomBrightness,
  RandomContrast,
  RandomFlip,
  RandomRotation,
  RandomShear,
  RandomTranslation,
  RandomZoom,
} from './augmentation.ts';

function changed(layer: Layer, images: Tensor, seed = 1): Float32Array {
  const x = input('x', { shape: images.shape, dtype: images.dtype });
  const [output] = layer.trace([{ tensor: x }], { training: true, random: new RandomState(seed).step().draw });
  const graph = { inputs: [x], outputs: [output?.tensor as SymbolicTensor] };
  return (evaluate(graph, [images])[0] as Tensor).data as Float32Array;
}

const PIXELS = [131, 242, 37, 242, 80, 108, 211, 104, 140, 7, 192, 137];

/** What Keras 3.15 makes of the pixels, in 3 rows and 4 columns. */
const OF_KERAS: readonly (readonly [string, Layer, readonly number[]])[] = [
  [
    'RandomRotation',
    new RandomRotation({ factor: [0.125, 0.125] }),
    [211.978, 67.0215, 151.337, 115.667, 179.767, 154.513, 184.953, 161.164, 98.0312, 88.5066, 34.0926, 164.907],
  ],
  [
    'RandomRotation, nearest, filled',
    new RandomRotation({ factor: [0.1, 0.1], fillMode: 'constant', fillValue: 7, interpolation: 'nearest' }),
    [7, 37, 37, 104, 131, 108, 211, 137, 80, 7, 7, 7],
  ],
  [
    'RandomZoom',
    new RandomZoom({ heightFactor: [0.5, 0.5] }),
    [131, 214.25, 88.25, 242, 80, 101, 184.25, 104, 140, 40.25, 178.25, 137],
  ],
  [
    'RandomZoom in both directions',
    new RandomZoom({ heightFactor: [-0.4, -0.4], widthFactor: [0.2, 0.2], fillMode: 'nearest' }),
    [110.6, 180.62, 114.62, 186.8, 80, 105.2, 200.3, 104, 116, 54.26, 192.02, 123.8],
  ],
  [
    'RandomTranslation',
    new RandomTranslation({ heightFactor: [0.25, 0.25], widthFactor: [-0.3, -0.3] }),
    [201, 78, 242, 201, 182.9, 105.9, 207.5, 182.1, 107.45, 187.45, 112.25, 131.05],
  ],
  [
    'RandomBrightness',
    new RandomBrightness({ factor: [0.3, 0.3] }),
    [207.5, 255, 113.5, 255, 156.5, 184.5, 255, 180.5, 216.5, 83.5, 255, 213.5],
  ],
  [
    'RandomContrast',
    new RandomContrast({ factor: [-0.5, 0.5] }),
    [128.542, 255, 0, 255, 52.0417, 94.0417, 248.542, 88.0417, 142.042, 0, 220.042, 137.542],
  ],
];

describe.each(OF_KERAS)('%s', (_, layer, expected) => {
  const shapes: readonly Shape[] = [
    [1, 3, 4, 1],
    [3, 4, 1],
  ];
  test.each(shapes.map((shape) => [shape] as const))('changes images of shape %j as Keras does', (shape) => {
    const found = changed(layer, tensor(PIXELS, shape, 'float32'));
    for (const [index, value] of expected.entries()) expect(found[index]).toBeCloseTo(value, 2);
  });
});

/** Many images, all alike. */
const MANY = tensor(Array.from({ length: 200 }, () => PIXELS).flat(), [200, 3, 4, 1], 'float32');

function distinct(images: Float32Array): string[] {
  return Array.from({ length: images.length / 12 }, (_, index) => images.slice(index * 12, index * 12 + 12).join());
}

test('RandomFlip mirrors about half of the images', () => {
  const [, second, third] = [0, 1, 2].map((row) => PIXELS.slice(row * 4, row * 4 + 4));
  const rows = [PIXELS.slice(0, 4), second ?? [], third ?? []];
  for (const [mode, mirrored] of [
    ['horizontal', rows.map((row) => [...row].reverse())],
    ['vertical', [...rows].reverse()],
    ['horizontal_and_vertical', [...rows].reverse().map((row) => [...row].reverse())],
  ] as const) {
    const found = distinct(changed(new RandomFlip({ mode }), MANY));
    expect(new Set(found)).toEqual(new Set([PIXELS.join(), mirrored.flat().join()]));
    // Four deviations of a share of 200.
    expect(Math.abs(found.filter((image) => image === PIXELS.join()).length - 100)).toBeLessThan(28);
  }
});

test('RandomShear goes one way or the other, as far as in Keras', () => {
  const both = [
    [131, 242, 37, 242, 80, 121.42, 147.46, 162.74, 140, 87.68, 108.28, 168.92],
    [131, 215.2, 106.6, 159.2, 88.4, 123.62, 177.54, 123.8, 60.2, 118, 159, 137],
  ];
  const found = distinct(changed(new RandomShear({ xFactor: [0.3, 0.3], yFactor: [0.2, 0.2] }), MANY));
  const counts = both.map(
    (expected) =>
      found.filter((image) =>
        image.split(',').every((value, index) => Math.abs(Number(value) - (expected[index] as number)) < 0.01),
      ).length,
  );
  expect((counts[0] as number) + (counts[1] as number)).toBe(200);
  expect(Math.abs((counts[0] as number) - 100)).toBeLessThan(28);
});

test('each image is changed by a number of its own, which key or seed decide', () => {
  const layer = new RandomRotation({ factor: 0.2 });
  const first = changed(layer, MANY);
  expect(new Set(distinct(first)).size).toBeGreaterThan(190);
  expect(changed(layer, MANY)).toEqual(first);
  expect(changed(layer, MANY, 2)).not.toEqual(first);
  const seeded = new RandomRotation({ factor: 0.2, seed: { class_name: 'SeedGenerator', config: { seed: 3 } } });
  expect(changed(seeded, MANY, 2)).toEqual(changed(seeded, MANY, 1));
});

test('a single factor is a range on both sides, for contrast on one', () => {
  const bright = changed(new RandomBrightness({ factor: 0.1, valueRange: [0, 1000] }), MANY);
  const changes = distinct(bright).map((image) => Number(image.split(',')[0]) - 131);
  expect(Math.min(...changes)).toBeLessThan(-50);
  expect(Math.max(...changes)).toBeGreaterThan(50);
  expect(Math.max(...changes.map(Math.abs))).toBeLessThanOrEqual(100.001);
  const contrast = changed(new RandomContrast({ factor: 0.5, valueRange: [-1000, 1000] }), MANY);
  const mean = PIXELS.reduce((sum, value) => sum + value, 0) / 12;
  const factors = distinct(contrast).map((image) => (Number(image.split(',')[1]) - mean) / (242 - mean));
  expect(Math.min(...factors)).toBeGreaterThanOrEqual(0.999);
  expect(Math.max(...factors)).toBeLessThanOrEqual(1.501);
});
