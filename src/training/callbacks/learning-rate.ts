/** Callbacks that change the learning rate from epoch to epoch; of several optimizers, each rate by itself. */
import type { KerasModel } from '../../model/keras-model.ts';
import { MultiOptimizer } from '../optimizers/multi-optimizer.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';
import { Callback, type CallbackState, type Logs, numberIn } from './callback.ts';
import { isBetterBy, type MonitorMode, missingMonitor } from './monitor.ts';

/** The optimizers of a model in training; only one of several has a name. */
function optimizersOf({ optimizer }: KerasModel): readonly { readonly optimizer: Optimizer; readonly name: string }[] {
  if (optimizer === undefined) return [];
  if (!(optimizer instanceof MultiOptimizer)) return [{ optimizer, name: '' }];
  return optimizer.optimizers.map((inner) => ({ optimizer: inner, name: inner.name }));
}

/** @throws {TypeError} when the learning rate follows a schedule. */
function rateOf({ learningRate }: Optimizer): number {
  if (typeof learningRate === 'number') return learningRate;
  throw new TypeError('Cannot change the learning rate: the optimizer follows a schedule, expected a number');
}

function logRates(model: KerasModel, logs: Logs): void {
  for (const { optimizer, name } of optimizersOf(model)) {
    logs[name === '' ? 'learning_rate' : `learning_rate_${name}`] = rateOf(optimizer);
  }
}

/** `learning rate`, or which one of several. */
function describeRate(name: string): string {
  return `${name}${name === '' ? '' : ' '}learning rate`;
}

export interface LearningRateSchedulerOptions {
  /** 1 prints what is set. */
  readonly verbose?: 0 | 1;
}

/** Sets the learning rate before each epoch. */
export class LearningRateScheduler extends Callback {
  readonly #schedule: (epoch: number, learningRate: number) => number;
  readonly #isVerbose: boolean;

  /** @param schedule takes the number of the epoch and the present rate */
  constructor(
    schedule: (epoch: number, learningRate: number) => number,
    { verbose = 0 }: LearningRateSchedulerOptions = {},
  ) {
    super();
    this.#schedule = schedule;
    this.#isVerbose = verbose > 0;
  }

  override onEpochBegin(epoch: number): void {
    for (const { optimizer, name } of optimizersOf(this.model)) {
      const rate = this.#schedule(epoch, rateOf(optimizer));
      if (!Number.isFinite(rate)) {
        throw new RangeError(`Cannot set the learning rate of epoch ${epoch}: found ${rate}, expected a finite number`);
      }
      optimizer.learningRate = rate;
      if (!this.#isVerbose) continue;
      console.log(`Epoch ${epoch + 1}: LearningRateScheduler setting ${describeRate(name)} to ${rate}.`);
    }
  }

  override onEpochEnd(_epoch: number, logs: Logs): void {
    logRates(this.model, logs);
  }
}

export interface ReduceLROnPlateauOptions {
  /** `val_loss` by default. */
  readonly monitor?: string;
  /** What the learning rate is multiplied with; below 1. */
  readonly factor?: number;
  /** Epochs without improvement after which the learning rate falls. */
  readonly patience?: number;
  readonly mode?: MonitorMode;
  readonly minDelta?: number;
  /** Epochs after a fall that do not count. */
  readonly cooldown?: number;
  readonly minLr?: number;
  /** 1 prints when the learning rate falls. */
  readonly verbose?: 0 | 1;
}

/** Lowers the learning rate when a log has stopped improving. */
export class ReduceLROnPlateau extends Callback {
  readonly #monitor: string;
  readonly #factor: number;
  readonly #patience: number;
  readonly #cooldown: number;
  readonly #minLr: number;
  readonly #isVerbose: boolean;
  readonly #isBetter: (a: number, b: number) => boolean;
  #best: number | undefined;
  #wait = 0;
  #cooling = 0;

  /** @throws {RangeError} when the factor is 1 or more. */
  constructor(options: ReduceLROnPlateauOptions = {}) {
    super();
    const { monitor = 'val_loss', factor = 0.1, patience = 10, mode = 'auto', minDelta = 1e-4 } = options;
    if (factor >= 1) {
      throw new RangeError(`Cannot create ReduceLROnPlateau: factor is ${factor}, expected a number below 1`);
    }
    this.#monitor = monitor;
    this.#factor = factor;
    this.#patience = patience;
    this.#cooldown = options.cooldown ?? 0;
    this.#minLr = options.minLr ?? 0;
    this.#isVerbose = (options.verbose ?? 0) > 0;
    this.#isBetter = isBetterBy(monitor, mode, minDelta);
  }

  override get stateName(): string {
    return 'ReduceLROnPlateau';
  }

  override getState(): CallbackState {
    return { values: { best: this.#best ?? null, wait: this.#wait, cooling: this.#cooling } };
  }

  override setState({ values = {} }: CallbackState): void {
    this.#best = (values.best as number | null) ?? undefined;
    this.#wait = values.wait as number;
    this.#cooling = values.cooling as number;
  }

  override onTrainBegin(): void {
    this.#best = undefined;
    this.#wait = 0;
    this.#cooling = 0;
  }

  override onEpochEnd(epoch: number, logs: Logs): void {
    logRates(this.model, logs);
    const current = numberIn(logs, this.#monitor);
    if (current === undefined) {
      console.warn(missingMonitor('ReduceLROnPlateau', this.#monitor, Object.keys(logs)));
      return;
    }
    if (this.#cooling > 0) {
      this.#cooling--;
      this.#wait = 0;
    }
    if (this.#best === undefined || this.#isBetter(current, this.#best)) {
      this.#best = current;
      this.#wait = 0;
      return;
    }
    if (this.#cooling > 0) return;
    this.#wait++;
    if (this.#wait < this.#patience || !this.#reduce(epoch)) return;
    this.#cooling = this.#cooldown;
    this.#wait = 0;
  }

  /** Whether any rate could fall. */
  #reduce(epoch: number): boolean {
    let isReduced = false;
    for (const { optimizer, name } of optimizersOf(this.model)) {
      const rate = rateOf(optimizer);
      // Rates are float32, and so is the least as one of them.
      if (rate <= Math.fround(this.#minLr)) continue;
      const next = Math.max(rate * this.#factor, this.#minLr);
      optimizer.learningRate = next;
      isReduced = true;
      if (!this.#isVerbose) continue;
      console.log(`Epoch ${epoch + 1}: ReduceLROnPlateau reducing ${describeRate(name)} to ${next}.`);
    }
    return isReduced;
  }
}
