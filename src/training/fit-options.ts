import type { Backend } from '../compiler/backend.ts';
import type { Callback } from './callbacks/callback.ts';
import type { ClassWeight } from './class-weights.ts';
import type { Dataset } from './data-source.ts';
import type { BatchLike, TargetValues } from './samples.ts';
import type { TrainingState } from './training-state.ts';

/** What steps have in common. */
export interface BatchOptions {
  readonly sampleWeight?: TargetValues;
  /** For models with one output. */
  readonly classWeight?: ClassWeight;
  /** Compiles the programs; by default the WebAssembly backend. */
  readonly backend?: Backend;
}

export interface EvaluateOptions {
  /** Samples of a step; 32 as in Keras. Datasets have batches of their own. */
  readonly batchSize?: number;
  readonly sampleWeight?: TargetValues;
  /** Batches to take; by default all. */
  readonly steps?: number;
  readonly callbacks?: readonly Callback[];
  /** Checked between batches. */
  readonly signal?: AbortSignal;
  readonly backend?: Backend;
}

export interface FitOptions extends BatchOptions {
  /** Samples of a step; 32 as in Keras. Datasets have batches of their own. */
  readonly batchSize?: number;
  /** The epoch to end with; 1 by default. */
  readonly epochs?: number;
  /** The number of the first epoch, for a training that goes on; 0 by default. */
  readonly initialEpoch?: number;
  /**
   * Goes on from where this state was taken, in the middle of an epoch as well, in place of `initialEpoch`: with the same
   * model, data and options, to the same bits.
   */
  readonly resume?: TrainingState;
  /** Whether arrays are read in a new order in each epoch; true by default. */
  readonly shuffle?: boolean;
  /** Makes the orders reproducible; by default they differ from run to run. */
  readonly seed?: number;
  /** The share of the samples, taken from the end, that is not trained on but evaluated after each epoch. */
  readonly validationSplit?: number;
  /** Evaluated after each epoch: inputs, targets and weights, or a dataset. */
  readonly validationData?: BatchLike | Dataset;
  /** Samples of a step of validation; by default as in training. */
  readonly validationBatchSize?: number;
  /** Batches of validation; by default all. */
  readonly validationSteps?: number;
  /** After how many epochs, each time, validation takes place; 1 by default. */
  readonly validationFreq?: number;
  /** Batches of an epoch; by default all. A dataset that is not at its end goes on in the next epoch. */
  readonly stepsPerEpoch?: number;
  readonly callbacks?: readonly Callback[];
  /** 0 by default: prints nothing. 1: a bar that moves, 2: a line for each epoch. */
  readonly verbose?: 0 | 1 | 2;
  /** Checked between batches. */
  readonly signal?: AbortSignal;
}
