import type { PartialShape } from '../../array/shape.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { type Padding, separableConv } from '../../ops/convolution.ts';
import { add } from '../../ops/elementwise.ts';
import type { Activation } from '../activation.ts';
import type { Constraint } from '../constraints.ts';
import { channelsOf, type DataFormat, dataFormat } from '../data-format.ts';
import {
  activation,
  boolean,
  constraint,
  type Fields,
  initializer,
  type Options,
  positiveInteger,
  regularizer,
} from '../fields.ts';
import type { Initializer } from '../initializers.ts';
import { Layer, type LayerConfig, layerFields } from '../layer.ts';
import type { Regularizer } from '../regularizers.ts';
import { channelBias, checkChannels, checkWindowFits, padding, windowExtents } from './sliding-window.ts';

export interface SeparableConvConfig extends LayerConfig {
  filters: number;
  kernelSize: readonly number[];
  strides: readonly number[];
  /** `causal`, which Keras 2 has for one spatial axis, lets no output see a later input. */
  padding: Padding;
  dataFormat: DataFormat;
  dilationRate: readonly number[];
  /** Number of depthwise filters for each channel. */
  depthMultiplier: number;
  activation: Activation;
  useBias: boolean;
  depthwiseInitializer: Initializer;
  pointwiseInitializer: Initializer;
  biasInitializer: Initializer;
  depthwiseRegularizer: Regularizer | null;
  pointwiseRegularizer: Regularizer | null;
  biasRegularizer: Regularizer | null;
  activityRegularizer: Regularizer | null;
  depthwiseConstraint: Constraint | null;
  pointwiseConstraint: Constraint | null;
  biasConstraint: Constraint | null;
}

export type SeparableConvOptions = Options<SeparableConvConfig, 'filters' | 'kernelSize'>;

function separableFields(rank: number): Fields<SeparableConvConfig> {
  return {
    ...layerFields,
    filters: positiveInteger(),
    kernelSize: windowExtents(rank),
    strides: windowExtents(rank, 1),
    padding: padding<Padding>(rank === 1 ? ['valid', 'same', 'causal'] : ['valid', 'same']),
    dataFormat: dataFormat(),
    dilationRate: windowExtents(rank, 1),
    depthMultiplier: positiveInteger(1),
    activation: activation(null),
    useBias: boolean(true),
    depthwiseInitializer: initializer('glorot_uniform'),
    pointwiseInitializer: initializer('glorot_uniform'),
    biasInitializer: initializer('zeros'),
    depthwiseRegularizer: regularizer(),
    pointwiseRegularizer: regularizer(),
    biasRegularizer: regularizer(),
    activityRegularizer: regularizer(),
    depthwiseConstraint: constraint(),
    pointwiseConstraint: constraint(),
    biasConstraint: constraint(),
  };
}

/**
 * A depthwise convolution, then one of extent 1 that mixes the channels.
 *
 * `depthwise_kernel` is `[…kernelSize, channels, depthMultiplier]`, `pointwise_kernel` is
 * `[…1, channels · depthMultiplier, filters]`, `bias` is `[filters]`.
 */
abstract class SeparableConv extends Layer<SeparableConvConfig> {
  protected override build([inputShape]: readonly PartialShape[]): void {
    const { filters, kernelSize, depthMultiplier, useBias } = this.config;
    const { depthwiseInitializer, pointwiseInitializer, biasInitializer } = this.config;
    const channels = channelsOf(inputShape, this.config.dataFormat);
    const point = kernelSize.map(() => 1);
    this.addWeight('depthwise_kernel', [...kernelSize, channels, depthMultiplier], {
      initializer: depthwiseInitializer,
      convolves: true,
    });
    this.addWeight('pointwise_kernel', [...point, channels * depthMultiplier, filters], {
      initializer: pointwiseInitializer,
      channelAxes: [-1],
      convolves: true,
    });
    if (useBias) this.addWeight('bias', [filters], { initializer: biasInitializer });
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    const { strides, padding, dataFormat, dilationRate, useBias } = this.config;
    const options = { strides, padding, dataFormat, dilationRate };
    const kernel = this.weight('depthwise_kernel');
    checkChannels(this.name, x.shape, kernel.shape.at(-2) as number, dataFormat);
    const y = separableConv(x, kernel, this.weight('pointwise_kernel'), options);
    checkWindowFits(this.name, x.shape, y.shape);
    return this.config.activation.call(
      useBias ? add(y, channelBias(this.weight('bias'), y.shape.length, dataFormat)) : y,
    );
  }
}

/** Separable convolution over sequences: `[batch, steps, channels]` gives `[batch, newSteps, filters]`. */
export class SeparableConv1D extends SeparableConv {
  static readonly className = 'SeparableConv1D';
  static readonly fields: Fields<SeparableConvConfig> = separableFields(1);

  constructor(options: SeparableConvOptions) {
    super(SeparableConv1D.className, SeparableConv1D.fields, options);
  }
}

/** Separable convolution over images: `[batch, height, width, channels]` gives `[batch, newHeight, newWidth, filters]`. */
export class SeparableConv2D extends SeparableConv {
  static readonly className = 'SeparableConv2D';
  static readonly fields: Fields<SeparableConvConfig> = separableFields(2);

  constructor(options: SeparableConvOptions) {
    super(SeparableConv2D.className, SeparableConv2D.fields, options);
  }
}
