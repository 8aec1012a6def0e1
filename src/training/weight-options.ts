/** Which regularizer and which constraint a weight has: its layer's options say so, by the name of the weight. */
import type { Variable } from '../graph/variable.ts';
import type { Constraint } from '../layers/constraints.ts';
import type { Layer } from '../layers/layer.ts';
import type { Regularizer } from '../layers/regularizers.ts';

export interface WeightOptions {
  readonly regularizer: Regularizer | undefined;
  readonly constraint: Constraint | undefined;
}

/** What the options are called for weights whose name does not say it. */
const STEMS: Readonly<Record<string, readonly string[]>> = {
  kernel: ['kernel', 'depthwise'],
  depthwise_kernel: ['depthwise'],
  pointwise_kernel: ['pointwise'],
  recurrent_kernel: ['recurrent'],
};

/** The options of all weights of a layer and of those inside it. */
export function weightOptions(layer: Layer): ReadonlyMap<Variable, WeightOptions> {
  const found = new Map<Variable, WeightOptions>();
  const collect = (each: Layer): void => {
    const config = each.config as unknown as Readonly<Record<string, unknown>>;
    for (const variable of each.ownWeights) {
      const stems = STEMS[variable.name] ?? [variable.name];
      const option = (suffix: string): unknown =>
        stems.map((stem) => config[`${stem}${suffix}`]).find((value) => value !== undefined && value !== null);
      found.set(variable, {
        regularizer: option('Regularizer') as Regularizer | undefined,
        constraint: option('Constraint') as Constraint | undefined,
      });
    }
    each.children.forEach(collect);
  };
  collect(layer);
  return found;
}
