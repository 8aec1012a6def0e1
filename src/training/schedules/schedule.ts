import type { SymbolicTensor } from '../../graph/node.ts';
import { type Fields, resolveConfig } from '../../layers/fields.ts';

/**
 * A learning rate that follows the number of steps done.
 *
 * `call` takes that number, an int32 scalar that is 0 at the first step, and gives a float32 scalar. A schedule of
 * one's own extends this class and writes `call` with `ops`.
 */
export abstract class LearningRateSchedule<C extends object = object> {
  readonly role = 'schedule';
  readonly className: string;
  readonly config: C;

  constructor(className: string, fields: Fields<C>, options: Readonly<Record<string, unknown>>) {
    this.className = className;
    this.config = resolveConfig(className, fields, options);
  }

  abstract call(step: SymbolicTensor): SymbolicTensor;
}
