import type { Tensor } from '../../array/tensor.ts';
import type { KerasModel } from '../../model/keras-model.ts';
import type { PredictOutputs } from '../../model/predictor.ts';

/**
 * Losses and metrics by name: numbers, or lists for metrics that have a value for each class.
 *
 * At the end of an epoch a callback may add its own, which callbacks after it and the history see.
 */
export type Logs = Record<string, number | readonly number[]>;

/** What a batch of `predict` gave. */
export interface PredictLogs {
  readonly outputs: PredictOutputs;
}

/** What a callback is told about the run before it begins. */
export interface CallbackParams {
  readonly epochs: number;
  /** Batches of an epoch; unknown for a dataset that was not counted. */
  readonly steps: number | undefined;
  readonly verbose: number;
}

/** What JSON can hold, and the numbers that it cannot. */
export type PlainValue =
  | null
  | boolean
  | number
  | string
  | readonly PlainValue[]
  | { readonly [key: string]: PlainValue };

/** What a callback keeps from batch to batch or from epoch to epoch. */
export interface CallbackState {
  readonly values?: { readonly [name: string]: PlainValue };
  readonly tensors?: { readonly [name: string]: Tensor };
}

type Awaitable = void | Promise<void>;

/**
 * Takes part in training: every hook of Keras. A hook may be asynchronous; the training waits for it.
 *
 * A callback of one's own extends this class and overrides what it needs.
 */
export abstract class Callback {
  #model: KerasModel | undefined;
  #params: CallbackParams = { epochs: 0, steps: undefined, verbose: 0 };

  /** The model that is trained. */
  get model(): KerasModel {
    if (this.#model === undefined) throw new Error('Cannot use the model of a callback: no training has begun');
    return this.#model;
  }

  get params(): CallbackParams {
    return this.#params;
  }

  setModel(model: KerasModel): void {
    this.#model = model;
  }

  setParams(params: CallbackParams): void {
    this.#params = params;
  }

  /** The name under which a stored training has the state of this callback; that of the class unless overridden. */
  get stateName(): string {
    return this.constructor.name;
  }

  /** What a training that is stored must know of this callback to go on exactly; nothing by default. */
  getState(): CallbackState | undefined {
    return undefined;
  }

  /** Takes what `getState` gave; called after `onTrainBegin`, before anything else of a training that goes on. */
  setState(_state: CallbackState): void {}

  onTrainBegin(_logs?: Logs): Awaitable {}
  onTrainEnd(_logs?: Logs): Awaitable {}
  onEpochBegin(_epoch: number, _logs?: Logs): Awaitable {}
  /** Logs of validation have names that begin with `val_`. */
  onEpochEnd(_epoch: number, _logs: Logs): Awaitable {}
  onTrainBatchBegin(batch: number, logs?: Logs): Awaitable {
    return this.onBatchBegin(batch, logs);
  }
  onTrainBatchEnd(batch: number, logs: Logs): Awaitable {
    return this.onBatchEnd(batch, logs);
  }
  /** Keras' older name for `onTrainBatchBegin`. */
  onBatchBegin(_batch: number, _logs?: Logs): Awaitable {}
  /** Keras' older name for `onTrainBatchEnd`. */
  onBatchEnd(_batch: number, _logs: Logs): Awaitable {}
  onTestBegin(_logs?: Logs): Awaitable {}
  onTestEnd(_logs: Logs): Awaitable {}
  onTestBatchBegin(_batch: number, _logs?: Logs): Awaitable {}
  onTestBatchEnd(_batch: number, _logs: Logs): Awaitable {}
  onPredictBegin(_logs?: Logs): Awaitable {}
  onPredictEnd(_logs?: Logs): Awaitable {}
  onPredictBatchBegin(_batch: number, _logs?: Logs): Awaitable {}
  onPredictBatchEnd(_batch: number, _logs: PredictLogs): Awaitable {}
}

/** The value of a log that is one number; `undefined` for others. */
export function numberIn(logs: Logs, name: string): number | undefined {
  const value = logs[name];
  return typeof value === 'number' ? value : undefined;
}
