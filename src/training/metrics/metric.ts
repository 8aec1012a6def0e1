/**
 * Metrics, as functions over symbolic tensors. A metric has
 *
 * - `className`, `config` and `name`, Keras' own in camelCase;
 * - `variables`: its state, which starts at 0. Some metrics know its shape only when they see the first batch;
 * - `update(yTrue, yPred, sampleWeight, mask)`: new values of the state with a batch, as pairs of a variable and the
 *   tensor that it shall hold. Nothing is assigned here; a program does;
 * - `result()`: what the state means;
 * - `reset()`: the state is 0 again.
 *
 * The names of metrics are those of Keras without its count of objects of a class: two of one name are told apart by
 * who collects their results.
 */
import { zeroData } from '../../array/dtype.ts';
import { type Shape, sizeOf } from '../../array/shape.ts';
import { Tensor } from '../../array/tensor.ts';
import { parameter } from '../../graph/apply.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { Variable, type VariableDtype } from '../../graph/variable.ts';
import { type Fields, nullable, type Options, resolveConfig, string } from '../../layers/fields.ts';
import { add } from '../../ops/elementwise.ts';
import { cast } from '../../ops/operand.ts';
import type { Assignment } from '../optimizers/optimizer.ts';

/** The options that every metric has. */
export interface MetricConfig {
  name: string;
  /** Keras' dtype; whatever it says, programs compute in float32, and counts of pixels in int32. */
  dtype: string | null;
}

export type MetricOptions = Options<MetricConfig>;

/** Fields of `MetricConfig`, to be spread into those of each metric. */
export function metricFields(name: string): Fields<MetricConfig> {
  return { name: string(name), dtype: nullable(string()) };
}

/**
 * What is measured over many batches.
 *
 * A metric of one's own extends this class, adds its state with `addVariable`, and writes `update` and `result` with
 * `ops`.
 */
export abstract class Metric<C extends MetricConfig = MetricConfig> {
  readonly role = 'metric';
  readonly className: string;
  readonly config: C;
  readonly #variables = new Map<string, Variable>();

  constructor(className: string, fields: Fields<C>, options: Readonly<Record<string, unknown>>) {
    this.className = className;
    this.config = resolveConfig(className, fields, options);
  }

  get name(): string {
    return this.config.name;
  }

  /** The state, in Keras' order. */
  get variables(): readonly Variable[] {
    return [...this.#variables.values()];
  }

  /** New values of the state with a batch. A mask is that of the predictions. */
  abstract update(
    yTrue: SymbolicTensor,
    yPred: SymbolicTensor,
    sampleWeight?: SymbolicTensor,
    mask?: SymbolicTensor,
  ): readonly Assignment[];

  /**
   * What the state means: a scalar, or one value for each class or threshold.
   *
   * @throws {RangeError} when the metric knows its shape from the first batch, and has seen none.
   */
  abstract result(): SymbolicTensor;

  /** Starts anew. */
  reset(): void {
    for (const variable of this.variables) variable.assign(zeros(variable.shape, variable.dtype));
  }

  /** Adds state of zeros, unless there is some of that name. */
  protected addVariable(name: string, shape: Shape = [], dtype: VariableDtype = 'float32'): void {
    if (this.#variables.has(name)) return;
    const variable = new Variable({ name, shape, dtype, trainable: false, initialize: zeros });
    variable.path = `${this.name}/${name}`;
    this.#variables.set(name, variable);
  }

  /** The symbolic tensor of the state of that name. */
  protected state(name: string): SymbolicTensor {
    return parameter(this.#variable(name));
  }

  /** The state of that name with something added. */
  protected grow(name: string, amount: SymbolicTensor | number): Assignment {
    const variable = this.#variable(name);
    return [variable, add(parameter(variable), cast(amount, variable.dtype))];
  }

  #variable(name: string): Variable {
    const variable = this.#variables.get(name);
    if (variable !== undefined) return variable;
    throw new RangeError(`Cannot compute metric "${this.name}": it has seen no batch, from which it learns its shape`);
  }
}

function zeros(shape: Shape, dtype: VariableDtype): Tensor {
  return new Tensor(shape, dtype, zeroData(dtype, sizeOf(shape)));
}
