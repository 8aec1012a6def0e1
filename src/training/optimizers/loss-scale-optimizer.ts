import { tensor } from '../../array/tensor.ts';
import { parameter } from '../../graph/apply.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { Variable, type VariableDtype } from '../../graph/variable.ts';
import { anything, type Fields, number, positiveInteger, string } from '../../layers/fields.ts';
import { equal, isfinite, logicalAnd, where } from '../../ops/compare.ts';
import { add, divide, multiply } from '../../ops/elementwise.ts';
import { all } from '../../ops/reduce.ts';
import type { LearningRateSchedule } from '../schedules/schedule.ts';
import { type ApplyOptions, type Assignment, type Gradients, Optimizer, type Slots } from './optimizer.ts';

export interface LossScaleOptimizerConfig {
  name: string;
  innerOptimizer: Optimizer;
  /** What the loss is multiplied with at first. */
  initialScale: number;
  /** After how many finite steps the scale doubles. */
  dynamicGrowthSteps: number;
}

/**
 * Multiplies the loss by a scale and divides gradients by it. The scale doubles after many finite steps; after one
 * whose gradients are not finite it is halved, and that step is left out.
 */
export class LossScaleOptimizer extends Optimizer<LossScaleOptimizerConfig> {
  static readonly className = 'LossScaleOptimizer';
  static readonly fields: Fields<LossScaleOptimizerConfig> = {
    name: string(''),
    innerOptimizer: anything('an optimizer', (value) => value instanceof Optimizer),
    initialScale: number(2 ** 15),
    dynamicGrowthSteps: positiveInteger(2000),
  };
  readonly #unused: readonly Variable[];
  readonly #stepCounter: Variable;
  readonly #dynamicScale: Variable;

  /** @throws {TypeError} when the inner optimizer scales the loss as well. */
  constructor(
    innerOptimizer: Optimizer,
    options: { readonly name?: string; readonly initialScale?: number; readonly dynamicGrowthSteps?: number } = {},
  ) {
    super(LossScaleOptimizer.className, LossScaleOptimizer.fields, { ...options, innerOptimizer });
    refuseScaling(LossScaleOptimizer.className, innerOptimizer);
    // Keras stores both, though nothing changes them.
    this.#unused = [this.#scalar('iteration', 'int32', 0), this.#scalar('learning_rate', 'float32', 0)];
    this.#stepCounter = this.#scalar('step_counter', 'int32', 0);
    this.#dynamicScale = this.#scalar('dynamic_scale', 'float32', this.config.initialScale);
  }

  #scalar(name: string, dtype: VariableDtype, value: number): Variable {
    return scalarVariable(this.name, name, dtype, value);
  }

  get innerOptimizer(): Optimizer {
    return this.config.innerOptimizer;
  }

  override get iterations(): Variable {
    return this.innerOptimizer.iterations;
  }

  override get learningRate(): number | LearningRateSchedule {
    return this.innerOptimizer.learningRate;
  }

  override set learningRate(value: number | LearningRateSchedule) {
    this.innerOptimizer.learningRate = value;
  }

  override claim(variables: readonly Variable[]): void {
    this.innerOptimizer.claim(variables);
  }

  override slotsOf(variable: Variable): Slots {
    return this.innerOptimizer.slotsOf(variable);
  }

  override hasStateOf(variable: Variable): boolean {
    return this.innerOptimizer.hasStateOf(variable);
  }

  override startOf(variable: Variable): number {
    return this.innerOptimizer.startOf(variable);
  }

  override setStart(variable: Variable, steps: number): void {
    this.innerOptimizer.setStart(variable, steps);
  }

  override averageOf(variable: Variable): Variable | undefined {
    return this.innerOptimizer.averageOf(variable);
  }

  override scaleLoss(loss: SymbolicTensor): SymbolicTensor {
    return multiply(loss, parameter(this.#dynamicScale));
  }

  override apply(gradients: Gradients, options: ApplyOptions = {}): readonly Assignment[] {
    const finite = [...gradients.values()].map((gradient) => all(isfinite(gradient)));
    const [first, ...others] = finite;
    if (first === undefined) return [];
    const isSound = others.reduce((both, one) => logicalAnd(both, one), first);
    const [count, scale] = [parameter(this.#stepCounter), parameter(this.#dynamicScale)];
    const unscaled = new Map(
      [...gradients].map(([variable, gradient]) => [variable, divide(gradient, scale)] as const),
    );
    const isGrowing = equal(count, this.config.dynamicGrowthSteps - 1);
    const grown = where(isGrowing, multiply(scale, 2), scale);
    const inner = this.innerOptimizer.apply(unscaled, options);
    return [
      ...inner.map(([variable, value]): Assignment => [variable, where(isSound, value, parameter(variable))]),
      [this.#stepCounter, where(logicalAnd(isSound, notYet(isGrowing)), add(count, 1), 0)],
      [this.#dynamicScale, where(isSound, grown, multiply(scale, 0.5))],
    ];
  }

  override variablesInKerasOrder(weights: readonly Variable[]): readonly Variable[] {
    const own = [...this.#unused, this.#stepCounter, this.#dynamicScale];
    return [...own, ...this.innerOptimizer.variablesInKerasOrder(weights)];
  }

  override toConfig(): LossScaleOptimizerConfig {
    return this.config;
  }
}

function notYet(isGrowing: SymbolicTensor): SymbolicTensor {
  return equal(isGrowing, false);
}

/** A scalar of an optimizer's own. */
export function scalarVariable(owner: string, name: string, dtype: VariableDtype, value: number): Variable {
  const initialize = () => tensor(value, [], dtype);
  const variable = new Variable({ name, shape: [], dtype, trainable: false, initialize });
  variable.path = `${owner}/${name}`;
  return variable;
}

/** Two optimizers must not both scale the loss, or gradients are divided twice. */
export function refuseScaling(className: string, inner: Optimizer): void {
  const { lossScaleFactor } = inner.config as { readonly lossScaleFactor?: number | null };
  if (lossScaleFactor === undefined || lossScaleFactor === null) return;
  throw new TypeError(
    `Cannot create ${className}: its ${inner.className} has lossScaleFactor ${lossScaleFactor}, expected none`,
  );
}
