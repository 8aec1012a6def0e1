import { normalizeAxis, type PartialShape } from '../../array/shape.ts';
import { ShapeError } from '../../errors.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { add, multiply, negative, rsqrt } from '../../ops/elementwise.ts';
import { toFloat } from '../../ops/operand.ts';
import { moments } from '../../ops/reduce.ts';
import { reshape } from '../../ops/shape.ts';
import type { Constraint } from '../constraints.ts';
import {
  boolean,
  constraint,
  type Fields,
  initializer,
  integer,
  number,
  type Options,
  regularizer,
} from '../fields.ts';
import type { Initializer } from '../initializers.ts';
import { Layer, type LayerConfig, layerFields } from '../layer.ts';
import type { Regularizer } from '../regularizers.ts';

export interface GroupNormalizationConfig extends LayerConfig {
  /** Number of groups into which the axis is cut; −1 makes each element one. */
  groups: number;
  axis: number;
  epsilon: number;
  center: boolean;
  scale: boolean;
  betaInitializer: Initializer;
  gammaInitializer: Initializer;
  betaRegularizer: Regularizer | null;
  gammaRegularizer: Regularizer | null;
  betaConstraint: Constraint | null;
  gammaConstraint: Constraint | null;
}

/** Mean 0 and variance 1 over each group of channels of each example, then `gamma` and `beta` for each channel. */
export class GroupNormalization extends Layer<GroupNormalizationConfig> {
  static readonly className = 'GroupNormalization';
  static readonly fields: Fields<GroupNormalizationConfig> = {
    ...layerFields,
    groups: integer(32),
    axis: integer(-1),
    epsilon: number(1e-3),
    center: boolean(true),
    scale: boolean(true),
    betaInitializer: initializer('zeros'),
    gammaInitializer: initializer('ones'),
    betaRegularizer: regularizer(),
    gammaRegularizer: regularizer(),
    betaConstraint: constraint(),
    gammaConstraint: constraint(),
  };
  override readonly supportsMasking = true;

  constructor(options: Options<GroupNormalizationConfig> = {}) {
    super(GroupNormalization.className, GroupNormalization.fields, options);
  }

  protected override build([inputShape]: readonly PartialShape[]): void {
    const { axis, scale, center, gammaInitializer, betaInitializer } = this.config;
    const channels = inputShape?.at(axis) ?? Number.NaN;
    const groups = this.#groups(channels);
    if (channels % groups !== 0 || groups < 1) {
      throw new ShapeError(
        `Cannot build layer "${this.name}": found ${channels} channels along axis ${axis}, ` +
          `expected a multiple of its ${groups} groups`,
      );
    }
    if (scale) this.addWeight('gamma', [channels], { initializer: gammaInitializer });
    if (center) this.addWeight('beta', [channels], { initializer: betaInitializer });
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    const { axis, epsilon, scale, center } = this.config;
    const place = normalizeAxis(axis, x.shape.length);
    const channels = x.shape[place] as number;
    const groups = this.#groups(channels);
    const parts = [groups, channels / groups];
    const grouped = reshape(toFloat(x), [...x.shape.slice(0, place), ...parts, ...x.shape.slice(place + 1)]);
    const reduced = grouped.shape.map((_, index) => index).filter((index) => index !== 0 && index !== place);
    const [mean, variance] = moments(grouped, reduced, true);
    const along = (name: string): SymbolicTensor => {
      const ones = grouped.shape.map(() => 1);
      return reshape(this.weight(name), [...ones.slice(0, place), ...parts, ...ones.slice(place + 2)]);
    };
    const inverse = rsqrt(add(variance, epsilon));
    const factor = scale ? multiply(inverse, along('gamma')) : inverse;
    const shift = negative(multiply(mean, factor));
    return reshape(add(multiply(grouped, factor), center ? add(shift, along('beta')) : shift), x.shape);
  }

  #groups(channels: number): number {
    return this.config.groups === -1 ? channels : this.config.groups;
  }
}
