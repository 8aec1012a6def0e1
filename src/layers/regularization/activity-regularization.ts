import type { SymbolicTensor } from '../../graph/node.ts';
import { type Fields, number, type Options } from '../fields.ts';
import { type CallContext, Layer, type LayerConfig, layerFields } from '../layer.ts';
import { activityPenaltyOf } from '../penalty.ts';

export interface ActivityRegularizationConfig extends LayerConfig {
  l1: number;
  l2: number;
}

/** Gives its input back; in training the input's size is added to the loss. */
export class ActivityRegularization extends Layer<ActivityRegularizationConfig> {
  static readonly className = 'ActivityRegularization';
  static readonly fields: Fields<ActivityRegularizationConfig> = { ...layerFields, l1: number(0), l2: number(0) };
  override readonly supportsMasking = true;

  constructor(options: Options<ActivityRegularizationConfig> = {}) {
    super(ActivityRegularization.className, ActivityRegularization.fields, options);
  }

  override call([x]: readonly [SymbolicTensor], { addLoss }: CallContext): SymbolicTensor {
    const { l1, l2 } = this.config;
    addLoss?.(activityPenaltyOf({ role: 'regularizer', className: 'L1L2', config: { l1, l2 } }, x));
    return x;
  }
}
