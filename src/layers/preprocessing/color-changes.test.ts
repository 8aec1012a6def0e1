/** Colours of images in training. What leaves nothing to chance are Keras' numbers. */
import { describe, expect, test } from 'vitest';
import { type Tensor, tensor } from '../../array/tensor.ts';
import { evaluate } from '../../backends/reference/evaluate.ts';
import { input } from '../../graph/apply.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { RandomState } from '../../training/random-state.ts';
import { input as inputTensor } from '../input-layer.ts';
import type { Layer } from '../layer.ts';
import {
  RandomColorDegeneration,
  RandomColorJitter,
  RandomGrayscale,
  RandomHue,
  RandomInvert,
  RandomPosterization,
  RandomSaturation,
  RandomSharpness,
  Solarization,
} from './augmentation.ts';
import { RandomCrop } from './random-crop.ts';

function changed(layer: Layer, images: Tensor, seed = 1): Tensor {
  const x = input('x', { shape: images.shape, dtype: images.dtype });
  const [output] = layer.trace([{ tensor: x }], { training: true, random: new RandomState(seed).step().draw });
  const graph = { inputs: [x], outputs: [output?.tensor as SymbolicTensor] };
  return evaluate(graph, [images])[0] as Tensor;
}

const PIXELS = [
  131, 242, 37, 242, 80, 108, 211, 104, 140, 7, 192, 137, 20, 60, 250, 90, 90, 90, 255, 0, 128, 0, 0, 0, 200, 199, 198,
  33, 66, 99, 12, 230, 45, 70, 140, 210,
];

/** What Keras 3.15 makes of the pixels, in 3 rows and 4 columns of 3 channels. */
const OF_KERAS: readonly (readonly [string, Layer, readonly number[]])[] = [
  [
    'RandomGrayscale',
    new RandomGrayscale({ factor: 1 }),
    [
      185.43, 185.43, 185.43, 131.61, 131.61, 131.61, 140.08, 140.08, 140.08, 130.41, 130.41, 130.41, 69.7, 69.7, 69.7,
      89.99, 89.99, 89.99, 90.81, 90.81, 90.81, 0, 0, 0, 199.16, 199.16, 199.16, 59.89, 59.89, 59.89, 143.73, 143.73,
      143.73, 127.04, 127.04, 127.04,
    ],
  ],
  [
    'RandomColorDegeneration',
    new RandomColorDegeneration({ factor: [0.4, 0.4] }),
    [
      152.77, 219.37, 96.37, 197.84, 100.64, 117.44, 182.63, 118.43, 140.03, 56.37, 167.37, 134.37, 39.88, 63.88,
      177.88, 90, 90, 90, 189.32, 36.33, 113.12, 0, 0, 0, 199.67, 199.07, 198.47, 43.76, 63.56, 83.36, 64.69, 195.49,
      84.49, 92.82, 134.82, 176.82,
    ],
  ],
  [
    'RandomInvert',
    new RandomInvert({ factor: [1, 1] }),
    [
      124, 13, 218, 13, 175, 147, 44, 151, 115, 248, 63, 118, 235, 195, 5, 165, 165, 165, 0, 255, 127, 255, 255, 255,
      55, 56, 57, 222, 189, 156, 243, 25, 210, 185, 115, 45,
    ],
  ],
  [
    'RandomPosterization',
    new RandomPosterization({ factor: [3, 3] }),
    [
      128, 224, 32, 224, 64, 96, 192, 96, 128, 0, 192, 128, 0, 32, 224, 64, 64, 64, 224, 0, 128, 0, 0, 0, 192, 192, 192,
      32, 64, 96, 0, 224, 32, 64, 128, 192,
    ],
  ],
  [
    'RandomSharpness',
    new RandomSharpness({ factor: [0.9, 0.9] }),
    [
      173.83, 255, 27.65, 255, 88.86, 121.48, 255, 132.92, 180.43, 0, 255, 187.95, 0, 47.88, 255, 66.37, 73.94, 72.46,
      255, 0, 140, 0, 0, 0, 255, 255, 255, 13.74, 62.86, 103.99, 0, 255, 34.72, 88.03, 194.77, 255,
    ],
  ],
  [
    'RandomHue',
    new RandomHue({ factor: [0, 0] }),
    [
      131, 242, 37, 242, 80, 108, 211, 104, 140, 7, 192, 137, 20, 60, 250, 90, 90, 90, 255, 0, 128, 0, 0, 0, 200, 199,
      198, 33, 66, 99, 12, 230, 45, 70, 140, 210,
    ],
  ],
  [
    'RandomHue by half a circle',
    new RandomHue({ factor: [1, 1] }),
    [
      148, 37, 242, 80, 242, 214, 104, 211, 175, 192, 7, 62, 250, 210, 20, 90, 90, 90, 0, 255, 127, 0, 0, 0, 198, 199,
      200, 99, 66, 33, 230, 12, 197, 210, 140, 70,
    ],
  ],
  [
    'RandomSaturation',
    new RandomSaturation({ factor: [0.7, 0.7] }),
    [
      -17, 242, -236.33, 242, -136, -70.67, 211, -38.67, 45.33, -239.67, 192, 63.67, -286.67, -193.33, 250, 90, 90, 90,
      255, -340, -41.33, 0, 0, 0, 200, 197.67, 195.33, -55, 22, 99, -278.67, 230, -201.67, -116.67, 46.67, 210,
    ],
  ],
  [
    'RandomColorJitter',
    new RandomColorJitter({ brightnessFactor: [0.1, 0.1], contrastFactor: [0, 0], saturationFactor: [0.3, 0.3] }),
    [
      212.79, 255, 172.5, 255, 190.93, 202.93, 236.5, 190.64, 206.07, 138.21, 217.5, 193.93, 165.21, 182.36, 255, 115.5,
      115.5, 115.5, 255, 156.64, 211.5, 25.5, 25.5, 25.5, 225.5, 225.07, 224.64, 96.21, 110.36, 124.5, 161.79, 255,
      175.93, 175.5, 205.5, 235.5,
    ],
  ],
  [
    'Solarization',
    new Solarization({ additionFactor: 0, thresholdFactor: 0 }),
    [
      124, 13, 218, 13, 175, 147, 44, 151, 115, 248, 63, 118, 235, 195, 5, 165, 165, 165, 0, 255, 127, 255, 255, 255,
      55, 56, 57, 222, 189, 156, 243, 25, 210, 185, 115, 45,
    ],
  ],
  [
    'RandomCrop of images that are no higher',
    new RandomCrop({ height: 3, width: 2 }),
    [242, 80, 108, 211, 104, 140, 90, 90, 90, 255, 0, 128, 33, 66, 99, 12, 230, 45],
  ],
];

const moved = (images: Tensor, order: readonly number[]): Tensor => {
  const [rows, columns] = [images.shape.at(order[1] as number), images.shape.at(order[2] as number)] as [
    number,
    number,
  ];
  const channels = images.shape.at(order[0] as number) as number;
  const values = images.data as Float32Array;
  const toFirst = order[0] === -1;
  const data = new Float32Array(values.length);
  for (let pixel = 0; pixel < rows * columns; pixel++) {
    for (let channel = 0; channel < channels; channel++) {
      const [last, first] = [pixel * channels + channel, channel * rows * columns + pixel];
      if (toFirst) data[first] = values[last] as number;
      else data[last] = values[first] as number;
    }
  }
  return tensor(data, toFirst ? [1, channels, rows, columns] : [1, rows, columns, channels]);
};

describe.each(OF_KERAS)('%s', (_, layer, expected) => {
  test('changes one image and batches as Keras does', () => {
    for (const shape of [
      [1, 3, 4, 3],
      [3, 4, 3],
    ]) {
      const found = changed(layer, tensor(PIXELS, shape, 'float32')).data as Float32Array;
      expect(found.length).toBe(expected.length);
      for (const [index, value] of expected.entries())
        expect(Math.abs((found[index] as number) - value)).toBeLessThan(0.02);
    }
  });

  test('does the same where channels come first', () => {
    const create = layer.constructor as new (options: unknown) => Layer;
    const first = new create({ ...layer.config, dataFormat: 'channels_first' });
    const images = moved(tensor(PIXELS, [1, 3, 4, 3], 'float32'), [-1, -3, -2]);
    const found = moved(changed(first, images), [-3, -2, -1]).data as Float32Array;
    for (const [index, value] of expected.entries())
      expect(Math.abs((found[index] as number) - value)).toBeLessThan(0.02);
  });
});

const MANY = tensor(Array.from({ length: 60 }, () => PIXELS).flat(), [60, 3, 4, 3], 'float32');

test.each([
  new RandomGrayscale({ factor: 0.5 }),
  new RandomColorDegeneration({ factor: 0.5 }),
  new RandomInvert({ factor: [0.5, 0.5] }),
  new RandomPosterization({ factor: 8 }),
  new RandomSharpness({ factor: 0.5 }),
  new RandomHue({ factor: 0.5 }),
  new RandomSaturation({ factor: [0.2, 0.8] }),
  new RandomColorJitter({ brightnessFactor: 0.2, hueFactor: 0.3 }),
  new Solarization({ thresholdFactor: 0.8 }),
])('$className changes each image in its own way, the same for the same seed', (layer) => {
  const found = changed(layer, MANY).data as Float32Array;
  const images = Array.from({ length: 60 }, (_, index) => String(found.slice(index * 36, index * 36 + 36)));
  expect(new Set(images).size).toBeGreaterThan(1);
  expect(changed(layer, MANY).data).toEqual(found);
  expect(changed(layer, MANY, 2).data).not.toEqual(found);
});

test('RandomCrop cuts a piece from one place, each place about as often', () => {
  const layer = new RandomCrop({ height: 2, width: 3 });
  const images = tensor(
    Array.from({ length: 24 }, (_, index) => index % 12),
    [2, 3, 4, 1],
    'float32',
  );
  const counts = new Map<number, number>();
  for (let seed = 0; seed < 200; seed++) {
    const found = changed(layer, images, seed);
    expect(found.shape).toEqual([2, 2, 3, 1]);
    const [start = 0, ...rest] = found.data as Float32Array;
    expect([0, 1, 4, 5]).toContain(start);
    const piece = [0, 1, 2, 4, 5, 6].map((offset) => start + offset);
    expect([start, ...rest]).toEqual([...piece, ...piece]);
    counts.set(start, (counts.get(start) ?? 0) + 1);
  }
  for (const count of counts.values()) expect(count).toBeGreaterThan(25);
  expect(counts.size).toBe(4);
});

test('RandomCrop has the shape of its pieces in a model, as in Keras', () => {
  const first = new RandomCrop({ height: 2, width: 3 }).apply(inputTensor({ shape: [5, 6, 3] }));
  expect(first.shape).toEqual([null, 2, 3, 3]);
});
