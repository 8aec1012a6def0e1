import { parameter } from '../../graph/apply.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import type { Variable } from '../../graph/variable.ts';
import { anything, type Fields, nullable, number, string } from '../../layers/fields.ts';
import { add, divide, multiply } from '../../ops/elementwise.ts';
import type { LearningRateSchedule } from '../schedules/schedule.ts';
import { LossScaleOptimizer, refuseScaling, scalarVariable } from './loss-scale-optimizer.ts';
import { type ApplyOptions, type Assignment, type Gradients, Optimizer, type Slots } from './optimizer.ts';

/** Which optimizer a weight has, by its path or a pattern of the whole path. */
export class OptimizerMap {
  readonly defaultOptimizer: Optimizer;
  readonly optimizerMap: Readonly<Record<string, Optimizer>>;

  constructor(defaultOptimizer: Optimizer, optimizerMap: Readonly<Record<string, Optimizer>> = {}) {
    this.defaultOptimizer = defaultOptimizer;
    this.optimizerMap = optimizerMap;
  }

  /** @throws {RangeError} when patterns of several optimizers match. */
  optimizerOf({ path }: Variable): Optimizer {
    if (Object.hasOwn(this.optimizerMap, path)) return this.optimizerMap[path] as Optimizer;
    const found = Object.entries(this.optimizerMap).filter(([pattern]) => new RegExp(`^(?:${pattern})$`).test(path));
    if (found.length > 1) {
      const patterns = found.map(([pattern]) => `"${pattern}"`).join(' and ');
      throw new RangeError(`Cannot choose an optimizer for weight "${path}": ${patterns} match, expected one`);
    }
    return found[0]?.[1] ?? this.defaultOptimizer;
  }

  /** All of them once, the default one last. */
  get optimizers(): readonly Optimizer[] {
    return [...new Set([...Object.values(this.optimizerMap), this.defaultOptimizer])];
  }
}

export interface MultiOptimizerConfig {
  name: string;
  optimizerMap: OptimizerMap;
  /** What the loss is multiplied with, and gradients are divided by. */
  lossScaleFactor: number | null;
}

/** Different optimizers for different weights. */
export class MultiOptimizer extends Optimizer<MultiOptimizerConfig> {
  static readonly className = 'MultiOptimizer';
  static readonly fields: Fields<MultiOptimizerConfig> = {
    name: string(''),
    optimizerMap: anything('an OptimizerMap', (value) => value instanceof OptimizerMap),
    lossScaleFactor: nullable(number()),
  };
  readonly iterations: Variable;
  readonly #unused: Variable;
  readonly #chosen = new WeakMap<Variable, Optimizer>();

  /** @throws {TypeError} when an optimizer scales the loss itself, or consists of others. */
  constructor(
    optimizerMap: OptimizerMap,
    options: { readonly name?: string; readonly lossScaleFactor?: number | null } = {},
  ) {
    super(MultiOptimizer.className, MultiOptimizer.fields, { ...options, optimizerMap });
    for (const inner of optimizerMap.optimizers) {
      refuseScaling(MultiOptimizer.className, inner);
      if (inner instanceof MultiOptimizer || inner instanceof LossScaleOptimizer) {
        throw new TypeError(`Cannot create MultiOptimizer: found ${inner.className} in it, expected plain optimizers`);
      }
    }
    this.iterations = scalarVariable(this.name, 'iteration', 'int32', 0);
    // Keras stores it, though nothing uses it.
    this.#unused = scalarVariable(this.name, 'learning_rate', 'float32', 0);
  }

  get optimizers(): readonly Optimizer[] {
    return this.config.optimizerMap.optimizers;
  }

  /** @throws {TypeError} always: each optimizer has its own. */
  override get learningRate(): number {
    throw new TypeError('Cannot tell the learning rate of a MultiOptimizer: each of its `optimizers` has its own');
  }

  override set learningRate(_value: number | LearningRateSchedule) {
    throw new TypeError('Cannot set the learning rate of a MultiOptimizer: set that of one of its `optimizers`');
  }

  override claim(variables: readonly Variable[]): void {
    for (const variable of variables) this.#for(variable).claim([variable]);
  }

  /** The optimizer of a weight, which it keeps whatever its path becomes in other models. */
  #for(variable: Variable): Optimizer {
    const optimizer = this.#chosen.get(variable) ?? this.config.optimizerMap.optimizerOf(variable);
    this.#chosen.set(variable, optimizer);
    return optimizer;
  }

  override slotsOf(variable: Variable): Slots {
    return this.#for(variable).slotsOf(variable);
  }

  override hasStateOf(variable: Variable): boolean {
    return this.#for(variable).hasStateOf(variable);
  }

  override startOf(variable: Variable): number {
    return this.#for(variable).startOf(variable);
  }

  override setStart(variable: Variable, steps: number): void {
    this.#for(variable).setStart(variable, steps);
  }

  override averageOf(variable: Variable): Variable | undefined {
    return this.#for(variable).averageOf(variable);
  }

  override scaleLoss(loss: SymbolicTensor): SymbolicTensor {
    const { lossScaleFactor } = this.config;
    return lossScaleFactor === null ? loss : multiply(loss, lossScaleFactor);
  }

  override apply(gradients: Gradients, options: ApplyOptions = {}): readonly Assignment[] {
    if (gradients.size === 0) return [];
    const { lossScaleFactor } = this.config;
    const assignments = this.optimizers.flatMap((inner) => {
      const own = [...gradients].filter(([variable]) => this.#for(variable) === inner);
      const scaled = own.map(([variable, gradient]) => {
        return [variable, lossScaleFactor === null ? gradient : divide(gradient, lossScaleFactor)] as const;
      });
      return inner.apply(new Map(scaled), options);
    });
    return [...assignments, [this.iterations, add(parameter(this.iterations), 1)]];
  }

  override variablesInKerasOrder(weights: readonly Variable[]): readonly Variable[] {
    const inner = this.optimizers.flatMap((optimizer) =>
      optimizer.variablesInKerasOrder(weights.filter((weight) => this.#for(weight) === optimizer)),
    );
    return [this.iterations, this.#unused, ...inner];
  }

  override toConfig(): MultiOptimizerConfig {
    return this.config;
  }
}
