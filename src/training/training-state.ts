/** A training between two steps, as one value. */
import type { Tensor } from '../array/tensor.ts';
import type { CallbackState, Logs } from './callbacks/callback.ts';
import type { SourceMark } from './data-source.ts';

/**
 * Everything that decides how a training goes on, except for the data and what was said to `compile` and `fit`. It is a
 * plain value: nothing that happens to the model later changes it.
 */
export interface TrainingState {
  /**
   * Weights, the optimizer's slots and counters, states of the random generator and of metrics, by names that begin with
   * the kind: `weights/dense/kernel`, `optimizer/dense/kernel/momentum`, `random/counter`.
   */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Where `fit` is, or was when it ended; `null` of a model that was trained by `trainOnBatch` alone. */
  readonly position: TrainingPosition | null;
  /** What callbacks keep, by their names. */
  readonly callbacks: Readonly<Record<string, CallbackState>>;
}

/** Where `fit` is. */
export interface TrainingPosition {
  /** The number of the epoch, from 0. */
  readonly epoch: number;
  /** Batches of the epoch that are done. */
  readonly step: number;
  /** The logs of the last batch; those of the epoch with validation, once callbacks are told of its end. */
  readonly logs: Logs;
  /** The end of a batch or of the epoch that callbacks are being told of, and those that have been told. */
  readonly telling: { readonly of: 'batch' | 'epoch'; readonly told: readonly string[] } | null;
  /** Whether a callback has ended the training. */
  readonly stopTraining: boolean;
  /** Where the epoch begins in the samples. */
  readonly training: SourceMark;
  readonly validation: SourceMark | null;
}

/** Thrown when a state of a training does not fit the model or the data: nothing is changed before all of it fits. */
export class TrainingStateError extends Error {
  override readonly name = 'TrainingStateError';
  /** Everything that differs. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    const listed = problems.slice(0, MAX_LISTED).join('; ');
    const rest = problems.length > MAX_LISTED ? `; and ${problems.length - MAX_LISTED} more` : '';
    super(`Cannot resume the training: ${listed}${rest}`);
    this.problems = problems;
  }
}

/** Problems in one message; the error has them all. */
const MAX_LISTED = 8;
