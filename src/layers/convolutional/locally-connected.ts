import { formatShape, type PartialShape, type Shape, sizeOf, stridesOf } from '../../array/shape.ts';
import { tensor } from '../../array/tensor.ts';
import { ShapeError } from '../../errors.ts';
import { apply, constant } from '../../graph/apply.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { windowPositions } from '../../graph/window.ts';
import { channelsLast, fromChannelsLast } from '../../ops/convolution.ts';
import { add, multiply } from '../../ops/elementwise.ts';
import { matmul } from '../../ops/matrix.ts';
import { toFloat } from '../../ops/operand.ts';
import { reshape, transpose } from '../../ops/shape.ts';
import type { Activation } from '../activation.ts';
import { channelsOf, type DataFormat, dataFormat, spatialAxesOf } from '../data-format.ts';
import { activation, anything, boolean, type Fields, type Options, positiveInteger } from '../fields.ts';
import { type KernelConfig, kernelFields } from '../kernel-options.ts';
import { Layer, type LayerConfig, layerFields } from '../layer.ts';
import { padding, windowExtents } from './sliding-window.ts';

export interface LocallyConnectedConfig extends LayerConfig, KernelConfig {
  filters: number;
  kernelSize: readonly number[];
  strides: readonly number[];
  /** `same` needs implementation 2 or 3. */
  padding: 'valid' | 'same';
  dataFormat: DataFormat;
  activation: Activation;
  useBias: boolean;
  /** How the kernel is kept: 1 a matrix for each position, 2 one matrix with zeros, 3 only what is not zero. */
  implementation: 1 | 2 | 3;
}

export type LocallyConnectedOptions = Options<LocallyConnectedConfig, 'filters' | 'kernelSize'>;

function locallyConnectedFields(rank: number): Fields<LocallyConnectedConfig> {
  return {
    ...layerFields,
    filters: positiveInteger(),
    kernelSize: windowExtents(rank),
    strides: windowExtents(rank, 1),
    padding: padding<'valid' | 'same'>(['valid', 'same']),
    dataFormat: dataFormat(),
    activation: activation(null),
    useBias: boolean(true),
    ...kernelFields,
    implementation: anything<1 | 2 | 3>('1, 2 or 3', (value) => value === 1 || value === 2 || value === 3, 1),
  };
}

/** What an input shape makes of a layer; positions are counted in row-major order. */
interface Geometry {
  readonly channels: number;
  /** Extents of the spatial axes. */
  readonly input: readonly number[];
  readonly output: readonly number[];
  /** The positions of the input that each position of the output sees, in ascending order. */
  readonly windows: readonly (readonly number[])[];
}

/**
 * A convolution whose kernel differs from position to position. Keras 2 has it; Keras 3 does not.
 *
 * The shape of `kernel` depends on `implementation`, the numbers do not; `bias` is `[…output extents, filters]`. The
 * spatial extents of the input must be known.
 */
abstract class LocallyConnected extends Layer<LocallyConnectedConfig> {
  protected override build([inputShape]: readonly PartialShape[]): void {
    const { filters, useBias, kernelInitializer, biasInitializer } = this.config;
    const geometry = this.#geometry(inputShape ?? []);
    this.addWeight('kernel', this.#kernelShape(geometry), { initializer: kernelInitializer });
    if (useBias) this.addWeight('bias', [...geometry.output, filters], { initializer: biasInitializer });
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    const { filters, implementation, useBias, dataFormat } = this.config;
    const geometry = this.#geometry(x.shape);
    const { input, output, channels } = geometry;
    const batch = x.shape[0] as number;
    const flat = reshape(channelsLast(toFloat(x), dataFormat), [batch, sizeOf(input) * channels]);
    const product = implementation === 1 ? this.#byPosition(flat, geometry) : matmul(flat, this.#matrix(geometry));
    const y = reshape(product, [batch, ...output, filters]);
    const placed = fromChannelsLast(y, dataFormat);
    // Channels first, Keras takes the elements of the bias as they come, though its axes stand the other way.
    return this.config.activation.call(
      useBias ? add(placed, reshape(this.weight('bias'), placed.shape.slice(1))) : placed,
    );
  }

  #kernelShape({ input, output, channels, windows }: Geometry): Shape {
    const { filters, kernelSize, implementation, dataFormat } = this.config;
    if (implementation === 1) return [sizeOf(output), sizeOf(kernelSize) * channels, filters];
    if (implementation === 3) return [windows.reduce((sum, window) => sum + window.length, 0) * channels * filters];
    const isLast = dataFormat === 'channels_last';
    return isLast ? [...input, channels, ...output, filters] : [channels, ...input, filters, ...output];
  }

  /** A matrix product for each position of the output: `[batch, positions, filters]`. */
  #byPosition(flat: SymbolicTensor, { channels, windows }: Geometry): SymbolicTensor {
    const isLast = this.config.dataFormat === 'channels_last';
    const elements = windows.flatMap((window) =>
      isLast
        ? window.flatMap((position) => range(channels).map((channel) => position * channels + channel))
        : range(channels).flatMap((channel) => window.map((position) => position * channels + channel)),
    );
    const indices = constant(tensor(new Int32Array(elements), [windows.length, elements.length / windows.length]));
    const patches = transpose(apply('gather', [flat, indices], { axis: 1 }), [1, 0, 2]);
    return transpose(matmul(patches, this.weight('kernel')), [1, 0, 2]);
  }

  /** The kernel as one matrix from all elements of the input to all of the output, channels last. */
  #matrix(geometry: Geometry): SymbolicTensor {
    const { filters, implementation, dataFormat } = this.config;
    const { channels, windows } = geometry;
    const [from, to] = [sizeOf(geometry.input), windows.length];
    const shape = [from * channels, to * filters];
    if (implementation === 3) {
      const places = constant(tensor(new Int32Array(sparsePlaces(geometry, filters, dataFormat))));
      return reshape(apply('scatterAdd', [places, this.weight('kernel')], { axis: 0, extent: sizeOf(shape) }), shape);
    }
    const kernel =
      dataFormat === 'channels_last'
        ? reshape(this.weight('kernel'), [from, channels, to, filters])
        : transpose(reshape(this.weight('kernel'), [channels, from, filters, to]), [1, 0, 3, 2]);
    const seen = new Float32Array(from * to);
    for (const [target, window] of windows.entries()) for (const source of window) seen[source * to + target] = 1;
    return reshape(multiply(kernel, constant(tensor(seen, [from, 1, to, 1]))), shape);
  }

  #geometry(shape: PartialShape): Geometry {
    const { kernelSize, strides, padding: border, implementation, dataFormat } = this.config;
    const input = spatialAxesOf(this.name, shape, kernelSize.length, dataFormat).map(
      (axis) => shape[axis] ?? Number.NaN,
    );
    if (!input.every(Number.isInteger)) {
      throw new ShapeError(
        `Cannot build layer "${this.name}": found an input of shape ${formatShape(shape)}, ` +
          `expected ${kernelSize.length} spatial axes of known extents`,
      );
    }
    if (border === 'same' && implementation === 1) {
      throw new TypeError(`Cannot build layer "${this.name}": padding "same" needs implementation 2 or 3, found 1`);
    }
    const axes = input.map((extent, axis) =>
      axisWindows(extent, kernelSize[axis] as number, strides[axis] as number, border),
    );
    const steps = stridesOf(input);
    const windows = product(axes).map((starts) =>
      product(starts).map((position) =>
        position.reduce((sum, place, axis) => sum + place * (steps[axis] as number), 0),
      ),
    );
    return {
      channels: channelsOf(shape, dataFormat),
      input,
      output: axes.map((positions) => positions.length),
      windows,
    };
  }
}

function range(count: number, start = 0): number[] {
  return Array.from({ length: count }, (_, index) => start + index);
}

/** The elements of one axis that each position of the output sees. */
function axisWindows(extent: number, kernel: number, stride: number, border: 'valid' | 'same'): number[][] {
  if (border === 'valid') {
    return range(windowPositions(extent, kernel, stride, [0, 0], 1)).map((index) => range(kernel, index * stride));
  }
  // Windows are centred on multiples of the stride, unlike those of a convolution.
  const before = Math.floor(kernel / 2);
  return range(Math.ceil(extent / stride)).map((index) => {
    const start = Math.max(0, index * stride - before);
    const stop = Math.min(extent, index * stride - before + kernel);
    return range(stop - start, start);
  });
}

/** All ways to take one element of each list, the last list fastest. */
function product<T>(lists: readonly (readonly T[])[]): T[][] {
  return lists.reduce<T[][]>((heads, list) => heads.flatMap((head) => list.map((item) => [...head, item])), [[]]);
}

/** Where the numbers of a sparse kernel stand in the matrix; they are kept by output, then by input element. */
function sparsePlaces({ channels, windows }: Geometry, filters: number, format: DataFormat): number[] {
  const columns = windows.length * filters;
  const place = (source: number, channel: number, target: number, filter: number): number =>
    (source * channels + channel) * columns + target * filters + filter;
  if (format === 'channels_last') {
    return windows.flatMap((window, target) =>
      range(filters).flatMap((filter) =>
        window.flatMap((source) => range(channels).map((channel) => place(source, channel, target, filter))),
      ),
    );
  }
  return range(filters).flatMap((filter) =>
    windows.flatMap((window, target) =>
      range(channels).flatMap((channel) => window.map((source) => place(source, channel, target, filter))),
    ),
  );
}

/** A locally connected layer over sequences: `[batch, steps, channels]` gives `[batch, newSteps, filters]`. */
export class LocallyConnected1D extends LocallyConnected {
  static readonly className = 'LocallyConnected1D';
  static readonly fields: Fields<LocallyConnectedConfig> = locallyConnectedFields(1);

  constructor(options: LocallyConnectedOptions) {
    super(LocallyConnected1D.className, LocallyConnected1D.fields, options);
  }
}

/** A locally connected layer over images: `[batch, height, width, channels]` gives `[batch, …, filters]`. */
export class LocallyConnected2D extends LocallyConnected {
  static readonly className = 'LocallyConnected2D';
  static readonly fields: Fields<LocallyConnectedConfig> = locallyConnectedFields(2);

  constructor(options: LocallyConnectedOptions) {
    super(LocallyConnected2D.className, LocallyConnected2D.fields, options);
  }
}
