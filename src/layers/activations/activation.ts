import type { SymbolicTensor } from '../../graph/node.ts';
import type { Activation as ActivationFunction } from '../activation.ts';
import { activation, type Fields, type Options } from '../fields.ts';
import { Layer, type LayerConfig, layerFields } from '../layer.ts';

export interface ActivationConfig extends LayerConfig {
  activation: ActivationFunction;
}

/** Applies an activation; the shape stays. */
export class Activation extends Layer<ActivationConfig> {
  static readonly className = 'Activation';
  static readonly fields: Fields<ActivationConfig> = {
    ...layerFields,
    activation: { kind: 'activation', expected: activation(null).expected, parse: activation(null).parse },
  };
  override readonly supportsMasking = true;

  constructor(options: Options<ActivationConfig, 'activation'>) {
    super(Activation.className, Activation.fields, options);
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    return this.config.activation.call(x);
  }
}
