import type { SymbolicTensor } from '../graph/node.ts';
import type { Field } from '../layers/fields.ts';
import type { Layer } from '../layers/layer.ts';
import type { Loss } from '../training/losses/loss.ts';
import type { Metric } from '../training/metrics/metric.ts';
import type { Optimizer } from '../training/optimizers/optimizer.ts';
import type { LearningRateSchedule } from '../training/schedules/schedule.ts';

/** A class of layers: its name in files, its fields, and a constructor that takes options. */
export interface LayerClass {
  readonly className: string;
  readonly fields: Readonly<Record<string, Field<unknown>>>;
  readonly prototype: Layer;
  /** Each class states the type of its own options; whoever calls this has checked them against `fields`. */
  new (options: never): Layer;
}

/** A class of what trains models. */
export interface TrainingClass {
  readonly prototype: Loss | Metric | Optimizer | LearningRateSchedule;
  new (options: never): Loss | Metric | Optimizer | LearningRateSchedule;
}

/**
 * In the place of a layer, a Lambda or an activation: a function of the inputs, written with `ops`. In the place of a loss
 * or a metric, the inputs are targets and predictions.
 */
export type CustomFunction = (
  inputs: readonly SymbolicTensor[],
  config: Readonly<Record<string, unknown>>,
) => SymbolicTensor | readonly SymbolicTensor[];

/** What only the author of a file has, by the name under which the file refers to it. */
export type CustomObjects = Readonly<Record<string, LayerClass | TrainingClass | CustomFunction>>;

/**
 * Thrown when a file uses classes or functions that only its author has. `needs` names them, as keys of
 * `customObjects`.
 */
export class CustomObjectError extends Error {
  override readonly name = 'CustomObjectError';
  readonly needs: readonly string[];

  constructor(message: string, needs: readonly string[]) {
    super(message);
    this.needs = needs;
  }
}
