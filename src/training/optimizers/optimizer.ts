/**
 * Optimizers, as functions over symbolic tensors.
 *
 * `apply(gradients, options)` adds one step to a graph and gives every new value of it as pairs of a variable and the
 * tensor that it shall hold afterwards: weights, slots, counters, averages. Nothing is assigned here; a program does.
 *
 * - `iterations` counts steps, an int32 scalar. With gradient accumulation it counts batches.
 * - `learningRate` is a number that may be set at any time: it is a variable of the program, so nothing is compiled
 *   anew. With a schedule it cannot be set.
 * - Slots belong to a weight: `slotsOf(variable)` makes them when they are first asked for. A weight that is frozen
 *   and thawed again finds its slots as they were.
 * - `variablesInKerasOrder(weights)` is the order in which Keras stores an optimizer's state.
 */
import { Tensor } from '../../array/tensor.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import type { Variable } from '../../graph/variable.ts';
import type { Constraint } from '../../layers/constraints.ts';
import { type Fields, resolveConfig } from '../../layers/fields.ts';
import { snakeCaseOf } from '../../layers/keras-object.ts';
import type { LearningRateSchedule } from '../schedules/schedule.ts';

/** A variable and what it shall hold after the step. */
export type Assignment = readonly [variable: Variable, value: SymbolicTensor];

/** Gradients of the loss, by weight. What is frozen has none. */
export type Gradients = ReadonlyMap<Variable, SymbolicTensor>;

/** What is known of weights besides their gradients. */
export interface ApplyOptions {
  /** The condition that a weight keeps after each step. */
  readonly constraintOf?: (variable: Variable) => Constraint | null | undefined;
  /** A factor on the learning rate of a weight; 1 when `undefined`. */
  readonly learningRateMultiplierOf?: (variable: Variable) => number | undefined;
}

/** State that an optimizer keeps for one weight, by Keras' name, such as `momentum`. */
export type Slots = Readonly<Record<string, Variable>>;

/** Makes steps of gradients. */
export abstract class Optimizer<C extends { readonly name: string } = { readonly name: string }> {
  readonly role = 'optimizer';
  readonly className: string;
  readonly config: C;

  constructor(className: string, fields: Fields<C>, options: Readonly<Record<string, unknown>>) {
    const config = resolveConfig(className, fields, options);
    this.className = className;
    this.config = config.name === '' ? { ...config, name: snakeCaseOf(className) } : config;
  }

  get name(): string {
    return this.config.name;
  }

  /** The number of steps done, an int32 scalar. */
  abstract get iterations(): Variable;

  /** The learning rate, or the schedule that it follows. */
  abstract get learningRate(): number | LearningRateSchedule;

  /** @throws {TypeError} when a number is set and the learning rate follows a schedule. */
  abstract set learningRate(value: number | LearningRateSchedule);

  /** Settles what goes by the paths of weights, while they are those below the model that is trained. */
  claim(_variables: readonly Variable[]): void {}

  /** The state of one weight; made when it is first asked for. */
  abstract slotsOf(variable: Variable): Slots;

  /** Whether there is state of a weight already. */
  abstract hasStateOf(variable: Variable): boolean;

  /**
   * How many steps were done when the state of a weight began: 0 but for a weight that was thawed later. It counts its
   * own steps from there, so that means which start at 0 are corrected as those of a new optimizer.
   */
  abstract startOf(variable: Variable): number;

  /** Takes up the state of a weight that began after so many steps; programs that were compiled before do not know. */
  abstract setStart(variable: Variable, steps: number): void;

  /** The new values of one step. */
  abstract apply(gradients: Gradients, options?: ApplyOptions): readonly Assignment[];

  /** The loss whose gradients `apply` takes: Keras scales it so that small gradients survive in float16. */
  abstract scaleLoss(loss: SymbolicTensor): SymbolicTensor;

  /** The moving average of a weight; `undefined` without `useEma`. */
  abstract averageOf(variable: Variable): Variable | undefined;

  /** All state in the order in which Keras stores it, for weights in the order of the model's trainable weights. */
  abstract variablesInKerasOrder(weights: readonly Variable[]): readonly Variable[];

  /** Options as they are now: the configuration, with the present learning rate. */
  abstract toConfig(): C;
}

/** A copy of a variable's present value, as the initial value of another. */
export function copyOf(variable: Variable): () => Tensor {
  return () => {
    const { shape, dtype, data } = variable.value;
    return new Tensor(shape, dtype, data.slice());
  };
}
