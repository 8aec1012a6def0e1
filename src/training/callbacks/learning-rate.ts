/** Callbacks that change the learning rate from epoch to epoch. */
import type { KerasModel } from '../../model/keras-model.ts';
import { Callback, type CallbackState, type Logs, numberIn } from './callback.ts';
import { isBetterBy, type MonitorMode, missingMonitor } from './monitor.ts';

/**
 * The learning rate of a model in training.
 *
 * @throws {TypeError} when it follows a schedule.
 */
function learningRateOf(model: KerasModel): number {
  const rate = model.optimizer?.learningRate;
  if (typeof rate === 'number') return rate;
  throw new TypeError('Cannot change the learning rate: the optimizer follows a schedule, expected a number');
}

function setLearningRate(model: KerasModel, rate: number): void {
  if (model.optimizer !== undefined) model.optimizer.learningRate = rate;
}

/** Sets the learning rate before each epoch. */
export class LearningRateScheduler extends Callback {
  readonly #schedule: (epoch: number, learningRate: number) => number;

  /** @param schedule takes the number of the epoch and the present rate */
  constructor(schedule: (epoch: number, learningRate: number) => number) {
    super();
    this.#schedule = schedule;
  }

  override onEpochBegin(epoch: number): void {
    const rate = this.#schedule(epoch, learningRateOf(this.model));
    if (!Number.isFinite(rate)) {
      throw new RangeError(`Cannot set the learning rate of epoch ${epoch}: found ${rate}, expected a finite number`);
    }
    setLearningRate(this.model, rate);
  }

  override onEpochEnd(_epoch: number, logs: Logs): void {
    logs.learning_rate = learningRateOf(this.model);
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
}

/** Lowers the learning rate when a log has stopped improving. */
export class ReduceLROnPlateau extends Callback {
  readonly #monitor: string;
  readonly #factor: number;
  readonly #patience: number;
  readonly #cooldown: number;
  readonly #minLr: number;
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

  override onEpochEnd(_epoch: number, logs: Logs): void {
    const rate = learningRateOf(this.model);
    logs.learning_rate = rate;
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
    if (this.#wait < this.#patience || rate <= this.#minLr) return;
    setLearningRate(this.model, Math.max(rate * this.#factor, this.#minLr));
    this.#cooling = this.#cooldown;
    this.#wait = 0;
  }
}
