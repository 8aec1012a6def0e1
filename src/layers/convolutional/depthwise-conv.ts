import type { PartialShape } from '../../array/shape.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { depthwiseConv, type Padding } from '../../ops/convolution.ts';
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

export interface DepthwiseConvConfig extends LayerConfig {
  kernelSize: readonly number[];
  strides: readonly number[];
  padding: Exclude<Padding, 'causal'>;
  /** Number of filters for each channel. */
  depthMultiplier: number;
  dataFormat: DataFormat;
  dilationRate: readonly number[];
  activation: Activation;
  useBias: boolean;
  depthwiseInitializer: Initializer;
  biasInitializer: Initializer;
  depthwiseRegularizer: Regularizer | null;
  biasRegularizer: Regularizer | null;
  activityRegularizer: Regularizer | null;
  depthwiseConstraint: Constraint | null;
  biasConstraint: Constraint | null;
}

export type DepthwiseConvOptions = Options<DepthwiseConvConfig, 'kernelSize'>;

function depthwiseFields(rank: number): Fields<DepthwiseConvConfig> {
  return {
    ...layerFields,
    kernelSize: windowExtents(rank),
    strides: windowExtents(rank, 1),
    padding: padding(['valid', 'same']),
    depthMultiplier: positiveInteger(1),
    dataFormat: dataFormat(),
    dilationRate: windowExtents(rank, 1),
    activation: activation(null),
    useBias: boolean(true),
    depthwiseInitializer: initializer('glorot_uniform'),
    biasInitializer: initializer('zeros'),
    depthwiseRegularizer: regularizer(),
    biasRegularizer: regularizer(),
    activityRegularizer: regularizer(),
    depthwiseConstraint: constraint(),
    biasConstraint: constraint(),
  };
}

/**
 * Convolution of each channel by filters of its own; `channels · depthMultiplier` channels come out.
 *
 * `kernel` is `[…kernelSize, channels, depthMultiplier]`; `bias` is `[channels · depthMultiplier]`.
 */
abstract class DepthwiseConv extends Layer<DepthwiseConvConfig> {
  protected override build([inputShape]: readonly PartialShape[]): void {
    const { kernelSize, depthMultiplier, useBias, depthwiseInitializer, biasInitializer } = this.config;
    const channels = channelsOf(inputShape, this.config.dataFormat);
    this.addWeight('kernel', [...kernelSize, channels, depthMultiplier], {
      initializer: depthwiseInitializer,
      convolves: true,
      oldName: 'depthwise_kernel',
    });
    if (useBias) this.addWeight('bias', [channels * depthMultiplier], { initializer: biasInitializer });
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    const { strides, padding, dataFormat, dilationRate, useBias } = this.config;
    const kernel = this.weight('kernel');
    checkChannels(this.name, x.shape, kernel.shape.at(-2) as number, dataFormat);
    const y = depthwiseConv(x, kernel, { strides, padding, dataFormat, dilationRate });
    checkWindowFits(this.name, x.shape, y.shape);
    return this.config.activation.call(
      useBias ? add(y, channelBias(this.weight('bias'), y.shape.length, dataFormat)) : y,
    );
  }
}

/** Depthwise convolution over sequences `[batch, steps, channels]`. */
export class DepthwiseConv1D extends DepthwiseConv {
  static readonly className = 'DepthwiseConv1D';
  static readonly fields: Fields<DepthwiseConvConfig> = depthwiseFields(1);

  constructor(options: DepthwiseConvOptions) {
    super(DepthwiseConv1D.className, DepthwiseConv1D.fields, options);
  }
}

/** Depthwise convolution over images `[batch, height, width, channels]`. */
export class DepthwiseConv2D extends DepthwiseConv {
  static readonly className = 'DepthwiseConv2D';
  static readonly fields: Fields<DepthwiseConvConfig> = depthwiseFields(2);

  constructor(options: DepthwiseConvOptions) {
    super(DepthwiseConv2D.className, DepthwiseConv2D.fields, options);
  }
}
