import type { SymbolicTensor } from '../../graph/node.ts';
import { notEqual, where } from '../../ops/compare.ts';
import { any } from '../../ops/reduce.ts';
import { type Fields, number, type Options } from '../fields.ts';
import { Layer, type LayerConfig, layerFields } from '../layer.ts';

export interface MaskingConfig extends LayerConfig {
  maskValue: number;
}

/**
 * Leaves out the steps of `[batch, steps, …, features]` whose features all equal `maskValue`: the output's mask is
 * false there, and the features are 0.
 */
export class Masking extends Layer<MaskingConfig> {
  static readonly className = 'Masking';
  static readonly fields: Fields<MaskingConfig> = { ...layerFields, maskValue: number(0) };
  override readonly supportsMasking = true;

  constructor(options: Options<MaskingConfig> = {}) {
    super(Masking.className, Masking.fields, options);
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    return where(any(notEqual(x, this.config.maskValue), -1, true), x, 0);
  }

  override computeMask([x]: readonly [SymbolicTensor]): readonly SymbolicTensor[] {
    return [any(notEqual(x, this.config.maskValue), -1)];
  }
}
