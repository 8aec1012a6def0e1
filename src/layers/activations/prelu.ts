import { formatShape, type PartialShape, shapesEqual } from '../../array/shape.ts';
import { ShapeError } from '../../errors.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { relu } from '../../ops/activations.ts';
import { add, multiply, negative } from '../../ops/elementwise.ts';
import type { Constraint } from '../constraints.ts';
import { anything, constraint, type Field, type Fields, initializer, type Options, regularizer } from '../fields.ts';
import type { Initializer } from '../initializers.ts';
import { Layer, type LayerConfig, layerFields } from '../layer.ts';
import type { Regularizer } from '../regularizers.ts';

export interface PReLUConfig extends LayerConfig {
  alphaInitializer: Initializer;
  alphaRegularizer: Regularizer | null;
  alphaConstraint: Constraint | null;
  /** Axes, counted from 1 after the batch, along which one slope serves all. */
  sharedAxes: readonly number[] | null;
}

/** `x` above 0, `alpha · x` below, with a learnt `alpha` for each element but along the shared axes. */
export class PReLU extends Layer<PReLUConfig> {
  static readonly className = 'PReLU';
  static readonly fields: Fields<PReLUConfig> = {
    ...layerFields,
    alphaInitializer: initializer('zeros'),
    alphaRegularizer: regularizer(),
    alphaConstraint: constraint(),
    sharedAxes: sharedAxes(),
  };
  override readonly supportsMasking = true;

  constructor(options: Options<PReLUConfig> = {}) {
    super(PReLU.className, PReLU.fields, options);
  }

  protected override build([inputShape]: readonly PartialShape[]): void {
    const { alphaInitializer, sharedAxes: shared } = this.config;
    const shape = (inputShape ?? []).map((extent, axis) => (shared?.includes(axis) ? 1 : (extent ?? Number.NaN)));
    this.addWeight('alpha', shape.slice(1), { initializer: alphaInitializer });
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    const below = multiply(negative(this.weight('alpha')), relu(negative(x)));
    if (!shapesEqual(below.shape, x.shape)) {
      throw new ShapeError(
        `Cannot apply layer "${this.name}": found an input of shape ${formatShape(x.shape)}, ` +
          `expected one that fits its weight "alpha" of shape ${formatShape(this.weight('alpha').shape)}`,
      );
    }
    return add(relu(x), below);
  }
}

function sharedAxes(): Field<readonly number[] | null> {
  const isAxes = (value: unknown): boolean => Array.isArray(value) && value.every(Number.isInteger);
  const field = anything<readonly number[] | null>(
    'an axis, a list of axes, or null',
    (value) => value === null || isAxes(value),
    null,
  );
  return { ...field, parse: (value) => field.parse(Number.isInteger(value) ? [value] : value) };
}
