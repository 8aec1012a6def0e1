import type { PartialShape } from '../../array/shape.ts';
import { ShapeError } from '../../errors.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { conv, type Padding } from '../../ops/convolution.ts';
import { add } from '../../ops/elementwise.ts';
import type { Activation } from '../activation.ts';
import { type LoraConfig, loraFields } from '../core/lora.ts';
import { channelsOf, type DataFormat, dataFormat } from '../data-format.ts';
import { activation, boolean, type Fields, type Options, positiveInteger } from '../fields.ts';
import { type KernelConfig, kernelFields } from '../kernel-options.ts';
import { Layer, type LayerConfig, layerFields } from '../layer.ts';
import { channelBias, checkChannels, checkWindowFits, padding, windowExtents } from './sliding-window.ts';

export interface ConvConfig extends LayerConfig, LoraConfig, KernelConfig {
  filters: number;
  kernelSize: readonly number[];
  strides: readonly number[];
  /** `causal`, for one spatial axis only, lets no output see a later input. */
  padding: Padding;
  dataFormat: DataFormat;
  dilationRate: readonly number[];
  /** Number of parts into which the channels are cut; each has filters of its own. */
  groups: number;
  activation: Activation;
  useBias: boolean;
}

export type ConvOptions = Options<ConvConfig, 'filters' | 'kernelSize'>;

function convFields(rank: number): Fields<ConvConfig> {
  return {
    ...layerFields,
    ...loraFields,
    filters: positiveInteger(),
    kernelSize: windowExtents(rank),
    strides: windowExtents(rank, 1),
    padding: padding<Padding>(rank === 1 ? ['valid', 'same', 'causal'] : ['valid', 'same']),
    dataFormat: dataFormat(),
    dilationRate: windowExtents(rank, 1),
    groups: positiveInteger(1),
    activation: activation(null),
    useBias: boolean(true),
    ...kernelFields,
  };
}

/**
 * Convolution: each filter slides over the spatial axes and gives one channel of the output.
 *
 * `kernel` is `[…kernelSize, channels / groups, filters]`, whatever the data format; `bias` is `[filters]`.
 */
abstract class Conv extends Layer<ConvConfig> {
  protected override build([inputShape]: readonly PartialShape[]): void {
    const { filters, kernelSize, groups, useBias, kernelInitializer, biasInitializer } = this.config;
    const channels = channelsOf(inputShape, this.config.dataFormat);
    if (channels % groups !== 0 || filters % groups !== 0) {
      throw new ShapeError(
        `Cannot build layer "${this.name}": found ${channels} channels and ${filters} filters, ` +
          `expected multiples of its ${groups} groups`,
      );
    }
    this.addWeight('kernel', [...kernelSize, channels / groups, filters], {
      initializer: kernelInitializer,
      channelAxes: [-1],
      convolves: true,
    });
    if (useBias) this.addWeight('bias', [filters], { initializer: biasInitializer });
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    const { strides, padding, dataFormat, dilationRate, useBias } = this.config;
    const kernel = this.weight('kernel');
    checkChannels(this.name, x.shape, (kernel.shape.at(-2) as number) * this.config.groups, dataFormat);
    const y = conv(x, kernel, { strides, padding, dataFormat, dilationRate });
    checkWindowFits(this.name, x.shape, y.shape);
    return this.config.activation.call(
      useBias ? add(y, channelBias(this.weight('bias'), y.shape.length, dataFormat)) : y,
    );
  }
}

/** Convolution over sequences: `[batch, steps, channels]` gives `[batch, newSteps, filters]`. */
export class Conv1D extends Conv {
  static readonly className = 'Conv1D';
  static readonly fields: Fields<ConvConfig> = convFields(1);

  constructor(options: ConvOptions) {
    super(Conv1D.className, Conv1D.fields, options);
  }
}

/** Convolution over images: `[batch, height, width, channels]` gives `[batch, newHeight, newWidth, filters]`. */
export class Conv2D extends Conv {
  static readonly className = 'Conv2D';
  static readonly fields: Fields<ConvConfig> = convFields(2);

  constructor(options: ConvOptions) {
    super(Conv2D.className, Conv2D.fields, options);
  }
}

/** Convolution over volumes: `[batch, …three axes, channels]` gives `[batch, …three axes, filters]`. */
export class Conv3D extends Conv {
  static readonly className = 'Conv3D';
  static readonly fields: Fields<ConvConfig> = convFields(3);

  constructor(options: ConvOptions) {
    super(Conv3D.className, Conv3D.fields, options);
  }
}
