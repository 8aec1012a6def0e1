import type { PartialShape } from '../../array/shape.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { convTranspose, type Padding } from '../../ops/convolution.ts';
import { add } from '../../ops/elementwise.ts';
import type { Activation } from '../activation.ts';
import { channelsOf, type DataFormat, dataFormat } from '../data-format.ts';
import {
  activation,
  boolean,
  extents,
  type Fields,
  nullable,
  type Options,
  oneOf,
  positiveInteger,
} from '../fields.ts';
import { type KernelConfig, kernelFields } from '../kernel-options.ts';
import { Layer, type LayerConfig, layerFields } from '../layer.ts';
import { channelBias, checkWindowFits, padding, windowExtents } from './sliding-window.ts';

export interface ConvTransposeConfig extends LayerConfig, KernelConfig {
  filters: number;
  kernelSize: readonly number[];
  strides: readonly number[];
  padding: Exclude<Padding, 'causal'>;
  /** Elements added at the end of each axis; `null` lets `same` give `input · stride`. */
  outputPadding: readonly number[] | null;
  /** Where `same` cuts off the odd element: at the `beginning` for models that were run by Keras on torch. */
  sameCuts: 'end' | 'beginning';
  dataFormat: DataFormat;
  dilationRate: readonly number[];
  activation: Activation;
  useBias: boolean;
}

export type ConvTransposeOptions = Options<ConvTransposeConfig, 'filters' | 'kernelSize'>;

function convTransposeFields(rank: number): Fields<ConvTransposeConfig> {
  return {
    ...layerFields,
    filters: positiveInteger(),
    kernelSize: windowExtents(rank),
    strides: windowExtents(rank, 1),
    padding: padding(['valid', 'same']),
    outputPadding: nullable(extents(rank)),
    sameCuts: oneOf(['end', 'beginning'], 'end'),
    dataFormat: dataFormat(),
    dilationRate: windowExtents(rank, 1),
    activation: activation(null),
    useBias: boolean(true),
    ...kernelFields,
  };
}

/**
 * Transposed convolution: each element of the input adds its multiple of the kernel to the output.
 *
 * `kernel` is `[…kernelSize, filters, channels]`, whatever the data format; `bias` is `[filters]`.
 */
abstract class ConvTranspose extends Layer<ConvTransposeConfig> {
  protected override build([inputShape]: readonly PartialShape[]): void {
    const { filters, kernelSize, useBias, kernelInitializer, biasInitializer } = this.config;
    const channels = channelsOf(inputShape, this.config.dataFormat);
    this.addWeight('kernel', [...kernelSize, filters, channels], {
      initializer: kernelInitializer,
      channelAxes: [-2],
      convolves: true,
    });
    if (useBias) this.addWeight('bias', [filters], { initializer: biasInitializer });
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    const { strides, padding, outputPadding, sameCuts, dataFormat, dilationRate, useBias } = this.config;
    const options = { strides, padding, outputPadding, sameCuts, dataFormat, dilationRate };
    const y = convTranspose(x, this.weight('kernel'), options);
    checkWindowFits(this.name, x.shape, y.shape);
    return this.config.activation.call(
      useBias ? add(y, channelBias(this.weight('bias'), y.shape.length, dataFormat)) : y,
    );
  }
}

/** Transposed convolution over sequences `[batch, steps, channels]`. */
export class Conv1DTranspose extends ConvTranspose {
  static readonly className = 'Conv1DTranspose';
  static readonly fields: Fields<ConvTransposeConfig> = convTransposeFields(1);

  constructor(options: ConvTransposeOptions) {
    super(Conv1DTranspose.className, Conv1DTranspose.fields, options);
  }
}

/** Transposed convolution over images `[batch, height, width, channels]`. */
export class Conv2DTranspose extends ConvTranspose {
  static readonly className = 'Conv2DTranspose';
  static readonly fields: Fields<ConvTransposeConfig> = convTransposeFields(2);

  constructor(options: ConvTransposeOptions) {
    super(Conv2DTranspose.className, Conv2DTranspose.fields, options);
  }
}

/** Transposed convolution over volumes `[batch, …three axes, channels]`. */
export class Conv3DTranspose extends ConvTranspose {
  static readonly className = 'Conv3DTranspose';
  static readonly fields: Fields<ConvTransposeConfig> = convTransposeFields(3);

  constructor(options: ConvTransposeOptions) {
    super(Conv3DTranspose.className, Conv3DTranspose.fields, options);
  }
}
