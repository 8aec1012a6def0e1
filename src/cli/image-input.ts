/** Which numbers a model wants an image to be. */
import { type KerasModel, type Layer, Tensor } from '../index.ts';
import { CommandError, EXIT } from './exit-codes.ts';
import { formatExtents } from './format.ts';
import { convertChannels, type Picture, resize } from './image.ts';

type PartialShape = readonly (number | null)[];

/** How an image becomes an input. */
export interface ImagePlan {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly isChannelsFirst: boolean;
  /** The shape of one sample, with the batch. */
  readonly shape: readonly number[];
}

/** What black and white become. */
export type Range = readonly [number, number];

/** Layers that a model begins with when it takes pixels as they are, 0 to 255. */
const SCALING_LAYERS: ReadonlySet<string> = new Set(['Rescaling', 'Normalization']);

/**
 * The range that a model expects: 0–255 when it scales its input itself, else 0–1. Whoever trained with another range,
 * such as −1…1, has to say so with `--range`.
 */
export function expectedRange(model: KerasModel): Range {
  const firstLayers = flatten(model.layers).filter(({ className }) => className !== 'InputLayer');
  return firstLayers.slice(0, 3).some(({ className }) => SCALING_LAYERS.has(className)) ? [0, 255] : [0, 1];
}

function flatten(layers: readonly Layer[]): Layer[] {
  return layers.flatMap((layer) => ('layers' in layer ? flatten(layer.layers as readonly Layer[]) : [layer]));
}

/** Makes the input for a model from an image. */
export function imageTensor(picture: Picture, shape: PartialShape, [black, white]: Range): Tensor {
  const plan = planImage(shape, picture);
  const fitted = resize(convertChannels(picture, plan.channels), plan.width, plan.height);
  const scale = (white - black) / 255;
  const data = fitted.data.map((value) => black + value * scale);
  return new Tensor(plan.shape, 'float32', plan.isChannelsFirst ? channelsFirst(data, plan.channels) : data);
}

/**
 * Reads a shape as that of an image: `[batch, height, width, channels]`, channels first, without channels, or flat when
 * the number of pixels is a square's. Unknown extents are those of the image.
 */
export function planImage(shape: PartialShape, { width, height }: { width: number; height: number }): ImagePlan {
  const [, ...sample] = shape;
  const isCount = (extent: number | null | undefined): extent is 1 | 3 => extent === 1 || extent === 3;
  if (sample.length === 3) {
    const isChannelsFirst = isCount(sample[0]) && !isCount(sample[2]);
    const [rows, columns] = isChannelsFirst ? sample.slice(1) : sample;
    const channels = isChannelsFirst ? sample[0] : (sample[2] ?? 3);
    if (isCount(channels)) {
      const size = { width: columns ?? width, height: rows ?? height };
      const extents = isChannelsFirst ? [channels, size.height, size.width] : [size.height, size.width, channels];
      return { ...size, channels, isChannelsFirst, shape: [1, ...extents] };
    }
  }
  if (sample.length === 2) {
    const size = { width: sample[1] ?? width, height: sample[0] ?? height };
    return { ...size, channels: 1, isChannelsFirst: false, shape: [1, size.height, size.width] };
  }
  const [length] = sample;
  if (sample.length === 1 && typeof length === 'number') {
    for (const channels of [1, 3] as const) {
      const side = Math.sqrt(length / channels);
      if (Number.isInteger(side) && side > 1) {
        return { width: side, height: side, channels, isChannelsFirst: false, shape: [1, length] };
      }
    }
  }
  throw new CommandError(
    `Cannot make an input from an image: the model expects ${formatExtents(shape)}, not the shape of an image`,
    EXIT.badInput,
  );
}

function channelsFirst(data: Float32Array, channels: number): Float32Array {
  const pixels = data.length / channels;
  return data.map((_, index) => data[(index % pixels) * channels + Math.floor(index / pixels)] ?? 0);
}
