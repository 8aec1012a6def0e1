import type { Tensor } from '../../array/tensor.ts';
import { uniquePaths } from '../state-variables.ts';
import { Callback, type CallbackState, type Logs, numberIn } from './callback.ts';
import { isBetterBy, type MonitorMode, missingMonitor } from './monitor.ts';

export interface EarlyStoppingOptions {
  /** `val_loss` by default. */
  readonly monitor?: string;
  /** A smaller change is no improvement. */
  readonly minDelta?: number;
  /** Epochs without improvement after which training ends. */
  readonly patience?: number;
  readonly mode?: MonitorMode;
  /** Training ends too when this is not reached. */
  readonly baseline?: number | null;
  /** Whether the model has the weights of its best epoch when training has ended. */
  readonly restoreBestWeights?: boolean;
  /** Epochs before it are not looked at. */
  readonly startFromEpoch?: number;
  /** 1 prints when training is ended, and which weights are taken. */
  readonly verbose?: 0 | 1;
}

/** Ends training when a log has stopped improving. */
export class EarlyStopping extends Callback {
  readonly #monitor: string;
  readonly #patience: number;
  readonly #baseline: number | null;
  readonly #restores: boolean;
  readonly #start: number;
  readonly #isVerbose: boolean;
  readonly #isBetter: (a: number, b: number) => boolean;
  #best: number | undefined;
  #bestWeights: readonly Tensor[] | undefined;
  /** What was measured of them. */
  #bestLogs: Logs = {};
  #wait = 0;
  /** The epoch after which training was ended; 0 when it was not. */
  stoppedEpoch = 0;
  bestEpoch = 0;

  constructor(options: EarlyStoppingOptions = {}) {
    super();
    const { monitor = 'val_loss', minDelta = 0, patience = 0, mode = 'auto', baseline = null } = options;
    this.#monitor = monitor;
    this.#patience = patience;
    this.#baseline = baseline;
    this.#restores = options.restoreBestWeights ?? false;
    this.#start = options.startFromEpoch ?? 0;
    this.#isVerbose = (options.verbose ?? 0) > 0;
    this.#isBetter = isBetterBy(monitor, mode, minDelta);
  }

  /** The best value so far. */
  get best(): number | undefined {
    return this.#best;
  }

  override get stateName(): string {
    return 'EarlyStopping';
  }

  override getState(): CallbackState {
    const { stoppedEpoch, bestEpoch } = this;
    const values = { best: this.#best ?? null, wait: this.#wait, stoppedEpoch, bestEpoch };
    if (this.#bestWeights === undefined) return { values };
    const names = uniquePaths(this.model);
    const kept = { ...values, bestLogs: this.#bestLogs };
    return {
      values: kept,
      tensors: Object.fromEntries(this.#bestWeights.map((value, index) => [names[index], value])),
    };
  }

  override setState({ values = {}, tensors }: CallbackState): void {
    this.#best = (values.best as number | null) ?? undefined;
    this.#wait = values.wait as number;
    this.stoppedEpoch = values.stoppedEpoch as number;
    this.bestEpoch = values.bestEpoch as number;
    this.#bestLogs = (values.bestLogs ?? {}) as Logs;
    this.#bestWeights = tensors && uniquePaths(this.model).map((name) => tensors[name] as Tensor);
  }

  override onTrainBegin(): void {
    this.#wait = 0;
    this.#best = undefined;
    this.#bestWeights = undefined;
    this.stoppedEpoch = 0;
    this.bestEpoch = 0;
  }

  override onEpochEnd(epoch: number, logs: Logs): void {
    const current = numberIn(logs, this.#monitor);
    if (current === undefined) console.warn(missingMonitor('EarlyStopping', this.#monitor, Object.keys(logs)));
    if (current === undefined || epoch < this.#start) return;
    if (this.#restores && this.#bestWeights === undefined) this.#keep(epoch, logs);
    this.#wait++;
    if (this.#improves(current, this.#best)) {
      this.#best = current;
      this.bestEpoch = epoch;
      if (this.#restores) this.#keep(epoch, logs);
      if (this.#baseline === null || this.#improves(current, this.#baseline)) this.#wait = 0;
      return;
    }
    if (this.#wait < this.#patience || epoch === 0) return;
    this.stoppedEpoch = epoch;
    this.model.stopTraining = true;
  }

  override onTrainEnd(): void {
    if (this.#isVerbose && this.stoppedEpoch > 0) console.log(`Epoch ${this.stoppedEpoch + 1}: early stopping`);
    if (this.#bestWeights === undefined) return;
    if (this.#isVerbose) {
      console.log(`Restoring model weights from the end of the best epoch: ${this.bestEpoch + 1}.`);
    }
    this.model.setWeights(this.#bestWeights);
    this.model.trainingLogs = this.#bestLogs;
  }

  #improves(current: number, reference: number | undefined): boolean {
    return reference === undefined || this.#isBetter(current, reference);
  }

  #keep(epoch: number, logs: Logs): void {
    this.#bestWeights = this.model.getWeights();
    this.#bestLogs = { ...logs };
    this.bestEpoch = epoch;
  }
}
