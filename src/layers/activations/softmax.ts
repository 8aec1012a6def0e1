import type { SymbolicTensor } from '../../graph/node.ts';
import { softmax } from '../../ops/activations.ts';
import { where } from '../../ops/compare.ts';
import { toFloat } from '../../ops/operand.ts';
import { axes } from '../axes.ts';
import type { Fields, Options } from '../fields.ts';
import { type CallContext, Layer, type LayerConfig, layerFields } from '../layer.ts';

export interface SoftmaxConfig extends LayerConfig {
  axis: number | readonly number[];
}

/** What a masked logit is set to: Keras' number, small enough that its exponential is 0 beside any other. */
const MASKED_LOGIT = -1e9;

/** Exponentials that sum to 1 along one axis or several. Masked elements count as absent and give 0. */
export class Softmax extends Layer<SoftmaxConfig> {
  static readonly className = 'Softmax';
  static readonly fields: Fields<SoftmaxConfig> = { ...layerFields, axis: axes(-1) };
  override readonly supportsMasking = true;
  override readonly hasMaskArgument = true;

  constructor(options: Options<SoftmaxConfig> = {}) {
    super(Softmax.className, Softmax.fields, options);
  }

  override call([x]: readonly [SymbolicTensor], context: CallContext): SymbolicTensor {
    const { axis } = this.config;
    const mask = context.masks[0];
    const logits = mask === undefined ? toFloat(x) : where(mask, toFloat(x), MASKED_LOGIT);
    const shares = softmax(logits, axis);
    return mask === undefined ? shares : where(mask, shares, 0);
  }
}
