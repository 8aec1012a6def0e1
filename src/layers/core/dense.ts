import type { PartialShape } from '../../array/shape.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { add } from '../../ops/elementwise.ts';
import { matmul } from '../../ops/matrix.ts';
import type { Activation } from '../activation.ts';
import { activation, boolean, type Fields, type Options, positiveInteger } from '../fields.ts';
import { type KernelConfig, kernelFields } from '../kernel-options.ts';
import { Layer, type LayerConfig, layerFields } from '../layer.ts';
import { type LoraConfig, loraFields } from './lora.ts';
import { unquantized } from './quantization.ts';

export interface DenseConfig extends LayerConfig, LoraConfig, KernelConfig {
  units: number;
  activation: Activation;
  useBias: boolean;
  quantizationConfig: null;
}

/**
 * Fully connected layer: `activation(inputs · kernel + bias)`.
 *
 * Inputs of shape `[batch, …, features]` give `[batch, …, units]`; every axis but the last is kept.
 */
export class Dense extends Layer<DenseConfig> {
  static readonly className = 'Dense';
  static readonly fields: Fields<DenseConfig> = {
    ...layerFields,
    ...loraFields,
    units: positiveInteger(),
    activation: activation(null),
    useBias: boolean(true),
    ...kernelFields,
    quantizationConfig: unquantized(),
  };
  override readonly supportsMasking = true;

  constructor(options: Options<DenseConfig, 'units'>) {
    super(Dense.className, Dense.fields, options);
  }

  protected override build([inputShape]: readonly PartialShape[]): void {
    const { units, useBias, kernelInitializer, biasInitializer } = this.config;
    const features = inputShape?.at(-1) ?? Number.NaN;
    this.addWeight('kernel', [features, units], { initializer: kernelInitializer, channelAxes: [-1] });
    if (useBias) this.addWeight('bias', [units], { initializer: biasInitializer });
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    const product = matmul(x, this.weight('kernel'));
    return this.config.activation.call(this.config.useBias ? add(product, this.weight('bias')) : product);
  }
}
